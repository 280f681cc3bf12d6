"""One array judged against another of the same shape, by the family of its dtype. Knows neither outcomes nor draws.

Integers, booleans and strings are exact, floating-point numbers are `floats`', a complex number is judged as its two
parts. The signs of zeros in those parts are open, unless a case is exact.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tfparity.suite.judging import shown
from tfparity.suite.judging.floats import Found, Target, floats, same_bits
from tfparity.suite.judging.judgement import IDENTICAL, Judgement, worst
from tfparity.suite.judging.outcome import same_bytes
from tfparity.suite.language.dtypes import family


def agree(got: np.ndarray, want: np.ndarray) -> bool:
    """Whether two arrays of one shape and dtype are equal to the bit, NaNs being one value."""
    return same_bytes(got, want) or (family(got.dtype) in ("float", "complex") and bool(same_bits(got, want).all()))


def arrays(
    got: np.ndarray,
    want: np.ndarray,
    spread: np.ndarray | None,
    flushed: np.ndarray | None = None,
    exact: bool = True,
    factor: float = 1.0,
    kept: np.ndarray | None = None,
) -> Found:
    """Judge one array against another of the same shape; also the index of the element to show. The arguments are the
    fields of `Target`."""
    target = Target(want, spread, flushed, kept, exact, factor)
    kind = family(got.dtype)
    if kind == "float":
        return floats(got, target)
    return _complex(got, target) if kind == "complex" else _exact(got, target)


def _exact(got: np.ndarray, target: Target) -> Found:
    """Integers, booleans and strings: every difference counts, but for one that flushed inputs explain."""
    with np.errstate(all="ignore"):
        want = target.want if target.want.dtype == got.dtype else target.want.astype(got.dtype)
    wrong, kind = np.asarray(got != want), "value"
    if target.flushed is not None and wrong.any():
        flushed = target.flushed.astype(got.dtype)
        if target.kept is None:
            wrong &= got != flushed
        else:
            kept = target.kept.astype(got.dtype)
            either = ((got == flushed) | (got == kept)) & ((want == flushed) | (want == kept))
            unexplained = wrong & ~((kept != flushed) & either)
            wrong, kind = (unexplained, "value") if unexplained.any() else (wrong, "subnormal")
    if not wrong.any():
        return IDENTICAL, None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return Judgement("differs", kind, detail=shown.difference(got, want, at, int(wrong.sum()))), at


def _complex(got: np.ndarray, target: Target) -> Found:
    parts = [_of_part(got, target, name) for name in ("real", "imag")]
    joined = worst([judgement for judgement, _ in parts])
    if joined.verdict == "identical" and not same_bits(got, target.want.astype(got.dtype)).all():
        joined = replace(joined, verdict="close")  # but for the sign of a zero
    at = next((at for j, at in parts if (j.kind, j.detail) == (joined.kind, joined.detail)), None)
    if joined.detail:
        whole = f"whole complex number: got {got[at]!r}, expected {target.want[at]!r}"
        joined = replace(joined, detail=f"{joined.detail}\n{whole}")
    return joined, at


def _of_part(got: np.ndarray, target: Target, name: str) -> Found:
    """The real or the imaginary parts."""
    mine, want = _part(got, name), _part(target.want, name)
    return floats(
        _with_zeros_of(mine, want) if target.factor else mine,
        replace(
            target,
            want=want,
            spread=None if target.spread is None else np.maximum(target.spread, 0),
            flushed=None if target.flushed is None else _part(target.flushed, name),
            kept=None if target.kept is None else _part(target.kept, name),
        ),
    )


def _with_zeros_of(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    """The array with the zero signs of the other. In a complex product or quotient they depend on the formula: C99's
    annex G leaves them open, and NumPy's own loops differ in them."""
    with np.errstate(all="ignore"):
        target = want.astype(got.dtype)
    return np.where((got == 0) & (target == 0), target, got)


def _part(array: np.ndarray, name: str) -> np.ndarray:
    if family(array.dtype) == "complex":
        return getattr(array, name)
    return array if name == "real" else np.zeros_like(array)
