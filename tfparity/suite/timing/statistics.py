"""What may be concluded from repeated timings: estimates, intervals and verdicts.

Pure functions on arrays of positive numbers, paired where two are compared. This module reads no clock, draws no random
number and knows no TensorFlow, no mode and no case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, inf, isfinite, log, nan

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95
MARGIN = 0.05  # a difference under 5% is not reported: loop counts and neighbouring calls alone make about 1%
DIFFERENT = ("faster", "slower")


@dataclass(frozen=True)
class Interval:
    """An estimate and its bounds, `low <= mid <= high`, in the unit of the estimate.

    The bounds are `-inf, inf`, or of a ratio `0, inf`, where there were too few values for an interval.
    """

    low: float
    mid: float
    high: float

    @property
    def bounded(self) -> bool:
        return isfinite(self.low) and isfinite(self.high)


@lru_cache(maxsize=1024)
def ranks(n: int, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """The order statistics, counted from 1, that bound the median of `n` independent values.

    The largest k with P(k <= B <= n - k) >= `confidence`, B binomial(n, 1/2), gives ranks k and n + 1 - k: 11 values
    give 2 and 10 (98.8%), 24 give 7 and 18 (97.7%). None where even the extremes do not reach it (fewer than 6 at 95%).
    Exact for every continuous distribution (Conover, Practical Nonparametric Statistics, 3.2).

    Raises ValueError for n < 1 or a confidence outside (0, 1).
    """
    if n < 1 or not 0 < confidence < 1:
        raise ValueError(f"need at least one value and a confidence within (0, 1), got {n} and {confidence}")
    from scipy.stats import binom  # 1.3 s to import: only where something was measured

    k = int(binom.ppf((1 - confidence) / 2, n, 0.5))
    return (k, n + 1 - k) if k >= 1 else None


def sign_test_interval(x: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """The median of `x`, shape (n,), and the interval of the sign test around it, in the unit of `x`.

    The values are assumed to be independent; nothing else is assumed of their distribution. The interval is unbounded
    if n is too small for the confidence. Raises ValueError if `x` is empty, not one-dimensional or holds a NaN.
    """
    values = np.sort(np.asarray(x, dtype=float))
    if values.ndim != 1 or not values.size or np.isnan(values).any():
        raise ValueError(f"need a one-dimensional array of numbers without NaN, got shape {values.shape}")
    bounds = ranks(values.size, confidence)
    low, high = (float(values[bounds[0] - 1]), float(values[bounds[1] - 1])) if bounds else (-inf, inf)
    return Interval(low, float(np.median(values)), high)


def paired_ratio(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """The times `a` over the times `b`, both (n,) and paired: exp(median(log a - log b)) and its interval.

    Below 1, `a` took less time. Swapping the arguments inverts the interval. Raises ValueError if the shapes differ
    or a value is not positive: a time of zero is below what the clock resolves.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.shape != second.shape:
        raise ValueError(f"times are paired, but their shapes are {first.shape} and {second.shape}")
    if not (np.all(first > 0) and np.all(second > 0) and np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("times must be positive and finite")
    logs = sign_test_interval(np.log(first) - np.log(second), confidence)
    return Interval(exp(logs.low), exp(logs.mid), exp(logs.high))


def verdict(interval: Interval, margin: float = MARGIN) -> str:
    """The verdict on an interval of a time ratio: `faster`, `slower`, `equivalent` or `unresolved`.

    `equivalent`   the whole interval lies within `margin` of 1, that is in [1 / (1 + margin), 1 + margin], so that
                   exchanging the two sides never changes the answer
    `faster`       it lies below 1, `slower` above
    `unresolved`   neither, or the interval is not bounded

    An interval such as [0.97, 0.99] lies below 1 and also within 5% of it. Its verdict is `equivalent`: the difference
    is real, but too small to act on, and the loop itself biases a ratio by about 1%. The row holds the interval too.
    With `margin=0` only the sign of the difference counts.
    """
    if not interval.bounded:
        return "unresolved"
    if 1 / (1 + margin) <= interval.low and interval.high <= 1 + margin:
        return "equivalent"
    if interval.high < 1:
        return "faster"
    return "slower" if interval.low > 1 else "unresolved"


def half_width(interval: Interval) -> float:
    """Half the width of the interval of a ratio or of another positive quantity, on the log scale: 0.03 is 3%; inf if
    it is unbounded.

    An effect of about 1.4 half-widths is reported four times in five. In the normal case a half-width is 1.96 standard
    errors, and such an effect is 1.96 + 0.84 of them: the quotient is 1.43.
    """
    if not interval.bounded or interval.low <= 0:
        return inf
    return log(interval.high / interval.low) / 2


def rounds_needed(interval: Interval, rounds: int, target: float) -> int | float:
    """How many rounds would bring the half-width to `target`, when `rounds` gave `interval`; inf if unbounded.

    A half-width falls with the square root of the number of rounds. Raises ValueError if `target` is not positive.
    """
    if target <= 0:
        raise ValueError(f"the target half-width must be positive, got {target}")
    width = half_width(interval)
    return ceil(rounds * (width / target) ** 2) if isfinite(width) else inf


def false_rate(verdicts: Iterable[str], confidence: float = CONFIDENCE) -> Interval:
    """The share of A/A twins whose verdict is `faster` or `slower`, with the exact interval of Clopper and Pearson.

    (0, nan, 1) where there is no twin.
    """
    false = [each in DIFFERENT for each in verdicts]
    if not false:
        return Interval(0.0, nan, 1.0)
    from scipy.stats import binomtest

    share = binomtest(sum(false), len(false)).proportion_ci(confidence)
    return Interval(float(share.low), sum(false) / len(false), float(share.high))
