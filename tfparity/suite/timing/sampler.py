"""The paired sampler: times several ways of doing one thing, next to each other, and keeps every sample.

It knows no TensorFlow, no mode and no device. It is handed callables, a `synchronise` that waits for whatever they
started, and its clocks, so that it runs on a fake machine in its own tests. What the samples support is decided in
`statistics`; how the machine was disturbed meanwhile is read by `machine`.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise, repeat
from math import ceil, inf, log, nan
from typing import Any

import numpy as np

from tfparity.suite.records import machine
from tfparity.suite.records.results import TWIN
from tfparity.suite.timing.statistics import (
    Interval,
    half_width,
    paired_ratio,
    ranks,
    rounds_needed,
    sign_test_interval,
)
from tfparity.suite.timing.statistics import verdict as judged

Call = Callable[[], object]
Clock = Callable[[], int]

ROUNDS = 11  # ranks 2 to 10: one wild round on either side does no harm
EXTRA = 24  # fresh rounds at most: ranks 7 to 18
FEWEST = 6  # rounds below which no 95% interval exists
HEADROOM = 1.2  # a call that turns out a fifth faster than its calibration still fills the sample
ALIKE = 10.0  # costs within this factor share a loop count; unequal counts bias a ratio by about 1%
SYNC_SHARE = 0.02  # a sample is so long that synchronising an idle device is at most this part of it
EFFECT_SHARE = 0.1  # a mode twice as fast is known well enough to 7%: the target is met by a tenth of the effect
BLOCK = 6  # samples of the contiguous block; the first follows another call and is not compared
DISAGREEMENT = log(1.1)
MOST_LOOPS = 1_000_000


def empty() -> None:
    """The empty call: what Python's own call and loop cost, the floor under every mode."""


@dataclass(frozen=True)
class Sample:
    """One timed run of `loops` calls, in seconds: until the calls returned (`dispatch`), until the device was idle
    (`wall`), CPU time of the calling thread (`cpu`); and how often that thread was interrupted."""

    dispatch: float
    wall: float
    cpu: float
    switches: float
    loops: int


