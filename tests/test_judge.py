"""Outcomes become a verdict: which differences are named, which are allowed, and that no other is allowed."""

import itertools

import ml_dtypes
import numpy as np
import pytest

from tfparity.suite.judging.arrays import arrays
from tfparity.suite.judging.judgement import Judgement, worst
from tfparity.suite.judging.outcome import Failure, Lost, value
from tfparity.suite.judging.tolerance import K
from tfparity.suite.judging.verdicts import Expected, agrees, judge
from tfparity.suite.language.dtypes import FLOATS, limits, numpy_dtype, roundoff
from tfparity.suite.language.trees import RaggedValue, SparseValue
from tfparity.suite.records.results import KINDS, SEVERITY, VERDICTS

nan, inf = np.nan, np.inf


def f32(*values):
    return np.array(values, np.float32)


def one(got, want, **more):
    """The judgement of one result against another; `spread` as an array."""
    if "spread" in more:
        more["spread"] = (None if more["spread"] is None else np.asarray(more["spread"], float),)
    for name in ("flushed", "kept"):
        if name in more:
            more[name] = (more[name],)
    return judge([value(got)], [Expected(value(want), **more)])


def said(judgement):
    return judgement.verdict, judgement.kind


def up(x, ulps=1):
    """The value so many representable numbers further from zero."""
    word = {2: np.int16, 4: np.int32, 8: np.int64}[x.dtype.itemsize]
    return (x.view(word) + word(ulps)).view(x.dtype)


# --- bit identity --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "array",
    [
        f32(1, -2.5, 0),
        f32(nan, inf, -inf, -0.0),
        np.array([1, 2], np.int8),
        np.array([True]),
        np.array([b"a", b"\xff"], object),
        np.array([1 + 2j, complex(nan, -0.0)], np.complex64),
        np.array([1.5, nan], ml_dtypes.bfloat16),
        np.zeros((0, 3)),
        np.float16(2),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_the_same_bits_are_identical(array):
    assert one(array, array.copy()).verdict == "identical"


def test_a_nan_equals_a_nan_of_other_sign_and_payload():
    other = np.array([0xFFC00001], np.uint32).view(np.float32)
    assert one(f32(nan), other).verdict == "identical"


@pytest.mark.parametrize("dtype", FLOATS)
def test_zeros_of_different_sign_differ(dtype):
    got, want = np.array([0.0], numpy_dtype(dtype)), np.array([-0.0], numpy_dtype(dtype))
    assert said(one(got, want)) == ("differs", "zero-sign")
    assert said(one(got, want.astype(np.float64), exact=False)) == ("differs", "zero-sign")


@pytest.mark.parametrize(
    ("got", "want", "kind"),
    [
        (nan, 1, "nan"),
        (1, nan, "nan"),
        (inf, 1, "inf"),
        (1, inf, "inf"),
        (-inf, inf, "inf"),
        (nan, inf, "nan"),
        (1, 2, "value"),
        (-1, 1, "value"),
    ],
)
def test_the_kind_names_what_differed(got, want, kind):
    assert said(one(f32(got), f32(want))) == ("differs", kind)
    assert kind in KINDS


def test_the_gravest_kind_is_named_where_several_differ():
    assert one(f32(nan, 1, inf), f32(1, 2, 1)).kind == "nan"
    assert one(f32(0.0, inf), f32(-0.0, 1)).kind == "inf"


def test_a_small_value_where_another_small_one_is_meant_is_a_matter_of_subnormals():
    tiny = float(np.finfo(np.float32).tiny)
    assert said(one(f32(0), f32(tiny / 2), factor=0)) == ("differs", "subnormal")


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (np.array([1, 3], np.int32), np.array([1, 2], np.int32)),
        (np.array([True]), np.array([False])),
        (np.array([b"a"], object), np.array([b"b"], object)),
        (np.array([255], np.uint8), np.array([254], np.uint8)),
    ],
)
def test_integers_booleans_and_strings_are_exact(got, want):
    assert said(one(got, want)) == ("differs", "value")


def test_the_parts_of_a_complex_number_are_judged_each_by_itself():
    assert said(one(np.array([complex(1, inf)], np.complex64), np.array([complex(1, 2)], np.complex64))) == (
        "differs",
        "inf",
    )
    assert said(one(np.array([complex(1, nan)], np.complex64), np.array([complex(1, 1)], np.complex64))) == (
        "differs",
        "nan",
    )
    assert one(np.array([1 + 1j], np.complex64), np.array([complex(1, 1 + 1e-7)]), exact=False).verdict == "close"


