"""The expected result of a sample by NumPy, its precision, and its uncertainty."""

import numpy as np
import pytest

from tfparity import T, Undefined, op
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.inputs.samples import expand
from tfparity.suite.judging import reference
from tfparity.suite.judging.outcome import Failure, Value
from tfparity.suite.language.dtypes import precise, roundoff

pytestmark = pytest.mark.usefixtures("registry")


def on(case, *arrays, elementwise=True, constants=()):
    """The result of the case's reference for one draw, and its uncertainty."""
    positions = np.arange(arrays[0].size)[None] if elementwise else None
    sample = Sample("own", ((tuple(arrays), {}),), positions=positions, constants=constants)
    expected = reference.expected(case, sample)[0]
    return expected and expected.measured()


@pytest.mark.parametrize(
    ("dtype", "higher"),
    [
        (np.float16, np.float64),
        (np.float32, np.float64),
        (np.float64, np.longdouble),
        (np.complex64, np.complex128),
        (np.complex128, np.clongdouble),
        (np.int32, np.int32),
        (np.bool_, np.bool_),
    ],
)
def test_the_reference_is_computed_in_higher_precision(dtype, higher):
    assert precise(np.dtype(dtype)) == higher
    seen = []
    case = op("tf.foo", lambda x: seen.append(x.dtype) or x, T())
    assert on(case, np.ones(3, dtype)).outcome.arrays[0].dtype == higher
    assert set(seen) == {np.dtype(higher)}


def test_higher_precision_keeps_digits_that_the_dtype_loses():
    case = op("tf.foo", lambda x: (x + 1) - x, T())
    assert on(case, np.array([2.0**30], np.float32)).outcome.arrays[0] == 1
    exact = op("tf.bar", lambda x: (x + np.float32(1)) - x, T(), exact=True)
    assert on(exact, np.array([2.0**30], np.float32)).outcome.arrays[0] == 0


def test_a_function_that_refuses_longdouble_is_computed_in_double():
    def fussy(x):
        if x.dtype == np.longdouble:
            raise TypeError("no")
        return x * 2

    found = on(op("tf.foo", fussy, T()), np.array([1.5]))
    assert found.outcome.arrays[0].dtype == np.float64
    assert found.outcome.arrays[0] == 3
    assert found.spread[0] > 0, "the moved inputs survive in double"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x", [1.001, 1.5, 100.0])
def test_the_spread_is_how_far_the_reference_moves_with_its_input(dtype, x):
    """log moves by u, whatever x: near 1, where log is small, that is many ulp."""
    found = on(op("tf.foo", np.log, T()), np.array([x], dtype))
    assert float(found.spread[0][0]) == pytest.approx(roundoff(np.dtype(dtype)), rel=0.01)
    relative = float(found.spread[0][0] / abs(found.outcome.arrays[0][0]))
    assert (relative > 100 * roundoff(np.dtype(dtype))) == (x == 1.001)


def test_the_spread_is_that_of_the_worst_input():
    found = on(op("tf.foo", lambda x, y: x + 1000 * y, T(), T()), np.ones(2, np.float32), np.ones(2, np.float32))
    assert found.spread[0] == pytest.approx(1000 * 2.0**-24, rel=0.01)


def test_what_does_not_depend_on_its_inputs_has_no_spread():
    assert on(op("tf.foo", lambda x: np.ones_like(x), T()), np.array([3.0], np.float32)).spread[0] == 0


def test_integers_have_no_spread_and_exact_cases_allow_no_error():
    assert on(op("tf.foo", lambda x: x, T()), np.array([3], np.int32)).spread == (None,)
    found = on(op("tf.bar", lambda x: x, T(), exact=True), np.array([3.0], np.float32))
    assert found.factor == 0
    assert found.spread[0] == 0


def test_the_spread_of_a_reduction_is_felt_through_every_element():
    found = on(op("tf.foo", lambda x: np.sum(x), T("n")), np.array([1e6, -1e6, 1], np.float32), elementwise=False)
    assert float(found.spread[0]) > 0.01


