"""Invalid input that nobody needs to write: what a declaration says of its tensors and options is made untrue.

* A dimension shared by two inputs disagrees (`mismatch-k`), or within one (`not-square-0-n`).
* An index points outside (`beyond-2`, `negative-2`), a count or a size is negative (`minus-2`).
* One tensor has another rank: that of a vector or less (`rank-0`), none (`scalar-0`), one more in front (`deeper-0`)
  or behind (`column-0`), one less behind (`shallow-0`); or no elements where the others have some (`emptied-0`).
* One tensor has another dtype than declared, or than the others have (`dtype-1`).
* Of a tensor that is given no edge values the first half is NaN (`nan-1`); a matrix is all zero (`singular-0`).
* A sparse tensor has a negative size (`sparse-shape-0`) or an index outside (`sparse-beyond-0`).
* An option that is an integer, or several, is 0 (`option-axis-zero`), the first integer that is no axis on either side
  (`option-axis-below`, `option-axis-beyond`), or one too few (`option-strides-shorter`); one that names an integer
  dtype names a floating one (`option-out_type-float32`). Any number is a tensor (`tensor-rate`).

Tried once on all cases that are ops: of 6,800 scalars, ranks more, empty tensors, counts of -1 and options of 0 and -1,
69 ended the process in eager, and 173 that eager refuses gave a value under XLA; of 915 a rank less behind 37 ended it;
half NaN let four samplers of random numbers search without end. `2**31 - 1` in place of -1 is left out: of 358 inputs
it ended the process for none where -1 did not, and filled the machine's memory for three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tfparity.suite.inputs import drawing
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.inputs.variant import Variant
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import limits
from tfparity.suite.language.spec import Input
from tfparity.suite.language.trees import SparseValue, is_tensor, leaves

OTHER = {"float32": "float64", "float64": "float32", "int32": "int64", "int64": "int32", "complex64": "complex128"}
"""By dtype, the one that is easily taken for it."""


def invalid(variant: Variant) -> Iterator[Sample]:
    """Everything invalid that follows from one variant, on its ordinary draw."""
    yield from _disagreeing(variant)
    yield from _indices(variant)
    if variant.case.is_program:
        return
    yield from _nan(variant)
    yield from _tensors_for_numbers(variant)
    if not variant.case.random:  # whose loops may come to no end: of 0 rounds
        yield from _of_another_form(variant)
        yield from _options(variant)


def _broken(family: str, draw: Any, of: object = "", must_fail: bool = False) -> Sample:
    return Sample(family, (draw,), str(of), must_fail=must_fail)


def _disagreeing(variant: Variant) -> Iterator[Sample]:
    inputs, sizes = variant.inputs, variant.sizes
    names = [n for i in inputs for n in i.names]

    def with_one(number: int, make: Callable[[Input, str], Any], name: str) -> Any:
        """A draw in which `make` draws one input."""
        return variant.filled(
            lambda i, n: make(i, f"{name}/{n}") if n == number else variant.array(i, f"{name}/{n}", sizes)
        )

    for name in dict.fromkeys(n for n in names if sum(n in i.names for i in inputs) > 1):
        grown = {**sizes, name: sizes[name] + 1}
        last = max(k for k, i in enumerate(inputs) if name in i.names)
        draw = with_one(last, lambda i, key, grown=grown: variant.array(i, key, grown), "mismatch")  # type: ignore[misc]
        yield _broken("mismatch", draw, name)
    for number, target in enumerate(inputs):
        for name in dict.fromkeys(n for n in target.names if target.names.count(n) > 1):
            if name not in target.shape or target.kind != "tensor":
                continue
            last = max(k for k, d in enumerate(target.shape) if d == name)
            shape = tuple(d if k != last else sizes[name] + 1 for k, d in enumerate(target.shape))
            oblong = replace(target, shape=shape, form=None)
            draw = with_one(number, lambda i, key, of=oblong: variant.array(of, key, sizes), "not-square")  # type: ignore[misc]
            yield _broken("not-square", draw, f"{number}-{name}")


def _indices(variant: Variant) -> Iterator[Sample]:
    """The rank of a vector or less, and indices outside: what every page that says `indices` refuses."""
    for number, target in enumerate(variant.inputs):
        if target.kind != "tensor":
            continue
        changed = partial(variant.changed, variant.base, number)
        if len(target.shape) > 0:
            yield _broken("rank", changed(_of_lower_rank), number)
        if target.below is None:
            continue
        outside = {"beyond": variant.top(target)} | ({} if target.negative else {"negative": -1})
        for family, value in outside.items():
            if value >= 0 or variant.into(target).kind != "u":
                yield _broken(family, changed(partial(_with_last, value=value)), number, must_fail=True)


def _of_lower_rank(leaf: np.ndarray) -> np.ndarray:
    return leaf[(0,) * (leaf.ndim - (leaf.ndim > 1))] if leaf.size else leaf.reshape(-1)


def _with_last(leaf: Any, value: int) -> Any:
    return drawing.put(leaf, lambda flat: flat.__setitem__(-1, value))


def _of_another_form(variant: Variant) -> Iterator[Sample]:
    for number, target in enumerate(variant.inputs):
        changed = partial(variant.changed, variant.base, number)
        if target.kind == "sparse":
            yield _broken("sparse-shape", changed(_of_negative_size), number)
            yield _broken("sparse-beyond", changed(_outside), number)
        if target.kind != "tensor":
            continue
        into = variant.into(target)
        if len(target.shape) > 1:
            yield _broken("shallow", changed(lambda leaf: leaf[..., 0] if leaf.size else leaf), number)
            yield _broken("scalar-rank", changed(_scalar), number)
        yield _broken("deeper", changed(lambda leaf: leaf[None]), number)
        yield _broken("column", changed(lambda leaf: leaf[..., None]), number)
        if variant.case.empty and target.shape and 0 not in target.shape:
            yield _broken("emptied", changed(lambda leaf: leaf[:0]), number)
        if into.name in OTHER and (target.dtype or sum(i.dtype is None for i in variant.inputs) > 1):
            yield _broken("dtype", changed(lambda leaf: leaf.astype(OTHER[leaf.dtype.name])), number)
        if target.edges == "scale" and target.shape[-1] in target.shape[:-1]:
            yield _broken("singular", changed(np.zeros_like), number)
        counts = target.dtype is not None and target.below is None and variant.family(target) == "integer"
        if counts and limits(into).min < 0 <= target.within[0]:
            yield _broken("minus", changed(lambda leaf: np.full_like(leaf, -1)), number)


def _scalar(leaf: np.ndarray) -> np.ndarray:
    return leaf.reshape(-1)[:1].reshape(()) if leaf.size else leaf


def _nan(variant: Variant) -> Iterator[Sample]:
    for number, target in enumerate(variant.inputs):
        if target.kind == "tensor" and not target.unbound and variant.family(target) == "float":
            half = variant.changed(variant.base, number, lambda leaf: drawing.put(leaf, _first_half_nan))
            yield _broken("nan", half, number)


def _first_half_nan(flat: np.ndarray) -> None:
    flat[: (len(flat) + 1) // 2] = np.nan


def _of_negative_size(leaf: SparseValue) -> SparseValue:
    return replace(leaf, dense_shape=np.where(np.arange(len(leaf.dense_shape)) == 0, -1, leaf.dense_shape))


def _outside(leaf: SparseValue) -> SparseValue:
    indices = leaf.indices.copy()
    indices[-1:] = leaf.dense_shape
    return replace(leaf, indices=indices)


def _arguments(draw: Any) -> list[tuple[int | str, Any]]:
    args, kwargs = draw
    return [*enumerate(args), *kwargs.items()]


def _options(variant: Variant) -> Iterator[Sample]:
    base = variant.base
    rank = max((np.ndim(getattr(leaf, "values", leaf)) for leaf in leaves(base) if is_tensor(leaf)), default=0)
    integers = {"zero": 0, "below": -rank - 1, "beyond": rank}

    def others(value: Any) -> dict[str, Any]:
        if type(value) is int:
            return {name: other for name, other in integers.items() if other != value}
        if isinstance(value, list | tuple) and value and all(type(v) is int for v in value):
            filled = {name: type(value)([other] * len(value)) for name, other in integers.items()}
            return {**{n: v for n, v in filled.items() if v != value}, "shorter": value[:-1]}
        if isinstance(value, str | type) and value in ("int32", "int64", np.int32, np.int64):
            return {"float32": np.dtype(np.float32)}
        return {}

    for place, value in _arguments(base):
        if variant.case.is_seed(place):  # every integer is a valid one
            continue
        for name, other in others(value).items():
            draw = _with(base, place, other)
            must_fail = variant.case.is_axis(place) and _no_such_axis(variant.case, draw)
            yield _broken("option", draw, f"{place}-{name}", must_fail=must_fail)


def _tensors_for_numbers(variant: Variant) -> Iterator[Sample]:
    for place, value in _arguments(variant.base):
        if type(value) in (int, float):
            number = {int: np.int32, float: np.float32}[type(value)](value)
            yield _broken("tensor", _with(variant.base, place, number), place)


def _with(draw: Any, place: int | str, value: Any) -> Any:
    """The draw with another argument at a position or of a name."""
    args, kwargs = draw
    if isinstance(place, int):
        return (*args[:place], value, *args[place + 1 :]), kwargs
    return args, {**kwargs, place: value}


def _no_such_axis(case: Case, draw: Any) -> bool:
    """Whether NumPy knows no such axis: then no page means another."""
    args, kwargs = draw
    try:
        case.reference(*args, **kwargs)  # type: ignore[misc]
    except np.exceptions.AxisError:
        return True
    except Exception:
        return False
    return False
