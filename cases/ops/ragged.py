"""tf.ragged, and what core ops do with ragged tensors.

A reference receives and returns `RaggedValue`s, whose rows are lists of different lengths. The second row of every
ragged input is empty. Core ops on ragged tensors are programs, `program.ragged_NAME`.
"""

import itertools
from dataclasses import replace

import ml_dtypes
import numpy as np

from tfparity import (
    DTYPE,
    FLOATS,
    INTEGERS,
    NUMBERS,
    B,
    I,
    Ragged,
    RaggedValue,
    S,
    T,
    each,
    error,
    kind,
    program,
    sample,
    tf,
)

ragged = kind("ragged")

R = Ragged("n m")


def of(rows, like):
    """A ragged value of these rows, in the dtype of an array."""
    found = RaggedValue.of([np.asarray(row, like.dtype).reshape(len(row), *like.shape[1:]) for row in rows], like.dtype)
    return found if rows else replace(found, values=like[:0])


def by_row(function):
    """The reference that changes every row of its first argument."""
    return lambda x, *args, **options: of([function(row, *args, **options) for row in x.rows()], x.values)


# --- tf.ragged -----------------------------------------------------------------------------------------------------


def boolean_mask(data, mask):
    """What is kept stays in its row."""
    if isinstance(data, RaggedValue):
        return of([row for row, kept in zip(data.rows(), mask, strict=True) if kept], data.values)
    if mask.ndim == 1:
        return data[mask]
    return of([row[kept] for row, kept in zip(data, mask, strict=True)], np.zeros((0, *data.shape[2:]), data.dtype))


def numbers(starts, limits, deltas, dtype=None, row_splits_dtype=np.int64):
    """Python's range for every row, or for a step of a float as many steps as lie before the limit."""
    starts, limits, deltas = np.broadcast_arrays(starts, limits, deltas)
    rows = []
    for start, limit, delta in zip(starts, limits, deltas, strict=True):
        if delta == 0:
            raise ValueError("deltas must not be zero")
        rows.append(np.arange(start, limit, delta) if (limit - start) * delta > 0 else [])
    return split_in(of(rows, starts), row_splits_dtype)


def split_in(x, dtype):
    """The same rows, their splits in another dtype."""
    return RaggedValue(x.values, tuple(s.astype(dtype) for s in x.splits))


def segment_ids(splits, out_type=None):
    return np.repeat(np.arange(len(splits) - 1), np.diff(splits)).astype(out_type or splits.dtype)


def row_splits(ids, num_segments=None, out_type=None):
    count = int(ids.max(initial=-1)) + 1 if num_segments is None else num_segments
    return np.concatenate([[0], np.cumsum(np.bincount(ids, minlength=count))]).astype(out_type or ids.dtype)


def stack(values, axis):
    """Rows of rows: all of the first tensor, then all of the second; or their rows side by side."""
    rows = [x.rows() if isinstance(x, RaggedValue) else list(x) for x in values]
    if axis == 1 and len({len(r) for r in rows}) > 1:
        raise ValueError("the tensors differ in their number of rows")
    groups = rows if axis == 0 else list(zip(*rows, strict=True))
    flat = [row for group in groups for row in group]
    like = values[0].values if isinstance(values[0], RaggedValue) else values[0].reshape(-1)
    inner = of(flat, like)
    return RaggedValue(inner.values, (np.cumsum([0, *map(len, groups)]), inner.splits[0]))


def partitions(data, which, count):
    if which.size and not (which.min() >= 0 and which.max() < count):
        raise ValueError("a partition is out of range")
    return of([data[which == k] for k in range(count)], data[0:0] if data.ndim == which.ndim else data)


def cross(inputs):
    """All combinations of one string of each input, row by row."""
    lists = [x.rows() if isinstance(x, RaggedValue) else list(x) for x in inputs]
    if len({len(x) for x in lists}) > 1:
        raise ValueError("inputs differ in their number of rows")
    rows = [[b"_X_".join(parts) for parts in itertools.product(*row)] for row in zip(*lists, strict=True)]
    return of(rows, np.empty(0, object))


def constant(pylist, dtype=None, ragged_rank=None, inner_shape=(), row_splits_dtype=np.int64):
    """Rows of numbers, or of what has the inner shape."""
    rows = RaggedValue.of([np.array(row, dtype).reshape(-1, *inner_shape) for row in pylist], dtype)
    return split_in(rows, row_splits_dtype)


def map_flat_values(x):
    return RaggedValue(x.values * x.values + x.values, x.splits)


@ragged("tf.ragged.boolean_mask", boolean_mask)
def masks():
    yield sample(T("n m"), B("n m"))
    yield sample(T("n m k"), B("n m"), name="slices")
    yield sample(T("n m"), B("n"), name="dense-rows")
    yield sample(R, B("n"), name="ragged-rows")


