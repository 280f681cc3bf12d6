"""From a declaration to concrete samples: which shapes, which values, which invalid inputs. NumPy only.

The rules, in order of what they find:

* an input of any shape (`T()`) is elementwise: `edge` is one long tensor of every edge value (for several inputs,
  every pair), `n1` `n3` `n17` are the same values in tensors of 1, 3 and 17, one draw after the other (vector lanes
  and remainders part ways; outside the leading dtypes `n1` holds only what cannot stand with others), and there is a
  scalar, an empty one, a broadcast one, and a last input that is a constant of the graph (`constant`: the graph
  optimizer rewrites those);
* named dimensions get small unequal sizes (`ordinary`), and for the first combination of options once 1 each
  (`ones`), once long (`long`), and each in turn zero (`empty-k`); `edge` draws plant one edge value at a time, so
  that none drowns the others, then several together (first and last NaN, both infinities, all equal, all zero);
  `scaled` multiplies whole matrices, where they ask for that, until their squares overflow or underflow;
* a dimension shared by two inputs is made to disagree (`mismatch-k`), or within one (`not-square-0-n`), a rank is
  taken away (`rank-0`), an index is made to point outside (`beyond-2`, `negative-2`): error samples that
  nobody needs to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .case import (
    DTYPE,
    Case,
    CaseError,
    Declared,
    Input,
    RaggedValue,
    SparseValue,
    is_tensor,
    leaves,
    rebuild,
)
from .dtypes import NONE, family, limits, name_of, numpy_dtype
from .inputs import edges, few_edges, generator, inf, inside, ordinary, pairs

SMALL = (4, 3, 5, 2, 6, 7, 8)  # unequal, so that swapped axes show
LONG = 67  # past four 16-lane vectors, with a remainder of 3
LANES = {"n3": 3, "n17": 17}
MOST_DRAWS = 64  # of one lane length: 64 * 3 lanes covers 13 x 13 integer pairs
MOST_ALONE = 128  # elements run alone, for `lanes`
LEADING = ("float32", "int32", "complex64", "bool", "string")
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
    of these each mode runs, `checks.plan` says.

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
    for invalid in case.errors if leads else ():
        args = invalid.args or declared.args
        draw = _draw(
            case,
            replace(declared, args=args, kwargs={**declared.kwargs, **invalid.kwargs}),
            dtype,
            _sizes(declared, "ordinary"),
            "ordinary",
        )
        found.append(Sample(invalid.name, (draw,), "error", must_fail=True))
    names = [s.name for s in found]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise CaseError(f"{case.name}: two samples are called {sorted(twice)[0]!r}; give sample(..., name=...)")
    return [replace(s, leads=leads) for s in found]


def first(case: Case, dtype: str) -> Sample:
    """One ordinary draw of the case's first declared sample: what planning asks TensorFlow with."""
    declared = _declared(case)[0]
    key = f"{case.name}/{dtype}/{declared.name}/ordinary"
    return Sample("ordinary", (_draw(case, declared, dtype, _sizes(declared, "ordinary"), key, shape=(3,)),))


