"""From a declaration to concrete samples: which shapes, which values, which invalid inputs. NumPy only.

Inputs of any shape (`T()`) are elementwise, see `elementwise`. Named dimensions get small unequal sizes (`ordinary`),
each in turn zero (`empty-k`), or all of them (`empty-all`), and edge values one at a time, see `planted`; for the first
combination of options also one element each (`ones`), a long dimension (`long`), matrices whose squares overflow and
underflow (`scaled`), and in 16 bits so many ones that their sum stops growing (`many-k`). Invalid input follows from
the declaration too, see `invalid`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tfparity.suite.inputs import drawing, elementwise, invalid, planted
from tfparity.suite.inputs.drawing import LONG
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.inputs.variant import Variant
from tfparity.suite.language.case import DTYPE, Case, CaseError, Declared
from tfparity.suite.language.dtypes import NONE, name_of
from tfparity.suite.language.spec import Input
from tfparity.suite.language.trees import is_tensor, leaves

LEADING = ("float32", "int32", "complex64", "bool", "string")
"""The dtypes in which a case tries everything: one of each family."""

MANY = 3_000  # past 2048 and 256, where one more is lost in float16 and bfloat16; its square fits in memory


def main_dtype(dtypes: Sequence[str]) -> str | None:
    """The one dtype in which a case tries all it declares in every mode, and is timed: the first leading one of those
    it runs in, else the first."""
    return next((d for d in LEADING if d in dtypes), next(iter(dtypes), None))


def swept(case: Case) -> bool:
    """Whether the case runs in several dtypes: some input or option leaves its dtype open."""
    return any((isinstance(leaf, Input) and leaf.dtype is None) or leaf is DTYPE for leaf in _first_leaves(case))


def fixed_dtype(case: Case) -> str:
    """The dtype part of the identity of a case that is not swept: its first tensor's, or `none`."""
    for leaf in _first_leaves(case):
        if isinstance(leaf, Input):
            return str(leaf.dtype)
        if is_tensor(leaf) and isinstance(leaf, np.ndarray):
            return name_of(leaf.dtype)
    return NONE


def expand(case: Case, dtype: str) -> list[Sample]:
    """All samples of a case in one dtype, names unique.

    Every option, shape, constant and invalid input is tried in the leading dtype of each family. The other dtypes,
    which reach other kernels and no other options or shapes, run the first options on ordinary and edge values. Which
    of these each mode runs, `planning.plan` says.

    Raises CaseError when two samples would share a name or a dimension has no size.
    """
    found: list[Sample] = []
    leads = dtype in LEADING or not swept(case) or dtype == (case.dtypes or LEADING)[0]
    declared = _declared(case)
    for number, options in enumerate(declared if leads else declared[:1]):
        made = _of_one(Variant(case, options, dtype, number, leads))
        found += [replace(s, options=options.name, option=number, leads=leads) for s in made]
    if leads:
        found += _declared_errors(case, declared[0], dtype)
    names = [s.name for s in found]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise CaseError(f"{case.name}: two samples are called {sorted(twice)[0]!r}; give sample(..., name=...)")
    return found


def first(case: Case, dtype: str) -> Sample:
    """One ordinary draw of the case's first declared sample: what TensorFlow is asked with whether it has the dtype."""
    declared = _declared(case)[0]
    key = f"{case.name}/{dtype}/{declared.name}/ordinary"
    return Sample("ordinary", (drawing.draw(case, declared, dtype, drawing.sizes_of(declared), key, shape=(3,)),))


def timed_draw(case: Case, dtype: str, elements: int) -> tuple[Any, int]:
    """One draw of ordinary values in which the largest input has about `elements` elements: (draw, its size).

    Named dimensions grow together; numbers in a shape stay.
    """
    variant = Variant(case, _declared(case)[0], dtype)
    declared, inputs, key = variant.declared, variant.inputs, f"timed-{elements}"
    if variant.elementwise:
        return drawing.draw(case, declared, dtype, {}, key, shape=(elements,)), elements
    side = max(1, elements)
    while variant.free and side > 1:
        sizes = {**declared.sizes, **dict.fromkeys(variant.free, side)}
        if max(int(np.prod(drawing.concrete(i.shape, sizes))) for i in inputs) <= elements:
            break
        side = max(1, int(side * 0.9))
    draw = drawing.draw(case, declared, dtype, {**declared.sizes, **dict.fromkeys(variant.free, side)}, key)
    largest = max((leaf.size for leaf in leaves(draw) if isinstance(leaf, np.ndarray)), default=1)
    return draw, largest


