"""Timing one case: its modes side by side, warm and cold, at three sizes, into rows.

The sampler knows callables only. Here a case becomes those callables, one per mode, on tensors that are arguments and
already on the device. Nothing is judged here: timing takes for granted that the modes agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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
from tfparity.suite.timing import sampler, schedule
from tfparity.suite.timing.measurement import Measurement
from tfparity.suite.timing.statistics import Interval

SIZES = (100, 10_000, 1_000_000)
"""Elements of the largest input: bound by dispatch, between, and bound by the kernel."""

BUDGET = 0.5
"""Seconds of warm rounds for one case at one size; a slower case gets fewer rounds, never fewer than one."""

SLOW = 2.0
"""A size whose first eager call takes more seconds than this is the last one timed on its device, and is started cold
once."""

COLD_REPEATS = 5

SAMPLE = "timed"


def timed_modes() -> tuple[str, ...]:
    """The modes that are timed, by name."""
    return (*(name for name, mode in modes.MODES.items() if mode.timed), modes.NUMPY)


@dataclass(frozen=True)
class Task:
    """What is timed: a case in one dtype, in the wanted modes and devices. `lost` holds the steps that ended a process
    in an earlier try, `step` is called before each step with its name and size."""

    case: Case
    dtype: str
    want: Wanted
    lost: Mapping[Step, Lost]
    step: Callable[[Step, int], None]

    def begin(self, what: str, device: str, size: int = 0) -> None:
        self.step((SAMPLE, what, device, "value"), size)

    def modes(self, device: str) -> list[str]:
        """The modes to time on a device, eager first, without those that ended a process there in an earlier try."""
        lost = {mode for _, mode, where, _ in self.lost if where == device}
        found = [m for m in dict.fromkeys((modes.EAGER, *self.want.modes)) if m in timed_modes() and m not in lost]
        in_numpy = self.case.reference is not None and self.case.state is None and device.startswith("CPU")
        return [m for m in found if m != modes.NUMPY or in_numpy]


@dataclass(frozen=True)
class Place:
    """Where one measurement is made: a device, and a draw with the number of elements in its largest input."""

    device: str
    draw: Any
    size: int

    @property
    def synchronise(self) -> Callable[[], Any]:
        """Waits for the device. A CPU runs synchronously."""
        import tensorflow as tf

        return sampler.empty if self.device.startswith("CPU") else tf.test.experimental.sync_devices

    @property
    def bytes(self) -> float:
        return float(sum(leaf.nbytes for leaf in leaves(self.draw) if isinstance(leaf, np.ndarray)))


@dataclass(frozen=True)
class Ready:
    """A mode that runs. `call` is its warm call, `first` the seconds of the first one, `start` a cold start (None for
    NumPy, which has none), and `traces` the number of its traces so far."""

    call: Callable[[], Any]
    first: float = 0.0
    start: Callable[[], Any] | None = None
    traces: Callable[[], int] = int


@dataclass(frozen=True)
class Found:
    """What was measured at one place: warm, the cold starts by mode, and the seconds of the first eager call."""

    warm: Measurement
    first: float
    cold: dict[str, sampler.Cold] = field(default_factory=dict)


def sizes(case: Case, dtype: str) -> list[tuple[Any, int]]:
    """The draws that a case is timed on, (arguments, elements of the largest input), distinct sizes ascending."""
    found: dict[int, Any] = {}
    for elements in SIZES:
        draw, size = samples.timed_draw(case, dtype, elements)
        found.setdefault(size, draw)
    return [(draw, size) for size, draw in sorted(found.items())]


def run(
    case: Case, dtype: str, want: Wanted, lost: Mapping[Step, Lost], step: Callable[[Step, int], None]
) -> Iterator[Timing]:
    """The timing rows of a case, cold and warm, on each device."""
    task, drawn = Task(case, dtype, want, lost, step), sizes(case, dtype)
    middle = drawn[len(drawn) // 2][1]  # tracing and compiling cost the same at every size
    for device in want.devices:
        for draw, size in drawn:
            place = Place(device, draw, size)
            found = timed(task, place, cold=size == middle)
            if found is None:
                break
            yield from rows(task, place, found)
            if found.first > SLOW:
                break


def measure(
    case: Case, dtype: str, want: Wanted, lost: Mapping[Step, Lost], step: Callable[[Step, int], None], size: int
) -> Measurement | None:
    """The warm measurement of one size on the first device; None where the case does not run in eager mode."""
    draw = next(d for d, s in sizes(case, dtype) if s == size)
    found = timed(Task(case, dtype, want, lost, step), Place(want.devices[0], draw, size), cold=False)
    return found.warm if found else None


def rows(task: Task, place: Place, found: Found) -> Iterator[Timing]:
    """The rows of one place: the cold ones, then the warm ones."""
    cold = {mode: start.seconds() for mode, start in found.cold.items()}
    figures = [
        *((mode, "cold", cold_figures(cold[mode], cold[modes.EAGER], len(found.cold[mode].starts))) for mode in cold),
        *((name, "warm", found.warm.figures(name)) for name in found.warm.names),
    ]
    for mode, phase, columns in figures:
        yield Timing(
            op=task.case.name,
            dtype=task.dtype,
            sample=SAMPLE,
            size=place.size,
            mode=mode,
            device=place.device,
            phase=phase,
            bytes=place.bytes,
            **columns,
        )


def cold_figures(start: Interval, eager: Interval, repeats: int) -> dict[str, Any]:
    """What a cold row says, by the names of its columns. Starts are not paired, so no ratio of them has a verdict."""
    low = max(start.low, 0.0)
    return {
        "seconds": start.mid,
        "low": low,
        "high": start.high,
        "rounds": repeats,
        "loops": 1,
        "ratio": start.mid / eager.mid,
        "ratio_low": low / eager.high,
        "ratio_high": start.high / max(eager.low, 1e-9),
        "verdict": "unresolved",
    }


def timed(task: Task, place: Place, *, cold: bool) -> Found | None:
    """One size on one device, cold as well if asked. A mode that fails is left out; None if eager does."""
    import tensorflow as tf

    timer = sampler.Timer(place.synchronise)
    ready: dict[str, Ready] = {}
    starts: dict[str, sampler.Cold] = {}
    sample = Sample(SAMPLE, (place.draw,))
    with tf.device(f"/device:{place.device}"):
        tensors = [modes.tensor(leaf) for leaf in sample.tensors[0]]
        for mode in task.modes(place.device):
            task.begin(mode, place.device)
            try:
                one = prepared(task.case, sample, mode, tensors)
                if cold and one.start:
                    slow = ready.get(modes.EAGER, one).first > SLOW
                    starts[mode] = sampler.cold(one.start, 1 if slow else COLD_REPEATS, timer)
                ready[mode] = one
            except Exception:
                if mode == modes.EAGER:
                    return None
        if modes.EAGER not in ready:
            return None
        task.begin("warm", place.device, place.size)
        identity = f"{task.case.name}/{task.dtype}/{SAMPLE}/{place.device}/{place.size}"
        warm = sampler.measure(
            schedule.twin({mode: one.call for mode, one in ready.items()}, identity),
            base=modes.EAGER,
            timer=timer,
            effort=sampler.Effort(budget=BUDGET),
            seed=identity,
            traces=lambda: sum(one.traces() for one in ready.values()),
        )
    return Found(warm, ready[modes.EAGER].first, starts)


def prepared(case: Case, sample: Sample, mode: str, tensors: list[Any]) -> Ready:
    """A mode, built and called once on the sample's tensors. Raises what building or the call raises."""
    import tensorflow as tf

    if mode == modes.NUMPY:
        reference = numpy_call(case, sample)
        reference()
        return Ready(reference)
    entry = modes.MODES[mode]
    specs = [entry.shapes[0].loosen(tf.type_spec_from_value(t)) for t in tensors]

    def build() -> Callable[..., Any]:
        return entry.prepare(modes.program(case, sample), specs)

    function = build()
    began = time.perf_counter()
    function(*tensors)
    first = time.perf_counter() - began
    traces = getattr(function, "experimental_get_tracing_count", int)
    return Ready(lambda: function(*tensors), first, lambda: build()(*tensors), traces)


def numpy_call(case: Case, sample: Sample) -> Callable[[], Any]:
    """The reference in the dtype under test, as a user of NumPy would call it. Dtypes that NumPy itself does not have,
    such as bfloat16, are computed in float32."""
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
