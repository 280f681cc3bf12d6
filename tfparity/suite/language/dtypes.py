"""The dtypes a case is run in, by TensorFlow's names, and their limits. NumPy and ml_dtypes only."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np

FLOATS = ("float32", "float64", "float16", "bfloat16")
COMPLEX = ("complex64", "complex128")
SIGNED = ("int32", "int64", "int16", "int8")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
NUMBERS = FLOATS + COMPLEX + INTEGERS
DTYPES = (*NUMBERS, "bool", "string")
"""Every dtype a case may be swept over; quantized and 8-bit float types are inputs of their own few ops."""

NONE = "none"
"""The dtype part of the identity of a case that has no tensor input."""


@lru_cache(maxsize=64)
def numpy_dtype(name: str) -> np.dtype:
    """NumPy's dtype for TensorFlow's name: bfloat16 is ml_dtypes', a string is an object array of bytes."""
    if name == "string":
        return np.dtype(object)
    return np.dtype(getattr(ml_dtypes, name)) if hasattr(ml_dtypes, name) and not hasattr(np, name) else np.dtype(name)


def name_of(dtype: np.dtype) -> str:
    """TensorFlow's name for a NumPy dtype."""
    return "string" if dtype.kind in "OSU" else dtype.name


@lru_cache(maxsize=64)
def family(dtype: np.dtype) -> str:
    """`float`, `complex`, `integer`, `bool` or `string`."""
    if dtype.kind in "OSU":
        return "string"
    if dtype.kind == "V" or dtype.kind == "f":  # ml_dtypes' floats have kind V
        return "integer" if dtype.name.startswith(("int", "uint")) else "float"
    return {"c": "complex", "i": "integer", "u": "integer", "b": "bool"}[dtype.kind]


@lru_cache(maxsize=64)
def limits(dtype: np.dtype) -> Any:
    """`finfo` or `iinfo`, of the real part for a complex dtype."""
    if family(dtype) == "integer":
        return np.iinfo(dtype)
    return ml_dtypes.finfo(dtype) if dtype.kind == "V" else np.finfo(dtype)


@lru_cache(maxsize=64)
def roundoff(dtype: np.dtype) -> float:
    """The unit roundoff: half the distance from 1 to the next number."""
    return float(limits(dtype).eps) / 2


def precise(dtype: np.dtype) -> np.dtype:
    """The dtype a reference is computed in: float64 below double, longdouble for double."""
    if family(dtype) == "float":
        return np.dtype(np.longdouble if dtype == np.float64 else np.float64)
    if family(dtype) == "complex":
        return np.dtype(np.clongdouble if dtype == np.complex128 else np.complex128)
    return dtype
