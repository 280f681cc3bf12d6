"""Drawing ordinary values: a declaration's Inputs become arrays of concrete shapes, the same ones in every run.

Every array is drawn from a generator of its own, seeded by a key that names the case, the dtype, the sample and the
input, so that no draw depends on another.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tfparity.suite.language.case import DTYPE, Case, CaseError, Declared
from tfparity.suite.language.dtypes import family, limits, numpy_dtype
from tfparity.suite.language.edges import generator, inf, ordinary
from tfparity.suite.language.spec import Input
from tfparity.suite.language.trees import RaggedValue, SparseValue, leaves, rebuild

SMALL = (4, 3, 5, 2, 6, 7, 8)  # unequal, so that swapped axes show
LONG = 67  # past four 16-lane vectors, with a remainder of 3


def sizes_of(declared: Declared) -> dict[str, int]:
    """The size of every named dimension: as declared, else small, and no two alike."""
    names = dict.fromkeys(n for i in declared.inputs() for n in i.names)
    free = [n for n in names if n not in declared.sizes]
    return {**declared.sizes, **{n: SMALL[k % len(SMALL)] for k, n in enumerate(free)}}


def concrete(shape: tuple[int | str, ...], sizes: dict[str, int]) -> tuple[int, ...]:
    """A declared shape in numbers."""

    def size(d: int | str) -> int:
        if isinstance(d, int):
            return d
        factor, _, name = d.rpartition("*")
        return (int(factor) if factor else 1) * sizes[name]

    return tuple(size(d) for d in shape)


def draw(
    case: Case, declared: Declared, dtype: str, sizes: dict[str, int], key: str, shape: tuple[int, ...] | None = None
) -> Any:
    """Ordinary arguments: (args, kwargs). Inputs of any shape get `shape`.

    Raises CaseError where a dimension has no size.
    """
    try:
        return filled(
            declared,
            dtype,
            lambda i, n: (
                values(i, dtype, shape or (), f"{key}/{n}", sizes)
                if i.any_shape
                else array(i, dtype, sizes, f"{key}/{n}")
            ),
        )
    except KeyError as missing:
        raise CaseError(
            f"{case.name}: dimension {missing} has no size; name it in an input or give sizes="
        ) from missing


def filled(declared: Declared, dtype: str, make: Any) -> Any:
    """The argument tree with every Input replaced by `make(input, its number)` and DTYPE by the dtype."""
    counter = iter(range(10_000))

    def leaf(value: Any) -> Any:
        if isinstance(value, Input):
            return make(value, next(counter))
        return numpy_dtype(dtype) if value is DTYPE else value

    return rebuild((tuple(declared.args), dict(declared.kwargs)), leaf)


def array(i: Input, dtype: str, sizes: dict[str, int], key: str) -> Any:
    """An ordinary tensor for an input: an array, a SparseValue half full, or a RaggedValue with an empty row."""
    if i.any_shape:
        return values(i, dtype, (LONG,), key, sizes)
    shape = concrete(i.shape, sizes)
    if i.kind == "sparse":
        size = int(np.prod(shape))
        count = -(-size // 2)
        flat = np.sort(generator(key, "indices").permutation(size)[:count])
        where = (
            np.stack(np.unravel_index(flat, shape), -1).astype(np.int64)
            if size
            else np.zeros((0, len(shape)), np.int64)
        )
        return SparseValue(where, values(i, dtype, (count,), key, sizes), np.array(shape, np.int64))
    if i.kind == "ragged":
        rows, longest = shape[0], (shape[1] if len(shape) > 1 else 3)
        lengths = generator(key, "lengths").integers(0, longest + 1, rows)
        if rows > 1:
            lengths[1] = 0
        splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return RaggedValue(values(i, dtype, (int(splits[-1]), *shape[2:]), key, sizes), (splits,))
    return values(i, dtype, shape, key, sizes)


def values(i: Input, dtype: str, shape: tuple[int, ...], key: str, sizes: dict[str, int]) -> np.ndarray:
    """Ordinary values of an input in a concrete shape."""
    into, rng = numpy_dtype(i.dtype or dtype), generator(key)
    low, high = max(i.domain[0], i.within[0]), min(i.domain[1], i.within[1])
    if i.below is not None:
        top = sizes[i.below] if isinstance(i.below, str) else i.below
        low, high = 0, max(top - 1, 0)
    if i.values is not None:
        picked = rng.integers(0, len(i.values), shape)
        found = np.array(list(i.values), dtype=into)[picked]
    elif family(into) == "integer" and i.within != (-inf, inf):
        info = limits(into)
        found = rng.integers(
            max(int(info.min), int(max(low, -(2**62)))),
            min(int(info.max), int(min(high, 2**62))),
            shape,
            endpoint=True,
            dtype=np.int64 if into != np.uint64 else np.uint64,
        ).astype(into)
    else:
        found = ordinary(rng, shape, into, low, high)
    found = np.asarray(found, dtype=into)
    return np.asarray(i.form(found)).astype(into) if i.form else found


def changed(declared: Declared, draw: Any, number: int, change: Any) -> Any:
    """The draw with the tensor that came from input `number` changed."""
    places = [k for k, leaf in enumerate(leaves((declared.args, dict(declared.kwargs)))) if isinstance(leaf, Input)]
    counter = iter(range(10_000))
    return rebuild(draw, lambda leaf: change(leaf) if next(counter) == places[number] else leaf)


def put(leaf: Any, place: Any) -> Any:
    """A copy of a tensor, on whose flat values `place` has written."""
    if isinstance(leaf, SparseValue | RaggedValue):
        values = leaf.values.copy()
        if len(values):
            place(values)
        return replace(leaf, values=values)
    out = leaf.copy()
    flat = out.reshape(-1)
    if len(flat):
        place(flat)
    return flat.reshape(leaf.shape)
