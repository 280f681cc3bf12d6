"""From a declaration to concrete samples: which shapes, which values, which invalid inputs. NumPy only.

The rules, in order of what they find:

* an input of any shape (`T()`) is elementwise: `edge` is one long tensor of every edge value (for several inputs,
  every pair), `n1` `n3` `n17` are the same values in tensors of 1, 3 and 17, one draw after the other (vector lanes
  and remainders part ways; outside the leading dtypes `n1` holds only what cannot stand with others), `near` comes ever
  nearer to the finite ends of a domain, and there is a scalar, an empty one, a broadcast one, and a last input that is
  a constant of the graph (`constant`: the graph optimizer rewrites those);
* named dimensions get small unequal sizes (`ordinary`), and for the first combination of options once 1 each
  (`ones`), once long (`long`, a second time with a first row of NaN), and each in turn zero (`empty-k`), or all of them
  (`empty-all`); `edge` draws plant one edge value at a time, so that none drowns the others, then several together
  (first and last NaN, both infinities, all equal, all zero, all far from zero), then infinity and NaN against the zero
  of another input; `scaled` multiplies whole matrices, where they ask for that, until their squares overflow or
  underflow; `many-k` are so many ones in a 16-bit dtype that a sum of them stands still;
* invalid input follows from the declaration too, see `invalid`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tfparity.suite.inputs import drawing
from tfparity.suite.inputs.drawing import LONG
from tfparity.suite.inputs.invalid import invalid
from tfparity.suite.language.case import DTYPE, Case, CaseError, Declared, Input
from tfparity.suite.language.dtypes import NONE, family, limits, name_of, numpy_dtype
from tfparity.suite.language.edges import edges, few_edges, generator, inf, inside, near_ends, pairs
from tfparity.suite.language.trees import is_tensor, leaves

LANES = {"n3": 3, "n17": 17}
MOST_DRAWS = 64  # of one lane length: 64 * 3 lanes covers 13 x 13 integer pairs
MOST_ALONE = 128  # elements run alone, for `lanes`; outside the leading dtypes a quarter of them
LEADING = ("float32", "int32", "complex64", "bool", "string")
MANY = 3_000  # past 2048 and 256, where one more is lost in float16 and bfloat16; its square fits in memory
CONSTANTS = {
    "float": (0, 1, -1, 2, 0.5, -0.5, 3),
    "integer": (0, 1, 2, 3, -1),
    "complex": (0, 1, 2, 0.5),
    "bool": (True, False),
}


@dataclass(frozen=True)
class Sample:
    """Concrete inputs of a case: draws that share one signature, so that one trace serves them all.

    name        its part of the identity
    draws       argument trees (args, kwargs); leaves that are arrays, SparseValues or RaggedValues are tensors
    purpose     `value`, or `error` for invalid input
    must_fail   whether the documentation calls the input an error, as against leaving it open
    positions   for the elementwise `edge` and samples cut from it: which of its elements each draw holds,
                (draws, elements)
    length      of those cut from it, the elements of a draw; else 0
    lanes       whether `n1` has its elements one by one, to hold them against
    leads       whether the dtype is one in which everything is tried
    option      the number of its options among its case's, 0 for the first
    constants   scalars applied in turn as the last argument, inside the function
    """

    name: str
    draws: tuple[Any, ...]
    purpose: str = "value"
    must_fail: bool = False
    positions: np.ndarray | None = None
    length: int = 0
    lanes: bool = False
    leads: bool = True
    option: int = 0
    constants: tuple[Any, ...] = ()

    @property
    def first(self) -> bool:
        """Whether it has the first of its case's options."""
        return self.option == 0

    @property
    def plain_name(self) -> str:
        """The name without the options: `ordinary`, `edge`, `empty-n`."""
        return self.name.partition(",")[0]

    @cached_property
    def strings(self) -> bool:
        """Whether some tensor is one of strings, which XLA refuses before it traces."""
        return any(np.asarray(getattr(t, "values", t)).dtype.kind == "O" for t in self.tensors[0])

    @cached_property
    def tensors(self) -> list[list[Any]]:
        """The tensor leaves of each draw."""
        return [[leaf for leaf in leaves(draw) if is_tensor(leaf)] for draw in self.draws]


def main_dtype(dtypes: Sequence[str]) -> str | None:
    """The one dtype in which a case tries all it declares in every mode, and is timed: the first leading one of those
    it runs in, else the first."""
    return next((d for d in LEADING if d in dtypes), next(iter(dtypes), None))


