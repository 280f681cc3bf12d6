"""The estimators, held against exact enumeration, SciPy and simulated faults. No clock, no TensorFlow."""

from itertools import product
from math import exp, inf, isnan

import numpy as np
import pytest
from scipy.stats import binom, quantile_test

from tfparity.suite.timing.statistics import (
    Interval,
    false_rate,
    half_width,
    paired_ratio,
    ranks,
    rounds_needed,
    sign_test_interval,
    verdict,
)


def heavy(rng, shape, scale=0.05):
    """Log-times as a loaded machine gives them: skewed, one value in ten an outlier."""
    return np.abs(rng.normal(0, scale, shape)) + (rng.random(shape) < 0.1) * rng.exponential(1.0, shape)


# The interval of the sign test


def coverage(n, low, high):
    """The probability that order statistics `low` and `high` of `n` values enclose the median: P(low <= B < high)."""
    return float(binom.cdf(high - 1, n, 0.5) - binom.cdf(low - 1, n, 0.5))


@pytest.mark.parametrize(("n", "expected", "percent"), [(6, (1, 6), 96.9), (11, (2, 10), 98.8), (24, (7, 18), 97.7)])
def test_the_ranks_of_6_11_and_24_rounds(n, expected, percent):
    assert ranks(n) == expected
    assert round(100 * coverage(n, *expected), 1) == percent


@pytest.mark.parametrize("n", range(6, 15))
def test_coverage_is_at_least_nominal_by_enumerating_every_outcome(n):
    """Which side of the median each value falls on: all of the 2^n equally likely patterns."""
    low, high = ranks(n)
    below = [sum(pattern) for pattern in product((0, 1), repeat=n)]
    enclosed = np.mean([low <= count < high for count in below])
    assert enclosed == pytest.approx(coverage(n, low, high), abs=1e-12)
    assert enclosed >= 0.95
    tighter = np.mean([low + 1 <= count < high - 1 for count in below])
    assert tighter < 0.95, "the interval could have been narrower"


@pytest.mark.parametrize("n", [1, 2, 5, 6, 11, 24, 25, 100])
def test_the_interval_agrees_with_scipys_quantile_test(n):
    x = np.random.default_rng(n).normal(size=n)
    got, expected = sign_test_interval(x), quantile_test(x, q=0, p=0.5).confidence_interval(0.95)
    if np.isnan(expected.low):
        assert (got.low, got.high) == (-inf, inf)
    else:
        assert (got.low, got.high) == (expected.low, expected.high)
    assert got.mid == np.median(x)


def test_too_few_values_give_an_unbounded_interval():
    assert ranks(5) is None
    assert ranks(5, 0.9) == (1, 5), "five cold starts bound their median by the extremes at 90%"
    assert sign_test_interval([3.0]) == Interval(-inf, 3.0, inf)
    assert verdict(paired_ratio([1.0] * 5, [9.0] * 5)) == "unresolved"


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], [1.0, float("nan")]])
def test_an_empty_nested_or_undefined_list_is_refused(bad):
    with pytest.raises(ValueError, match="one-dimensional"):
        sign_test_interval(bad)


# The paired ratio


def test_the_ratio_is_exact_where_there_is_no_noise():
    b = np.geomspace(1e-6, 1.0, 11)            # the machine slowed a million times during the rounds
    ratio = paired_ratio(1.1 * b, b)
    assert [ratio.low, ratio.mid, ratio.high] == pytest.approx([1.1] * 3)


def test_swapping_the_sides_inverts_the_interval_and_mirrors_the_verdict():
    rng = np.random.default_rng(1)
    for effect in (0.5, 0.9, 0.97, 1.0, 1.03, 1.2):
        a, b = effect * np.exp(rng.normal(0, 0.02, 11)), np.exp(rng.normal(0, 0.02, 11))
        one, other = paired_ratio(a, b), paired_ratio(b, a)
        assert [1 / other.high, 1 / other.mid, 1 / other.low] == pytest.approx([one.low, one.mid, one.high])
        mirrored = {"faster": "slower", "slower": "faster"}
        assert verdict(other) == mirrored.get(verdict(one), verdict(one))