# --- form ----------------------------------------------------------------------------------------------------------


def test_another_dtype_differs_between_modes_and_only_another_family_from_the_reference():
    assert said(one(f32(1), np.array([1.0]))) == ("differs", "dtype")
    assert one(f32(1), np.array([1.0]), exact=False).verdict == "identical"
    assert said(one(f32(1), np.array([1]), exact=False)) == ("differs", "dtype")


def test_another_shape_differs():
    assert said(one(f32(1, 2), f32(1, 2, 3))) == ("differs", "shape")
    assert said(one(np.ones((1, 2)), np.ones((2, 1)))) == ("differs", "shape")
    assert said(one(np.ones((0, 2)), np.ones((0, 3)))) == ("differs", "shape")


def test_another_structure_differs():
    assert said(one([f32(1), f32(2)], [f32(1)])) == ("differs", "structure")
    assert said(one({"a": f32(1)}, {"b": f32(1)})) == ("differs", "structure")
    assert said(one(None, f32(1))) == ("differs", "structure")
    sparse = SparseValue(np.zeros((1, 1), np.int64), f32(1), np.array([3]))
    assert said(one(sparse, f32(1, 0, 0))) == ("differs", "structure")
    assert said(one(RaggedValue.of([f32(1)]), sparse)) == ("differs", "structure")


def test_a_reference_need_not_nest_as_tensorflow_does():
    assert one([[f32(1)], f32(2)], [f32(1), f32(2)], exact=False).verdict == "identical"
    assert said(one([[f32(1)], f32(2)], [f32(1), f32(2)])) == ("differs", "structure")


def test_a_broken_promise_of_shape_inference_is_a_shape_that_differs():
    got = value(f32(1))
    broken = type(got)(got.structure + " promised float32(99,) but gave float32(1,)", got.arrays)
    assert said(judge([broken], [Expected(got)])) == ("differs", "shape")
    assert said(judge([broken], [Expected(got, exact=False)])) == ("differs", "shape")


# --- tolerance -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", range(5))
def test_one_ulp_is_always_close_and_said_to_be_one_ulp(dtype, seed):
    into, rng = numpy_dtype(dtype), np.random.default_rng(seed)
    want = (rng.normal(0, 1, 200) * 2.0 ** rng.integers(-10, 10, 200)).astype(into)
    for exact in (True, False):
        found = one(up(want), want if exact else want.astype(np.float64), exact=exact)
        assert found.verdict == "close"
        assert found.max_ulp == 1
        assert 0 < found.scaled_error <= 1 / K * 2


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("with_spread", [False, True])
def test_a_thousand_times_the_allowance_always_differs(dtype, seed, with_spread):
    into, rng = numpy_dtype(dtype), np.random.default_rng(seed)
    unit, tiny = roundoff(into), float(limits(into).smallest_normal)
    for _ in range(40):
        want = rng.normal(0, 1, 7) * 2.0 ** rng.integers(-3, 3, 7)
        spread = np.abs(want) * unit * rng.uniform(0, 2, 7) * with_spread
        got = want.astype(into)
        at = int(rng.integers(7))
        allowed = K * (unit * max(abs(want[at]), tiny) + spread[at])
        got[at] = np.array(want[at] + rng.choice([-1, 1]) * 1000 * allowed).astype(into)
        found = one(got, want, spread=spread, exact=False)
        assert said(found) == ("differs", "value")
        assert found.scaled_error > 100
        assert found.worst == (0, 0, (at,))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(5))
def test_the_limit_lies_where_the_formula_puts_it(dtype, seed):
    into, rng = numpy_dtype(dtype), np.random.default_rng(seed)
    want = rng.normal(0, 1, 100).astype(np.longdouble)
    spread = np.abs(want) * roundoff(into) * rng.uniform(0, 4, 100)
    allowed = K * (roundoff(into) * np.abs(want) + spread)
    assert one((want + 0.9 * allowed).astype(into), want, spread=spread, exact=False).verdict == "close"
    assert one((want - 0.9 * allowed).astype(into), want, spread=spread, exact=False).verdict == "close"
    assert one((want + 1.2 * allowed).astype(into), want, spread=spread, exact=False).verdict == "differs"
    assert one((want + 1.2 * allowed).astype(into), want, spread=spread, exact=False, factor=2.0).verdict == "close"


