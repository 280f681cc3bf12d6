"""Floating-point arrays compared element by element. Knows IEEE 754 and the tolerance, neither outcomes nor draws.

NaNs are one value: IEEE 754 leaves their sign and payload open, and no TensorFlow page mentions either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfparity.suite.judging import shown, tolerance
from tfparity.suite.judging.judgement import IDENTICAL, Judgement
from tfparity.suite.language.dtypes import family, limits

Found = tuple[Judgement, tuple[int, ...] | None]
"""A judgement, and the index of the element that it shows."""


@dataclass(frozen=True)
class Target:
    """What one array should be.

    want     the expected array; of higher precision where it is a reference's
    spread   S, how far `want` moves with its inputs; None where it does not
    flushed  the reference on inputs whose subnormals are flushed to zero; None where that changes nothing
    kept     the reference on the inputs as they are, where `want` is another result of TensorFlow
    exact    whether `want` is another result of TensorFlow, as against a reference in higher precision
    factor   multiplies the allowed error; 0 allows none
    """

    want: np.ndarray
    spread: np.ndarray | None = None
    flushed: np.ndarray | None = None
    kept: np.ndarray | None = None
    exact: bool = True
    factor: float = 1.0


def floats(got: np.ndarray, target: Target) -> Found:
    """Judge an array of floating-point numbers. The ends of the allowed interval are rounded to the dtype, so a result
    that may overflow may also be infinite."""
    dtype, tiny = got.dtype, float(limits(got.dtype).smallest_normal)
    with np.errstate(all="ignore"):
        want = target.want.astype(dtype)
        same = same_bits(got, want)
        if same.all():
            return IDENTICAL, None
        wide = np.result_type(np.float64, target.want.dtype if target.want.dtype.kind == "f" else np.float64)
        g, w = got.astype(wide), target.want.astype(wide)
        spread = target.spread
        s = np.zeros(w.shape, wide) if spread is None else np.where(np.isfinite(spread), spread, 0).astype(wide)
        allowed = tolerance.allowed(w, s, dtype, target.factor)
        other_zero = (got == 0) & (want == 0) & (np.signbit(got) != np.signbit(want))
        right = same | (_within(g, w, allowed, dtype) & ~other_zero)
        if not target.exact:  # a kernel may flush a subnormal result to zero
            right |= (np.abs(w) < tiny) & (w != 0) & (g == 0)
        right, flushing = _with_flushing(g, w, s, dtype, target, right)
        error = np.abs(g - w) / np.where(allowed > 0, allowed, 1)
        comparable = np.isfinite(g) & np.isfinite(want.astype(wide))
        max_ulp = float(np.max(np.where(comparable, ulps(got, want), 0), initial=0.0))
        scaled = float(np.max(np.where(np.isfinite(error) & right, error, 0), initial=0.0))
        if right.all():
            return Judgement("close", max_ulp=max_ulp, scaled_error=scaled), None
        judgeable = np.isfinite(g) & np.isfinite(w) & ~other_zero
        ill = ~right & judgeable & tolerance.hopeless(w, s, target.factor)
        wrong = ~right & ~ill
        if not wrong.any():
            detail = shown.difference(got, want, tuple(int(i) for i in np.argwhere(ill)[0]), int(ill.sum()))
            return Judgement("ill-conditioned", "", max_ulp, scaled, detail), None
        by_kind = _kinds(got, want, wrong & ~flushing, tiny)
        by_kind["subnormal"] |= wrong & flushing
        kind = next(k for k in ("nan", "inf", "value", "subnormal", "zero-sign") if by_kind[k].any())
        order = np.where(by_kind[kind], np.where(np.isfinite(error), error, np.inf), -1)
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(order)), order.shape))
        finite = error[wrong & np.isfinite(error)]
        scaled = float(finite.max()) if finite.size else float("inf")
    detail = shown.difference(got, want, at, int(wrong.sum()), target.want)
    return Judgement("differs", kind, max_ulp, scaled, detail), at


def same_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which elements are equal to the bit, NaNs being one value."""
    if family(a.dtype) == "complex":
        return same_bits(a.real, b.real) & same_bits(a.imag, b.imag)
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | ((a != a) & (b != b))


_WORD = {2: np.int16, 4: np.int32, 8: np.int64}


def ulps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The distance in representable numbers of their dtype, as float64; NaN for a dtype that has none here."""
    word: Any = _WORD.get(a.dtype.itemsize)
    if word is None:
        return np.full(a.shape, np.nan)

    def ordered(x: np.ndarray) -> np.ndarray:  # integers: as float64, neighbours of 64 bits would be equal
        bits = np.ascontiguousarray(x).view(word).astype(np.int64)
        return np.where(bits < 0, np.iinfo(word).min - bits, bits)

    m, n = ordered(a), ordered(b)
    return (np.maximum(m, n).view(np.uint64) - np.minimum(m, n).view(np.uint64)).astype(np.float64)


def _within(g: np.ndarray, w: np.ndarray, allowed: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Which elements lie in the allowed interval, also after its ends are rounded to the dtype."""
    wide = g.dtype
    near = np.isfinite(w) & (np.abs(g - w) <= allowed)  # the allowed error of infinity is infinite
    near |= (g >= (w - allowed).astype(dtype).astype(wide)) & (g <= (w + allowed).astype(dtype).astype(wide))
    near |= np.isnan(g) & np.isnan(w)
    return near | (g == w)


def _with_flushing(
    g: np.ndarray, w: np.ndarray, s: np.ndarray, dtype: np.dtype, target: Target, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which elements are right, and which are wrong only because one side flushes subnormal inputs.

    Against a reference, its value on flushed inputs is as right as the other. Between two results of TensorFlow,
    each must be one of the two values of the reference, and the difference has the kind `subnormal`.
    """
    none = np.zeros(right.shape, bool)
    flushed, kept = target.flushed, target.kept
    if flushed is None or right.all():
        return right, none

    def like(value: np.ndarray, model: np.ndarray) -> np.ndarray:
        m = model.astype(g.dtype)
        near = np.isfinite(m) & (np.abs(value - m) <= tolerance.allowed(m, s, dtype, target.factor))
        return near | same_bits(value.astype(dtype), model.astype(dtype))

    if kept is None:
        return right | like(g, flushed), none
    changes = ~same_bits(kept.astype(dtype), flushed.astype(dtype))
    either = (like(g, flushed) | like(g, kept)) & (like(w, flushed) | like(w, kept))
    return right, ~right & changes & either


def _kinds(got: np.ndarray, want: np.ndarray, wrong: np.ndarray, tiny: float) -> dict[str, np.ndarray]:
    """Which of the wrong elements differ in what."""
    g, w = got.astype(np.float64), want.astype(np.float64)
    nan = wrong & (np.isnan(g) != np.isnan(w))
    infinite = wrong & ~nan & (np.isinf(g) | np.isinf(w))
    zero = wrong & (g == 0) & (w == 0)
    small = wrong & ~nan & ~infinite & ~zero & (np.abs(g) < tiny) & (np.abs(w) < tiny)
    rest = wrong & ~nan & ~infinite & ~zero & ~small
    return {"nan": nan, "inf": infinite, "zero-sign": zero, "subnormal": small, "value": rest}
