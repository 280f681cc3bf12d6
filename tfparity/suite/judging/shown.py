"""How outcomes, arrays and numbers are spelled in the `detail` of a row. Judges nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfparity.suite.judging.outcome import Failure, Lost, Outcome
from tfparity.suite.language.dtypes import family, name_of


def describe(outcome: Outcome) -> str:
    """An outcome in one line."""
    if isinstance(outcome, Failure):
        return f"{outcome.words} (at {outcome.phase})"
    if isinstance(outcome, Lost):
        return f"{outcome.verdict}: {outcome.detail}"
    return "a value: " + "; ".join(short(a) for a in outcome.arrays[:4])


def short(array: np.ndarray, limit: int = 8) -> str:
    """An array in one line: dtype, shape, first values."""
    flat = array.reshape(-1)[:limit].tolist()
    more = ", …" if array.size > limit else ""
    return f"{name_of(array.dtype)}{list(array.shape)} [{', '.join(map(repr, flat))}{more}]"


def bits(scalar: Any) -> str:
    """A floating-point number with its bits, `-0.0 [0x80000000]`; anything else by repr."""
    array = np.asarray(scalar)
    if family(array.dtype) not in ("float", "complex") or array.dtype.itemsize > 16:
        return repr(array.item() if array.ndim == 0 else array)
    parts = [array] if family(array.dtype) == "float" else [array.real, array.imag]
    return f"{array.item()!r} [{' '.join(_hexadecimal(p) for p in parts if p.dtype.itemsize in (2, 4, 8))}]"


def difference(
    got: np.ndarray, want: np.ndarray, at: tuple[int, ...], count: int, reference: np.ndarray | None = None
) -> str:
    """One element of the `count` that differ, and the reference before it was rounded to the dtype, where it is one."""
    more = "" if count == 1 else f"  ({count} of {got.size} elements differ)"
    exactly = ""
    if reference is not None and reference.dtype != got.dtype:
        exactly = f"  (reference {np.format_float_scientific(reference[at], precision=17)})"
    return f"got      {bits(got[at])}{more}\nexpected {bits(want[at])}{exactly}"


def _hexadecimal(number: np.ndarray) -> str:
    size = number.dtype.itemsize
    return f"0x{np.ascontiguousarray(number).reshape(1).view(f'u{size}')[0].item():0{2 * size}x}"