def test_the_scaled_error_is_counted_in_the_allowance():
    allowed = K * 2.0**-24
    assert one(f32(1 + allowed / 2), np.array([1.0]), exact=False).scaled_error == pytest.approx(0.5, rel=0.1)
    assert one(f32(1 + allowed * 8), np.array([1.0]), exact=False).scaled_error == pytest.approx(8, rel=0.1)


def test_a_spread_widens_only_its_own_element():
    got, want = f32(1.001, 1.001), np.array([1.0, 1.0])
    found = one(got, want, spread=[1e-3, 0.0], exact=False)
    assert said(found) == ("differs", "value")
    assert found.worst == (0, 0, (1,))
    assert one(got[:1], want[:1], spread=[1e-3], exact=False).verdict == "close"


def test_a_factor_of_zero_allows_no_error():
    assert one(f32(1 + 2.0**-23), f32(1), factor=0).verdict == "differs"
    assert one(f32(1), f32(1), factor=0).verdict == "identical"


def test_a_reference_that_moves_more_than_can_be_judged_is_ill_conditioned():
    found = one(f32(100), np.array([1.0]), spread=[1.0], exact=False)
    assert found.verdict == "ill-conditioned"
    assert "got" in found.detail


@pytest.mark.parametrize(("got", "kind"), [(nan, "nan"), (inf, "inf")])
def test_a_nan_or_an_infinity_is_never_excused_by_ill_condition(got, kind):
    assert said(one(f32(got), np.array([1.0]), spread=[1.0], exact=False)) == ("differs", kind)


def test_one_ill_conditioned_element_does_not_excuse_another():
    found = one(f32(100, 2), np.array([1.0, 1.0]), spread=[1.0, 0.0], exact=False)
    assert said(found) == ("differs", "value")
    assert found.worst == (0, 0, (1,))


def test_a_result_that_may_overflow_may_also_be_infinite():
    big = float(np.finfo(np.float32).max)
    assert one(f32(inf), np.array([big * (1 + 1e-7)]), exact=False).verdict in ("identical", "close")
    assert one(f32(big), np.array([big * (1 + 1e-7)]), exact=False).verdict in ("identical", "close")
    assert said(one(f32(inf), np.array([big / 2]), exact=False)) == ("differs", "inf")


def test_the_reference_keeps_its_precision():
    """Rounded to the dtype first, 1 + 2^-25 would be 1; the limit is drawn around the unrounded value."""
    assert one(f32(0), np.array([2.0**-30]), exact=False).verdict == "differs"


# --- subnormal numbers ---------------------------------------------------------------------------------------------


def test_against_the_reference_a_subnormal_result_may_be_flushed():
    tiny = float(np.finfo(np.float32).tiny)
    assert one(f32(0), np.array([tiny / 3]), exact=False).verdict == "close"
    assert one(f32(0), np.array([tiny * 64]), exact=False).verdict == "differs"


def test_against_the_reference_subnormal_inputs_may_be_flushed():
    """1/x of a subnormal x is large, and infinite where x is flushed: both are right."""
    kept, flushed = np.array([1e38]), np.array([inf])
    assert one(f32(1e38), kept, flushed=flushed, exact=False).verdict in ("identical", "close")
    assert one(f32(inf), kept, flushed=flushed, exact=False).verdict == "close"
    assert one(f32(5), kept, flushed=flushed, exact=False).verdict == "differs"


def test_between_modes_flushing_has_a_kind_of_its_own():
    kept, flushed = np.array([1.0]), np.array([0.0])
    assert said(one(f32(0), f32(1), kept=kept, flushed=flushed)) == ("differs", "subnormal")
    assert said(one(f32(1), f32(0), kept=kept, flushed=flushed)) == ("differs", "subnormal")
    assert said(one(f32(5), f32(1), kept=kept, flushed=flushed)) == ("differs", "value")


def test_flushing_excuses_no_other_element():
    found = one(f32(0, 7), f32(1, 1), kept=np.array([1.0, 1.0]), flushed=np.array([0.0, 1.0]))
    assert said(found) == ("differs", "value")
    assert found.worst == (0, 0, (1,))


