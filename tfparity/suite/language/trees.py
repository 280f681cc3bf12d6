"""Trees of arguments and results: nested lists, tuples and dicts, and the leaves of them that are tensors.

Nothing here knows declarations: a draw of a sample, a result and a declaration's arguments are all such trees.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SparseValue:
    """A sparse tensor in NumPy: indices (n, rank) int64, values (n,), dense_shape (rank,)."""

    indices: np.ndarray
    values: np.ndarray
    dense_shape: np.ndarray

    def dense(self, default: Any = 0) -> np.ndarray:
        out = np.full(tuple(int(n) for n in self.dense_shape), default, self.values.dtype)
        out[tuple(self.indices.T)] = self.values
        return out


@dataclass(frozen=True)
class RaggedValue:
    """A ragged tensor in NumPy: flat values, and row splits from the outermost ragged dimension inwards."""

    values: np.ndarray
    splits: tuple[np.ndarray, ...]

    def rows(self) -> list[np.ndarray]:
        """The rows of a tensor with one ragged dimension."""
        ends = self.splits[0]
        return [self.values[a:b] for a, b in itertools.pairwise(ends)]

    @staticmethod
    def of(rows: Iterable[np.ndarray], dtype: Any = None) -> RaggedValue:
        rows = [np.asarray(row, dtype=dtype) for row in rows]
        values = np.concatenate(rows) if rows else np.zeros(0, dtype or np.float32)
        return RaggedValue(values, (np.cumsum([0] + [len(row) for row in rows]).astype(np.int64),))


def is_tensor(leaf: Any) -> bool:
    """Whether a leaf of a draw becomes a tensor: arrays do, plain Python does not."""
    return isinstance(leaf, np.ndarray | np.generic | SparseValue | RaggedValue)


def leaves(tree: Any) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts, in order."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from leaves(value)
    else:
        yield tree


def rebuild(tree: Any, function: Callable[[Any], Any]) -> Any:
    """The same tree with `function` applied to each leaf."""
    if isinstance(tree, dict):
        return {key: rebuild(value, function) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(rebuild(value, function) for value in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(rebuild(value, function) for value in tree)
    return function(tree)