def swept(case: Case) -> bool:
    """Whether the case runs in several dtypes: some input or option leaves its dtype open."""
    return any(
        (isinstance(leaf, Input) and leaf.dtype is None) or leaf is DTYPE
        for declared in _declared(case)[:1]
        for leaf in leaves((declared.args, dict(declared.kwargs)))
    )


def fixed_dtype(case: Case) -> str:
    """The dtype part of the identity of a case that is not swept: its first tensor's, or `none`."""
    for declared in _declared(case)[:1]:
        for leaf in leaves((declared.args, dict(declared.kwargs))):
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
    for number, declared in enumerate(_declared(case) if leads else _declared(case)[:1]):
        found += [
            replace(s, name=_joined(s.name, declared.name), option=number)
            for s in _of_one(case, declared, dtype, first=number == 0, leads=leads)
        ]
    declared = _declared(case)[0]
    for refused in case.errors if leads else ():
        args = refused.args or declared.args
        draw = drawing.draw(
            case,
            replace(declared, args=args, kwargs={**declared.kwargs, **refused.kwargs}),
            dtype,
            drawing.sizes_of(declared),
            "ordinary",
        )
        found.append(Sample(refused.name, (draw,), "error", must_fail=True))
    names = [s.name for s in found]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise CaseError(f"{case.name}: two samples are called {sorted(twice)[0]!r}; give sample(..., name=...)")
    return [replace(s, leads=leads) for s in found]


def first(case: Case, dtype: str) -> Sample:
    """One ordinary draw of the case's first declared sample: what planning asks TensorFlow with."""
    declared = _declared(case)[0]
    key = f"{case.name}/{dtype}/{declared.name}/ordinary"
    return Sample("ordinary", (drawing.draw(case, declared, dtype, drawing.sizes_of(declared), key, shape=(3,)),))


def timed_draw(case: Case, dtype: str, elements: int) -> tuple[Any, int]:
    """One draw of ordinary values in which the largest input has about `elements` elements: (draw, its size).

    Named dimensions grow together; numbers in a shape stay.
    """
    declared = _declared(case)[0]
    inputs = declared.inputs()
    if any(i.any_shape for i in inputs):
        return drawing.draw(case, declared, dtype, {}, f"timed-{elements}", shape=(elements,)), elements
    free = {n for i in inputs for n in i.names if n not in declared.sizes}
    side = max(1, elements)
    while free and side > 1:
        sizes = {**declared.sizes, **dict.fromkeys(free, side)}
        if max(int(np.prod(drawing.concrete(i.shape, sizes))) for i in inputs) <= elements:
            break
        side = max(1, int(side * 0.9))
    sizes = {**declared.sizes, **dict.fromkeys(free, side)}
    draw = drawing.draw(case, declared, dtype, sizes, f"timed-{elements}")
    largest = max((leaf.size for leaf in leaves(draw) if isinstance(leaf, np.ndarray)), default=1)
    return draw, largest


def _declared(case: Case) -> list[Declared]:
    found = list(case.samples())
    if not found:
        raise CaseError(f"{case.name}: its generator yields no sample")
    return found


def _joined(*parts: str) -> str:
    return ",".join(part for part in parts if part)


def _of_one(case: Case, declared: Declared, dtype: str, first: bool, leads: bool) -> Iterator[Sample]:
    inputs = declared.inputs()
    key = f"{case.name}/{dtype}/{declared.name}"
    if any(i.any_shape for i in inputs):
        yield from _elementwise(case, declared, dtype, inputs, key, first, leads)
        return
    sizes = drawing.sizes_of(declared)
    base = drawing.draw(case, declared, dtype, sizes, key + "/ordinary")
    yield Sample("ordinary", (base,))
    planted = tuple(_planted(declared, dtype, sizes, inputs, base, key, leads))
    if planted:
        yield Sample("edge", planted)
    if first and leads and any(i.edges == "scale" for i in inputs):
        yield Sample("scaled", tuple(_scaled(declared, dtype, inputs, base)))
    free = [n for n in dict.fromkeys(n for i in inputs for n in i.names) if n not in declared.sizes]
    if leads and case.empty:
        yield from _empty(case, declared, dtype, sizes, inputs, free, key, first)
    if first and dtype in ("float16", "bfloat16"):
        yield from _many(case, declared, dtype, inputs, free, key)
    if not (first and leads):
        return
    if free:
        ones = {**sizes, **dict.fromkeys(free, 1)}
        yield Sample("ones", (drawing.draw(case, declared, dtype, ones, key + "/ones"),))
        long = {**sizes, free[0]: 17, free[-1]: LONG if len(free) > 1 else 17}
        plain = drawing.draw(case, declared, dtype, long, key + "/long")
        yield Sample("long", (plain, *_first_row_of_nan(declared, dtype, inputs, plain)))
    for broken in invalid(case, declared, dtype, sizes, inputs, base, key):
        if broken.name not in case.skips:
            yield Sample(broken.name, (broken.draw,), "error", must_fail=broken.must_fail)