def test_integers_made_of_subnormals_have_that_kind_too():
    kept, flushed = np.array([1]), np.array([0])
    assert one(np.array([0]), np.array([1]), flushed=flushed, exact=False).verdict == "identical"
    assert said(one(np.array([0]), np.array([1]), kept=kept, flushed=flushed)) == ("differs", "subnormal")
    assert said(one(np.array([2]), np.array([1]), kept=kept, flushed=flushed)) == ("differs", "value")


# --- errors --------------------------------------------------------------------------------------------------------

REFUSED = Failure("InvalidArgumentError", "execute", "Incompatible shapes: [3] vs. [4]")
TRACED = Failure("ValueError", "trace", "Dimensions must be equal")
NO_KERNEL = Failure("InvalidArgumentError", "execute", "Could not find device for node: {{node X}}\nsecond line")
CRASH = Lost("crash", "the process died of SIGABRT")
GOOD = value(f32(1))


@pytest.mark.parametrize(
    ("got", "want", "verdict", "kind"),
    [
        (REFUSED, REFUSED, "identical", ""),
        (REFUSED, TRACED, "error-differs", "error-phase"),
        (REFUSED, Failure("TypeError", "execute", "no"), "error-differs", "error-class"),
        (REFUSED, GOOD, "error-differs", "error-class"),
        (GOOD, REFUSED, "error-differs", "error-class"),
        (NO_KERNEL, GOOD, "unsupported", ""),
        (GOOD, NO_KERNEL, "unsupported", ""),
        (CRASH, GOOD, "crash", ""),
        (Lost("timeout", "no answer"), GOOD, "timeout", ""),
        (GOOD, CRASH, "error-differs", "error-class"),
        (CRASH, CRASH, "crash", ""),
    ],
)
def test_an_error_is_judged_by_class_and_phase(got, want, verdict, kind):
    found = judge([got], [Expected(want)])
    assert said(found) == (verdict, kind)
    assert verdict in VERDICTS


def test_any_error_agrees_with_a_reference_that_raises():
    assert judge([REFUSED], [Expected(Failure("ValueError", "reference", "x"), exact=False)]).verdict == "identical"
    assert judge([GOOD], [Expected(Failure("ValueError", "reference", "x"), exact=False)]).verdict == "error-differs"


def test_what_the_definition_of_an_op_excludes_no_mode_may_compute():
    excluded = Failure("InvalidArgumentError", "trace", "Value for attr 'T' of half not in list of allowed values")
    assert said(judge([GOOD], [Expected(excluded)])) == ("error-differs", "error-class")
    assert judge([REFUSED], [Expected(excluded)]).verdict == "unsupported"


def test_unsupported_is_said_in_tensorflows_words():
    assert judge([NO_KERNEL], [Expected(GOOD)]).detail == "InvalidArgumentError: Could not find device for node:"


@pytest.mark.parametrize(
    "message",
    [
        "No OpKernel was registered to support Op 'Foo'",
        "must be a compile-time constant",
        "Op type not registered 'Foo'",
        "Detected unsupported operations when trying to compile graph",
        "module 'tensorflow' has no attribute 'foo'",
        "Value for attr 'T' of half is not in the list of allowed values: float",
    ],
)
def test_what_tensorflow_says_of_missing_kernels_is_no_error_about_the_input(message):
    assert Failure("InvalidArgumentError", "execute", message).unsupported


@pytest.mark.parametrize(
    "message",
    ["Incompatible shapes: [3] vs. [4]", "indices[0] = 9 is not in [0, 4)", "Expected dimension in the range [-1, 1)"],
)
def test_an_error_about_the_input_is_not_unsupported(message):
    assert not Failure("InvalidArgumentError", "execute", message).unsupported


def test_an_unimplemented_error_is_unsupported_whatever_it_says():
    assert Failure("UnimplementedError", "execute", "x").unsupported


# --- what agrees needs no tolerance --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "want", "agreeing"),
    [
        (f32(0.1, nan), np.array([0.1, -nan]), True),
        (f32(0.1), np.array([0.1 + 1e-6]), False),
        (f32(0.0), np.array([-0.0]), False),
        (f32(1), np.array([1]), False),
        (f32(1), f32(1, 1), False),
        (np.array([3], np.int32), np.array([3]), True),
        (np.array([b"a"], object), np.array([b"a"], object), True),
        (np.array([b"a"], object), np.array([b"b"], object), False),
    ],
)
def test_what_agrees_is_the_expected_value_rounded(got, want, agreeing):
    assert agrees(value(got), Expected(value(want), exact=False)) == agreeing
    assert (judge([value(got)], [Expected(value(want), exact=False)]).verdict == "identical") == agreeing


