"""What a group of callables timed together gave: every reading, and the estimates, verdicts and flags drawn from them.

A measurement is arrays of numbers. This module reads no clock and knows no TensorFlow, no mode and no device; how
readings are taken is the sampler's, and what numbers support is decided in `statistics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, nan
from typing import Any

import numpy as np

from tfparity.suite.timing.schedule import follows_another, twin_of
from tfparity.suite.timing.statistics import Interval, paired_ratio, ranks, sign_test_interval, verdict

FEWEST = 6  # rounds below which no 95% interval exists
DISAGREEMENT = log(1.1)


@dataclass(frozen=True)
class Measurement:
    """Every reading of one group of callables that were timed together. Times in seconds, arrays (rounds, names).

    A reading is the time of `loops` calls of one callable, one after the other.

    names       the columns; `base` is the one that the others are compared with
    dispatch    until the calls returned; `wall` until the device was idle; both for all `loops` calls of a reading
    cpu         CPU time of the calling thread; `switches` its involuntary context switches
    pressure    seconds that tasks waited for a CPU during the reading, `steal` those that the hypervisor took; NaN
                where the system does not report them
    loops       calls in a reading
    order       which column ran at which place of each round
    decisive    the first round that the estimates use: 0, or the first fresh one where rounds were added
    block       wall time of the readings of the contiguous block, (BLOCK, names); no rows if none was timed
    floor       seconds of one empty call
    empty       wall time of an empty reading with the same loop count, (names,)
    subtracted  whether `empty` is subtracted, because the loop counts are unequal
    sync        seconds that synchronising an idle device takes
    flags       what a reader should know, a sentence each
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
        """How many rounds the estimates use."""
        return len(self.wall) - self.decisive

    def column(self, name: str) -> int:
        """Raises KeyError for a name that was not measured."""
        if name not in self.names:
            raise KeyError(f"{name!r} was not measured, only {', '.join(self.names)}")
        return self.names.index(name)

    def _per_call(self, readings: np.ndarray, at: int, loops: np.ndarray | int) -> np.ndarray:
        return np.asarray((readings - (self.empty[at] if self.subtracted else 0.0)) / loops)

    def per_call(self, name: str, *, dispatch: bool = False) -> np.ndarray:
        """Seconds of one call in each decisive round, (rounds,): until the device was idle, or until it returned."""
        at, readings = self.column(name), self.dispatch if dispatch else self.wall
        return self._per_call(readings[self.decisive :, at], at, self.loops[self.decisive :, at])

    def seconds(self, name: str, *, dispatch: bool = False) -> Interval:
        """The time of one call: the median over rounds and its sign-test interval."""
        return sign_test_interval(self.per_call(name, dispatch=dispatch))

    def against(self, name: str) -> str:
        """What a name is compared with: the base, or for a twin the name that it repeats."""
        return twin_of(name) or self.base

    def ratio(self, name: str) -> Interval:
        """The time of `name` over that of `against(name)`, paired within rounds; (0, nan, inf) if one was not positive.

        That happens only where a call costs no more than the clock resolves.
        """
        ours, theirs = self.per_call(name), self.per_call(self.against(name))
        return paired_ratio(ours, theirs) if min(ours.min(), theirs.min()) > 0 else Interval(0.0, nan, inf)

    def verdict(self, name: str) -> str:
        """`faster`, `slower`, `equivalent` or `unresolved`, compared with `against(name)`."""
        return verdict(self.ratio(name))

    def outliers(self) -> np.ndarray:
        """Which readings are outliers of their column, booleans (rounds, names). They stay in every estimate.

        Tukey's outer fence: more than three interquartile ranges above the upper quartile.
        """
        low, high = np.quantile(self.wall, [0.25, 0.75], axis=0)
        return np.asarray(self.wall > high + 3 * (high - low))

    def disturbed(self, name: str) -> float | None:
        """The contiguous block's median over the interleaved one, where they disagree by more than 10%, else None.

        Interleaving can itself disturb (caches, threads of a BLAS): then the ratio holds for a program that alternates
        between the callables, not for one that repeats one of them. Medians of five readings differ by 10% on a busy
        machine without any such effect, so the two intervals must not overlap either. Only readings right after another
        callable count as interleaved. The first reading of the block follows another callable and is left out.
        """
        at = self.column(name)
        block = self._per_call(self.block[1:, at], at, int(self.loops[0, at]))
        interleaved = self.per_call(name)[follows_another(self.order)[self.decisive :, at]]
        if not block.size or not interleaved.size or min(block.min(), interleaved.min()) <= 0:
            return None
        ours, theirs = sign_test_interval(interleaved), sign_test_interval(block, 0.9)  # extremes of five: 93.8%
        overlap = theirs.low <= ours.high and ours.low <= theirs.high
        return theirs.mid / ours.mid if not overlap and abs(log(theirs.mid / ours.mid)) > DISAGREEMENT else None

    def figures(self, name: str) -> dict[str, Any]:
        """What a row of `timings.parquet` says of one name, by the names of its columns."""
        time, ratio = self.seconds(name), self.ratio(name)
        return {
            "seconds": time.mid,
            "low": max(time.low, 0.0),
            "high": time.high,
            "rounds": self.rounds,
            "loops": int(self.loops[-1, self.column(name)]),
            "ratio": ratio.mid,
            "ratio_low": ratio.low,
            "ratio_high": ratio.high,
            "verdict": verdict(ratio),
        }


def flags_of(done: Measurement, *, unequal: bool, retraced: bool, planned: int) -> tuple[str, ...]:
    """What a reader should know of a measurement, one sentence each.

    `unequal` says that the loop counts differ, `retraced` that the count of traces moved during warm timing, and
    `planned` how many rounds were asked for.
    """
    flags = []
    if retraced:
        flags.append("a call was traced or compiled again during warm timing")
    if len(done.wall) < planned:
        flags.append(f"only {len(done.wall)} of {planned} rounds fitted into the budget")
    if ranks(done.rounds) is None:
        flags.append(f"{done.rounds} rounds are too few for an interval; at least {FEWEST} are needed")
    if unequal and not done.subtracted:
        flags.append("loop counts differ, and a call costs too little for the time of the empty loop to be subtracted")
    for name in done.names:
        share = done.disturbed(name)
        if share is not None:
            flags.append(f"{name}: a contiguous block takes {share:.2f} times what interleaved calls take")
    outliers = int(done.outliers().sum())
    if outliers:
        flags.append(f"{outliers} of {done.wall.size} readings are outliers; they were kept")
    return tuple(flags)
