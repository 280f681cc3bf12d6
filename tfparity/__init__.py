"""tfparity: does TensorFlow give the same answers, and how fast, in every way of running it?

What this package exports is what a cases file needs; `tf` stands for TensorFlow and imports it on first use, so that
declaring stays instant.
"""

from __future__ import annotations

import sys
from typing import Any

from .suite.case import (
    DTYPE,
    B,
    I,
    Input,
    Ragged,
    RaggedValue,
    S,
    Sparse,
    SparseValue,
    T,
    Undefined,
    each,
    error,
    kind,
    op,
    program,
    sample,
)
from .suite.dtypes import COMPLEX, FLOATS, INTEGERS, NUMBERS, SIGNED, UNSIGNED
from .suite.inputs import inf

__version__ = "0.1.0"


class _TensorFlow:
    """TensorFlow's module, imported when an attribute is first asked for."""

    def __getattr__(self, name: str) -> Any:
        import tensorflow

        return getattr(tensorflow, name)


tf: Any = sys.modules.get("tensorflow") or _TensorFlow()

__all__ = [
    "COMPLEX", "DTYPE", "FLOATS", "INTEGERS", "NUMBERS", "SIGNED", "UNSIGNED", "B", "I", "Input", "Ragged",
    "RaggedValue", "S", "Sparse", "SparseValue", "T", "Undefined", "each", "error", "inf", "kind",
    "op", "program", "sample", "tf",
]