def _declared(case: Case) -> list[Declared]:
    found = list(case.samples())
    if not found:
        raise CaseError(f"{case.name}: its generator yields no sample")
    return found


def _first_leaves(case: Case) -> Iterator[Any]:
    declared = _declared(case)[0]
    yield from leaves((declared.args, dict(declared.kwargs)))


def _declared_errors(case: Case, declared: Declared, dtype: str) -> Iterator[Sample]:
    """What the case itself declares invalid, on its first options."""
    for refused in case.errors:
        changed = replace(declared, args=refused.args or declared.args, kwargs={**declared.kwargs, **refused.kwargs})
        draw = drawing.draw(case, changed, dtype, drawing.sizes_of(declared), "ordinary")
        yield Sample("declared", (draw,), refused.name, must_fail=True)


def _of_one(variant: Variant) -> Iterator[Sample]:
    if variant.elementwise:
        yield from elementwise.samples(variant)
        return
    case, first, leads = variant.case, variant.first, variant.leads
    yield Sample("ordinary", (variant.base,))
    if edges := tuple(planted.draws(variant)):
        yield Sample("edge", edges)
    if first and leads and any(i.edges == "scale" for i in variant.inputs):
        yield Sample("scaled", tuple(planted.scaled(variant)))
    if leads and case.empty:
        yield from _empty(variant)
    if first and variant.dtype in ("float16", "bfloat16"):
        yield from _many(variant)
    if not (first and leads):
        return
    if variant.free:
        yield Sample("ones", (variant.draw({**variant.sizes, **dict.fromkeys(variant.free, 1)}, "ones"),))
        yield _long(variant)
    for broken in invalid.invalid(variant):
        if broken.label not in case.skips:
            yield broken


def _empty(variant: Variant) -> Iterator[Sample]:
    """Each dimension zero, and all of them; what indexes nothing is empty too."""
    for name in variant.free:
        indexing = [i for i in variant.inputs if i.below == name]
        zero = {n: 0 for i in indexing for n in i.names}
        yield Sample("empty", (variant.draw({**variant.sizes, name: 0, **zero}, "empty"),), name)
    if variant.first and len(variant.free) > 1:
        none = {**variant.sizes, **dict.fromkeys(variant.free, 0)}
        yield Sample("empty", (variant.draw(none, "empty"),), "all")


def _many(variant: Variant) -> Iterator[Sample]:
    """Ones along one dimension, so many that a sum kept in the dtype itself stops growing. Not beside lengths and
    labels, whose algorithms and references may be quadratic, and not of images."""
    inputs = variant.inputs
    if any(i.dtype is not None and i.below is None for i in inputs):
        return
    for name in variant.free:
        if any(i.names.count(name) > 1 or i.form or i.kind != "tensor" for i in inputs if name in i.names):
            continue
        sizes = {**variant.declared.sizes, **dict.fromkeys(variant.free, 1), name: MANY}
        if max(int(np.prod(drawing.concrete(i.shape, sizes))) for i in inputs) > 10 * MANY:
            continue
        draw = variant.draw(sizes, "many")
        for number, i in enumerate(inputs):
            if i.dtype is None and i.values is None and i.within[0] <= 1 <= i.within[1]:
                draw = variant.changed(draw, number, np.ones_like)
        yield Sample("many", (draw,), name)


def _long(variant: Variant) -> Sample:
    free = variant.free
    sizes = {**variant.sizes, free[0]: 17, free[-1]: LONG if len(free) > 1 else 17}
    plain = variant.draw(sizes, "long")
    return Sample("long", (plain, *_first_row_of_nan(variant, plain)))


def _first_row_of_nan(variant: Variant, draw: Any) -> Iterator[Any]:
    """The draw with a first row of NaN in its first matrix: columns that are alike must come out alike, in vector
    lanes and in the remainder."""
    for number, i in enumerate(variant.inputs):
        if i.unbound and i.kind == "tensor" and len(i.shape) > 1 and variant.family(i) == "float":
            yield variant.changed(draw, number, _with_first_row_of_nan)
            return


def _with_first_row_of_nan(leaf: np.ndarray) -> np.ndarray:
    leaf = leaf.copy()
    leaf[:1] = np.nan
    return leaf
