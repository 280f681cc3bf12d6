"""How a case becomes timing rows: which modes are timed where, and what a cold row contains."""

from math import inf

import numpy as np
import pytest

from tfparity.suite.checking.planning import Wanted
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.language import loading
from tfparity.suite.running import modes
from tfparity.suite.timing import case_timing
from tfparity.suite.timing.case_timing import Found, Place, Task, cold_figures, timed
from tfparity.suite.timing.sampler import Cold
from tfparity.suite.timing.statistics import Interval


@pytest.fixture(scope="module")
def acosh():
    return loading.load()["tf.math.acosh"]


def task(case, modes=("graph", "graph-dynamic", "numpy"), devices=("CPU:0",), lost=(), step=lambda *_: None):
    return Task(case, "float32", Wanted(modes, devices), dict.fromkeys(lost), step)


def place(case, size=100):
    return next(Place("CPU:0", draw, n) for draw, n in case_timing.sizes(case, "float32") if n == size)


def test_eager_is_timed_first_and_numpy_on_the_cpu_only(acosh):
    assert task(acosh).modes("CPU:0") == ["eager", "graph", "numpy"]
    assert task(acosh).modes("GPU:0") == ["eager", "graph"]


def test_a_mode_that_ended_the_process_is_not_tried_again_on_that_device(acosh):
    again = task(acosh, lost=[("timed", "graph", "CPU:0", "value")])
    assert again.modes("CPU:0") == ["eager", "numpy"]
    assert again.modes("GPU:0") == ["eager", "graph"]


def test_a_cold_row_says_how_many_starts_it_rests_on():
    eager = Interval(0.9, 1.0, 1.1)
    assert cold_figures(Interval(3.0, 4.0, 5.0), eager, 5) == {
        "seconds": 4.0, "low": 3.0, "high": 5.0, "rounds": 5, "loops": 1, "ratio": 4.0, "ratio_low": 3.0 / 1.1,
        "ratio_high": 5.0 / 0.9, "verdict": "unresolved",
    }  # fmt: skip


def test_one_cold_start_has_an_interval_from_zero_to_infinity():
    once = Cold(np.array([4.0])).seconds()
    figures = cold_figures(once, once, 1)
    assert (figures["low"], figures["seconds"], figures["high"], figures["rounds"]) == (0.0, 4.0, inf, 1)
    assert (figures["ratio_low"], figures["ratio"], figures["ratio_high"]) == (0.0, 1.0, inf)


def test_a_case_gives_a_cold_and_a_warm_row_for_each_mode(acosh):
    steps = []
    asked = task(acosh, step=lambda step, size: steps.append(step[1]))
    found = timed(asked, place(acosh), cold=True)
    rows = [(row.mode, row.phase) for row in case_timing.rows(asked, place(acosh), found)]
    assert [row for row in rows if not row[0].endswith("-twin")] == [
        *(("eager", "cold"), ("graph", "cold")),
        *(("eager", "warm"), ("graph", "warm"), ("numpy", "warm")),
    ]
    assert steps == ["eager", "graph", "numpy", "warm"]
    assert not any("traced" in flag for flag in found.warm.flags)


@pytest.mark.parametrize(("mode", "traced"), [("eager", 0), ("graph", 1)])
def test_the_traces_of_a_mode_are_counted(acosh, mode, traced):
    sample = Sample("timed", (place(acosh).draw,))
    ready = case_timing.prepared(acosh, sample, mode, [modes.tensor(leaf) for leaf in sample.tensors[0]])
    assert ready.traces() == traced
    ready.call()
    assert ready.traces() == traced
    assert ready.first > 0


def test_planted_a_mode_that_fails_is_left_out_and_eager_ends_it(acosh, monkeypatch):
    def failing(broken):
        def prepare(case, sample, mode, tensors, real=case_timing.prepared):
            if mode == broken:
                raise RuntimeError("no kernel")
            return real(case, sample, mode, tensors)

        return prepare

    with monkeypatch.context() as patch:
        patch.setattr(case_timing, "prepared", failing("graph"))
        found = timed(task(acosh), place(acosh), cold=False)
    assert {"eager", "numpy"} <= set(found.warm.names)
    assert "graph" not in found.warm.names
    monkeypatch.setattr(case_timing, "prepared", failing("eager"))
    assert timed(task(acosh), place(acosh), cold=False) is None


def test_a_case_that_is_slow_on_one_device_is_timed_on_the_others(acosh, monkeypatch):
    """On the slow device the first size is the last; the other device is timed at every size."""
    asked = []

    def fake(task, place, *, cold):
        asked.append((place.device, place.size))
        return Found(None, 2 * case_timing.SLOW if place.device == "CPU:0" else 0.0)

    monkeypatch.setattr(case_timing, "timed", fake)
    monkeypatch.setattr(case_timing, "rows", lambda *_: [])
    want = Wanted(("eager",), ("CPU:0", "GPU:0"))
    assert not list(case_timing.run(acosh, "float32", want, {}, lambda *_: None))
    assert asked == [("CPU:0", 100), ("GPU:0", 100), ("GPU:0", 10_000), ("GPU:0", 1_000_000)]