@ragged("tf.ragged.constant", constant, dtypes=("int32", "float32", "float64", "bool"))
def constants():
    yield sample([[1, 2], [], [3]], dtype=DTYPE)
    yield sample([[], [0]], dtype=DTYPE, name="empty-first")
    yield sample([[[1, 2], [0, 3]], [], [[5, 6]]], dtype=DTYPE, inner_shape=(2,), name="inner_shape")
    yield sample([[1, 2], [3]], dtype=DTYPE, ragged_rank=1)
    yield sample([[1, 2], [], [3]], dtype=DTYPE, row_splits_dtype=np.int32)


ragged("tf.ragged.map_flat_values", map_flat_values, R, call=lambda f, x: f(lambda v: v * v + v, x))
ragged(
    "tf.ragged.range",
    numbers,
    T("n", domain=(-5, 5), edges=False),
    T("n", domain=(-5, 20), edges=False),
    each(1, 2, -3, T("n", values=(1, 2, 3))),
    dtype=each(None, DTYPE),
    row_splits_dtype=each(np.int64, np.int32),
    dtypes=("float32", "float64", "int32", "int64"),
    errors=[error("no-step", np.array([1]), np.array([5]), np.array([0]))],
)
ragged(
    "tf.ragged.row_splits_to_segment_ids",
    segment_ids,
    T("n", within=(0, 9), form=lambda a: np.sort(a) * (np.arange(a.size) > 0), edges=False),
    out_type=each(None, np.int32, np.int64),
    dtypes=("int32", "int64"),
    empty=False,
    errors=[error("start", np.array([1, 2, 3]))],
)
ragged(
    "tf.ragged.segment_ids_to_row_splits",
    row_splits,
    T("n", within=(0, 5), form=np.sort, edges=False),
    each(None, 9),
    out_type=each(None, np.int32, np.int64),
    dtypes=("int32", "int64"),
)
ragged("tf.ragged.stack_dynamic_partitions", partitions, each(T("n"), T("n k")), I("n", below=5), 5)
ragged("tf.ragged.cross_hashed", None, [S("n m"), S("n k")], num_buckets=100, hash_key=each(None, 5)).no_reference(
    "the page does not define the fingerprint"
)
ragged("tf.ragged.cross", cross, [Ragged("n m", dtype="string"), S("n k")])


@ragged("tf.ragged.stack", stack)
def stacks():
    for axis in (0, 1):
        yield sample([R, Ragged("n k")], axis, name=f"ragged,{axis}")
    yield sample([T("n m"), T("p q")], 0, name="dense")


# --- filling empty rows --------------------------------------------------------------------------------------------


def fill_empty_rows(value_rowids, values, nrows, default_value):
    """As tf.sparse.fill_empty_rows, of rows: each empty one gets the default. The map says where each value went."""
    if (np.diff(value_rowids) < 0).any() or (value_rowids >= nrows).any():
        raise ValueError("row numbers in order, each below nrows")
    empty = ~np.isin(np.arange(nrows), value_rowids)
    rows = np.concatenate([value_rowids, np.flatnonzero(empty)])
    order = np.argsort(rows, kind="stable")
    filled = np.concatenate([values, np.full(empty.sum(), default_value, values.dtype)])
    return rows[order], filled[order], empty, np.argsort(order)[:len(values)]


def fill_empty_rows_grad(reverse_index_map, grad_values):
    """Each value's gradient from where it went, the default's from all other places."""
    rest = np.setdiff1d(np.arange(len(grad_values)), reverse_index_map)
    return grad_values[reverse_index_map], np.sum(grad_values[rest], dtype=grad_values.dtype)


ragged("tf.ragged_fill_empty_rows", fill_empty_rows, I("n", below=7, dtype="int64", form=np.sort, edges=False), T("n"),
       np.int64(7), T(""))
ragged("tf.ragged_fill_empty_rows_grad", fill_empty_rows_grad, np.array([0, 2, 3, 6]), T(8), dtypes=NUMBERS,
       errors=[error("beyond", np.array([0, 8]), np.ones(8, np.float32))])

# --- core ops on ragged tensors ------------------------------------------------------------------------------------


def reduced(function, start):
    """A reduction of every row, of the rows' columns, or of everything; an empty row gives the reduction's start."""

    def reference(x, axis):
        x = x if isinstance(x, RaggedValue) else RaggedValue.of(list(x), x.dtype)
        rows = x.rows()
        if axis == 0:
            rows = [
                np.array([row[k] for row in rows if len(row) > k], x.values.dtype)
                for k in range(max(map(len, rows), default=0))
            ]
        if axis is None:
            rows = [x.values]
        found = [function(row, initial=start(x.values.dtype), dtype=x.values.dtype) for row in rows]
        return np.array(found, x.values.dtype) if axis is not None else np.asarray(found[0])

    return reference


def least(dtype):
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def reduce_max(row, initial, dtype):
    return np.max(row, initial=initial)


def unbounded(result):
    """The largest of no numbers is the lowest of the dtype, which a reference in higher precision does not know."""
    if result.dtype.kind in "iu":
        return result
    lowest = [float(ml_dtypes.finfo(dtype).min) for dtype in FLOATS]
    return np.where(np.isin(result.astype(np.float64), lowest), np.array(-np.inf, result.dtype), result)