def test_another_mode_must_agree_in_dtype_and_structure_too():
    assert agrees(GOOD, Expected(GOOD))
    assert not agrees(value(f32(1)), Expected(value(np.array([1.0]))))
    assert not agrees(value([f32(1)]), Expected(value(f32(1))))
    assert agrees(value([f32(1)]), Expected(value((f32(1),)), exact=False))
    assert not agrees(REFUSED, Expected(REFUSED))


# --- several draws -------------------------------------------------------------------------------------------------


def test_a_row_of_nan_leaves_the_other_rows_judged():
    wants = [f32(nan, nan), f32(1, 2), f32(nan, 1)]
    gots = [f32(nan, nan), f32(1, 2.5), f32(nan, 1)]
    found = judge([value(g) for g in gots], [Expected(value(w)) for w in wants])
    assert said(found) == ("differs", "value")
    assert found.worst == (1, 0, (1,))


def test_a_nan_in_a_row_leaves_its_other_elements_judged():
    assert one(f32(nan, 2), f32(nan, 1)).worst == (0, 0, (1,))


@pytest.mark.parametrize("at", [0, 1, 4])
def test_the_one_draw_that_is_wrong_is_named(at):
    wants = [f32(n, n + 1) for n in range(5)]
    gots = [w + np.float32(n == at) for n, w in enumerate(wants)]
    found = judge([value(g) for g in gots], [Expected(value(w)) for w in wants])
    assert found.verdict == "differs"
    assert found.worst[0] == at


def test_draws_of_several_forms_are_judged_each_against_its_own():
    gots, wants = [f32(1), f32(1, 2), np.array([3])], [f32(1), f32(1, 9), np.array([3])]
    assert judge([value(g) for g in gots], [Expected(value(w)) for w in wants]).worst[0] == 1


def test_one_draw_that_raises_leaves_the_others_judged():
    found = judge([REFUSED, value(f32(2))], [Expected(REFUSED), Expected(value(f32(1)))])
    assert said(found) == ("differs", "value")


def test_the_gravest_verdict_of_several_is_shown_with_the_largest_figures():
    found = worst(
        [
            Judgement("close", max_ulp=9, scaled_error=0.5),
            Judgement("differs", "value", 2, 3.0, "d"),
            Judgement("identical"),
        ]
    )
    assert (found.verdict, found.max_ulp, found.scaled_error, found.detail) == ("differs", 9, 3.0, "d")


def test_a_draw_that_is_unsupported_does_not_hide_one_that_fails():
    assert worst([Judgement("unsupported"), Judgement("differs", "value")]).verdict == "differs"
    assert worst([Judgement("unsupported"), Judgement("close")]).verdict == "close"


def test_nothing_to_judge_is_no_success():
    assert worst([]).verdict == "unsupported"


def test_every_verdict_of_the_contract_has_a_severity():
    assert set(SEVERITY) == set(VERDICTS)
    assert len(SEVERITY) == len(VERDICTS)


@pytest.mark.parametrize(("worse", "better"), list(itertools.pairwise(SEVERITY)))
def test_the_more_severe_verdict_is_shown_in_whatever_order_draws_come(worse, better):
    for order in ([worse, better], [better, worse]):
        assert worst([Judgement(verdict) for verdict in order]).verdict == worse


def test_a_difference_is_shown_with_both_values_and_their_bits():
    found = one(f32(1, -0.0), f32(1, 0.0))
    assert "-0.0 [0x80000000]" in found.detail
    assert "0.0 [0x00000000]" in found.detail
    assert "reference 1.e-01" in one(f32(0.5), np.array([0.1]), exact=False).detail


def test_zero_signs_in_parts_of_complex_numbers_are_open_unless_exact():
    got, want = np.array([complex(-0.0, 1)], np.complex64), np.array([complex(0.0, 1)], np.complex128)
    assert arrays(got, want, None)[0].verdict == "close"
    assert said(arrays(got, want, None, factor=0.0)[0]) == ("differs", "zero-sign")
    assert arrays(want.astype(np.complex64), want, None)[0].verdict == "identical"
