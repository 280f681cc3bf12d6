"""The inputs of a case: what an argument that is a tensor may hold, `Tensor("m k")`, `Index("m", below="n")`.

A specification computes nothing: `inputs` draws arrays from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfparity.suite.language.edges import inf

Shape = tuple[int | str, ...]
ANY_SHAPE: Shape = ("...",)


@dataclass(frozen=True)
class Input:
    """One tensor argument.

    kind    `tensor`, `sparse` or `ragged`
    shape   names and numbers of dimensions; `("...",)` is any shape that broadcasts with the other such inputs
    dtype   TensorFlow's name, or None for the dtype that the case is run in
    domain  the interval of the ordinary values; edge values may lie outside it
    within  the interval of all values, edge values too
    below   for indices: the dimension they index; an index outside it becomes an error sample
    negative  for indices: the documentation gives negative ones a meaning
    form    a function of the drawn array that gives it its form (symmetric, sorted, ...); edge values are planted
            after it, so use `edges=False` where they would break what the op requires
    values  the only values that are drawn
    edges   whether edge values are planted; `"scale"`: no edge values, because one NaN in a matrix masks every result,
            but one copy so large and one so small that squares overflow and underflow
    """

    kind: str = "tensor"
    shape: Shape = ANY_SHAPE
    dtype: str | None = None
    domain: tuple[float, float] = (-inf, inf)
    within: tuple[float, float] = (-inf, inf)
    below: str | int | None = None
    negative: bool = False
    form: Callable[[np.ndarray], np.ndarray] | None = None
    values: tuple[Any, ...] | None = None
    edges: bool | str = True

    @property
    def any_shape(self) -> bool:
        return self.shape == ANY_SHAPE

    @property
    def unbound(self) -> bool:
        """Whether every value of its dtype is valid at every place."""
        return self.edges is True and self.values is None and self.within == (-inf, inf)

    @property
    def names(self) -> tuple[str, ...]:
        """The dimension names in `shape`; `2*h` names `h`."""
        return tuple(d.split("*")[-1] for d in self.shape if isinstance(d, str) and d != "...")


def _shape(dimensions: tuple[int | str, ...]) -> Shape:
    if not dimensions:
        return ANY_SHAPE
    parts = [p for d in dimensions for p in (d.split() if isinstance(d, str) else [d])]
    return tuple(int(p) if isinstance(p, int) or p.isdigit() else p for p in parts)


def Tensor(
    *shape: str | int,
    dtype: str | None = None,
    domain: tuple[float, float] = (-inf, inf),
    within: tuple[float, float] = (-inf, inf),
    form: Callable[[np.ndarray], np.ndarray] | None = None,
    values: Iterable[Any] | None = None,
    edges: bool | str = True,
) -> Input:
    """A tensor. `T()` has any shape, for elementwise ops; `T("m k")` names its dimensions, `T(2, 3)` gives their sizes,
    `T("")` is a scalar. Ordinary values are drawn from `domain`; all values, edge values too, lie in `within`."""
    return Input(
        "tensor",
        _shape(shape),
        dtype,
        domain,
        within,
        form=form,
        edges=edges,
        values=None if values is None else tuple(values),
    )


def Index(
    *shape: str | int,
    below: str | int | None = None,
    dtype: str = "int32",
    within: tuple[float, float] | None = None,
    negative: bool = False,
    form: Callable[[np.ndarray], np.ndarray] | None = None,
    edges: bool = True,
) -> Input:
    """Integers: indices `below` a dimension or a number, or integers within closed limits.

    Where `below` is given, an index equal to it and a negative one become error inputs; `negative=True` says that
    the documentation gives negative indices a meaning.
    """
    return Input(
        "tensor",
        _shape(shape),
        dtype,
        within=within or (-inf, inf),
        below=below,
        negative=negative,
        form=form,
        edges=edges,
    )


def Bool(*shape: str | int) -> Input:
    """Booleans."""
    return Input("tensor", _shape(shape), "bool")


def String(*shape: str | int, values: Iterable[Any] | None = None) -> Input:
    """Strings: some with Unicode, NUL, invalid UTF-8 or digits, some repeated; or, if given, only `values`."""
    words = None if values is None else tuple(v.encode() if isinstance(v, str) else v for v in values)
    return Input("tensor", _shape(shape), "string", values=words)


def Sparse(shape: str, dtype: str | None = None, **more: Any) -> Input:
    """A SparseTensor of that dense shape; about half of its elements are stored, in the order of their indices. The
    reference gets a `SparseValue`."""
    return Input("sparse", _shape((shape,)), dtype, **more)


def Ragged(shape: str, dtype: str | None = None, **more: Any) -> Input:
    """A RaggedTensor whose second dimension is ragged, with an empty row. The reference gets a `RaggedValue`."""
    return Input("ragged", _shape((shape,)), dtype, **more)