def _empty(
    case: Case,
    declared: Declared,
    dtype: str,
    sizes: dict[str, int],
    inputs: list[Input],
    free: list[str],
    key: str,
    first: bool,
) -> Iterator[Sample]:
    """Each dimension zero, and all of them; what indexes nothing is empty too."""
    for name in free:
        indexes_it = any(i.below == name for i in inputs)
        zero = {n: 0 for i in inputs if i.below == name for n in i.names} if indexes_it else {}
        empty = drawing.draw(case, declared, dtype, {**sizes, name: 0, **zero}, key + "/empty")
        yield Sample(f"empty-{name}", (empty,))
    if first and len(free) > 1:
        none = {**sizes, **dict.fromkeys(free, 0)}
        yield Sample("empty-all", (drawing.draw(case, declared, dtype, none, key + "/empty"),))


def _many(
    case: Case, declared: Declared, dtype: str, inputs: list[Input], free: list[str], key: str
) -> Iterator[Sample]:
    """Ones along one dimension, so many that a sum kept in the dtype itself stands still. Not beside lengths and
    labels, whose algorithms and references may be quadratic, and not of images."""
    if any(i.dtype is not None and i.below is None for i in inputs):
        return
    for name in free:
        if any(i.names.count(name) > 1 or i.form or i.kind != "tensor" for i in inputs if name in i.names):
            continue
        sizes = {**declared.sizes, **dict.fromkeys(free, 1), name: MANY}
        if max(int(np.prod(drawing.concrete(i.shape, sizes))) for i in inputs) > 10 * MANY:
            continue
        draw = drawing.draw(case, declared, dtype, sizes, key + "/many")
        for number, i in enumerate(inputs):
            if i.dtype is None and i.values is None and i.within[0] <= 1 <= i.within[1]:
                draw = drawing.changed(declared, draw, number, np.ones_like)
        yield Sample(f"many-{name}", (draw,))


def _first_row_of_nan(declared: Declared, dtype: str, inputs: list[Input], draw: Any) -> Iterator[Any]:
    """The draw with a first row of NaN in its first matrix: columns that are alike must come out alike, in vector
    lanes and in the remainder."""
    for number, i in enumerate(inputs):
        if i.unbound and i.kind == "tensor" and len(i.shape) > 1 and family(numpy_dtype(i.dtype or dtype)) == "float":

            def with_nan(leaf: np.ndarray) -> np.ndarray:
                leaf = leaf.copy()
                leaf[:1] = np.nan
                return leaf

            yield drawing.changed(declared, draw, number, with_nan)
            return


# --- elementwise ---------------------------------------------------------------------------------------------------


