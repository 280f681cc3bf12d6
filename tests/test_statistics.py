"""The estimators, held against exact enumeration, SciPy and simulated faults. No clock, no TensorFlow."""

from itertools import product
from math import exp, inf, isnan

import numpy as np
import pytest
from scipy.stats import quantile_test

from tfparity.suite.timing.statistics import (
    Interval,
    break_even,
    coverage,
    detectable,
    false_rate,
    half_width,
    paired_ratio,
    ranks,
    ratio_text,
    rounded,
    rounds_needed,
    seconds_text,
    sign_test_interval,
    significant,
    verdict,
)


def heavy(rng, shape, scale=0.05):
    """Log-times as a loaded machine gives them: skewed, with one value in ten far out."""
    return np.abs(rng.normal(0, scale, shape)) + (rng.random(shape) < 0.1) * rng.exponential(1.0, shape)


# The interval of the sign test


@pytest.mark.parametrize(("n", "expected", "percent"), [(6, (1, 6), 96.9), (11, (2, 10), 98.8), (24, (7, 18), 97.7)])
def test_the_ranks_are_the_ones_the_design_names(n, expected, percent):
    assert ranks(n) == expected
    assert round(100 * coverage(n, *expected), 1) == percent


@pytest.mark.parametrize("n", range(6, 15))
def test_coverage_is_at_least_nominal_by_enumerating_every_outcome(n):
    """Which side of the median each value falls on: 2^n equally likely patterns, each looked at."""
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


def test_too_few_values_bound_nothing():
    assert ranks(5) is None
    assert ranks(5, 0.9) == (1, 5), "five cold starts bound their median by the extremes at 90%"
    assert sign_test_interval([3.0]) == Interval(-inf, 3.0, inf)
    assert verdict(paired_ratio([1.0] * 5, [9.0] * 5)) == "unresolved"


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], [1.0, float("nan")]])
def test_what_is_no_list_of_numbers_is_refused(bad):
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
def test_what_is_no_pair_of_times_is_refused(a, b):
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
        (0.97, 0.99, "equivalent"),            # real, and too small to act on
        (1.01, 1.04, "equivalent"),
        (0.93, 0.99, "faster"),                # real, and perhaps not too small
        (1.01, 1.07, "slower"),
        (1 / 1.05, 1.05, "equivalent"),
        (0.95, 1.00, "unresolved"),            # 0.95 is further from 1 than 1.05 is, as a ratio
        (1.00, 1.06, "unresolved"),            # a bound on 1 does not exclude it
        (0.0, inf, "unresolved"),
        (float("nan"), float("nan"), "unresolved"),
    ],
)
def test_every_kind_of_interval_has_its_verdict(low, high, expected):
    assert verdict(Interval(low, 1.0, high)) == expected


def test_without_a_margin_only_the_sign_counts():
    assert verdict(Interval(0.97, 0.98, 0.99), margin=0) == "faster"
    assert verdict(Interval(1.01, 1.02, 1.03), margin=0) == "slower"


def test_a_twin_is_called_no_more_often_than_the_interval_promises():
    """Heavy tails, drift shared by both sides, 4,000 twins of 11 rounds: at most 1.2% may exclude 1."""
    rng = np.random.default_rng(2)
    drift = np.cumsum(rng.normal(0, 0.1, (4000, 11)), axis=1)
    a, b = np.exp(drift + heavy(rng, drift.shape)), np.exp(drift + heavy(rng, drift.shape))
    called = [verdict(paired_ratio(x, y), margin=0) for x, y in zip(a, b, strict=True)]
    assert 0.005 < false_rate(called).mid < 0.018
    assert false_rate([verdict(paired_ratio(x, y)) for x, y in zip(a, b, strict=True)]).mid <= false_rate(called).mid


def test_planted_a_ten_percent_slowdown_is_called_and_never_the_wrong_way():
    rng = np.random.default_rng(3)
    a, b = 1.1 * np.exp(heavy(rng, (500, 24), 0.02)), np.exp(heavy(rng, (500, 24), 0.02))
    called = [verdict(paired_ratio(x, y)) for x, y in zip(a, b, strict=True)]
    assert called.count("slower") > 450
    assert called.count("faster") == called.count("equivalent") == 0


