"""What may be concluded from repeated timings: estimates, intervals, verdicts and the digits that were earned.

Pure functions on arrays. This module reads no clock, draws no random number and knows no TensorFlow, no mode and no
case: it is handed positive numbers, paired where a comparison is asked for, and says what they support.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, expm1, floor, inf, isfinite, log, log10, nan

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95
MARGIN = 0.05  # a difference under 5% is not worth a name: loop counts and neighbours alone make about 1%
POWER = 1.4  # half-widths to an effect that is called four times in five: (1.96 + 0.84) / 1.96 = 1.43
CALLS = ("faster", "slower")
PREFIXES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds it was given: `low <= mid <= high`, in the unit of what was estimated.

    Unbounded (`-inf, inf`, or `0, inf` of a ratio) where there were too few values to bound anything.
    """

    low: float
    mid: float
    high: float

    @property
    def bounded(self) -> bool:
        return isfinite(self.low) and isfinite(self.high)

    def excludes(self, value: float) -> bool:
        return value < self.low or value > self.high


@lru_cache(maxsize=1024)
def ranks(n: int, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """The order statistics, counted from 1, that bound the median of `n` independent values.

    The largest k with P(k <= B <= n - k) >= `confidence`, B binomial(n, 1/2), gives ranks k and n + 1 - k: 11 values
    give 2 and 10 (98.8%), 24 give 7 and 18 (97.7%). None when even the extremes do not reach it (fewer than 6 at 95%).
    Exact for every continuous distribution (Conover, Practical Nonparametric Statistics, 3.2).

    Raises ValueError for n < 1 or a confidence outside (0, 1).
    """
    if n < 1 or not 0 < confidence < 1:
        raise ValueError(f"need at least one value and a confidence within (0, 1), got {n} and {confidence}")
    from scipy.stats import binom  # 1.3 s to import: only where something was measured

    k = int(binom.ppf((1 - confidence) / 2, n, 0.5))
    return (k, n + 1 - k) if k >= 1 else None


def coverage(n: int, low: int, high: int) -> float:
    """The probability that order statistics `low` and `high` of `n` values enclose the median: P(low <= B < high)."""
    from scipy.stats import binom

    return float(binom.cdf(high - 1, n, 0.5) - binom.cdf(low - 1, n, 0.5))


def sign_test_interval(x: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """The median of `x`, shape (n,), and the interval of the sign test around it, in the unit of `x`.

    Nothing is assumed of the distribution but that the values are independent. Unbounded if n is too small for the
    confidence. Raises ValueError if `x` is empty, not one-dimensional or holds a NaN.
    """
    values = np.sort(np.asarray(x, dtype=float))
    if values.ndim != 1 or not values.size or np.isnan(values).any():
        raise ValueError(f"need a one-dimensional array of numbers without NaN, got shape {values.shape}")
    bounds = ranks(values.size, confidence)
    low, high = (float(values[bounds[0] - 1]), float(values[bounds[1] - 1])) if bounds else (-inf, inf)
    return Interval(low, float(np.median(values)), high)


def paired_ratio(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """How many times `b` the times `a` are, both (n,) and paired: exp(median(log a - log b)) and its interval.

    Below 1, `a` took less time. Swapping the arguments inverts the interval. Raises ValueError if the shapes differ
    or a value is not positive: a time of zero was not measured.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.shape != second.shape:
        raise ValueError(f"times are paired, but their shapes are {first.shape} and {second.shape}")
    if not (np.all(first > 0) and np.all(second > 0) and np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("times must be positive and finite")
    logs = sign_test_interval(np.log(first) - np.log(second), confidence)
    return Interval(exp(logs.low), exp(logs.mid), exp(logs.high))


def verdict(interval: Interval, margin: float = MARGIN) -> str:
    """What an interval of a time ratio says: `faster`, `slower`, `equivalent` or `unresolved`.

    `equivalent`   the whole interval lies within `margin` of 1, that is in [1 / (1 + margin), 1 + margin], so that
                   exchanging the two sides never changes the answer
    `faster`       it lies below 1, `slower` above
    `unresolved`   neither, or the interval is not bounded

    An interval such as [0.97, 0.99] is both below 1 and within 5% of it. `equivalent` wins there: that the difference
    is real was shown, but also that it is too small to act on, and below 5% the loop itself biases by about 1%. The
    interval is in the row for who wants to know. With `margin=0` only the sign of the difference counts.
    """
    if not interval.bounded:
        return "unresolved"
    if 1 / (1 + margin) <= interval.low and interval.high <= 1 + margin:
        return "equivalent"
    if interval.high < 1:
        return "faster"
    return "slower" if interval.low > 1 else "unresolved"


def half_width(interval: Interval) -> float:
    """Half the width of a ratio's or a positive quantity's interval, on the log scale: 0.03 is 3%; inf if open."""
    if not interval.bounded or interval.low <= 0:
        return inf
    return log(interval.high / interval.low) / 2


def detectable(interval: Interval) -> float:
    """The smallest relative change that would probably (80%) have been called: 0.05 is 5%; inf if unbounded.

    About 1.4 half-widths, from the normal case: an interval of half-width 1.96 standard errors excludes 1 with
    probability 0.8 when the effect is 1.96 + 0.84 of them.
    """
    return expm1(POWER * half_width(interval))


def rounds_needed(interval: Interval, rounds: int, target: float) -> int | float:
    """How many rounds would bring the half-width to `target`, when `rounds` gave `interval`; inf if unbounded.

    A half-width falls with the square root of the number of rounds. Raises ValueError if `target` is not positive.
    """
    if target <= 0:
        raise ValueError(f"the half-width aimed at must be positive, got {target}")
    width = half_width(interval)
    return ceil(rounds * (width / target) ** 2) if isfinite(width) else inf


def break_even(cold: float, eager: float, mode: float) -> float:
    """After how many calls a mode has earned its start: cold / (eager - mode), all in seconds; inf if it never does.

    `cold` is the trace, compilation and first run, `eager` and `mode` one warm call of each.
    """
    return max(cold, 0.0) / (eager - mode) if mode < eager else inf


def false_rate(verdicts: Iterable[str], confidence: float = CONFIDENCE) -> Interval:
    """The share of A/A twins that were called `faster` or `slower`, with the exact interval of Clopper and Pearson.

    (0, nan, 1) of no twins at all: nothing is known, and it shows.
    """
    calls = [each in CALLS for each in verdicts]
    if not calls:
        return Interval(0.0, nan, 1.0)
    from scipy.stats import binomtest

    share = binomtest(sum(calls), len(calls)).proportion_ci(confidence)
    return Interval(float(share.low), sum(calls) / len(calls), float(share.high))


def significant(interval: Interval) -> int:
    """How many digits of the estimate were earned, 0 to 4: a half-width of 30% earns 1, of 3% 2, of 0.3% 3."""
    width = half_width(interval)
    if not isfinite(width) or width >= 1:  # a factor of e either way: not even the first digit stands
        return 0
    return 4 if width == 0 else max(1, min(4, floor(-log10(width)) + 1))


def rounded(value: float, digits: int) -> str:
    """`value` with that many significant digits and no exponent: rounded(1234.5, 2) is '1200', (0.0999, 1) '0.1'."""
    if not isfinite(value) or value == 0:
        return f"{value:g}"
    short = float(f"{value:.{digits - 1}e}")
    places = digits - 1 - floor(log10(abs(short)))
    return f"{short:.{max(0, places)}f}"


def seconds_text(interval: Interval) -> str:
    """A time with its unit and the digits it earned, '120 µs'; '~120 µs' where the interval earned none."""
    digits, value = significant(interval), interval.mid
    if not isfinite(value):
        return "unknown"
    value = float(f"{value:.{(digits or 2) - 1}e}")  # before the unit: 999.6 µs to two digits is 1.0 ms
    scale, unit = next((entry for entry in PREFIXES if abs(value) >= entry[0]), PREFIXES[-1])
    return f"{'' if digits else '~'}{rounded(value / scale, digits or 2)} {unit}"


def ratio_text(interval: Interval) -> str:
    """A ratio with the digits it earned, '1.3 ×'; '~1.3 ×' where the interval earned none."""
    digits = significant(interval)
    return "unknown" if not isfinite(interval.mid) else f"{'' if digits else '~'}{rounded(interval.mid, digits or 2)} ×"