def test_an_infinite_move_is_no_spread():
    found = on(op("tf.foo", lambda x: np.where(x > 1, np.inf, x), T()), np.array([1.0], np.float32))
    assert np.isfinite(found.spread[0]).all()


@pytest.mark.parametrize("function", [np.log, np.arccosh, np.sqrt], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_what_is_cut_from_the_long_tensor_equals_what_is_asked_for_directly(function, dtype):
    case = op("tf.foo", function, T(), dtypes=(dtype,))
    samples = {s.name: s for s in expand(case, dtype)}
    whole = reference.expected(case, samples["edge"])[0]
    for name in ("n1", "n3", "n17"):
        cut = reference.cut(case, whole, samples["edge"], samples[name])
        direct = reference.expected(case, samples[name])
        for a, b in ((a.measured(), b.measured()) for a, b in zip(cut, direct, strict=True)):
            np.testing.assert_array_equal(a.outcome.arrays[0], b.outcome.arrays[0])
            np.testing.assert_array_equal(a.spread[0], b.spread[0])
            if b.flushed is not None:
                np.testing.assert_array_equal(a.flushed[0], b.flushed[0])


def test_the_spread_is_measured_once_and_only_when_asked_for():
    calls = []
    case = op("tf.foo", lambda x: calls.append(1) or x, T())
    sample = Sample("own", (((np.ones(3, np.float32),), {}),))
    expected = reference.expected(case, sample)[0]
    assert (len(calls), expected.spread) == (1, ())
    assert expected.measured().spread[0].shape == (3,)
    after = len(calls)
    assert after > 1
    expected.measured()
    assert len(calls) == after


def test_results_that_do_not_align_with_elements_are_not_cut():
    case = op("tf.foo", lambda x: np.sum(x), T())
    samples = {s.name: s for s in expand(case, "float32")}
    assert reference.cut(case, reference.expected(case, samples["edge"])[0], samples["edge"], samples["n3"]) is None


def test_an_element_refused_by_the_reference_is_asked_for_by_itself_when_cutting():
    def reciprocal(x):
        if np.any(np.asarray(x) == 0):
            raise Undefined("at zero")
        return 1 / x

    case = op("tf.foo", reciprocal, T())
    samples = {s.name: s for s in expand(case, "float32")}
    cut = reference.cut(case, reference.expected(case, samples["edge"])[0], samples["edge"], samples["n1"])
    for wanted, (x,) in zip(cut, samples["n1"].tensors, strict=True):
        assert (wanted is None) == (x[0] == 0)


def test_undefined_expects_nothing_and_another_error_expects_an_error():
    def undefined(x):
        raise Undefined("why")

    def refuses(x):
        raise ValueError("negative")

    assert on(op("tf.foo", undefined, T()), np.ones(1, np.float32)) is None
    found = on(op("tf.bar", refuses, T()), np.ones(1, np.float32))
    assert isinstance(found.outcome, Failure)
    assert "negative" in found.outcome.message


def test_subnormal_inputs_are_also_tried_flushed():
    case = op("tf.foo", lambda x: x * 2.0**100, T())
    found = on(case, np.array([1e-40, 1.0], np.float32))
    assert found.flushed[0][0] == 0
    assert found.outcome.arrays[0][0] > 0
    assert on(case, np.array([1.0], np.float32)).flushed is None


def test_constants_are_applied_in_turn():
    found = on(op("tf.foo", lambda x, c: x * c, T(), T()), np.array([2.0], np.float32), constants=(1.0, 3.0))
    assert isinstance(found.outcome, Value)
    assert [a.item() for a in found.outcome.arrays] == [2.0, 6.0]


def test_a_canonical_form_is_taken_of_the_reference_too():
    case = op("tf.foo", lambda x: -x, T(), canonical=np.abs)
    assert on(case, np.array([2.0], np.float32)).outcome.arrays[0] == 2


def test_references_do_not_see_each_others_arrays():
    """A reference that writes into its argument must not change the draw."""

    def rude(x):
        x += 1
        return x

    draw = np.array([1.0], np.float32)
    on(op("tf.foo", rude, T()), draw)
    assert draw[0] == 1