@contextmanager
def no_collection() -> Iterator[None]:
    """Garbage collection off inside, as it was outside: a collection with TensorFlow loaded takes tens of samples."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def sample(
    call: Call,
    loops: int,
    synchronise: Call = empty,
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.thread_time_ns,
) -> Sample:
    """Time `loops` calls, synchronising once after the last: per call it turned a kernel of 4 µs into 51."""
    synchronise()
    with no_collection():
        switched, used, start = machine.switches(), cpu_clock(), clock()
        for _ in repeat(None, loops):
            call()
        sent = clock()
        synchronise()
        end, used, switched = clock(), cpu_clock() - used, machine.switches() - switched
    return Sample((sent - start) / 1e9, (end - start) / 1e9, used / 1e9, switched, loops)


# What to run, how often, in which order


def order(rounds: int, names: int, rng: np.random.Generator) -> np.ndarray:
    """Which of `names` callables runs at which place of each round, shape (rounds, names), as indices.

    `names` rounds are a Latin square, each callable once at each place. The squares are those of Williams (1949): each
    callable also follows each other one equally often, in one square where `names` is even, in a square and its mirror
    image where it is odd. Every such block is drawn anew: which callable is which, and in which order the rounds come.
    """
    zigzag = np.array([place // 2 if place % 2 == 0 else names - (place + 1) // 2 for place in range(names)], dtype=int)
    square = (zigzag + np.arange(names)[:, None]) % names
    block = [square] if names % 2 == 0 else [square, square[:, ::-1]]
    drawn = [np.zeros((0, names), dtype=int)]
    for _ in range(ceil(rounds / (names * len(block)))):
        who = rng.permutation(names)
        drawn += [who[rng.permutation(each)] for each in block]
    return np.concatenate(drawn)[:rounds]


def follows_another(places: np.ndarray) -> np.ndarray:
    """Which samples ran right after another callable than their own, booleans (rounds, names), from the order."""
    flat = places.ravel()
    after = np.concatenate([[True], flat[1:] != flat[:-1]]).reshape(places.shape)
    result = np.empty_like(after)
    np.put_along_axis(result, places, after, axis=1)
    return result


def batches(costs: Mapping[str, float], limit: float = ALIKE) -> list[list[str]]:
    """Names whose costs lie within a factor of `limit` of each other, cheapest first: they share a loop count.

    Where all do not, the widest gap separates, so that neighbours stay together: 1, 39, 86 and 236 µs give the 1 alone.
    """

    def split(names: list[str]) -> list[list[str]]:
        if costs[names[-1]] <= limit * costs[names[0]]:
            return [names]
        gaps = [costs[right] / max(costs[left], 1e-12) for left, right in pairwise(names)]
        at = 1 + int(np.argmax(gaps))
        return split(names[:at]) + split(names[at:])

    return split(sorted(costs, key=lambda name: costs[name])) if costs else []


def loop_counts(costs: Mapping[str, float], min_sample: float) -> dict[str, int]:
    """How many calls make one sample of at least `min_sample` seconds, given seconds per call; 1 if one call is."""
    counts = {}
    for names in batches(costs):
        cheapest = costs[names[0]]
        loops = MOST_LOOPS if cheapest <= 0 else min(MOST_LOOPS, max(1, ceil(HEADROOM * min_sample / cheapest)))
        if cheapest >= min_sample:
            loops = 1
        counts.update(dict.fromkeys(names, loops))
    return {name: counts[name] for name in costs}


def chosen(identity: str, share: float) -> bool:
    """Whether an identity falls into a `share` of all, the same on every machine and in every order."""
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def twin(calls: Mapping[str, Call], identity: str, share: float = 0.05) -> dict[str, Call]:
    """The calls, and for a `share` of the cases one of them a second time as `NAME-twin`: the permanent A/A test.

    The hash of the case's identity decides whether and which, so every mode is doubled in some cases. A twin that is
    called faster or slower is a false call; `statistics.false_rate` counts them.
    """
    names = list(calls)
    if not names or not chosen(identity, share):
        return dict(calls)
    pick = hashlib.blake2b(b"which " + identity.encode(), digest_size=8).digest()
    name = names[int.from_bytes(pick, "big") % len(names)]
    return {**calls, name + TWIN: calls[name]}


def twin_of(name: str) -> str | None:
    """The name that a twin doubles, or None for what is no twin."""
    return name.removesuffix(TWIN) if name.endswith(TWIN) else None


# What was measured


@dataclass(frozen=True)
class Measurement:
    """Every sample of one group of callables that were timed together. Times in seconds, arrays (rounds, names).

    names       the columns; `base` the one that others are compared with
    dispatch    until the calls returned; `wall` until the device was idle; both for all `loops` calls of a sample
    cpu         CPU time of the calling thread; `switches` its involuntary context switches
    pressure    seconds that tasks waited for a CPU during the sample, `steal` taken by the hypervisor; NaN: not told
    loops       calls in a sample
    order       which column ran at which place of each round
    decisive    the first round that estimates are taken from: 0, or the first fresh one where rounds were added
    block       wall time of the samples of the contiguous block, (BLOCK, names); no rows if none was timed
    floor       seconds of one empty call
    empty       wall time of one empty sample of the same loop count, (names,)
    subtracted  whether `empty` is taken off, because the loop counts are unequal
    sync        seconds that synchronising an idle device takes
    flags       what a reader should know, in plain words
    """

    names: tuple[str, ...]
    base: str
    dispatch: np.ndarray
    wall: np.ndarray
    cpu: np.ndarray
    switches: np.ndarray
    pressure: np.ndarray
    steal: np.ndarray
    loops: np.ndarray
    order: np.ndarray
    decisive: int
    block: np.ndarray
    floor: float
    empty: np.ndarray
    subtracted: bool
    sync: float
    flags: tuple[str, ...] = ()

    @property
    def rounds(self) -> int:
        """The rounds that the estimates rest on."""
        return len(self.wall) - self.decisive

    def column(self, name: str) -> int:
        """Raises KeyError for a name that was not measured."""
        if name not in self.names:
            raise KeyError(f"{name!r} was not measured, only {', '.join(self.names)}")
        return self.names.index(name)

    def _per_call(self, samples: np.ndarray, at: int, loops: np.ndarray | int) -> np.ndarray:
        return np.asarray((samples - (self.empty[at] if self.subtracted else 0.0)) / loops)

    def per_call(self, name: str, *, dispatch: bool = False, all_rounds: bool = False) -> np.ndarray:
        """Seconds of one call in each decisive round (or in all), synchronised unless `dispatch`, shape (rounds,)."""
        at, first = self.column(name), 0 if all_rounds else self.decisive
        return self._per_call((self.dispatch if dispatch else self.wall)[first:, at], at, self.loops[first:, at])

    def seconds(self, name: str, *, dispatch: bool = False) -> Interval:
        """The time of one call: the median over rounds and its sign-test interval."""
        return sign_test_interval(self.per_call(name, dispatch=dispatch))

    def against(self, name: str) -> str:
        """What a name is compared with: the base, or what it doubles if it is a twin."""
        return twin_of(name) or self.base

    def ratio(self, name: str, over: str | None = None) -> Interval:
        """How many times the base's time `name` takes, paired within rounds; (0, nan, inf) if a time was not positive.

        That happens only where a call costs no more than the clock can tell.
        """
        ours, theirs = self.per_call(name), self.per_call(over or self.against(name))
        return paired_ratio(ours, theirs) if min(ours.min(), theirs.min()) > 0 else Interval(0.0, nan, inf)

    def verdict(self, name: str) -> str:
        """`faster`, `slower`, `equivalent` or `unresolved`, over `against(name)`."""
        return judged(self.ratio(name))

    def outliers(self) -> np.ndarray:
        """Which samples lie far out for their column, booleans (rounds, names). They stay in every estimate.

        Tukey's outer fence: more than three quartile distances above the upper quartile.
        """
        low, high = np.quantile(self.wall, [0.25, 0.75], axis=0)
        return np.asarray(self.wall > high + 3 * (high - low))

    def disturbed(self, name: str) -> float | None:
        """A contiguous block's median over the interleaved one, where they disagree by over 10%, else None.

        Interleaving can itself disturb (caches, threads of a BLAS): then the ratio holds for a program that alternates,
        not for one that repeats. Medians of five samples differ by 10% on a busy machine with nothing the matter, so
        the two intervals must also be apart. Only samples right after another callable count as interleaved.
        """
        at = self.column(name)
        block = self._per_call(self.block[1:, at], at, int(self.loops[0, at]))
        among = self.per_call(name)[follows_another(self.order)[self.decisive :, at]]
        if not block.size or not among.size or min(block.min(), among.min()) <= 0:
            return None
        ours, theirs = sign_test_interval(among), sign_test_interval(block, 0.9)  # of five, the extremes: 93.8%
        apart = theirs.low > ours.high or theirs.high < ours.low
        return theirs.mid / ours.mid if apart and abs(log(theirs.mid / ours.mid)) > DISAGREEMENT else None

    def figures(self, name: str) -> dict[str, Any]:
        """What a row of `timings.parquet` says of one name, by the names of its columns."""
        time_, ratio = self.seconds(name), self.ratio(name)
        return {
            "seconds": time_.mid,
            "low": max(time_.low, 0.0),
            "high": time_.high,
            "rounds": self.rounds,
            "loops": int(self.loops[-1, self.column(name)]),
            "ratio": ratio.mid,
            "ratio_low": ratio.low,
            "ratio_high": ratio.high,
            "verdict": judged(ratio),
        }


# Measuring


def calibrate(call: Call, min_sample: float, take: Callable[[Call, int], Sample]) -> float:
    """Seconds of one call, from the first run of at least half of `min_sample`; the call has been warmed up by then."""
    take(call, 1)  # traces, compiles, fills caches
    loops = 1
    while True:
        wall = take(call, loops).wall
        if wall >= min_sample / 2 or loops >= MOST_LOOPS:
            return wall / loops
        wanted = ceil(loops * min_sample / wall) if wall > 0 else loops * 10
        loops = min(MOST_LOOPS, max(2 * loops, min(wanted, 10 * loops)))


def settled(ratio: Interval, target: float) -> bool:
    """Whether a ratio is known well enough: to `target`, or to a tenth of the difference it shows."""
    return half_width(ratio) <= max(target, EFFECT_SHARE * abs(log(ratio.mid)) if ratio.mid > 0 else target)


def measure(
    calls: Mapping[str, Call],
    *,
    base: str | None = None,
    synchronise: Call = empty,
    rounds: int = ROUNDS,
    extra: int = EXTRA,
    target: float = 0.03,
    budget: float = inf,
    min_sample: float = 1e-3,
    seed: int | str = 0,
    unchanging: Callable[[], object] = empty,
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.thread_time_ns,
) -> Measurement:
    """Time callables against each other, in interleaved rounds.

    calls        by name; two names may share a callable (see `twin`)
    base         the name others are compared with, the first if None
    synchronise  waits until what the calls started is done; called around each sample, never within
    rounds       planned rounds; fewer only if `budget` does not suffice, decided before the first
    extra        fresh rounds at most, where an interval is wider than `target` (a half-width, 0.03 is 3%)
    budget       seconds for all of it, roughly: what the calibration foresees fits in it, at least one round is run
    min_sample   seconds that a sample lasts at least; a longer call is a sample by itself
    seed         of the order; give the case's identity
    unchanging   a value that warm calls must not move, such as the number of traces; flagged if it did

    Stopping depends on the data where rounds are added. Then the estimates rest on the fresh rounds alone, whose
    number was fixed before them. A false call can come from either stage, so at most from 1.2% (11 rounds) and 2.3%
    (24) together: 3.4% if rounds are independent, under the 5% that are stated. Measured on a loaded machine with
    two cores: 3.8% of 1,062 twins, where contiguous blocks under a Mann-Whitney test gave 32% (benchmarks/false_calls).

    Raises ValueError without calls, for an unknown base, and for fewer than one round. What a call raises is passed on.
    """
    names = tuple(calls)
    compared = base if base is not None else next(iter(names), "")
    if compared not in calls:
        raise ValueError(f"nothing to compare with: {compared!r} is not among {', '.join(names) or 'no calls at all'}")
    if rounds < 1 or extra < 0 or min_sample <= 0 or target <= 0:
        raise ValueError("need at least one round, no negative extra rounds, a positive sample length and target")

    def take(call: Call, loops: int) -> Sample:
        return sample(call, loops, synchronise, clock, cpu_clock)

    began = clock()
    sync = float(np.median([take(empty, 1).wall for _ in range(BLOCK)]))
    shortest = max(min_sample, sync / SYNC_SHARE)
    costs = {name: calibrate(call, shortest, take) for name, call in calls.items()}
    counts = loop_counts(costs, shortest)
    blanks = {n: float(np.median([take(empty, n).wall for _ in range(BLOCK)])) for n in sorted(set(counts.values()))}
    most = max(counts.values())
    unequal = len(set(counts.values())) > 1
    # What costs less than twice the empty call is not told from it by a subtraction: better a known bias than noise.
    tellable = all(costs[name] * counts[name] > 2 * blanks[counts[name]] for name in names)

    def spent() -> float:
        return (clock() - began) / 1e9

    one_round = max(sum(costs[name] * counts[name] for name in names), 1e-9)
    affordable = int(min((budget - spent()) / one_round, 1e9)) - BLOCK  # the contiguous block is paid as well
    planned = min(rounds, max(affordable, 1))

    rng = np.random.default_rng(int.from_bytes(hashlib.blake2b(str(seed).encode(), digest_size=8).digest(), "big"))
    samples: list[list[Sample]] = []
    noises: list[list[machine.Noise]] = []
    orders: list[np.ndarray] = []
    before = unchanging()

    def run(wanted: int) -> None:
        for places in order(wanted, len(names), rng):
            row: dict[int, tuple[Sample, machine.Noise]] = {}
            for at in places:
                start = machine.noise()
                taken = take(calls[names[at]], counts[names[at]])
                row[int(at)] = taken, machine.noise().since(start)
            samples.append([row[at][0] for at in range(len(names))])
            noises.append([row[at][1] for at in range(len(names))])
            orders.append(places)

    def collected(decisive: int, block: np.ndarray, flags: Sequence[str] = ()) -> Measurement:
        def array(field: str, rows: Sequence[Sequence[object]]) -> np.ndarray:
            return np.array([[getattr(each, field) for each in row] for row in rows])

        return Measurement(
            names,
            compared,
            array("dispatch", samples),
            array("wall", samples),
            array("cpu", samples),
            array("switches", samples),
            array("pressure", noises),
            array("steal", noises),
            array("loops", samples),
            np.array(orders),
            decisive,
            block,
            blanks[most] / most,
            np.array([blanks[counts[name]] for name in names]),
            unequal and tellable,
            sync,
            tuple(flags),
        )

    run(planned)
    nothing = np.zeros((0, len(names)))
    pilot = collected(0, nothing)
    open_ = [name for name in names if name != compared and not settled(pilot.ratio(name), target)]
    decisive = 0
    if open_ and planned == rounds:
        wanted = max(rounds_needed(pilot.ratio(name), rounds, target) for name in open_)
        affordable = int(min((budget - spent()) / one_round, 1e9)) - BLOCK
        fresh = int(min(wanted, extra, affordable))
        if fresh > planned:  # fewer fresh rounds than there are would make the interval wider, not closer
            run(fresh)
            decisive = planned

    block = nothing
    if (budget - spent()) / one_round >= BLOCK or planned == rounds:
        block = np.array([[take(calls[name], counts[name]).wall for _ in range(BLOCK)] for name in names]).T
    moved = unchanging() != before
    done = collected(decisive, block)
    return collected(decisive, block, flags_of(done, unequal=unequal, moved=moved, planned=rounds))


def flags_of(done: Measurement, *, unequal: bool, moved: bool, planned: int) -> list[str]:
    """What a reader should know of a measurement, one plain sentence each."""
    flags = []
    if moved:
        flags.append("what must not change did during warm timing: a call traced or compiled again")
    if len(done.wall) < planned:
        flags.append(f"only {len(done.wall)} of {planned} rounds fitted into the budget")
    if ranks(done.rounds) is None:
        flags.append(f"{done.rounds} rounds are too few for an interval; at least {FEWEST} are needed")
    if unequal and not done.subtracted:
        flags.append("loop counts differ, and a call is too close to the empty one for the empty loop to be taken off")
    for name in done.names:
        share = done.disturbed(name)
        if share is not None:
            flags.append(f"{name}: a contiguous block takes {share:.2f} times what interleaved calls take")
    far = int(done.outliers().sum())
    if far:
        flags.append(f"{far} of {done.wall.size} samples lie far out; they were kept")
    return flags


@dataclass(frozen=True)
class Cold:
    """The start of a mode, in seconds, arrays (repeats,): `make` builds the function, `first` is its first call."""

    make: np.ndarray
    first: np.ndarray

    def seconds(self) -> Interval:
        """Median of the first call (trace, compilation and run) between its extremes: of five, an interval of 93.8%."""
        return sign_test_interval(self.first, 0.9)


def cold(
    make: Callable[[], Call], repeats: int = 5, *, synchronise: Call = empty, clock: Clock = time.perf_counter_ns
) -> Cold:
    """Build `repeats` fresh functions and time the first call of each, alone.

    `make` must return a function that was never called. Each is dropped before the next is built: 2,000 dropped graphs
    take 5 MB, kept ones 317. Raises ValueError for fewer than one repeat; what `make` or the call raises is passed on.
    """
    if repeats < 1:
        raise ValueError(f"need at least one repeat, got {repeats}")
    built, first = [], []
    for _ in range(repeats):
        with no_collection():
            start = clock()
            fresh = make()
            built.append((clock() - start) / 1e9)
        first.append(sample(fresh, 1, synchronise, clock).wall)
        del fresh
    return Cold(np.array(built), np.array(first))


def floor(rounds: int = ROUNDS, min_sample: float = 1e-3, *, clock: Clock = time.perf_counter_ns) -> Interval:
    """Seconds of one empty Python call, loop included: no mode can be faster. The other floors are modes' own."""

    def take(call: Call, loops: int) -> Sample:
        return sample(call, loops, clock=clock)

    loops = loop_counts({"": calibrate(empty, min_sample, take)}, min_sample)[""]
    return sign_test_interval([take(empty, loops).wall / loops for _ in range(rounds)])