@pytest.mark.parametrize(("a", "b"), [([1.0, 2.0], [1.0]), ([0.0], [1.0]), ([1.0], [-1.0]), ([inf], [1.0])])
def test_times_that_are_unpaired_zero_negative_or_infinite_are_refused(a, b):
    with pytest.raises(ValueError, match="times"):
        paired_ratio(a, b)


# Verdicts


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.80, 0.90, "faster"),
        (1.10, 1.20, "slower"),
        (0.80, 1.20, "unresolved"),
        (0.99, 1.20, "unresolved"),
        (0.98, 1.02, "equivalent"),
        (0.97, 0.99, "equivalent"),            # real, but too small to act on
        (1.01, 1.04, "equivalent"),
        (0.93, 0.99, "faster"),                # real, and perhaps large enough
        (1.01, 1.07, "slower"),
        (1 / 1.05, 1.05, "equivalent"),
        (0.95, 1.00, "unresolved"),            # 0.95 is further from 1 than 1.05 is, as a ratio
        (1.00, 1.06, "unresolved"),            # a bound on 1 does not exclude it
        (0.0, inf, "unresolved"),
        (float("nan"), float("nan"), "unresolved"),
    ],
)
def test_the_verdict_on_an_interval(low, high, expected):
    assert verdict(Interval(low, 1.0, high)) == expected


def test_without_a_margin_only_the_sign_counts():
    assert verdict(Interval(0.97, 0.98, 0.99), margin=0) == "faster"
    assert verdict(Interval(1.01, 1.02, 1.03), margin=0) == "slower"


def test_false_positives_are_no_more_frequent_than_the_interval_promises():
    """Heavy tails, drift shared by both sides, 4,000 twins of 11 rounds: at most 1.2% may exclude 1."""
    rng = np.random.default_rng(2)
    drift = np.cumsum(rng.normal(0, 0.1, (4000, 11)), axis=1)
    a, b = np.exp(drift + heavy(rng, drift.shape)), np.exp(drift + heavy(rng, drift.shape))
    called = [verdict(paired_ratio(x, y), margin=0) for x, y in zip(a, b, strict=True)]
    assert 0.005 < false_rate(called).mid < 0.018
    assert false_rate([verdict(paired_ratio(x, y)) for x, y in zip(a, b, strict=True)]).mid <= false_rate(called).mid


def test_planted_a_ten_percent_slowdown_is_reported_and_never_as_a_speedup():
    rng = np.random.default_rng(3)
    a, b = 1.1 * np.exp(heavy(rng, (500, 24), 0.02)), np.exp(heavy(rng, (500, 24), 0.02))
    called = [verdict(paired_ratio(x, y)) for x, y in zip(a, b, strict=True)]
    assert called.count("slower") > 450
    assert called.count("faster") == called.count("equivalent") == 0


# Planning


def test_the_half_width_is_half_the_interval_on_the_log_scale():
    assert half_width(Interval(5.0 * exp(-0.25), 5.0, 5.0 * exp(0.25))) == pytest.approx(0.25)
    assert half_width(Interval(1.0, 1.0, 1.0)) == 0
    assert half_width(Interval(0.0, 1.0, inf)) == inf


def test_half_the_width_takes_four_times_the_rounds():
    wide = Interval(exp(-0.06), 1.0, exp(0.06))
    assert rounds_needed(wide, 11, 0.06) in (11, 12)
    assert rounds_needed(wide, 11, 0.03) in (44, 45)
    assert rounds_needed(Interval(0.0, 1.0, inf), 5, 0.03) == inf
    with pytest.raises(ValueError, match="positive"):
        rounds_needed(wide, 11, 0)


def test_the_false_rate_counts_different_verdicts_and_its_interval_widens_with_few_twins():
    assert isnan(false_rate([]).mid)
    rate = false_rate(["faster", *["equivalent"] * 60, *["unresolved"] * 38, "slower"])
    assert rate.mid == 0.02
    assert rate.low < 0.02 < rate.high < 0.08
    assert false_rate(["equivalent"] * 10).high > 0.25, "ten quiet twins prove little"
