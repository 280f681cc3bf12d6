"""Edge values for inputs of named dimensions: planted one at a time, so that one does not mask what another shows.

Then several together (first and last NaN, both infinities, all equal, all zero, all far from zero), and infinity and
NaN against the zero of another input. Matrices that one NaN would fill get copies of another magnitude instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from tfparity.suite.inputs import drawing
from tfparity.suite.inputs.variant import Variant
from tfparity.suite.language.dtypes import limits, numpy_dtype
from tfparity.suite.language.edges import few_edges, generator, inf, inside
from tfparity.suite.language.spec import Input


def draws(variant: Variant) -> Iterator[Any]:
    """Draws of the ordinary shape with edge values planted in one input at a time; outside the leading dtypes only in
    those that have the dtype, since the edges of indices and seeds stay what they are."""
    for number, target in enumerate(variant.inputs):
        if target.edges is not True or target.values is not None:
            continue
        if target.kind == "ragged" and variant.family(target) == "string":
            continue
        if target.dtype is not None and not variant.leads:
            continue
        for place in _places(variant, number, target):
            yield variant.changed(variant.base, number, partial(drawing.put, place=place))
    yield from _against_zeros(variant)


def scaled(variant: Variant) -> Iterator[Any]:
    """The ordinary draw with the inputs that ask for it multiplied by a power of two, up and down."""
    power = limits(numpy_dtype(variant.dtype)).maxexp // 2 + 2
    for factor in (2.0**power, 2.0**-power):
        draw = variant.base
        for number, target in enumerate(variant.inputs):
            if target.edges == "scale":
                draw = variant.changed(draw, number, partial(_times, factor=factor))
        yield draw


def _places(variant: Variant, number: int, target: Input) -> Iterator[Callable[[np.ndarray], None]]:
    """What is written over the flat values of one input, one after another."""
    into, kind = variant.into(target), variant.family(target)
    low, high = (0, variant.top(target) - 1) if target.below is not None else target.within
    values = inside(few_edges(into), low, high)
    anywhere = low == -inf and high == inf
    rng = generator(variant.key, "planted", number)
    for value in values:
        yield _at(int(rng.integers(0, 1 << 30)), value)
    if kind in ("float", "complex") and anywhere:
        nan, infinity = into.type(np.nan), into.type(inf)
        yield lambda flat: flat.__setitem__(0, nan)
        yield lambda flat: flat.__setitem__(-1, nan)
        yield lambda flat: flat.__setitem__([0, -1], [infinity, -infinity])
        yield lambda flat: flat.__setitem__(slice(None), nan)
    if kind in ("float", "complex", "integer") and low <= 0 <= high and target.below is None:
        yield lambda flat: flat.__setitem__(slice(None), 0)
    if kind != "string" and target.below is None and len(values):
        yield lambda flat: flat.__setitem__(slice(None), flat[:1])
    if kind == "float" and anywhere:
        far = into.type(2.0 ** (limits(into).nmant // 2))  # its square takes all digits of the mantissa
        yield lambda flat: flat.__setitem__(slice(None), flat + far)


def _at(place: int, value: Any) -> Callable[[np.ndarray], None]:
    return lambda flat: flat.__setitem__(place % len(flat), value)


def _against_zeros(variant: Variant) -> Iterator[Any]:
    """Infinity and NaN in one input where another of the same shape is zero: a weight, a mask, a label."""
    floats = [
        (number, drawing.concrete(i.shape, variant.sizes))
        for number, i in enumerate(variant.inputs)
        if i.edges is True
        and i.values is None
        and i.kind == "tensor"
        and i.within[0] <= 0 <= i.within[1]
        and variant.family(i) == "float"
    ]
    for number, shape in floats:
        if not variant.inputs[number].unbound:
            continue
        for other in (n for n, s in floats if n != number and s == shape):
            for value in (inf, -inf, np.nan):
                draw = variant.changed(variant.base, other, partial(_put_first, value=0))
                yield variant.changed(draw, number, partial(_put_first, value=value))


def _times(leaf: np.ndarray, factor: float) -> np.ndarray:
    return leaf * leaf.dtype.type(factor)


def _put_first(leaf: Any, value: float) -> Any:
    return drawing.put(leaf, lambda flat: flat.__setitem__(0, value))
