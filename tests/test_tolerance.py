"""How much error is allowed: every row of the policy, and a row that one kind of device adds."""

import numpy as np
import pytest

from tfparity.suite.judging import tolerance
from tfparity.suite.judging.tolerance import HALF_LOST, K, Rule, allowed, factor, hopeless


@pytest.mark.parametrize(
    ("against", "aspect", "dtype", "inexact", "exact"),
    [
        ("numpy", "value", "float32", 1, 0),
        ("eager", "value", "float32", 2, 0),
        ("eager", "value", "float16", 2, 0),
        ("cpu", "value", "float32", 2, 0),
        ("lanes", "value", "float32", 2, 0),
        ("lanes", "value", "float64", 2, 0),
        ("lanes", "value", "complex64", 2, 0),
        ("lanes", "value", "float16", 0, 0),
        ("lanes", "value", "bfloat16", 0, 0),
        ("theory", "value", "float32", 1, 1),
        ("eager", "gradient", "float32", 2, 2),
        ("cpu", "gradient", "float32", 2, 2),
        ("eager", "error", "float32", 2, 2),
    ],
)
@pytest.mark.parametrize("error_factor", [1.0, 64.0])
def test_the_policy_says_how_often_the_declared_error_is_allowed(against, aspect, dtype, inexact, exact, error_factor):
    where = {"against": against, "aspect": aspect, "dtype": dtype, "device": "CPU:0"}
    assert factor(False, error_factor, **where) == inexact * error_factor
    assert factor(True, error_factor, **where) == exact * error_factor


def test_what_the_policy_does_not_cover_is_no_silent_tolerance():
    with pytest.raises(LookupError, match="value:elsewhere"):
        factor(False, 1.0, against="elsewhere")


def test_every_row_of_the_policy_has_a_reason():
    assert all(len(row.why.split()) > 3 for row in (*tolerance.POLICY, *tolerance.DEVICES))


def test_a_tolerance_of_one_kind_of_device_is_one_line(monkeypatch):
    line = Rule(("numpy", "cpu"), 1024.0, "TF32 has products of 10 bits", dtypes=("float32",), device="GPU:*")
    monkeypatch.setattr(tolerance, "DEVICES", (line,))
    gpu = {"against": "numpy", "dtype": "float32", "device": "GPU:1"}
    assert factor(False, 4.0, **gpu) == 4096
    assert factor(False, 4.0, **gpu | {"against": "cpu"}) == 8192
    assert factor(True, 4.0, **gpu) == 0, "an exact case rounds nothing on any device"
    for other in ({"device": "CPU:0"}, {"device": ""}, {"dtype": "float64"}):
        assert factor(False, 4.0, **gpu | other) == 4
    assert factor(False, 4.0, **gpu | {"against": "eager"}) == 8


def test_no_device_has_a_tolerance_of_its_own_today():
    assert tolerance.DEVICES == ()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_allowed_error_is_that_of_the_formula(dtype):
    info = np.finfo(dtype)
    expected, spread = np.array([2.0, -2.0, 0.0]), np.array([0.0, 0.5, 0.0])
    unit, tiny = float(info.eps) / 2, float(info.smallest_normal)
    assert allowed(expected, spread, np.dtype(dtype), 3.0).tolist() == [
        K * 3.0 * (unit * 2),
        K * 3.0 * (unit * 2 + 0.5),
        K * 3.0 * (unit * tiny),
    ]


def test_a_factor_of_zero_allows_nothing():
    assert allowed(np.array([5.0]), np.array([1.0]), np.dtype("float32"), 0.0) == 0
    assert not hopeless(np.array([5.0]), np.array([1.0]), 0.0)


def test_an_element_whose_reference_moves_by_an_eighth_of_itself_cannot_be_judged():
    limit = HALF_LOST / K
    assert hopeless(np.array([1.0, -1.0, 1.0, 0.0]), np.array([limit, limit, 0.0, 0.0]) * 1.01, 1.0).tolist() == [
        *(True, True),
        *(False, False),
    ]
    assert not hopeless(np.array([1.0]), np.array([limit]), 1.0)