def _elementwise(
    case: Case, declared: Declared, dtype: str, inputs: list[Input], key: str, first: bool, leads: bool
) -> Iterator[Sample]:
    columns = _edge_columns(inputs, dtype, key)
    count = len(columns[0]) if columns else 0
    if not count:
        return

    def draw(positions: np.ndarray) -> Any:
        taken = iter([column[positions] for column in columns])
        return drawing.filled(
            declared, dtype, lambda i, n: next(taken) if i.any_shape else drawing.array(i, dtype, {}, f"{key}/{n}")
        )

    refused = _refused(case, draw, count)
    together = np.setdiff1d(np.arange(count), refused)

    def chunks(length: int) -> np.ndarray:
        need = min(-(-len(together) // length), MOST_DRAWS)
        return np.resize(together, need * length).reshape(need, length)

    in_lanes = first and (leads or family(numpy_dtype(dtype)) == "float")
    most = MOST_ALONE if leads else MOST_ALONE // 4
    alone = refused[: MOST_ALONE // 4]
    if in_lanes:
        spread = np.linspace(0, count - 1, most // 2).astype(int)
        alone = np.unique(np.concatenate([together[: most // 2], alone, spread]))
    cut = {
        "edge": together[None],
        **({"n1": alone[:, None]} if len(alone) else {}),
        **({name: chunks(n) for name, n in LANES.items()} if len(together) else {}),
    }
    for name, rows in cut.items() if first else [("edge", cut["edge"])]:
        yield Sample(
            name,
            tuple(draw(row) for row in rows),
            positions=rows,
            length=0 if name == "edge" else len(rows[0]),
            lanes=in_lanes and name != "n1",
        )
    if in_lanes:
        yield from _near(declared, dtype, inputs, key)
    if not (first and leads):
        return

    elementwise = [i for i in inputs if i.any_shape]
    yield from _shapes(case, declared, dtype, elementwise, key)
    if len(elementwise) < 2:
        return
    last = elementwise[-1]
    constants = case.constants
    if constants is None:
        into = numpy_dtype(last.dtype or dtype)
        constants = CONSTANTS.get(family(into), ()) if isinstance(declared.args[-1], Input) else ()
        constants = tuple(
            np.asarray(c).astype(into)
            for c in constants
            if not (c == -1 and into.kind == "u") and last.within[0] <= c <= last.within[1]
        )
    if constants and isinstance(declared.args[-1], Input):
        shorter = replace(declared, args=declared.args[:-1])
        values = columns[:-1]
        some = np.unique(np.linspace(0, count - 1, 67).astype(int)) if len(columns) > 2 else None
        taken = iter([v[some] if some is not None else np.unique(v) for v in values])
        fixed = drawing.filled(
            shorter, dtype, lambda i, n: next(taken) if i.any_shape else drawing.array(i, dtype, {}, f"{key}/{n}")
        )
        yield Sample("constant", (fixed,), constants=tuple(constants))


def _near(declared: Declared, dtype: str, inputs: list[Input], key: str) -> Iterator[Sample]:
    """Ever nearer to the finite ends of one input's domain, the others ordinary: where one series takes over from
    another."""
    columns = []
    for number, target in enumerate(inputs):
        if not target.any_shape or family(numpy_dtype(target.dtype or dtype)) != "float":
            continue
        ends = near_ends(numpy_dtype(target.dtype or dtype), *target.domain)
        if len(ends):
            columns.append(
                {n: drawing.values(i, dtype, ends.shape, f"{key}/near/{n}", {}) for n, i in enumerate(inputs)}
                | {number: ends}
            )
    if columns:
        joined = {n: np.concatenate([c[n] for c in columns]) for n in columns[0]}
        draw = drawing.filled(
            declared, dtype, lambda i, n: joined[n] if i.any_shape else drawing.array(i, dtype, {}, f"{key}/{n}")
        )
        yield Sample("near", (draw,))


def _shapes(case: Case, declared: Declared, dtype: str, elementwise: list[Input], key: str) -> Iterator[Sample]:
    """A scalar, an empty tensor, shapes that broadcast and shapes that do not."""

    def ordinary_draw(shapes: Sequence[tuple[int, ...]], name: str) -> Any:
        taken = iter(shapes)
        return drawing.filled(
            declared,
            dtype,
            lambda i, n: (
                drawing.values(i, dtype, next(taken), f"{key}/{name}/{n}", {})
                if i.any_shape
                else drawing.array(i, dtype, {}, f"{key}/{n}")
            ),
        )

    yield Sample("scalar", tuple(ordinary_draw([()] * len(elementwise), f"scalar{n}") for n in range(3)))
    if case.empty:
        yield Sample("empty", (ordinary_draw([(0, 3)] * len(elementwise), "empty"),))
    if len(elementwise) < 2:
        return
    ladder = [(3, 4), (4,), (2, 3, 1), (2, 1, 4), ()]
    yield Sample("broadcast", (ordinary_draw([ladder[n % 5] for n in range(len(elementwise))], "broadcast"),))
    if case.empty:
        yield Sample(
            "broadcast-empty", (ordinary_draw([(0, 1), (1, 4)][:2] + [()] * (len(elementwise) - 2), "broadcast-empty"),)
        )
    yield Sample(
        "mismatch",
        (ordinary_draw([(3,), (4,)] + [(1,)] * (len(elementwise) - 2), "mismatch"),),
        "error",
        must_fail=True,
    )


def _refused(case: Case, draw: Any, count: int) -> np.ndarray:
    """The elements that the reference refuses or calls undefined: one such element would drown all the others of its
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


def _edge_columns(inputs: list[Input], dtype: str, key: str) -> list[np.ndarray]:
    """Edge and ordinary values for the inputs of any shape: one column each, all combinations; at least 67 long."""
    elementwise = [i for i in inputs if i.any_shape]
    pools = []
    for number, i in enumerate(elementwise):
        into = numpy_dtype(i.dtype or dtype)
        pool = np.array([], into) if not i.edges else (edges if len(elementwise) == 1 else few_edges)(into)
        if i.values is not None:
            pool = np.array(list(i.values), dtype=into)
        pool = inside(pool, *i.within)
        if i.below is not None:
            pool = inside(pool, 0, int(i.below) - 1)
        if i.values is None:
            pool = np.concatenate([pool, drawing.values(i, dtype, (8,), f"{key}/edge/{number}", {})])
        pools.append(pool[: 8 if len(elementwise) > 3 else 16] if len(elementwise) > 2 else pool)
    columns = pairs(pools)
    if columns and len(columns[0]) < LONG:
        rest = LONG - len(columns[0])
        columns = [
            np.concatenate(
                [
                    c,
                    drawing.values(i, dtype, (rest,), f"{key}/fill/{n}", {})
                    if i.values is None
                    else np.resize(c, rest),
                ]
            )
            for n, (c, i) in enumerate(zip(columns, elementwise, strict=True))
        ]
    return columns


# --- named dimensions ----------------------------------------------------------------------------------------------


def _planted(
    declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], base: Any, key: str, leads: bool
) -> Iterator[Any]:
    """Draws of the ordinary shape with edge values planted in one input at a time; outside the leading dtypes only in
    those that have the dtype, since the edges of indices and seeds stay what they are."""
    for number, target in enumerate(inputs):
        into = numpy_dtype(target.dtype or dtype)
        if target.edges is not True or target.values is not None:
            continue
        if target.kind == "ragged" and family(into) == "string":
            continue
        if target.dtype is not None and not leads:
            continue
        low, high = target.within
        if target.below is not None:
            top = sizes[target.below] if isinstance(target.below, str) else target.below
            low, high = 0, top - 1
        values = inside(few_edges(into), low, high)
        rng = generator(key, "planted", number)

        def planted(place: Any, number: int = number) -> Any:
            return drawing.changed(declared, base, number, lambda leaf: drawing.put(leaf, place))

        for value in values:
            at = int(rng.integers(0, 1 << 30))
            yield planted(lambda flat, value=value, at=at: flat.__setitem__(at % len(flat), value))
        if family(into) in ("float", "complex") and low == -inf and high == inf:
            nan, infinity = into.type(np.nan), into.type(inf)
            yield planted(lambda flat, nan=nan: flat.__setitem__(0, nan))
            yield planted(lambda flat, nan=nan: flat.__setitem__(-1, nan))
            yield planted(lambda flat, v=infinity: flat.__setitem__([0, -1], [v, -v]))
            yield planted(lambda flat, nan=nan: flat.__setitem__(slice(None), nan))
        if family(into) in ("float", "complex", "integer") and low <= 0 <= high and target.below is None:
            yield planted(lambda flat: flat.__setitem__(slice(None), 0))
        if family(into) != "string" and target.below is None and len(values):
            yield planted(lambda flat: flat.__setitem__(slice(None), flat[:1]))
        if family(into) == "float" and low == -inf and high == inf:
            far = into.type(2.0 ** (limits(into).nmant // 2))  # its square takes all digits of the mantissa
            yield planted(lambda flat, far=far: flat.__setitem__(slice(None), flat + far))
    yield from _against_zeros(declared, dtype, sizes, inputs, base)


def _against_zeros(
    declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], base: Any
) -> Iterator[Any]:
    """Infinity and NaN in one input where another of the same shape is zero: a weight, a mask, a label."""
    floats = [
        (number, drawing.concrete(i.shape, sizes))
        for number, i in enumerate(inputs)
        if i.edges is True
        and i.values is None
        and i.kind == "tensor"
        and i.within[0] <= 0 <= i.within[1]
        and family(numpy_dtype(i.dtype or dtype)) == "float"
    ]
    for number, shape in floats:
        if not inputs[number].unbound:
            continue
        for other in (n for n, s in floats if n != number and s == shape):
            for value in (inf, -inf, np.nan):
                draw = drawing.changed(declared, base, other, lambda leaf: _put_first(leaf, 0))
                yield drawing.changed(declared, draw, number, lambda leaf, v=value: _put_first(leaf, v))


def _put_first(leaf: Any, value: float) -> Any:
    return drawing.put(leaf, lambda flat: flat.__setitem__(0, value))


def _scaled(declared: Declared, dtype: str, inputs: list[Input], base: Any) -> Iterator[Any]:
    """The ordinary draw with the inputs that ask for it multiplied by a power of two, up and down."""
    power = limits(numpy_dtype(dtype)).maxexp // 2 + 2
    for factor in (2.0**power, 2.0**-power):
        draw = base
        for number, target in enumerate(inputs):
            if target.edges == "scale":
                draw = drawing.changed(declared, draw, number, lambda leaf, by=factor: leaf * leaf.dtype.type(by))
        yield draw
