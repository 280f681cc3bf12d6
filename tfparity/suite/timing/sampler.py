"""The paired sampler: times several ways of doing one thing, interleaved in rounds, and keeps every reading.

It knows no TensorFlow, no mode and no device. It is handed callables and a `Timer`, which waits for whatever they
started and holds the clocks, so that its own tests run it on a fake machine. What the readings show is said in
`measurement` and decided in `statistics`; how much other load disturbed them is read by `machine`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import repeat
from math import ceil, inf, log

import numpy as np

from tfparity.suite.records import machine
from tfparity.suite.timing.measurement import Measurement, flags_of
from tfparity.suite.timing.schedule import MOST_LOOPS, Call, hashed, loop_counts, order
from tfparity.suite.timing.statistics import Interval, half_width, rounds_needed, sign_test_interval

Clock = Callable[[], int]

ROUNDS = 11  # ranks 2 to 10: the interval bears one outlier at each end
EXTRA = 24  # fresh rounds at most: ranks 7 to 18
SYNC_SHARE = 0.02  # a reading is so long that synchronising an idle device is at most this part of it
EFFECT_SHARE = 0.1  # a mode twice as fast is known well enough to 7%: the target is met by a tenth of the effect
BLOCK = 6  # readings of the contiguous block; the first follows another call and is not compared


def empty() -> None:
    """The empty call: what Python's own call and loop cost, the floor under every mode."""


@contextmanager
def no_collection() -> Iterator[None]:
    """Garbage collection is off inside: with TensorFlow loaded, one collection takes as long as tens of readings."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@dataclass(frozen=True)
class Reading:
    """The time of `loops` calls, in seconds: until they returned (`dispatch`), until the device was idle (`wall`), CPU
    time of the calling thread (`cpu`); and how often that thread was interrupted (`switches`)."""

    dispatch: float
    wall: float
    cpu: float
    switches: float
    loops: int


@dataclass(frozen=True)
class Timer:
    """How a reading is taken.

    synchronise  waits until the device has done what the calls started
    clock        nanoseconds of wall time; `cpu_clock` of the calling thread's CPU time
    """

    synchronise: Call = empty
    clock: Clock = time.perf_counter_ns
    cpu_clock: Clock = time.thread_time_ns

    def read(self, call: Call, loops: int) -> Reading:
        """Time `loops` calls, synchronised once after the last: once per call turned a kernel of 4 µs into 51."""
        self.synchronise()
        with no_collection():
            switched, used, start = machine.switches(), self.cpu_clock(), self.clock()
            for _ in repeat(None, loops):
                call()
            sent = self.clock()
            self.synchronise()
            end, used, switched = self.clock(), self.cpu_clock() - used, machine.switches() - switched
        return Reading((sent - start) / 1e9, (end - start) / 1e9, used / 1e9, switched, loops)


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    rounds    planned rounds; fewer only where `budget` does not suffice, which is decided before the first
    extra     fresh rounds at most, where an interval is wider than `target` (a half-width, 0.03 is 3%)
    budget    seconds for all of it, roughly: as many rounds as the calibration predicts to fit, at least one
    shortest  seconds that a reading lasts at least; a longer call is a reading by itself

    Raises ValueError for fewer than one round, and for what must be positive and is not.
    """

    rounds: int = ROUNDS
    extra: int = EXTRA
    target: float = 0.03
    budget: float = inf
    shortest: float = 1e-3

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.extra < 0 or self.shortest <= 0 or self.target <= 0:
            raise ValueError("need at least one round, no negative extra rounds, a positive reading length and target")


def calibrate(call: Call, shortest: float, timer: Timer) -> float:
    """Seconds of one call, from the first reading of at least half of `shortest`, after one call that warms it up."""
    timer.read(call, 1)  # traces, compiles, fills caches
    loops = 1
    while True:
        wall = timer.read(call, loops).wall
        if wall >= shortest / 2 or loops >= MOST_LOOPS:
            return wall / loops
        wanted = ceil(loops * shortest / wall) if wall > 0 else loops * 10
        loops = min(MOST_LOOPS, max(2 * loops, min(wanted, 10 * loops)))


def settled(ratio: Interval, target: float) -> bool:
    """Whether a ratio is known well enough: to `target`, or to a tenth of the difference it shows."""
    return half_width(ratio) <= max(target, EFFECT_SHARE * abs(log(ratio.mid)) if ratio.mid > 0 else target)


@dataclass(frozen=True)
class Costs:
    """What calibration found, in seconds: `sync`, synchronising an idle device; `call`, one call of each name; `blank`,
    an empty reading by its loop count. And the `loops` of a reading of each name."""

    sync: float
    call: Mapping[str, float]
    loops: Mapping[str, int]
    blank: Mapping[int, float]

    @classmethod
    def of(cls, calls: Mapping[str, Call], shortest: float, timer: Timer) -> Costs:
        def blank(loops: int) -> float:
            return float(np.median([timer.read(empty, loops).wall for _ in range(BLOCK)]))

        sync = blank(1)
        shortest = max(shortest, sync / SYNC_SHARE)
        call = {name: calibrate(each, shortest, timer) for name, each in calls.items()}
        loops = loop_counts(call, shortest)
        return cls(sync, call, loops, {count: blank(count) for count in sorted(set(loops.values()))})

    @property
    def one_round(self) -> float:
        """Seconds of one round."""
        return max(sum(self.call[name] * self.loops[name] for name in self.call), 1e-9)

    @property
    def unequal(self) -> bool:
        return len(self.blank) > 1

    @property
    def subtracted(self) -> bool:
        """Whether the empty loop is subtracted: where the loop counts differ and each call costs at least twice as much
        as the empty one. Below that the difference is mostly noise, and a known bias is better than noise."""
        above = (self.call[name] * loops > 2 * self.blank[loops] for name, loops in self.loops.items())
        return self.unequal and all(above)