def timed_draw(case: Case, dtype: str, elements: int) -> tuple[Any, int]:
    """One draw of ordinary values in which the largest input has about `elements` elements: (draw, its size).

    Named dimensions grow together; numbers in a shape stay.
    """
    declared = _declared(case)[0]
    inputs = declared.inputs()
    if any(i.any_shape for i in inputs):
        return _draw(case, declared, dtype, {}, f"timed-{elements}", shape=(elements,)), elements
    free = {n for i in inputs for n in i.names if n not in declared.sizes}
    side = max(1, elements)
    while free and side > 1:
        sizes = {**declared.sizes, **dict.fromkeys(free, side)}
        if max(int(np.prod(_concrete(i.shape, sizes))) for i in inputs) <= elements:
            break
        side = max(1, int(side * 0.9))
    sizes = {**declared.sizes, **dict.fromkeys(free, side)}
    draw = _draw(case, declared, dtype, sizes, f"timed-{elements}")
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
    sizes = _sizes(declared, "ordinary")
    yield Sample("ordinary", (_draw(case, declared, dtype, sizes, key + "/ordinary"),))
    planted = tuple(_planted(case, declared, dtype, sizes, inputs, key, leads))
    if planted:
        yield Sample("edge", planted)
    if first and leads and any(i.edges == "scale" for i in inputs):
        yield Sample("scaled", tuple(_scaled(case, declared, dtype, sizes, inputs, key)))
    free = [n for n in dict.fromkeys(n for i in inputs for n in i.names) if n not in declared.sizes]
    if not (first and leads):
        return
    if free:
        yield Sample("ones", (_draw(case, declared, dtype, {**sizes, **dict.fromkeys(free, 1)}, key + "/ones"),))
        long = {**sizes, free[0]: 17, free[-1]: LONG if len(free) > 1 else 17}
        yield Sample("long", (_draw(case, declared, dtype, long, key + "/long"),))
        for name in free if case.empty else ():
            indexes_it = any(i.below == name for i in inputs)
            zero = {
                **sizes,
                name: 0,
                **({n: 0 for i in inputs if i.below == name for n in i.names} if indexes_it else {}),
            }
            yield Sample(f"empty-{name}", (_draw(case, declared, dtype, zero, key + "/empty"),))
    yield from _invalid(case, declared, dtype, sizes, inputs, key)


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
        return _fill(declared, dtype, lambda i, n: next(taken) if i.any_shape else _array(i, dtype, {}, f"{key}/{n}"))

    refused = _refused(case, draw, count)
    together = np.setdiff1d(np.arange(count), refused)

    def chunks(length: int) -> np.ndarray:
        need = min(-(-len(together) // length), MOST_DRAWS)
        return np.resize(together, need * length).reshape(need, length)

    alone = refused[: MOST_ALONE // 4]
    if leads:
        spread = np.linspace(0, count - 1, MOST_ALONE // 2).astype(int)
        alone = np.unique(np.concatenate([together[: MOST_ALONE // 2], alone, spread]))
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
            lanes=leads and first and name != "n1",
        )
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
        fixed = _fill(shorter, dtype, lambda i, n: next(taken) if i.any_shape else _array(i, dtype, {}, f"{key}/{n}"))
        yield Sample("constant", (fixed,), constants=tuple(constants))


def _shapes(case: Case, declared: Declared, dtype: str, elementwise: list[Input], key: str) -> Iterator[Sample]:
    """A scalar, an empty tensor, shapes that broadcast and shapes that do not."""

    def ordinary_draw(shapes: Sequence[tuple[int, ...]], name: str) -> Any:
        taken = iter(shapes)
        return _fill(
            declared,
            dtype,
            lambda i, n: (
                _values(i, dtype, next(taken), f"{key}/{name}/{n}", {})
                if i.any_shape
                else _array(i, dtype, {}, f"{key}/{n}")
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
            pool = np.concatenate([pool, _values(i, dtype, (8,), f"{key}/edge/{number}", {})])
        pools.append(pool[: 8 if len(elementwise) > 3 else 16] if len(elementwise) > 2 else pool)
    columns = pairs(pools)
    if columns and len(columns[0]) < LONG:
        rest = LONG - len(columns[0])
        columns = [
            np.concatenate(
                [c, _values(i, dtype, (rest,), f"{key}/fill/{n}", {}) if i.values is None else np.resize(c, rest)]
            )
            for n, (c, i) in enumerate(zip(columns, elementwise, strict=True))
        ]
    return columns


# --- named dimensions ----------------------------------------------------------------------------------------------


def _sizes(declared: Declared, purpose: str) -> dict[str, int]:
    names = dict.fromkeys(n for i in declared.inputs() for n in i.names)
    free = [n for n in names if n not in declared.sizes]
    return {**declared.sizes, **{n: SMALL[k % len(SMALL)] for k, n in enumerate(free)}}


def _concrete(shape: tuple[int | str, ...], sizes: dict[str, int]) -> tuple[int, ...]:
    def size(d: int | str) -> int:
        if isinstance(d, int):
            return d
        factor, _, name = d.rpartition("*")
        return (int(factor) if factor else 1) * sizes[name]

    return tuple(size(d) for d in shape)


def _planted(
    case: Case, declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], key: str, leads: bool
) -> Iterator[Any]:
    """Draws of the ordinary shape with edge values planted in one input at a time; outside the leading dtypes only in
    those that have the dtype, since the edges of indices and seeds stay what they are."""
    base = _draw(case, declared, dtype, sizes, f"{key}/ordinary")
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
            return _changed(declared, base, number, lambda leaf: _put(leaf, place))

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


def _scaled(
    case: Case, declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], key: str
) -> Iterator[Any]:
    """The ordinary draw with the inputs that ask for it multiplied by a power of two, up and down."""
    power = limits(numpy_dtype(dtype)).maxexp // 2 + 2
    base = _draw(case, declared, dtype, sizes, f"{key}/ordinary")
    for factor in (2.0**power, 2.0**-power):
        draw = base
        for number, target in enumerate(inputs):
            if target.edges == "scale":
                draw = _changed(declared, draw, number, lambda leaf, by=factor: leaf * leaf.dtype.type(by))
        yield draw


def _changed(declared: Declared, draw: Any, number: int, change: Any) -> Any:
    """The draw with the tensor that came from input `number` changed."""
    places = [k for k, leaf in enumerate(leaves((declared.args, dict(declared.kwargs)))) if isinstance(leaf, Input)]
    counter = iter(range(10_000))
    return rebuild(draw, lambda leaf: change(leaf) if next(counter) == places[number] else leaf)


def _put(leaf: Any, place: Any) -> Any:
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


def _invalid(
    case: Case, declared: Declared, dtype: str, sizes: dict[str, int], inputs: list[Input], key: str
) -> Iterator[Sample]:
    names = [n for i in inputs for n in i.names]
    for name in dict.fromkeys(n for n in names if sum(n in i.names for i in inputs) > 1):
        grown, seen = {**sizes, name: sizes[name] + 1}, iter(range(len(inputs)))
        last = max(k for k, i in enumerate(inputs) if name in i.names)
        draw = _fill(
            declared,
            dtype,
            lambda i, n, grown=grown, seen=seen, last=last: _array(
                i, dtype, grown if next(seen) == last else sizes, f"{key}/mismatch/{n}"
            ),
        )
        yield Sample(f"mismatch-{name}", (draw,), "error")
    for number, target in enumerate(inputs):
        for name in dict.fromkeys(n for n in target.names if target.names.count(n) > 1):
            last = max(k for k, d in enumerate(target.shape) if d == name) if name in target.shape else -1
            if last < 0 or target.kind != "tensor":
                continue
            shape = tuple(d if k != last else sizes[name] + 1 for k, d in enumerate(target.shape))
            oblong, seen = replace(target, shape=shape, form=None), iter(range(len(inputs)))
            draw = _fill(
                declared,
                dtype,
                lambda i, n, seen=seen, number=number, oblong=oblong: _array(
                    oblong if next(seen) == number else i, dtype, sizes, f"{key}/not-square/{n}"
                ),
            )
            yield Sample(f"not-square-{number}-{name}", (draw,), "error")
    base = _draw(case, declared, dtype, sizes, f"{key}/ordinary")
    for number, target in enumerate(inputs):

        def changed(change: Any, number: int = number) -> Any:
            return _changed(declared, base, number, change)

        if target.kind == "tensor" and len(target.shape) > 0:
            yield Sample(
                f"rank-{number}",
                (changed(lambda leaf: leaf[(0,) * (leaf.ndim - (leaf.ndim > 1))] if leaf.size else leaf.reshape(-1)),),
                "error",
            )
        if target.below is not None and target.kind == "tensor":
            top = sizes[target.below] if isinstance(target.below, str) else target.below
            for name, value in {"beyond": top, **({} if target.negative else {"negative": -1})}.items():
                into = numpy_dtype(target.dtype or dtype)
                if value < 0 and into.kind == "u":
                    continue
                draw = changed(lambda leaf, value=value: _put(leaf, lambda flat: flat.__setitem__(-1, value)))
                yield Sample(f"{name}-{number}", (draw,), "error", must_fail=True)


# --- drawing -------------------------------------------------------------------------------------------------------


def _draw(
    case: Case, declared: Declared, dtype: str, sizes: dict[str, int], key: str, shape: tuple[int, ...] | None = None
) -> Any:
    try:
        return _fill(
            declared,
            dtype,
            lambda i, n: (
                _values(i, dtype, shape or (), f"{key}/{n}", sizes)
                if i.any_shape
                else _array(i, dtype, sizes, f"{key}/{n}")
            ),
        )
    except KeyError as missing:
        raise CaseError(
            f"{case.name}: dimension {missing} has no size; name it in an input or give sizes="
        ) from missing


def _fill(declared: Declared, dtype: str, make: Any) -> Any:
    """The argument tree with every Input replaced by `make(input, its number)` and DTYPE by the dtype."""
    counter = iter(range(10_000))

    def leaf(value: Any) -> Any:
        if isinstance(value, Input):
            return make(value, next(counter))
        return numpy_dtype(dtype) if value is DTYPE else value

    return rebuild((tuple(declared.args), dict(declared.kwargs)), leaf)


def _array(i: Input, dtype: str, sizes: dict[str, int], key: str) -> Any:
    if i.any_shape:
        return _values(i, dtype, (LONG,), key, sizes)
    shape = _concrete(i.shape, sizes)
    if i.kind == "sparse":
        size = int(np.prod(shape))
        count = -(-size // 2)
        flat = np.sort(generator(key, "indices").permutation(size)[:count])
        where = (
            np.stack(np.unravel_index(flat, shape), -1).astype(np.int64)
            if size
            else np.zeros((0, len(shape)), np.int64)
        )
        return SparseValue(where, _values(i, dtype, (count,), key, sizes), np.array(shape, np.int64))
    if i.kind == "ragged":
        rows, longest = shape[0], (shape[1] if len(shape) > 1 else 3)
        lengths = generator(key, "lengths").integers(0, longest + 1, rows)
        if rows > 1:
            lengths[1] = 0
        splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return RaggedValue(_values(i, dtype, (int(splits[-1]), *shape[2:]), key, sizes), (splits,))
    return _values(i, dtype, shape, key, sizes)


def _values(i: Input, dtype: str, shape: tuple[int, ...], key: str, sizes: dict[str, int]) -> np.ndarray:
    """Ordinary values of an input in a concrete shape."""
    into, rng = numpy_dtype(i.dtype or dtype), generator(key)
    low, high = max(i.domain[0], i.within[0]), min(i.domain[1], i.within[1])
    if i.below is not None:
        top = sizes[i.below] if isinstance(i.below, str) else i.below
        low, high = 0, max(top - 1, 0)
    if i.values is not None:
        picked = rng.integers(0, len(i.values), shape)
        array = np.array(list(i.values), dtype=into)[picked]
    elif family(into) == "integer" and i.within != (-inf, inf):
        info = limits(into)
        array = rng.integers(
            max(int(info.min), int(max(low, -(2**62)))),
            min(int(info.max), int(min(high, 2**62))),
            shape,
            endpoint=True,
            dtype=np.int64 if into != np.uint64 else np.uint64,
        ).astype(into)
    else:
        array = ordinary(rng, shape, into, low, high)
    array = np.asarray(array, dtype=into)
    return np.asarray(i.form(array)).astype(into) if i.form else array