def test_the_detectable_effect_is_called_four_times_in_five():
    """The figure is checked, not only stated: plant it, and count the calls."""
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 0.03, (2000, 24))
    ones = np.ones(24)
    typical = np.median([half_width(paired_ratio(np.exp(x), ones)) for x in noise])
    effect = 1 + detectable(Interval(exp(-typical), 1.0, exp(typical)))
    calls = np.mean([verdict(paired_ratio(effect * np.exp(x), ones), margin=0) == "slower" for x in noise])
    assert 0.75 < calls < 0.92


def test_an_open_interval_detects_nothing():
    assert detectable(Interval(0.0, 1.0, inf)) == inf
    assert detectable(Interval(1.0, 1.0, 1.0)) == 0


# Planning


def test_half_the_width_takes_four_times_the_rounds():
    wide = Interval(exp(-0.06), 1.0, exp(0.06))
    assert rounds_needed(wide, 11, 0.06) in (11, 12)
    assert rounds_needed(wide, 11, 0.03) in (44, 45)
    assert rounds_needed(Interval(0.0, 1.0, inf), 5, 0.03) == inf
    with pytest.raises(ValueError, match="positive"):
        rounds_needed(wide, 11, 0)


def test_a_mode_breaks_even_when_it_has_saved_what_it_cost():
    assert break_even(cold=1.0, eager=0.003, mode=0.001) == pytest.approx(500)
    assert break_even(cold=1.0, eager=0.001, mode=0.001) == inf
    assert break_even(cold=1.0, eager=0.001, mode=0.003) == inf
    assert break_even(cold=0.0, eager=0.003, mode=0.001) == 0


def test_the_false_rate_counts_calls_and_admits_what_it_does_not_know():
    assert isnan(false_rate([]).mid)
    rate = false_rate(["faster", *["equivalent"] * 60, *["unresolved"] * 38, "slower"])
    assert rate.mid == 0.02
    assert rate.low < 0.02 < rate.high < 0.08
    assert false_rate(["equivalent"] * 10).high > 0.25, "ten quiet twins prove little"


# Digits


@pytest.mark.parametrize(
    ("width", "digits"), [(0.3, 1), (0.03, 2), (0.003, 3), (1e-9, 4), (0.0, 4), (2.0, 0), (inf, 0)]
)
def test_digits_are_earned_by_the_interval(width, digits):
    low, high = (1.0, 1.0) if width == 0 else (exp(-width), exp(width) if width != inf else inf)
    assert significant(Interval(low, 1.0, high)) == digits


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234.5, 2, "1200"), (0.0999, 1, "0.1"), (9.96, 2, "10"), (1.0, 3, "1.00"), (0.00123, 2, "0.0012"), (0.0, 2, "0")],
)
def test_a_number_shows_its_significant_digits_only(value, digits, text):
    assert rounded(value, digits) == text


def around(mid, width):
    return Interval(mid * exp(-width), mid, mid * exp(width))


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (around(123.4e-6, 0.03), "120 µs"),
        (around(123.4e-6, 0.003), "123 µs"),
        (around(999.6e-6, 0.03), "1.0 ms"),
        (around(2.0, 0.3), "2 s"),
        (around(3.3e-8, 0.03), "33 ns"),
        (Interval(0.0, 123.4e-6, inf), "~120 µs"),
        (around(4e-10, 0.03), "0.40 ns"),
    ],
)
def test_a_time_reads_as_precisely_as_it_was_measured(interval, text):
    assert seconds_text(interval) == text


def test_a_ratio_reads_as_precisely_as_it_was_measured():
    assert ratio_text(around(1.3456, 0.02)) == "1.3 ×"
    assert ratio_text(Interval(0.0, 1.3456, inf)) == "~1.3 ×"
    assert half_width(around(5.0, 0.25)) == pytest.approx(0.25)