# pytest-benchmark


class Groups:
    """Measurements by group, each made once: pytest-benchmark wants one benchmark a test, pairing wants all at once.

    The first test of a group measures all of its modes together; the others take their column from here.
    """

    def __init__(self) -> None:
        self.made: dict[str, Measurement | Exception] = {}

    def of(self, group: str, make: Callable[[], Measurement]) -> Measurement:
        """The measurement of a group; what `make` raised is raised for each of its tests, without another attempt."""
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

    The fixture times nothing itself: it runs `pedantic` on the empty call, its public way of making statistics, and
    their data are then replaced by ours, seconds of one call in each decisive round. JSON, comparison and histogram
    therefore work on exactly these numbers. Ratio, interval and flags stand in `extra_info`. With benchmarks disabled
    (--benchmark-disable, pytest-xdist) there are no statistics, and nothing is recorded.
    """
    if group is not None:
        benchmark.group = group
    figures = measurement.figures(name)
    benchmark.extra_info.update(
        mode=name,
        against=measurement.against(name),
        **{key: value if value == value and value not in (inf, -inf) else None for key, value in figures.items()},
        dispatch=measurement.seconds(name, dispatch=True).mid,
        floor=measurement.floor,
        flags=list(measurement.flags),
    )
    benchmark.pedantic(empty, rounds=1, iterations=figures["loops"])
    if benchmark.stats is None:
        return
    samples = benchmark.stats.stats
    samples.data.clear()
    for seconds in measurement.per_call(name):
        samples.update(float(seconds))
    benchmark.stats.options.update(
        timer="paired", min_rounds=measurement.rounds, disable_gc=True, warmup=True, max_time=None, min_time=None
    )
