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
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tfparity.suite.inputs import drawing
from tfparity.suite.language.case import Case, Declared, Input
from tfparity.suite.language.dtypes import family, limits, numpy_dtype
from tfparity.suite.language.trees import SparseValue, is_tensor, leaves

STATIC = (
    *("scalar-", "deeper-", "column-", "shallow-", "emptied-", "dtype-"),
    *("minus-", "nan-", "singular-", "sparse-", "option-", "tensor-"),
)
NOT_FOR = {
    "eager": (),
    "graph": ("column-", "shallow-", "nan-", "singular-"),
    "xla": ("column-", "shallow-", "tensor-"),
}
"""By mode, how the names of what says nothing new there begin: a rank more or less behind where it is tried in front,
NaN where only shapes are inferred, a tensor for a number where the graph has told; and in every other mode, which knows
no dimensions, what is `STATIC`."""

OTHER = {"float32": "float64", "float64": "float32", "int32": "int64", "int64": "int32", "complex64": "complex128"}
"""By dtype, the one that is easily taken for it."""


@dataclass(frozen=True)
class Broken:
    """Arguments that are not as declared; `must_fail` where no page could mean them."""

    name: str
    draw: Any
    must_fail: bool = False


def invalid(
    case: Case, declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], base: Any, key: str
) -> Iterator[Broken]:
    """Everything invalid that follows from one declared sample, on `base`, its ordinary draw."""
    yield from _disagreeing(declared, dtype, sizes, inputs, key)
    yield from _tensors(declared, dtype, sizes, inputs, base)
    if case.is_program:
        return
    yield from _nan(declared, dtype, inputs, base)
    yield from _tensors_for_numbers(base)
    if not case.random:  # whose loops may come to no end: of 0 rounds
        yield from _of_another_form(case, declared, dtype, inputs, base)
        yield from _options(case, declared, base)


def _disagreeing(
    declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], key: str
) -> Iterator[Broken]:
    names = [n for i in inputs for n in i.names]

    def with_one(number: int, make: Callable[[Input, str], Any], name: str) -> Any:
        """A draw in which `make` draws one input."""
        return drawing.filled(
            declared,
            dtype,
            lambda i, n: (
                make(i, f"{key}/{name}/{n}") if n == number else drawing.array(i, dtype, sizes, f"{key}/{name}/{n}")
            ),
        )

    for name in dict.fromkeys(n for n in names if sum(n in i.names for i in inputs) > 1):
        grown = {**sizes, name: sizes[name] + 1}
        last = max(k for k, i in enumerate(inputs) if name in i.names)
        yield Broken(
            f"mismatch-{name}",
            with_one(last, lambda i, k, grown=grown: drawing.array(i, dtype, grown, k), "mismatch"),  # type: ignore[misc]
        )
    for number, target in enumerate(inputs):
        for name in dict.fromkeys(n for n in target.names if target.names.count(n) > 1):
            if name not in target.shape or target.kind != "tensor":
                continue
            last = max(k for k, d in enumerate(target.shape) if d == name)
            shape = tuple(d if k != last else sizes[name] + 1 for k, d in enumerate(target.shape))
            oblong = replace(target, shape=shape, form=None)
            yield Broken(
                f"not-square-{number}-{name}",
                with_one(number, lambda i, k, oblong=oblong: drawing.array(oblong, dtype, sizes, k), "not-square"),  # type: ignore[misc]
            )


def _tensors(declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], base: Any) -> Iterator[Broken]:
    for number, target in enumerate(inputs):
        if target.kind != "tensor":
            continue
        changed = partial(drawing.changed, declared, base, number)
        if len(target.shape) > 0:
            yield Broken(
                f"rank-{number}",
                changed(lambda leaf: leaf[(0,) * (leaf.ndim - (leaf.ndim > 1))] if leaf.size else leaf.reshape(-1)),
            )
        if target.below is not None:
            top = sizes[target.below] if isinstance(target.below, str) else target.below
            for name, value in {"beyond": top, **({} if target.negative else {"negative": -1})}.items():
                if value < 0 and numpy_dtype(target.dtype or dtype).kind == "u":
                    continue
                outside = changed(
                    lambda leaf, value=value: drawing.put(leaf, lambda flat: flat.__setitem__(-1, value))  # type: ignore[misc]
                )
                yield Broken(f"{name}-{number}", outside, must_fail=True)