def reduce_mean(row, initial, dtype):
    return np.divide(row.sum(), len(row), dtype=dtype)


def concat(x, y, axis):
    if axis == 0:
        return of([*x.rows(), *y.rows()], x.values)
    if len(x.splits[0]) != len(y.splits[0]):
        raise ValueError("rows differ in number")
    return of([np.concatenate(rows) for rows in zip(x.rows(), y.rows(), strict=True)], x.values)


def padded(x, default):
    rows = x.rows()
    out = np.full((len(rows), max(map(len, rows), default=0)), default, x.values.dtype)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return out


def gather(x, indices):
    rows = x.rows()
    if indices.size and not (indices.min() >= 0 and indices.max() < len(rows)):
        raise ValueError("an index is out of range")
    return of([rows[k] for k in indices], x.values)


@program(
    "program.ragged_reduce_sum",
    R,
    each(None, 0, 1),
    kind="ragged",
    reference=reduced(np.sum, lambda dtype: 0),
    dtypes=NUMBERS,
)
def ragged_reduce_sum(x, axis):
    return tf.reduce_sum(x, axis)


@program(
    "program.ragged_reduce_max",
    R,
    each(None, 0, 1),
    kind="ragged",
    reference=reduced(reduce_max, least),
    canonical=unbounded,
    dtypes=(*FLOATS, *INTEGERS),
)
def ragged_reduce_max(x, axis):
    return tf.reduce_max(x, axis)


def ragged_or_uniform():
    """Rows of different lengths, of one length, and of one length and of equal numbers."""
    yield sample(R, 1)
    yield sample(T("n m"), 1, name="uniform")
    yield sample(T("n 7", form=lambda a: np.repeat(a[:, :1], 7, 1), edges=False), 1, name="equal")


def as_ragged(x):
    return x if isinstance(x, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(x)


@program("program.ragged_reduce_mean", kind="ragged", reference=reduced(reduce_mean, lambda dtype: 0), dtypes=FLOATS)
def ragged_reduce_mean(x, axis):
    return tf.reduce_mean(as_ragged(x), axis)


ragged_reduce_mean(ragged_or_uniform)


def deviation(row, initial, dtype):
    """The root of the mean square of the differences from the mean."""
    return np.sqrt(np.mean(np.square(row - row.mean())), dtype=dtype) if row.size else np.nan


@program("program.ragged_reduce_std", kind="ragged", reference=reduced(deviation, lambda dtype: 0), dtypes=FLOATS)
def ragged_reduce_std(x, axis):
    return tf.math.reduce_std(as_ragged(x), axis)


ragged_reduce_std(ragged_or_uniform)


@program("program.ragged_cumsum", R, kind="ragged", reference=by_row(np.cumsum), dtypes=FLOATS)
def ragged_cumsum(x):
    return tf.cumsum(x, axis=1)


@program("program.ragged_concat", R, Ragged("n k"), each(0, 1), kind="ragged", reference=concat)
def ragged_concat(x, y, axis):
    return tf.concat([x, y], axis)


@program("program.ragged_gather", R, I("k", below="n"), kind="ragged", reference=gather)
def ragged_gather(x, indices):
    return tf.gather(x, indices)


@program("program.ragged_tile", R, each([1, 2], [3, 1], [2, 2]), kind="ragged",
         reference=lambda x, by: of([np.tile(row, by[1]) for row in x.rows()] * by[0], x.values))
def ragged_tile(x, by):
    return tf.tile(x, by)


@program("program.ragged_to_tensor", R, T(""), kind="ragged", reference=padded)
def ragged_to_tensor(x, default):
    return x.to_tensor(default)


@program(
    "program.ragged_add",
    R,
    T(""),
    kind="ragged",
    reference=lambda x, y: RaggedValue(x.values + y, x.splits),
    dtypes=NUMBERS,
)
def ragged_add(x, y):
    return x + y


@program("program.ragged_slice", R, kind="ragged", reference=by_row(lambda row: row[-2:]))
def ragged_slice(x):
    return x[:, -2:]


@program("program.ragged_reverse", R, kind="ragged", reference=by_row(lambda row: row[::-1]))
def ragged_reverse(x):
    return tf.reverse(x, [1])


@program("program.ragged_expand_dims", R, kind="ragged",
         reference=lambda x: RaggedValue(x.values, (np.arange(len(x.splits[0])), x.splits[0])))
def ragged_expand_dims(x):
    return tf.expand_dims(x, 1)


@program("program.ragged_map_fn", R, kind="ragged", dtypes=FLOATS,
         reference=lambda x: np.array([np.sum(np.square(row)) for row in x.rows()], x.values.dtype))
def ragged_map_fn(x):
    return tf.map_fn(lambda row: tf.reduce_sum(tf.square(row)), x, fn_output_signature=x.dtype)
