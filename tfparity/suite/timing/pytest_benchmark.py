"""The bridge to pytest-benchmark: the readings of the paired sampler become the results of its `benchmark` fixture.

It uses the fixture by its public names only, and knows no TensorFlow, no case and no pytest item.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from tfparity.suite.timing.measurement import Measurement
from tfparity.suite.timing.sampler import empty


class Groups:
    """Measurements by group, each made once: pytest-benchmark has one benchmark a test, pairing times them together.

    The first test of a group measures all of its modes; the other tests take their column from here.
    """

    def __init__(self) -> None:
        self.made: dict[str, Measurement | Exception] = {}

    def of(self, group: str, make: Callable[[], Measurement]) -> Measurement:
        """The measurement of a group. What `make` raised is raised for each test of the group; `make` runs once."""
        if group not in self.made:
            try:
                self.made[group] = make()
            except Exception as error:
                self.made[group] = error
        made = self.made[group]
        if isinstance(made, Exception):
            raise made
        return made


def record(benchmark: Any, measurement: Measurement, name: str, group: str | None = None) -> None:
    """Make one column of a measurement the result of a test's `benchmark` fixture.

    The fixture times nothing itself: it runs `pedantic`, its public way of making statistics, on the empty call, and
    the data of these statistics are then replaced by ours, the seconds of one call in each decisive round. So JSON,
    comparison and histogram use exactly these numbers. Ratio, interval and flags stand in `extra_info`, a number that
    JSON cannot hold as None. With benchmarks disabled (--benchmark-disable, pytest-xdist) there are no statistics, and
    nothing is recorded.
    """
    if group is not None:
        benchmark.group = group
    figures = measurement.figures(name)
    benchmark.extra_info.update(
        mode=name,
        against=measurement.against(name),
        **{key: None if isinstance(value, float) and not isfinite(value) else value for key, value in figures.items()},
        dispatch=measurement.seconds(name, dispatch=True).mid,
        floor=measurement.floor,
        flags=list(measurement.flags),
    )
    benchmark.pedantic(empty, rounds=1, iterations=figures["loops"])
    if benchmark.stats is None:
        return
    statistics = benchmark.stats.stats
    statistics.data.clear()
    for seconds in measurement.per_call(name):
        statistics.update(float(seconds))
    benchmark.stats.options.update(
        timer="paired", min_rounds=measurement.rounds, disable_gc=True, warmup=True, max_time=None, min_time=None
    )