def _of_another_form(case: Case, declared: Declared, dtype: str, inputs: list[Input], base: Any) -> Iterator[Broken]:
    for number, target in enumerate(inputs):
        changed = partial(drawing.changed, declared, base, number)
        if target.kind == "sparse":
            yield Broken(f"sparse-shape-{number}", changed(_of_negative_size))
            yield Broken(f"sparse-beyond-{number}", changed(_outside))
        if target.kind != "tensor":
            continue
        into = numpy_dtype(target.dtype or dtype)
        if len(target.shape) > 1:
            yield Broken(f"shallow-{number}", changed(lambda leaf: leaf[..., 0] if leaf.size else leaf))
            yield Broken(
                f"scalar-{number}", changed(lambda leaf: leaf.reshape(-1)[:1].reshape(()) if leaf.size else leaf)
            )
        yield Broken(f"deeper-{number}", changed(lambda leaf: leaf[None]))
        yield Broken(f"column-{number}", changed(lambda leaf: leaf[..., None]))
        if case.empty and target.shape and 0 not in target.shape:
            yield Broken(f"emptied-{number}", changed(lambda leaf: leaf[:0]))
        if into.name in OTHER and (target.dtype or sum(i.dtype is None for i in inputs) > 1):
            yield Broken(f"dtype-{number}", changed(lambda leaf: leaf.astype(OTHER[leaf.dtype.name])))
        if target.edges == "scale" and target.shape[-1] in target.shape[:-1]:
            yield Broken(f"singular-{number}", changed(np.zeros_like))
        counts = target.dtype is not None and target.below is None and family(into) == "integer"
        if counts and limits(into).min < 0 <= target.within[0]:
            yield Broken(f"minus-{number}", changed(lambda leaf: np.full_like(leaf, -1)))


def _nan(declared: Declared, dtype: str, inputs: list[Input], base: Any) -> Iterator[Broken]:
    for number, target in enumerate(inputs):
        if target.kind == "tensor" and not target.unbound and family(numpy_dtype(target.dtype or dtype)) == "float":
            half = drawing.changed(declared, base, number, lambda leaf: drawing.put(leaf, _first_half_nan))
            yield Broken(f"nan-{number}", half)


def _first_half_nan(flat: np.ndarray) -> None:
    flat[: (len(flat) + 1) // 2] = np.nan


def _of_negative_size(leaf: SparseValue) -> SparseValue:
    return replace(leaf, dense_shape=np.where(np.arange(len(leaf.dense_shape)) == 0, -1, leaf.dense_shape))


def _outside(leaf: SparseValue) -> SparseValue:
    indices = leaf.indices.copy()
    indices[-1:] = leaf.dense_shape
    return replace(leaf, indices=indices)


def _options(case: Case, declared: Declared, base: Any) -> Iterator[Broken]:
    args, kwargs = base
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

    for place, value in [*enumerate(args), *kwargs.items()]:
        if case.is_seed(place):  # every integer is a valid one
            continue
        for name, other in others(value).items():
            draw = _with(base, place, other)
            yield Broken(f"option-{place}-{name}", draw, must_fail=case.is_axis(place) and _no_such_axis(case, draw))


def _tensors_for_numbers(base: Any) -> Iterator[Broken]:
    args, kwargs = base
    for place, value in [*enumerate(args), *kwargs.items()]:
        if type(value) in (int, float):
            yield Broken(f"tensor-{place}", _with(base, place, {int: np.int32, float: np.float32}[type(value)](value)))


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
