"""Samples of inputs of any shape: what an elementwise op is tried on.

`edge` is one long tensor of every edge value (for several inputs, every pair); `n1`, `n3` and `n17` are the same
values in tensors of 1, 3 and 17, one draw after the other (results in vector lanes and in their remainder differ;
outside the leading dtypes `n1` holds only what cannot stand with others); `near` comes ever nearer to the finite ends
of a domain; then a scalar, an empty one, shapes that broadcast, and a last input that is a constant of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tfparity.suite.inputs.drawing import LONG
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.inputs.variant import Variant
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import family, numpy_dtype
from tfparity.suite.language.edges import edges, few_edges, inside, near_ends, pairs
from tfparity.suite.language.spec import Input

LENGTHS = (3, 17)
MOST_DRAWS = 64  # of one length: 64 * 3 lanes covers 13 x 13 integer pairs
MOST_ALONE = 128  # elements run alone, for `lanes`; outside the leading dtypes a quarter of them
CONSTANTS = {
    "float": (0, 1, -1, 2, 0.5, -0.5, 3),
    "integer": (0, 1, 2, 3, -1),
    "complex": (0, 1, 2, 0.5),
    "bool": (True, False),
}
"""By family of dtype, the constants that graph optimizers have rules for."""


def samples(variant: Variant) -> Iterator[Sample]:
    """All samples of one variant whose inputs are of any shape; none where they can hold no value."""
    columns = _columns(variant)
    count = len(columns[0]) if columns else 0
    if not count:
        return
    in_lanes = variant.first and (variant.leads or family(numpy_dtype(variant.dtype)) == "float")
    yield from _cut(variant, columns, count, in_lanes)
    if in_lanes:
        yield from _near(variant)
    if variant.first and variant.leads:
        yield from _shapes(variant)
        yield from _constant(variant, columns, count)


def _columns(variant: Variant) -> list[np.ndarray]:
    """Edge and ordinary values for the inputs of any shape: one column each, all combinations; at least 67 long."""
    inputs = variant.elementwise
    pools = []
    for number, i in enumerate(inputs):
        into = variant.into(i)
        pool = np.array([], into) if not i.edges else (edges if len(inputs) == 1 else few_edges)(into)
        if i.values is not None:
            pool = np.array(list(i.values), dtype=into)
        pool = inside(pool, *i.within)
        if i.below is not None:
            pool = inside(pool, 0, int(i.below) - 1)
        if i.values is None:
            pool = np.concatenate([pool, variant.values(i, (8,), f"edge/{number}")])
        pools.append(pool[: 8 if len(inputs) > 3 else 16] if len(inputs) > 2 else pool)
    columns = pairs(pools)
    rest = LONG - len(columns[0]) if columns else 0
    if rest <= 0:
        return columns
    more = [
        variant.values(i, (rest,), f"fill/{n}") if i.values is None else np.resize(column, rest)
        for n, (column, i) in enumerate(zip(columns, inputs, strict=True))
    ]
    return [np.concatenate([column, filling]) for column, filling in zip(columns, more, strict=True)]


def _at(variant: Variant, columns: Sequence[np.ndarray]) -> Any:
    """The draw whose inputs of any shape are these arrays, the others ordinary."""
    taken = iter(columns)
    return variant.filled(lambda i, n: next(taken) if i.any_shape else variant.array(i, str(n)))


def _cut(variant: Variant, columns: list[np.ndarray], count: int, in_lanes: bool) -> Iterator[Sample]:
    """`edge`, and for the first options the samples cut from it."""

    def draw(positions: np.ndarray) -> Any:
        return _at(variant, [column[positions] for column in columns])

    refused = _refused(variant.case, draw, count)
    together = np.setdiff1d(np.arange(count), refused)
    found = [Sample("edge", (draw(together),), positions=together[None], lanes=in_lanes)]
    if variant.first:
        alone = _alone(variant, refused, together, count, in_lanes)
        rows = [("alone", alone[:, None])] if len(alone) else []
        rows += [("lanes", _rows(together, length)) for length in LENGTHS if len(together)]
        found += [
            Sample(family, tuple(draw(row) for row in cut), positions=cut, lanes=in_lanes and family == "lanes")
            for family, cut in rows
        ]
    yield from found


def _alone(variant: Variant, refused: np.ndarray, together: np.ndarray, count: int, in_lanes: bool) -> np.ndarray:
    """The elements that stand alone: those that the reference refuses, and some of all to compare lanes with."""
    most = MOST_ALONE if variant.leads else MOST_ALONE // 4
    alone = refused[: MOST_ALONE // 4]
    if not in_lanes:
        return alone
    spread = np.linspace(0, count - 1, most // 2).astype(int)
    return np.unique(np.concatenate([together[: most // 2], alone, spread]))


def _rows(together: np.ndarray, length: int) -> np.ndarray:
    """The elements in rows of a length, begun again where the last is not full, (rows, length)."""
    need = min(-(-len(together) // length), MOST_DRAWS)
    return np.resize(together, need * length).reshape(need, length)


def _refused(case: Case, draw: Callable[[np.ndarray], Any], count: int) -> np.ndarray:
    """The elements that the reference refuses or calls undefined: one such element would mask all the others of its
    tensor, so they only stand alone."""

    def raises(positions: np.ndarray) -> bool:
        args, kwargs = draw(positions)
        try:
            with np.errstate(all="ignore"):
                case.reference(*args, **kwargs)  # type: ignore[misc]
        except Exception:
            return True
        return False

    if case.reference is None or not raises(np.arange(count)):
        return np.array([], int)
    return np.array([i for i in range(count) if raises(np.array([i]))], int)


def _near(variant: Variant) -> Iterator[Sample]:
    """Ever nearer to the finite ends of one input's domain, the others ordinary: where one series takes over from
    another."""
    columns: list[dict[int, np.ndarray]] = []
    for number, target in enumerate(variant.inputs):
        if not target.any_shape or variant.family(target) != "float":
            continue
        ends = near_ends(variant.into(target), *target.domain)
        if len(ends):
            others = {n: variant.values(i, ends.shape, f"near/{n}") for n, i in enumerate(variant.inputs)}
            columns.append({**others, number: ends})
    if columns:
        joined = {n: np.concatenate([c[n] for c in columns]) for n in columns[0]}
        yield Sample("near", (variant.filled(lambda i, n: joined[n] if i.any_shape else variant.array(i, str(n))),))


def _shapes(variant: Variant) -> Iterator[Sample]:
    """A scalar, an empty tensor, shapes that broadcast and shapes that do not."""
    count = len(variant.elementwise)

    def with_shapes(shapes: Sequence[tuple[int, ...]], name: str) -> Any:
        taken = iter(shapes)
        return variant.filled(
            lambda i, n: (
                variant.values(i, next(taken), f"{name}/{n}") if i.any_shape else variant.array(i, str(n))
            )
        )

    yield Sample("scalar", tuple(with_shapes([()] * count, f"scalar{n}") for n in range(3)))
    if variant.case.empty:
        yield Sample("empty", (with_shapes([(0, 3)] * count, "empty"),))
    if count < 2:
        return
    ladder = [(3, 4), (4,), (2, 3, 1), (2, 1, 4), ()]
    yield Sample("broadcast", (with_shapes([ladder[n % 5] for n in range(count)], "broadcast"),))
    if variant.case.empty:
        shapes = [(0, 1), (1, 4), *[()] * (count - 2)]
        yield Sample("broadcast-empty", (with_shapes(shapes, "broadcast-empty"),))
    shapes = [(3,), (4,), *[(1,)] * (count - 2)]
    yield Sample("mismatch", (with_shapes(shapes, "mismatch"),), must_fail=True)


def _constant(variant: Variant, columns: list[np.ndarray], count: int) -> Iterator[Sample]:
    """The last input a constant of the graph, every value of the others."""
    declared = variant.declared
    if len(variant.elementwise) < 2 or not isinstance(declared.args[-1], Input):
        return
    constants = variant.case.constants
    if constants is None:
        constants = _constants_for(variant, variant.elementwise[-1])
    if not constants:
        return
    some = np.unique(np.linspace(0, count - 1, LONG).astype(int)) if len(columns) > 2 else None
    others = [np.unique(column) if some is None else column[some] for column in columns[:-1]]
    shorter = replace(variant, declared=replace(declared, args=declared.args[:-1]))
    yield Sample("constant", (_at(shorter, others),), constants=tuple(constants))


def _constants_for(variant: Variant, last: Input) -> tuple[Any, ...]:
    into = variant.into(last)
    return tuple(
        np.asarray(c).astype(into)
        for c in CONSTANTS.get(family(into), ())
        if not (c == -1 and into.kind == "u") and last.within[0] <= c <= last.within[1]
    )
