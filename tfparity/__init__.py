"""tfparity: does TensorFlow give the same answers, and how fast, in every way of running it?

What this package exports is what a cases file needs; `tf` stands for TensorFlow and imports it on first use, so that
declaring stays instant.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from tfparity.suite.language.case import DTYPE, Undefined, each, error, every, kind, op, program, sample
from tfparity.suite.language.dtypes import COMPLEX, FLOATS, INTEGERS, NUMBERS, SIGNED, UNSIGNED
from tfparity.suite.language.edges import inf
from tfparity.suite.language.spec import Bool, Index, Input, Ragged, Sparse, String, Tensor
from tfparity.suite.language.trees import RaggedValue, SparseValue

T, B, S, I = Tensor, Bool, String, Index  # noqa: E741  (tables of cases use the short names)

__version__ = "0.1.0"


class _Lazy:
    """A module that is imported when an attribute of it is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


def lazy(name: str) -> Any:
    """A module that a case file mentions inside functions only: imported on first use, so that declaring is instant."""
    return sys.modules.get(name) or _Lazy(name)


if TYPE_CHECKING:
    tf: Any


def __getattr__(name: str) -> Any:
    """`tf`: TensorFlow itself where it is imported already (autograph knows directives by identity), else lazily."""
    if name == "tf":
        return lazy("tensorflow")
    raise AttributeError(f"module 'tfparity' has no attribute {name!r}")


__all__ = [
    "COMPLEX",
    "DTYPE",
    "FLOATS",
    "INTEGERS",
    "NUMBERS",
    "SIGNED",
    "UNSIGNED",
    "B",
    "Bool",
    "I",
    "Index",
    "Input",
    "Ragged",
    "RaggedValue",
    "S",
    "Sparse",
    "SparseValue",
    "String",
    "T",
    "Tensor",
    "Undefined",
    "each",
    "error",
    "every",
    "inf",
    "kind",
    "lazy",
    "op",
    "program",
    "sample",
    "tf",
]
