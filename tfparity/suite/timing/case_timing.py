"""Timing one case: its modes side by side, warm and cold, at three sizes, into rows.

The sampler (`timing`) knows callables only; here a case becomes those callables, one per mode, on tensors that are
arguments and already on the device.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tfparity.suite.checking.checks import Step
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.inputs import samples
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging.outcome import Lost
from tfparity.suite.language.case import Case
from tfparity.suite.language.trees import leaves, rebuild
from tfparity.suite.records.results import Timing
from tfparity.suite.running import modes
from tfparity.suite.timing import sampler as timing

SIZES = (100, 10_000, 1_000_000)
"""Elements of the largest input: dispatch-bound, between, and bound by the kernel."""

BUDGET = 0.5
"""Seconds of warm rounds for one case at one size; a case that is slower gets fewer rounds, never fewer than one."""

SLOW = 2.0
"""A size whose first eager call takes longer than this many seconds is the last one timed."""

TIMED_MODES = ("eager", "graph", "xla", "numpy")
COLD_REPEATS = 5


def sizes(case: Case, dtype: str) -> list[tuple[Any, int]]:
    """The draws a case is timed on, (arguments, elements of the largest input), distinct sizes ascending."""
    found: dict[int, Any] = {}
    for elements in SIZES:
        draw, size = samples.timed_draw(case, dtype, elements)
        found.setdefault(size, draw)
    return [(draw, size) for size, draw in sorted(found.items())]


def run(
    case: Case, dtype: str, want: Wanted, lost: Mapping[Step, Lost], step: Callable[[Step, int], None]
) -> Iterator[Timing]:
    """The timing rows of a case, cold and warm, on each device. Modes in `lost` died in an earlier try."""
    drawn = sizes(case, dtype)
    middle = drawn[len(drawn) // 2][1]  # tracing and compiling cost the same at every size
    for device in want.devices:
        for draw, size in drawn:
            found = _at(case, dtype, want, lost, step, device, draw, size, cold=size == middle)
            if found is None:
                return
            done, cold, first = found
            data = _bytes(draw)
            for mode, seconds in cold.items():
                yield Timing(
                    case.name,
                    dtype,
                    "timed",
                    size,
                    mode,
                    device,
                    "cold",
                    seconds.mid,
                    seconds.low,
                    seconds.high,
                    COLD_REPEATS,
                    1,
                    seconds.mid / cold["eager"].mid,
                    seconds.low / cold["eager"].high,
                    seconds.high / max(cold["eager"].low, 1e-9),
                    "unresolved",
                    bytes=data,
                )
            for name in done.names:
                yield Timing(case.name, dtype, "timed", size, name, device, "warm", **done.figures(name), bytes=data)
            if first > SLOW:
                return


def measure(
    case: Case, dtype: str, want: Wanted, lost: Mapping[Step, Lost], step: Callable[[Step, int], None], size: int
) -> timing.Measurement | None:
    """The warm measurement of one size on the first device, every sample kept; None where eager does not run."""
    draw = next(d for d, s in sizes(case, dtype) if s == size)
    found = _at(case, dtype, want, lost, step, want.devices[0], draw, size, cold=False)
    return found and found[0]


def _at(
    case: Case,
    dtype: str,
    want: Wanted,
    lost: Mapping[Step, Lost],
    step: Callable[[Step, int], None],
    device: str,
    draw: Any,
    size: int,
    cold: bool,
) -> tuple[timing.Measurement, dict[str, Any], float] | None:
    """One size on one device: the measurement, the cold intervals by mode, and the seconds of a first eager call."""
    import tensorflow as tf

    dead = {mode for _, mode, _, _ in lost}
    wanted = [m for m in dict.fromkeys(("eager", *want.modes)) if m in TIMED_MODES and m not in dead]
    if case.reference is None or case.state is not None or not device.startswith("CPU"):
        wanted = [m for m in wanted if m != "numpy"]
    sample = Sample("timed", (draw,))
    with tf.device(f"/device:{device}"):
        tensors = [modes.tensor(leaf) for leaf in sample.tensors[0]]
        calls, intervals, first = _prepare(case, sample, tensors, wanted, device, step, cold)
        if "eager" not in calls:
            return None
        step(("timed", "warm", device, "value"), size)
        identity = f"{case.name}/{dtype}/timed/{device}/{size}"
        done = timing.measure(
            timing.twin(calls, identity), base="eager", synchronise=_synchronise(device), budget=BUDGET, seed=identity
        )
    return done, intervals, first


def _prepare(
    case: Case,
    sample: Sample,
    tensors: list[Any],
    wanted: list[str],
    device: str,
    step: Callable[[Step, int], None],
    with_cold: bool,
) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Per mode a warm callable and the cold intervals; a mode that fails is left out. And one eager call's seconds."""
    import tensorflow as tf

    calls: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    slow = 0.0
    specs = [tf.type_spec_from_value(t) for t in tensors]
    for mode in wanted:
        step(("timed", mode, device, "value"), 0)
        try:
            if mode == "numpy":
                call = _numpy(case, sample)
                call()
            else:

                def make(mode: str = mode) -> Callable[[], Any]:
                    prepared = modes.MODES[mode].prepare(modes.program(case, sample), specs)
                    return lambda: prepared(*tensors)

                call = make()
                start = time.perf_counter()
                call()
                slow = max(slow, time.perf_counter() - start) if mode == "eager" else slow
                if with_cold:  # preparing traces already: a cold call is building, tracing, compiling and running

                    def first(make: Callable[[], Callable[[], Any]] = make) -> Callable[[], Any]:
                        return lambda: make()()

                    repeats = 1 if slow > SLOW else COLD_REPEATS
                    intervals[mode] = timing.cold(first, repeats, synchronise=_synchronise(device)).seconds()
            calls[mode] = call
        except Exception:
            if mode == "eager":
                return {}, {}, 0.0
    return calls, intervals, slow


def _numpy(case: Case, sample: Sample) -> Callable[[], Any]:
    """The reference in the dtype under test, as a user of NumPy would call it."""
    args, kwargs = sample.draws[0]
    assert case.reference is not None
    reference = case.reference

    def call() -> Any:
        with np.errstate(all="ignore"):
            return reference(*args, **kwargs)

    args = rebuild(
        args, lambda leaf: leaf.astype(np.float32) if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "V" else leaf
    )
    return call


def _synchronise(device: str) -> Callable[[], Any]:
    """Waiting for the device: once a sample, never once a call. A CPU runs synchronously."""
    import tensorflow as tf

    return timing.empty if device.startswith("CPU") else tf.test.experimental.sync_devices


def _bytes(draw: Any) -> float:
    return float(sum(leaf.nbytes for leaf in leaves(draw) if isinstance(leaf, np.ndarray)))
