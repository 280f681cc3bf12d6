"""What a sample should give: the case's NumPy reference in higher precision, and how far it moves with its inputs.

The spread, the S of `tolerance`, is measured: the reference is evaluated again with every input moved by one unit
roundoff of the dtype under test. NumPy keeps subnormals that TensorFlow's kernels flush to zero on input, so where an
input is subnormal the reference on flushed inputs is right as well. Knows neither TensorFlow nor modes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import tolerance
from tfparity.suite.judging.outcome import Failure, Outcome, Value, value
from tfparity.suite.judging.verdicts import Expected
from tfparity.suite.language.case import Case, Undefined
from tfparity.suite.language.dtypes import family, precise, roundoff
from tfparity.suite.language.edges import flushed, generator
from tfparity.suite.language.trees import RaggedValue, SparseValue, is_tensor, leaves, rebuild

SPAN = 3**0.5
"""A uniform random number in [-SPAN, SPAN] has variance 1."""

DIRECTIONS = 4
"""Random moves of all inputs at once. For one element in 10,000 two moves are both small by accident, and a convolution
has 60,000 elements; so the spread is the root mean square of four."""

Leaf = Callable[[Any], Any]


def expected(case: Case, sample: Sample) -> list[Expected | None]:
    """What each draw should give, its spread not yet measured; None where the reference raises Undefined."""
    return [_expected(case, draw, sample.constants, _elementwise(sample)) for draw in sample.draws]


def cut(case: Case, whole: Expected | None, edge: Sample, sample: Sample) -> list[Expected | None] | None:
    """What an elementwise sample should give, cut from `whole`, what the sample `edge` should give; None where the
    results are not elementwise.

    Of a draw with an element that `edge` does not hold, the reference is called by itself.
    """
    if whole is None or not isinstance(whole.outcome, Value) or sample.positions is None or edge.positions is None:
        return None
    outcome, arrays, held = whole.outcome, whole.outcome.arrays, edge.positions[0]
    if not arrays or any(a.shape != held.shape for a in arrays):
        return None
    where = {int(element): k for k, element in enumerate(held)}

    def piece(of: Expected, rows: list[int]) -> Expected:
        def pick(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(None if a is None else a[rows] for a in arrays)

        return replace(
            of,
            outcome=Value(outcome.structure, pick(arrays)),
            spread=pick(of.spread),
            flushed=None if of.flushed is None else pick(of.flushed),
            measure=(lambda: piece(of.measured(), rows)) if of.measure else None,
        )

    return [
        piece(whole, [where[int(p)] for p in row])
        if all(int(p) in where for p in row)
        else _expected(case, draw, (), True)
        for row, draw in zip(sample.positions, sample.draws, strict=True)
    ]


def call(case: Case, draw: Any, constants: tuple[Any, ...] = ()) -> Outcome:
    """The reference on one draw, in the draw's own precision. Raises Undefined where the reference does."""
    assert case.reference is not None
    args, kwargs = draw
    args = tuple(args)
    with np.errstate(all="ignore"):
        try:
            tails = [(c,) for c in constants] if constants else [()]
            results = [case.reference(*args, *tail, **kwargs) for tail in tails]
        except Undefined:
            raise
        except Exception as error:
            return Failure(type(error).__name__, "reference", f"the reference raises: {error}")
        results = [case.canonical(r) for r in results] if case.canonical else results
        return value(results if constants else results[0])


def gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b| as float64, of complex numbers the larger of both parts; 0 where it is not finite."""
    with np.errstate(all="ignore"):
        parts = [np.abs(x - y).astype(np.float64) for x, y in ((a.real, b.real), (a.imag, b.imag))]
    return np.maximum(*(np.where(np.isfinite(p), p, 0) for p in parts))


def moved(draw: Any, key: str, unit: float = 1.0) -> Any:
    """The draw with every element of every floating tensor moved at random, by `unit` unit roundoffs on average (root
    mean square). With moves of equal size, one of 256 sums of three terms would cancel in all four directions."""
    rng = generator(key)
    return rebuild(draw, lambda leaf: _each_array(leaf, lambda a: _moved(a, unit * rng.uniform(-SPAN, SPAN, a.shape))))


def _expected(case: Case, draw: Any, constants: tuple[Any, ...], elementwise: bool) -> Expected | None:
    dtypes = [a.dtype for leaf in leaves(draw) for a in _arrays(leaf)]
    floating = any(family(d) in ("float", "complex") for d in dtypes)
    factor = tolerance.factor(case.exact, case.error_factor, against="numpy")
    try:
        if case.exact:
            outcome, lift = call(case, draw, constants), lambda leaf: leaf
        else:
            outcome, lift = _in_high_precision(case, draw, constants)
    except Undefined:
        return None
    if not isinstance(outcome, Value) or not floating:
        return Expected(outcome, tuple(None for _ in getattr(outcome, "arrays", ())), exact=False, factor=factor)
    found = Expected(outcome, exact=False, factor=factor)
    return replace(found, measure=cache(lambda: _measured(case, draw, constants, elementwise, lift, found)))


def _measured(
    case: Case, draw: Any, constants: tuple[Any, ...], elementwise: bool, lift: Leaf, plain: Expected
) -> Expected:
    """`plain`, with its spread and its value on flushed inputs."""
    outcome = plain.outcome
    assert isinstance(outcome, Value)
    spread: list[Any] = [np.zeros(a.shape) if family(a.dtype) in ("float", "complex") else None for a in outcome.arrays]
    for towards in [] if case.exact else _directions(draw, elementwise):
        try:
            other = call(case, rebuild(towards, lift), constants)
        except Undefined:
            continue
        if not isinstance(other, Value) or len(other.arrays) != len(outcome.arrays):
            continue
        for k, (a, b) in enumerate(zip(outcome.arrays, other.arrays, strict=True)):
            if spread[k] is not None and a.shape == b.shape:
                by = gap(a, b)
                spread[k] = np.maximum(spread[k], by) if elementwise else np.hypot(spread[k], by / DIRECTIONS**0.5)
    return replace(plain, spread=tuple(spread), flushed=_on_flushed(case, draw, constants, lift))


def _in_high_precision(case: Case, draw: Any, constants: tuple[Any, ...]) -> tuple[Outcome, Leaf]:
    """The reference in the highest precision it accepts, and the function that brings a leaf of a draw to it.

    Many of NumPy's and SciPy's functions refuse longdouble. Then a double result is compared with a double reference,
    and the allowed error, which is counted in unit roundoffs of double, covers the errors of both.
    """
    own = {a.dtype for leaf in leaves(draw) for a in _arrays(leaf) if family(a.dtype) in ("float", "complex")}

    def lift(leaf: Any) -> Any:  # a moved array has the higher precision already
        return _each_array(leaf, lambda a: a.astype(precise(a.dtype)) if a.dtype in own else a)

    outcome = call(case, rebuild(draw, lift), constants)
    if isinstance(outcome, Failure) and any(
        a.dtype in (np.float64, np.complex128) for leaf in leaves(draw) for a in _arrays(leaf)
    ):
        again = call(case, draw, constants)
        if isinstance(again, Value):
            return again, lambda leaf: _each_array(leaf, _in_double)
    return outcome, lift


def _in_double(a: np.ndarray) -> np.ndarray:
    """Longdouble back to double: a move by one unit roundoff remains one ulp, except at exact powers of two."""
    return a.astype(
        {np.dtype(np.longdouble): np.float64, np.dtype(np.clongdouble): np.complex128}.get(a.dtype, a.dtype)
    )


def _directions(draw: Any, elementwise: bool) -> list[Any]:
    if not elementwise:
        return [moved(draw, f"direction {n}") for n in range(DIRECTIONS)]
    floating = [
        n
        for n, leaf in enumerate(leaves(draw))
        if is_tensor(leaf) and any(family(a.dtype) in ("float", "complex") for a in _arrays(leaf))
    ]
    found = []
    for target in floating:
        for sign in (1.0, -1.0):
            found.append(_one_moved(draw, target, sign))
    return found


def _one_moved(draw: Any, target: int, sign: float) -> Any:
    counter = iter(range(10_000))

    def leaf(value: Any) -> Any:
        return _each_array(value, lambda a: _moved(a, sign)) if next(counter) == target else value

    return rebuild(draw, leaf)


def _on_flushed(case: Case, draw: Any, constants: tuple[Any, ...], lift: Leaf) -> tuple[np.ndarray, ...] | None:
    subnormal = any(
        family(a.dtype) in ("float", "complex") and not np.array_equal(flushed(a), a, equal_nan=True)
        for leaf in leaves(draw)
        for a in _arrays(leaf)
    )
    if not subnormal:
        return None
    try:
        other = call(case, rebuild(draw, lambda leaf: lift(_each_array(leaf, flushed))), constants)
    except Undefined:
        return None
    return other.arrays if isinstance(other, Value) else None


def _moved(a: np.ndarray, signs: Any) -> np.ndarray:
    """The array moved by one unit roundoff, in the precision above its own, so that rounding does not undo the move."""
    if family(a.dtype) not in ("float", "complex"):
        return a
    high = a.astype(precise(a.dtype))
    with np.errstate(all="ignore"):
        return np.where(np.isfinite(high), high * (1 + np.asarray(signs) * roundoff(a.dtype)), high).astype(high.dtype)


def _arrays(leaf: Any) -> list[np.ndarray]:
    if isinstance(leaf, SparseValue | RaggedValue):
        return [leaf.values]
    return [np.asarray(leaf)] if is_tensor(leaf) else []


def _each_array(leaf: Any, function: Callable[[np.ndarray], np.ndarray]) -> Any:
    if isinstance(leaf, SparseValue):
        return SparseValue(leaf.indices, function(leaf.values), leaf.dense_shape)
    if isinstance(leaf, RaggedValue):
        return RaggedValue(function(leaf.values), leaf.splits)
    return function(np.asarray(leaf)) if is_tensor(leaf) else leaf


def _elementwise(sample: Sample) -> bool:
    return (
        sample.positions is not None or bool(sample.constants) or sample.family in ("scalar", "broadcast")
    )