@dataclass(frozen=True)
class Rounds:
    """The rounds so far: the readings in the order of the names, the load of the machine during each, and in which
    order they were taken."""

    readings: list[list[Reading]] = field(default_factory=list)
    noises: list[list[machine.Noise]] = field(default_factory=list)
    orders: list[np.ndarray] = field(default_factory=list)

    def add(self, places: np.ndarray, calls: Sequence[Call], loops: Sequence[int], timer: Timer) -> None:
        """Run one round in the order of `places`."""
        taken: dict[int, tuple[Reading, machine.Noise]] = {}
        for at in places:
            start = machine.noise()
            reading = timer.read(calls[at], loops[at])
            taken[int(at)] = reading, machine.noise().since(start)
        self.readings.append([taken[at][0] for at in range(len(calls))])
        self.noises.append([taken[at][1] for at in range(len(calls))])
        self.orders.append(places)

    def measurement(self, base: str, costs: Costs, decisive: int, block: np.ndarray) -> Measurement:
        def array(name: str, rows: Sequence[Sequence[object]]) -> np.ndarray:
            return np.array([[getattr(each, name) for each in row] for row in rows])

        most = max(costs.blank)
        return Measurement(
            names=tuple(costs.call),
            base=base,
            dispatch=array("dispatch", self.readings),
            wall=array("wall", self.readings),
            cpu=array("cpu", self.readings),
            switches=array("switches", self.readings),
            pressure=array("pressure", self.noises),
            steal=array("steal", self.noises),
            loops=array("loops", self.readings),
            order=np.array(self.orders),
            decisive=decisive,
            block=block,
            floor=costs.blank[most] / most,
            empty=np.array([costs.blank[loops] for loops in costs.loops.values()]),
            subtracted=costs.subtracted,
            sync=costs.sync,
        )


def measure(
    calls: Mapping[str, Call],
    *,
    base: str | None = None,
    timer: Timer = Timer(),
    effort: Effort = Effort(),
    seed: int | str = 0,
    traces: Callable[[], object] = empty,
) -> Measurement:
    """Time callables against each other, in interleaved rounds.

    calls   by name; two names may share a callable (see `twin`)
    base    the name that the others are compared with, the first if None
    seed    of the order; give the case's identity
    traces  the number of traces so far, which warm calls must not change; the measurement is flagged if they did

    Where rounds are added, stopping depends on the data. Then the estimates use the fresh rounds alone, whose number
    was fixed before them. A false positive can come from either stage, so from at most 1.2% (11 rounds) and 2.3% (24)
    together: 3.4% if rounds are independent, under the 5% that are stated. Measured on a loaded machine with two
    cores: 3.8% of 1,062 twins, where contiguous blocks under a Mann-Whitney test gave 32%
    (benchmarks/false_positives.py).

    Raises ValueError without calls and for an unknown base. What a call raises is passed on.
    """
    names = tuple(calls)
    compared = base if base is not None else next(iter(names), "")
    if compared not in calls:
        raise ValueError(f"nothing to compare with: {compared!r} is not among {', '.join(names) or 'no calls at all'}")
    began = timer.clock()
    costs = Costs.of(calls, effort.shortest, timer)
    rng = np.random.default_rng(hashed(str(seed)))
    rounds, before = Rounds(), traces()

    def affordable() -> float:
        """Rounds that the rest of the budget pays."""
        return (effort.budget - (timer.clock() - began) / 1e9) / costs.one_round

    def run(count: int) -> None:
        for places in order(count, len(names), rng):
            rounds.add(places, list(calls.values()), list(costs.loops.values()), timer)

    planned = min(effort.rounds, max(int(min(affordable(), 1e9)) - BLOCK, 1))  # the contiguous block is paid as well
    run(planned)
    none = np.zeros((0, len(names)))
    pilot, decisive = rounds.measurement(compared, costs, 0, none), 0
    open_ = [name for name in names if name != compared and not settled(pilot.ratio(name), effort.target)]
    if open_ and planned == effort.rounds:
        wanted = max(rounds_needed(pilot.ratio(name), planned, effort.target) for name in open_)
        fresh = int(min(wanted, effort.extra, int(min(affordable(), 1e9)) - BLOCK))
        if fresh > planned:  # fewer fresh rounds than the first ones would make the interval wider, not narrower
            run(fresh)
            decisive = planned

    block = none
    if affordable() >= BLOCK or planned == effort.rounds:
        block = np.array([[timer.read(calls[n], costs.loops[n]).wall for _ in range(BLOCK)] for n in names]).T
    done = rounds.measurement(compared, costs, decisive, block)
    flags = flags_of(done, unequal=costs.unequal, retraced=traces() != before, planned=effort.rounds)
    return replace(done, flags=flags)


@dataclass(frozen=True)
class Cold:
    """The start of a mode: `starts`, seconds of each, shape (repeats,)."""

    starts: np.ndarray

    def seconds(self) -> Interval:
        """The median start between the extremes: of five, an interval of 93.8%."""
        return sign_test_interval(self.starts, 0.9)


def cold(start: Call, repeats: int = 5, timer: Timer = Timer()) -> Cold:
    """Time `start` alone, `repeats` times; each call must build a fresh function and call it once.

    Each function is dropped before the next is built: 2,000 dropped graphs take 5 MB, kept ones 317. Raises ValueError
    for fewer than one repeat; what `start` raises is passed on.
    """
    if repeats < 1:
        raise ValueError(f"need at least one repeat, got {repeats}")
    return Cold(np.array([timer.read(start, 1).wall for _ in range(repeats)]))
