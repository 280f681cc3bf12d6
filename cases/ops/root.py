"""The root namespace, tf.*: ops that shape, move, select and sort what is in a tensor, and make tensors from nothing.

Nearly all of them only move data, so NumPy has a namesake and agreement is exact. What is special is at the rims:
indices that are negative, out of range, repeated or absent, sizes of zero, and arguments such as a shape or an axis,
which are Python values in one sample and tensors in another (XLA needs to know them when it compiles).
"""

import operator
from functools import cache

import numpy as np

from tfparity import (
    DTYPE,
    FLOATS,
    INTEGERS,
    B,
    I,
    Sparse,
    T,
    Undefined,
    each,
    error,
    inf,
    kind,
    program,
    sample,
    tf,
)

from ..references.indexing import dynamic_stitch, ints, zeros_of
from ..references.ordering import bins, histogram, ordered, searchsorted, unique_with_counts

shaping = kind("shape and indexing")
casting = kind("cast")


def at(*values):
    """An input of just these integers."""
    return T(*np.shape(values), dtype="int32", edges=False, form=lambda drawn: np.array(values))


# --- shapes ----------------------------------------------------------------------------------------------------------


def shape_of(input, out_type="int32"):
    return np.array(getattr(input, "dense_shape", np.shape(input)), out_type)


def size_of(input, out_type="int32"):
    return np.array(np.prod(shape_of(input, "int64")), out_type)


def squeeze(input, axis=None):
    return np.squeeze(input, None if axis is None else tuple(axis))


def transpose(a, perm=None, conjugate=False):
    return np.transpose(np.conj(a) if conjugate and np.iscomplexobj(a) else a, perm)


def ensured(x, shape):
    if len(shape) != x.ndim or any(want not in (None, have) for want, have in zip(shape, x.shape, strict=True)):
        raise ValueError("the shapes are not compatible")
    return x


@shaping("tf.shape", shape_of)
def shape():
    yield sample(T("a b"), out_type="int32")
    yield sample(T("a b"), out_type="int64", name="int64")
    yield sample(T(""), name="scalar")
    yield sample(Sparse("a b"), name="sparse")


def with_dtype(f, input, out_type="int32"):
    """tf.size takes no name for a dtype."""
    return f(input, tf.as_dtype(out_type))


@shaping("tf.size", size_of, call=with_dtype)
def size():
    yield sample(T("a b"), out_type="int32")
    yield sample(T("a b"), out_type="int64", name="int64")
    yield sample(T(""), name="scalar")
    yield sample(Sparse("a b"), name="sparse")


@shaping("tf.rank", lambda input: np.int32(len(shape_of(input))))
def rank():
    yield sample(T("a b"))
    yield sample(T(""), name="scalar")
    yield sample(Sparse("a b c"), name="sparse")


shaping("tf.shape_n", lambda input, out_type: [shape_of(t, out_type) for t in input], [T("a b"), T("c"), T("")],
        out_type=each("int32", "int64"))
shaping("tf.expand_dims", np.expand_dims, T("a b"), each(0, 1, 2, -1, -3),
        errors=[error("beyond", np.ones((2, 3), np.float32), 3), error("below", np.ones((2, 3), np.float32), -4)])
shaping("tf.squeeze", squeeze, T("1 a 1 b"), axis=each(None, [0], [2, 0], [-2]),
        errors=[error("not-one", np.ones((1, 4), np.float32), axis=[1])])
shaping("tf.transpose", transpose, T("a b c"), perm=each(None, [0, 2, 1], [2, 0, 1], [-1, 0, 1]),
        conjugate=each(False, True),
        errors=[error("repeated", perm=[0, 1, 1]), error("beyond", perm=[0, 1, 3]), error("too-short", perm=[0, 1])])
shaping("tf.ensure_shape", ensured, T(4, 3), each([4, 3], [None, 3], [None, None]),
        errors=[error("other-size", np.ones((4, 3), np.float32), [None, 4]),
                error("other-rank", np.ones((4, 3), np.float32), [4, 3, 1])])


@shaping("tf.reshape", np.reshape,
         errors=[error("too-few", np.ones(3, np.float32), [4]), error("not-divisible", np.ones(5, np.float32), [2, -1]),
                 error("two-unknown", np.ones((2, 3), np.float32), [-1, -1]),
                 error("negative", np.ones((2, 3), np.float32), [-2, -3]),
                 error("scalar-shape", np.ones((2, 3), np.float32), 6)])
def reshape():
    yield sample(T("a b"), [-1])
    yield sample(T(4, 6), [2, -1, 3], name="unknown")
    yield sample(T(4, 6), [3, 8], name="known")
    yield sample(T(1, 1), [], name="to-scalar")
    yield sample(T(0, 3), [3, 0, 2], name="empty")
    yield sample(T(4, 6), ints(2, -1), name="tensor")
    yield sample(T(4, 6), ints(8, 3, dtype=np.int64), name="tensor-int64")


@shaping("tf.broadcast_to", lambda input, shape: np.broadcast_to(input, tuple(shape)),
         errors=[error("unequal", np.ones(3, np.float32), [2, 4]),
                 error("fewer-axes", np.ones((1, 3), np.float32), [3]),
                 error("negative", np.ones(3, np.float32), [-1])])
def broadcast_to():
    yield sample(T(3, 1), [3, 4], name="stretch")
    yield sample(T(3, 1), [2, 3, 4], name="more-axes")
    yield sample(T(""), [2, 3], name="scalar")
    yield sample(T(1, 3), [0, 3], name="to-empty")
    yield sample(T(3, 1), ints(2, 3, 5), name="tensor")


def broadcast_shape(x, y):
    return np.array(np.broadcast_shapes(tuple(x), tuple(y)))


@shaping("tf.broadcast_dynamic_shape", broadcast_shape, timed=False,
         errors=[error("incompatible", ints(2, 3), ints(3, 2))])
def broadcast_dynamic_shape():
    yield sample(ints(1, 2, 3), ints(5, 1, 3), name="int32")
    yield sample(ints(4, 1, dtype=np.int64), ints(7, 1, 5, dtype=np.int64), name="int64")
    yield sample(ints(0, 3), ints(1, 1), name="zero")
    yield sample(ints(), ints(2, 3), name="scalar")


def of_static_shapes(f, x, y):
    return tf.constant(f(tf.TensorShape(x), tf.TensorShape(y)).as_list(), tf.int32)


@shaping("tf.broadcast_static_shape", broadcast_shape, call=of_static_shapes, timed=False,
         errors=[error("incompatible", [2, 3], [3, 2])])
def broadcast_static_shape():
    yield sample([1, 2, 3], [5, 1, 3], name="stretch")
    yield sample([4, 1], [7, 1, 5], name="more-axes")
    yield sample([0, 3], [1, 1], name="zero")


# --- joining and parting ---------------------------------------------------------------------------------------------


def parts_of(value, axis=0):
    return list(np.moveaxis(value, axis, 0))


def split(value, num_or_size_splits, axis=0, num=None):
    if np.ndim(num_or_size_splits) == 0:
        return np.split(value, num_or_size_splits, axis)
    sizes = np.array(num_or_size_splits)
    if (sizes == -1).sum() == 1:
        sizes[sizes == -1] = value.shape[axis] - sizes.sum() - 1
    if sizes.sum() != value.shape[axis] or (sizes < 0).any():
        raise ValueError("the sizes do not sum to the dimension")
    return np.split(value, np.cumsum(sizes)[:-1], axis)


def tile(input, multiples):
    if len(multiples) != input.ndim:
        raise ValueError("one multiple for each dimension")
    return np.tile(input, multiples)


def padded(tensor, paddings, mode="CONSTANT", constant_values=0):
    for before_after, size in zip(paddings, tensor.shape, strict=True):
        if max(before_after) > {"REFLECT": size - 1, "SYMMETRIC": size}.get(mode.upper(), inf):
            raise ValueError("there is not enough to mirror")
    if mode.upper() == "CONSTANT":
        value = constant_values if tensor.dtype != object or constant_values else b""
        return np.pad(tensor, paddings, constant_values=value)
    return np.pad(tensor, paddings, mode.lower())


@shaping("tf.concat", np.concatenate,
         errors=[error("other-sizes", [np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)], 0),
                 error("other-ranks", [np.ones((2, 3), np.float32), np.ones(3, np.float32)], 0),
                 error("axis-beyond", [np.ones((2, 3), np.float32)] * 2, 2),
                 error("axis-beyond-of-one", [np.ones((2, 3), np.float32)], 2)])
def concat():
    yield sample([T("a b"), T("c b")], 0)
    yield sample([T("a b"), T("a c"), T("a b")], 1, name="three")
    yield sample([T("a b c"), T("a b d")], -1, name="last")
    yield sample([T("a b")], 0, name="one")
    yield sample([T(0, 3), T(2, 3), T(0, 3)], 0, name="empty-ones")
    yield sample([T("a b"), T("a c")], np.int32(1), name="tensor-axis")


@cache
def in_a_graph(f):
    """An op that only graphs have, as a function to call anywhere."""
    return tf.function(f, autograph=False)


shaping("tf.stack", np.stack, [T("a b"), T("a b"), T("a b")], axis=each(0, 1, -1),
        errors=[error("other-shapes", [np.ones(2, np.float32), np.ones(3, np.float32)]), error("axis-beyond", axis=3),
                error("no-list", np.ones((3, 2, 4), np.float32))])
shaping("tf.parallel_stack", np.stack, [T("a b"), T("a b"), T("a b")],
        call=lambda f, values: in_a_graph(f)(values))
shaping("tf.unstack", lambda value, num, axis: parts_of(value, axis), T("3 b 3"), num=each(3, None), axis=each(0, -1),
        errors=[error("axis-beyond", axis=3), error("num", num=2)])


@shaping("tf.split", split,
         errors=[error("not-divisible", np.ones((2, 5), np.float32), 2, axis=1),
                 error("sum", np.ones((2, 5), np.float32), [2, 2], axis=1),
                 error("axis-beyond", np.ones((2, 4), np.float32), 2, axis=2)])
def splits():
    yield sample(T("2*a b"), 2)
    yield sample(T("b 6"), 3, axis=1, name="columns")
    yield sample(T("b 6"), [1, 0, 3, 2], axis=-1, name="sizes")
    yield sample(T("b 6"), [2, -1, 1], axis=1, name="remaining")
    yield sample(T("b 6"), ints(4, 2), axis=1, num=2, name="tensor-sizes")


@shaping("tf.tile", tile, errors=[error("too-few", np.ones((2, 3), np.float32), [2]),
                                  error("negative", np.ones((2, 3), np.float32), [2, -1])])
def tiles():
    yield sample(T("a b"), [2, 3])
    yield sample(T("a b"), [1, 1], name="once")
    yield sample(T("a b"), [2, 0], name="none")
    yield sample(T(""), [], name="scalar")
    yield sample(T("a b"), ints(3, 1, dtype=np.int64), name="tensor")


@shaping("tf.repeat", np.repeat, errors=[error("other-length", np.ones((2, 3), np.float32), [1, 2], axis=1)])
def repeat():
    yield sample(T("a b"), 3, axis=0)
    yield sample(T("a b"), 2, name="flat")
    yield sample(T("a 3"), [2, 0, 1], axis=1, name="each")
    yield sample(T(3, "b"), ints(2, 0, 1), axis=-2, name="tensor")
    yield sample(T("a b"), 0, axis=-1, name="none")


@shaping("tf.pad", padded, errors=[error("reflect-beyond", np.ones(3, np.float32), [[3, 0]], mode="REFLECT"),
                                   error("symmetric-beyond", np.ones(3, np.float32), [[4, 0]], mode="SYMMETRIC"),
                                   error("negative", np.ones(3, np.float32), [[-1, 0]]),
                                   error("rank", np.ones((3, 2), np.float32), [[1, 1]]),
                                   error("mode", np.ones(3, np.float32), [[1, 0]], mode="EDGE")])
def pad():
    yield sample(T("a b"), [[1, 0], [2, 3]])
    yield sample(T("a b"), [[0, 2], [1, 1]], constant_values=T(""), name="value")
    yield sample(T(4, 3), [[3, 1], [0, 2]], mode="REFLECT", name="reflect")
    yield sample(T(4, 3), [[4, 1], [0, 3]], mode="SYMMETRIC", name="symmetric")
    yield sample(T(4, 3), ints([2, 1], [0, 2]), mode="reflect", name="tensor")


shaping("tf.meshgrid", np.meshgrid, T("a"), T("b"), T("c"), indexing=each("xy", "ij"),
        errors=[error("indexing", indexing="yx")])


# --- slicing and gathering -------------------------------------------------------------------------------------------


def cut(input_, begin, size):
    size = [n - b if s == -1 else s for b, s, n in zip(begin, size, input_.shape, strict=True)]
    if not all(0 <= b <= b + s <= n for b, s, n in zip(begin, size, input_.shape, strict=True)):
        raise ValueError("the slice reaches outside")
    return input_[tuple(slice(b, b + s) for b, s in zip(begin, size, strict=True))]


def strided_slice(input_, begin, end, strides=None, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
                  shrink_axis_mask=0):
    strides = [1] * len(begin) if strides is None else strides
    index = []
    for i, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        def has(mask, i=i):
            return bool(mask >> i & 1)

        if has(ellipsis_mask):
            index.append(...)
        elif has(new_axis_mask):
            index.append(np.newaxis)
        elif has(shrink_axis_mask):
            index.append(int(first))
        else:
            index.append(slice(None if has(begin_mask) else first, None if has(end_mask) else last, step))
    return input_[tuple(index)]


def in_range(indices, limits):
    if ((indices < 0) | (indices >= np.asarray(limits))).any():
        raise IndexError("an index is out of range")


def gather(params, indices, axis=None, batch_dims=0):
    batch_dims += indices.ndim if batch_dims < 0 else 0
    axis = batch_dims if axis is None else axis + (params.ndim if axis < 0 else 0)
    batch = params.shape[:batch_dims]
    if batch != indices.shape[:batch_dims]:
        raise ValueError("the batch dimensions disagree")
    in_range(indices, params.shape[axis])
    out = np.empty(params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:], params.dtype)
    for at in np.ndindex(batch):
        out[at] = np.take(params[at], indices[at], axis - batch_dims)
    return out


def gather_nd(params, indices, batch_dims=0, bad_indices_policy=""):
    depth, limits = indices.shape[-1], params.shape[batch_dims:batch_dims + indices.shape[-1]]
    out = zeros_of(indices.shape[:-1] + params.shape[batch_dims + depth:], params.dtype)
    if bad_indices_policy != "IGNORE":
        in_range(indices, limits)
    for at in np.ndindex(indices.shape[:-1]):
        if all(0 <= i < n for i, n in zip(indices[at], limits, strict=True)):
            out[at] = params[at[:batch_dims] + tuple(indices[at])]
    return out


def boolean_mask(tensor, mask, axis=0):
    axis += tensor.ndim if axis < 0 else 0
    if tensor.shape[axis:axis + mask.ndim] != mask.shape:
        raise ValueError("the shapes do not conform")
    return tensor[(slice(None),) * axis + (mask,)]


@shaping("tf.slice", cut, errors=[error("begin-beyond", np.ones((4, 3), np.float32), [5, 0], [0, 1]),
                                  error("size-beyond", np.ones((4, 3), np.float32), [2, 0], [3, 1]),
                                  error("negative", np.ones((4, 3), np.float32), [-1, 0], [1, 1])])
def slices():
    yield sample(T("a b"), [0, 0], [-1, -1])
    yield sample(T(4, 5, 3), [1, 2, 0], [2, 3, 1], name="inner")
    yield sample(T(4, 5, 3), [4, 0, 2], [-1, 5, 0], name="to-empty")
    yield sample(T(4, 5), ints(1, 2), ints(3, -1), name="tensor")
    yield sample(T(4, 5), ints(1, 2, dtype=np.int64), [2, 1], name="tensor-begin")


@shaping("tf.strided_slice", strided_slice,
         errors=[error("zero-stride", np.ones((4, 3), np.float32), [0, 0], [2, 2], [1, 0]),
                 error("shrink-beyond", np.ones((4, 3), np.float32), [4], [5], shrink_axis_mask=1),
                 error("two-ellipses", np.ones((4, 3), np.float32), [0, 0], [1, 1], ellipsis_mask=3)])
def strided_slices():
    yield sample(T(5, 6, 3), [1, 0, 0], [4, 5, 3], [2, 3, 1], name="strides")
    yield sample(T(5, 6, 3), [-1, 5, 2], [-5, 0, 0], [-1, -2, -1], name="backwards")
    yield sample(T(5, 6), [-99, 3], [99, 2], name="beyond")
    yield sample(T(5, 6), [3, 3], [1, 1], [-1, -2], begin_mask=1, end_mask=2, name="open-backwards")
    yield sample(T(5, 6, 3), [1, 0, -1], [2, 0, 0], shrink_axis_mask=5, begin_mask=2, end_mask=2, name="shrink")
    yield sample(T(5, 6, 3), [0, 0, 0, 1], [0, 0, 0, 2], new_axis_mask=5, ellipsis_mask=2, name="new-axes")
    yield sample(T(5, 6), ints(4, 1), ints(0, 6), ints(-2, 2), name="tensor")


@shaping("tf.gather", gather, errors=[error("axis-beyond", np.ones((2, 3), np.float32), ints(0), axis=2),
                                      error("from-nothing", np.ones((0, 0), np.float32), ints([0, 0], [0, 0]))])
def gathers():
    yield sample(T("n d"), I("m", below="n"), batch_dims=0)
    yield sample(T("n d"), I("m k", below="d"), axis=1, name="columns")
    yield sample(T("n d e"), I("", below="d"), axis=-2, name="scalar")
    yield sample(T("b n d"), I("b m", below="n"), batch_dims=1, name="batch")
    yield sample(T("b n d"), I("b m", below="d", dtype="int64"), axis=2, batch_dims=1, name="batch-axis")
    yield sample(T("b n"), I("b n", below="n"), batch_dims=-1, name="batch-negative")


@shaping("tf.gather_nd", gather_nd, errors=[error("too-deep", np.ones((2, 3), np.float32), ints([0, 0, 0]))])
def gathers_nd():
    yield sample(T(4, 4, "d"), I("m 2", below=4))
    yield sample(T(4, 4), I("m k 2", below=4, dtype="int64"), name="scalars")
    yield sample(T("n d"), I("m 0", below="n"), name="whole")
    yield sample(T("b 4 d"), I("b m 1", below=4), batch_dims=1, name="batch")
    yield sample(T(4, 4), I("m 2", within=(-3, 6)), bad_indices_policy="IGNORE", name="ignore")


@shaping("tf.boolean_mask", boolean_mask, errors=[error("other-shape", np.ones((2, 3), np.float32), np.ones(3, bool))])
def boolean_masks():
    yield sample(T("a b"), B("a"))
    yield sample(T("a b c"), B("a b"), name="two")
    yield sample(T("a b c"), B("b"), axis=1, name="axis")
    yield sample(T("a b"), np.zeros(4, bool), sizes={"a": 4}, name="none")


def where(condition, x=None, y=None):
    return np.argwhere(condition) if x is None else np.where(condition, x, y)


@shaping("tf.where", where, errors=[error("one-of-two", np.array([True, False]), np.ones(2, np.float32))])
def wheres():
    yield sample(B(), T(), T())
    yield sample(T("a b"), name="nonzero")
    yield sample(T(0, 3), name="nonzero-empty")
    yield sample(B("a b c"), name="true")


# --- scattering ------------------------------------------------------------------------------------------------------


def scattering(combine):
    """tf.tensor_scatter_nd_*: `combine(place, update)` at each index vector, in order."""

    def scatter(tensor, indices, updates, bad_indices_policy=""):
        out, limits = tensor.copy(), tensor.shape[:indices.shape[-1]]
        if bad_indices_policy != "IGNORE":
            in_range(indices, limits)
        for at in np.ndindex(indices.shape[:-1]):
            if all(0 <= i < n for i, n in zip(indices[at], limits, strict=True)):
                where = tuple(indices[at])
                out[where] = combine(out[where], updates[at])
        return out

    return scatter


def scatter_nd(indices, updates, shape, bad_indices_policy=""):
    return scattering(operator.add)(zeros_of(tuple(shape), updates.dtype), indices, updates, bad_indices_policy)


def distinct(indices):
    """Index vectors into a tensor of 8 rows, no two the same: which of two writers wins is not documented."""
    return (np.arange(indices.size) * 3 % 8).reshape(indices.shape)


@shaping("tf.scatter_nd", scatter_nd,
         errors=[error("too-deep", ints([0, 0]), np.ones(1, np.float32), [4]),
                 error("other-updates", ints([0], [1]), np.ones((2, 5), np.float32), [4, 3]),
                 error("fewer-axes", ints([[0]], [[1]]), np.ones(2, np.float32), [4])])
def scatters_nd():
    yield sample(I("m 1", below=6), T("m 3"), [6, 3])
    yield sample(I("m 2", below=4), T("m"), [4, 4], name="scalars")
    yield sample(I("m k 1", below=6, dtype="int64"), T("m k 3"), ints(6, 3, dtype=np.int64), name="tensor-shape")
    yield sample(I("m 1", within=(-3, 8)), T("m 3"), [6, 3], bad_indices_policy="IGNORE", name="ignore")


update_errors = [error("beyond", np.ones(4, np.float32), ints([4]), np.ones(1, np.float32)),
                 error("negative", np.ones(4, np.float32), ints([-1]), np.ones(1, np.float32)),
                 error("other-updates", np.ones((4, 2), np.float32), ints([0]), np.ones((1, 3), np.float32)),
                 error("too-deep", np.ones(4, np.float32), ints([0, 0]), np.ones(1, np.float32)),
                 error("fewer-axes", np.ones(4, np.float32), ints([[0]], [[1]]), np.ones(2, np.float32))]


@shaping("tf.tensor_scatter_nd_update", scattering(lambda place, update: update), errors=update_errors)
def tensor_scatter_nd_update():
    yield sample(T(8, "d"), T(5, 1, dtype="int32", form=distinct, edges=False), T(5, "d"))
    yield sample(T(8), T(2, 3, 1, dtype="int64", form=distinct, edges=False), T(2, 3), name="scalars")
    yield sample(T(8, "d"), T(0, 1, dtype="int32"), T(0, "d"), name="none")


for name, combine in {"add": operator.add, "sub": operator.sub, "min": np.minimum, "max": np.maximum}.items():
    @shaping(f"tf.tensor_scatter_nd_{name}", scattering(combine), errors=update_errors)
    def tensor_scatter_nd():
        yield sample(T("n d"), I("m 1", below="n"), T("m d"))
        yield sample(T(4, 4), I("m 2", below=4, dtype="int64"), T("m"), name="scalars")
        yield sample(T(4, "d"), I("m 1", within=(-3, 6)), T("m d"), bad_indices_policy="IGNORE", name="ignore")


# --- reversing and rolling -------------------------------------------------------------------------------------------


def reverse_sequence(input, seq_lengths, seq_axis, batch_axis=0):
    out = input.copy()
    if len(seq_lengths) != input.shape[batch_axis] or (seq_lengths > input.shape[seq_axis]).any():
        raise ValueError("one length for each of the batch, none longer than the sequence")
    for i, length in enumerate(seq_lengths):
        at = [slice(None)] * input.ndim
        at[batch_axis], at[seq_axis] = slice(i, i + 1), slice(length)
        out[tuple(at)] = np.flip(input[tuple(at)], seq_axis)
    return out


@shaping("tf.reverse", lambda tensor, axis: np.flip(tensor, tuple(axis)),
         errors=[error("twice", np.ones((2, 3), np.float32), [1, -1]),
                 error("beyond", np.ones((2, 3), np.float32), [2])])
def reverses():
    yield sample(T("a b c"), [0])
    yield sample(T("a b c"), [-1, 1], name="two")
    yield sample(T("a b"), [], name="none")
    yield sample(T("a b c"), ints(1), name="tensor")


@shaping("tf.reverse_sequence", reverse_sequence, axis_options=("seq_axis", "batch_axis"),
         errors=[error("too-long", np.ones((2, 3), np.float32), ints(3, 4), seq_axis=1),
                 error("other-length", np.ones((2, 3), np.float32), ints(3), seq_axis=1)])
def reverse_sequences():
    yield sample(T("n 5 d"), I("n", within=(0, 5)), seq_axis=1)
    yield sample(T(5, "n d"), I("n", within=(0, 5), dtype="int64"), seq_axis=0, batch_axis=1, name="batch-second")


@shaping("tf.roll", np.roll, errors=[error("beyond", np.ones((2, 3), np.float32), 1, 2)])
def roll():
    yield sample(T("a b"), 2, 0)
    yield sample(T("a b"), [1, -2], [0, 1], name="two")
    yield sample(T("a b"), [2, -3], [1, 1], name="same-axis")
    yield sample(T("a b"), -11, -1, name="wrap")
    yield sample(T("a b"), ints(3, 1), ints(1, 0), name="tensor")
    yield sample(T("a b"), I("", within=(-9, 9), dtype="int64"), 1, name="tensor-int64")


# --- sorting and searching -------------------------------------------------------------------------------------------


def sort(values, axis=-1, direction="ASCENDING"):
    up = np.sort(ordered(values), axis)
    return up if direction == "ASCENDING" else np.flip(up, axis)


def argsort(values, axis=-1, direction="ASCENDING", stable=False):
    if direction == "ASCENDING":
        return np.argsort(ordered(values), axis, kind="stable")
    return values.shape[axis] - 1 - np.flip(np.argsort(np.flip(ordered(values), axis), axis, kind="stable"), axis)


def repeating(values):
    """The same with repeats."""
    return np.resize(values[:-(-len(values) // 2)], values.shape)


def unravel_index(indices, dims):
    return np.stack(np.unravel_index(indices, tuple(dims)))


sort_errors = [error("direction", direction="SIDEWAYS"), error("axis-beyond", axis=2)]

shaping("tf.sort", sort, T("a b"), axis=each(-1, 0), direction=each("ASCENDING", "DESCENDING"), errors=sort_errors)
shaping("tf.argsort", argsort, T("a b", form=repeating), axis=each(-1, 0), direction=each("ASCENDING", "DESCENDING"),
        stable=True, errors=sort_errors)
shaping("tf.searchsorted", searchsorted, T("a n", form=np.sort, edges=False), T("a m"), side=each("left", "right"),
        out_type=each("int32", "int64"))
shaping("tf.unique", lambda x, out_idx: unique_with_counts(x, out_idx)[:2], T("n", form=repeating),
        out_idx=each("int32", "int64"))
shaping("tf.unique_with_counts", unique_with_counts, T("n", form=repeating), out_idx=each("int32", "int64"))
shaping("tf.unravel_index", unravel_index, T("n", within=(0, 23)), [2, 3, 4], dtypes=["int32", "int64"],
        errors=[error("beyond", ints(24), [2, 3, 4]), error("negative", ints(-1), [2, 3, 4])])


# --- tensors from nothing --------------------------------------------------------------------------------------------


def one_hot(indices, depth, on_value=1, off_value=0, axis=-1, dtype="float32"):
    kind = getattr(on_value, "dtype", dtype)
    hot = np.arange(depth) == indices[..., None]
    return np.moveaxis(np.where(hot, np.asarray(on_value, kind), np.asarray(off_value, kind)), -1, axis)


def sequence_mask(lengths, maxlen=None, dtype=bool):
    if maxlen is None and not lengths.size:
        raise Undefined("there is no longest of none")
    return (np.arange(lengths.max() if maxlen is None else maxlen) < lengths[..., None]).astype(dtype)


def counted(start, limit=None, delta=1, dtype=None):
    start, limit = (start * 0, start) if limit is None else (start, limit)
    start = start if dtype is None else dtype(start)
    if np.asarray(start + limit).dtype.kind in "iu":
        start, limit, delta, dtype = int(start), int(limit), int(delta), np.asarray(start).dtype
    if delta == 0 or (limit - start) * delta < 0:
        raise ValueError("the limit is never reached")
    if isinstance(start, int):
        return np.arange(start, limit, delta).astype(dtype)
    return start + np.arange(int(np.ceil((limit - start) / delta))).astype(start.dtype) * delta


def eye(num_rows, num_columns=None, batch_shape=(), dtype="float32"):
    one = np.eye(num_rows, num_columns, dtype=dtype)
    return np.broadcast_to(one, (*batch_shape, *one.shape))


def filled(dims, value):
    return np.full(tuple(dims), value, value.dtype)


def zeros_like(input, dtype=None):
    return zeros_of(input.shape, dtype or input.dtype)


@shaping("tf.one_hot", one_hot, errors=[error("axis-beyond", ints(0, 1), 3, axis=3),
                                        error("negative-depth", ints(0, 1), -1)])
def one_hots():
    yield sample(I("a b", within=(-2, 5)), 4, dtype=DTYPE)
    yield sample(I("a b", within=(-2, 5), dtype="int64"), 4, on_value=T(""), off_value=T(""), axis=0, name="values")
    yield sample(I("a", within=(0, 5), dtype="uint8"), 3, axis=1, dtype=DTYPE, name="uint8")
    yield sample(I("a b", within=(-2, 5)), 0, axis=1, dtype=DTYPE, name="depth-0")


@shaping("tf.sequence_mask", sequence_mask)
def sequence_masks():
    yield sample(I("a b", within=(0, 5)), 5, dtype=DTYPE)
    yield sample(I("a", within=(0, 5), dtype="int64"), name="longest")
    yield sample(I("", within=(0, 5)), 7, dtype=DTYPE, name="scalar")
    yield sample(I("a", within=(0, 5)), np.int32(6), dtype=DTYPE, name="tensor")


# Edge values stay away: the length of the result grows with limit - start and with 1 / delta.
@shaping("tf.range", counted, dtypes=[*FLOATS, "int32", "int64"],
         errors=[error("zero-delta", np.float32(0), np.float32(3), np.float32(0)),
                 error("wrong-way", np.int32(3), np.int32(0), np.int32(1)),
                 error("never", np.int32(0), np.int32(3), np.int32(-1))])
def ranges():
    start, limit, delta = (T("", within=bounds, edges=False) for bounds in ((0, 6), (8, 60), (1, 4)))
    yield sample(start, limit, delta)
    yield sample(T("", within=(1, 12), edges=False), name="limit")
    yield sample(np.float32(3), np.float32(1), np.float32(-0.5), name="down")
    yield sample(np.int32(10), np.int32(-7), np.int32(-3), name="down-int32")
    yield sample(np.float64(0), np.float64(1), np.float64(0.1), name="tenths")
    yield sample(np.int64(2), np.int64(2), np.int64(5), name="none")
    yield sample(np.int32(1136033460), np.int32(-2110457150), np.int32(-1849827689), name="far")
    yield sample(np.int32(0), np.int32(2**31 - 1), np.int32(2**31 - 2), name="farthest")
    yield sample(2, 9, 3, dtype=np.float64, name="python-as-float64")


@shaping("tf.linspace", np.linspace, dtypes=["float32", "float64", "bfloat16"],
         errors=[error("none", np.float32(0), np.float32(1), 0)])
def linspace():
    yield sample(T("a"), T("a"), 5)
    yield sample(T("a b"), T("a b"), 3, axis=-1, name="last")
    yield sample(T(""), T(""), 2, name="ends")
    yield sample(T(""), T(""), 1, name="one")
    yield sample(T("a"), T("a"), np.int32(4), name="tensor")


@shaping("tf.eye", eye, errors=[error("negative", -1)])
def eyes():
    yield sample(3, dtype=DTYPE)
    yield sample(2, 4, batch_shape=[2, 1], dtype=DTYPE, name="batch")
    yield sample(0, 3, dtype=DTYPE, name="empty")
    yield sample(np.int32(4), np.int32(2), dtype=DTYPE, name="tensor")


too_many = ints(700_000, 800_000, 900_000, 600_000)        # past 2**63 together


@shaping("tf.fill", filled, errors=[error("negative", [2, -1], np.float32(1)),
                                    error("overflow", too_many, np.float32(1)),
                                    error("overflow-known", too_many.tolist(), np.float32(1))])
def fill():
    yield sample([2, 3], T(""))
    yield sample([], T(""), name="scalar")
    yield sample([0, 3], T(""), name="empty")
    yield sample(I(2, within=(2, 4), dtype="int64"), T(""), name="tensor")


@shaping("tf.zeros", zeros_of, errors=[error("negative", [2, -1]), error("overflow", too_many.tolist())])
def zeros():
    yield sample([2, 3], dtype=DTYPE)
    yield sample([0], dtype=DTYPE, name="empty")
    yield sample(ints(2, 3), dtype=DTYPE, name="tensor")


@shaping("tf.ones", np.ones, errors=[error("negative", [2, -1]), error("overflow", too_many.tolist())])
def ones():
    yield sample([2, 3], dtype=DTYPE)
    yield sample([0], dtype=DTYPE, name="empty")
    yield sample(ints(2, 3), dtype=DTYPE, name="tensor")


shaping("tf.zeros_like", zeros_like, T("a b"), dtype=each(None, "int64", "bool", "float16"))
shaping("tf.ones_like", np.ones_like, T("a b"), dtype=each(None, "int64", "bool", "float16"))
casting("tf.constant", lambda value, dtype, shape: np.array(value, dtype).reshape(shape or np.shape(value)),
        each([[1, 0, 3], [4, 5, 6]], [[7, 7, 7], [7, 7, 7]]), dtype=DTYPE, shape=each(None, [3, 2], [6]),
        errors=[error("other-size", shape=[4])])


def through_a_proto(f, values, dtype):
    return tf.make_ndarray(tf.make_tensor_proto(values, dtype))


for name in ("make_tensor_proto", "make_ndarray"):
    shaping(f"tf.{name}", np.array, each([[1, 0, 3], [4, 5, 6]], [7], []), dtype=DTYPE, call=through_a_proto)


@shaping("tf.convert_to_tensor", lambda value, dtype=None, dtype_hint=None: np.array(value, dtype or dtype_hint))
def convert_to_tensor():
    yield sample(T("a b"))
    yield sample([T("b"), T("b"), T("b")], name="rows")
    yield sample([[T(""), T("")], [T(""), T("")]], name="scalars")
    yield sample([[1, 2], [3, 4]], dtype=np.float64, name="python-as-float64")
    yield sample([[1, 2], [3, 4]], dtype_hint=np.float32, name="python-as-float32-at-best")


# --- the same tensor, for the gradient or the runtime ----------------------------------------------------------------


def with_gradient(f, x):
    """The op's value, and its gradient beside the factor x, which tells whether the op let it through."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        z = x * y
    return y, tape.gradient(z, x)


shaping("tf.identity", lambda input: input, T("a b"))
shaping("tf.identity_n", lambda input: input, [T("a b"), T("c"), I("a")])
shaping("tf.guarantee_const", lambda input: input, T("a b"))
shaping("tf.stop_gradient", lambda input: (input, input), T(), call=with_gradient, dtypes=["float32", "float64"])
shaping("tf.grad_pass_through", lambda x: (np.floor(x), x + np.floor(x)), T(domain=(-9, 9)),
        call=lambda f, x: with_gradient(f(tf.math.floor), x), dtypes=["float32", "float64"])


# --- partitions and batches ------------------------------------------------------------------------------------------


def dynamic_partition(data, partitions, num_partitions):
    in_range(partitions, num_partitions)
    if data.shape[:partitions.ndim] != partitions.shape:
        raise ValueError("the data must begin with the partitions' shape")
    return [data[partitions == k] for k in range(num_partitions)]


def space_to_batch(input, block_shape, paddings):
    blocks, m = tuple(block_shape), len(block_shape)
    rest = input.ndim - m - 1
    padded = np.pad(input, [(0, 0), *(tuple(p) for p in paddings), *[(0, 0)] * rest])
    grid = [size for n, b in zip(padded.shape[1:], blocks, strict=False) for size in (n // b, b)]
    if any(n % b for n, b in zip(padded.shape[1:], blocks, strict=False)):
        raise ValueError("the blocks do not divide the padded size")
    apart = padded.reshape(padded.shape[0], *grid, *padded.shape[m + 1:])
    inner, outer = range(2, 2 * m + 1, 2), range(1, 2 * m + 1, 2)
    apart = apart.transpose(*inner, 0, *outer, *range(2 * m + 1, apart.ndim))
    return apart.reshape(-1 if padded.size else padded.shape[0] * int(np.prod(blocks)), *apart.shape[m + 1:])


def batch_to_space(input, block_shape, crops):
    blocks, m = tuple(block_shape), len(block_shape)
    batch = input.shape[0] // int(np.prod(blocks))
    if batch * int(np.prod(blocks)) != input.shape[0]:
        raise ValueError("the blocks do not divide the batch")
    apart = input.reshape(*blocks, batch, *input.shape[1:])
    pairs = [axis for i in range(m) for axis in (m + 1 + i, i)]
    apart = apart.transpose(m, *pairs, *range(2 * m + 1, apart.ndim))
    sizes = [n * b for n, b in zip(input.shape[1:], blocks, strict=False)]
    whole = apart.reshape(batch, *sizes, *input.shape[m + 1:])
    if any(a + b > n for (a, b), n in zip(crops, sizes, strict=True)):
        raise ValueError("more is cropped than there is")
    return whole[(slice(None), *(slice(a, n - b) for (a, b), n in zip(crops, sizes, strict=True)))]


def space_to_batch_paddings(input_shape, block_shape, base_paddings=None):
    base = np.zeros((len(input_shape), 2), int) if base_paddings is None else base_paddings
    more = -(input_shape + base.sum(1)) % block_shape
    return base + np.stack([0 * more, more], 1), np.stack([0 * more, more], 1)


@shaping("tf.dynamic_partition", dynamic_partition)
def partitions():
    yield sample(T("n d"), I("n", below=3), 3)
    yield sample(T("n d"), I("n d", below=2), 2, name="two-dimensional")
    yield sample(T("n d"), I("", below=2), 2, name="scalar")


@shaping("tf.dynamic_stitch", dynamic_stitch,
         errors=[error("negative", [ints(0, -1)], [np.ones((2, 3), np.float32)]),
                 error("other-shape", [ints(0, 1)], [np.ones((3, 3), np.float32)])])
def stitches():
    yield sample([at(4, 1), at([5, 2], [0, 3])], [T(2, "d"), T(2, 2, "d")])
    yield sample([at(2), at(1, 0)], [T(1, "d"), T(2, "d")], name="vectors")
    yield sample([at(0, 1, 0), at(1, 2)], [T(3, "d"), T(2, "d")], name="repeats")
    yield sample([at(4, 1)], [T(2, "d")], name="gaps")


block_errors = [error("zero-block", np.ones((1, 2, 2, 1), np.float32), [0, 2], [[0, 0], [0, 0]]),
                error("not-divisible", np.ones((1, 3, 2, 1), np.float32), [2, 2], [[0, 0], [0, 0]]),
                error("negative", np.ones((1, 3, 2, 1), np.float32), [2, 2], [[-1, 0], [0, 0]])]

for name in ("space_to_batch", "space_to_batch_nd"):
    @shaping(f"tf.{name}", space_to_batch, errors=block_errors)
    def space_to_batches():
        yield sample(T("a 2*b 6 c"), [2, 3], [[0, 0], [0, 0]])
        yield sample(T("a 3 4 c"), [2, 2], [[1, 0], [0, 2]], name="padded")
        yield sample(T("a 6"), [3], [[2, 1]], name="one")
        yield sample(T("a 4 3"), ints(2), ints([0, 2]), name="tensor")


@shaping("tf.batch_to_space", batch_to_space,
         errors=[error("not-divisible", np.ones((3, 1, 1, 1), np.float32), [2, 2], [[0, 0], [0, 0]]),
                 error("crops-beyond", np.ones((4, 1, 1, 1), np.float32), [2, 2], [[2, 1], [0, 0]])])
def batch_to_spaces():
    yield sample(T("6*a b 4 c"), [2, 3], [[0, 0], [0, 0]])
    yield sample(T("4*a 3 4 c"), [2, 2], [[1, 0], [0, 3]], name="cropped")
    yield sample(T("2*a 4 3"), ints(2), ints([3, 2]), name="tensor")


@shaping("tf.required_space_to_batch_paddings", space_to_batch_paddings, timed=False)
def required_paddings():
    yield sample(I("n", within=(0, 99)), I("n", within=(1, 9)))
    yield sample(I("n", within=(0, 99)), I("n", within=(1, 9)), base_paddings=I("n 2", within=(0, 9)), name="base")


# --- clipping --------------------------------------------------------------------------------------------------------

clipping = kind("elementwise unary")


def clip_by_value(t, clip_value_min, clip_value_max):
    low, high = np.asarray(clip_value_min, t.dtype), np.asarray(clip_value_max, t.dtype)
    if np.broadcast_shapes(t.shape, low.shape, high.shape) != t.shape:
        raise ValueError("the bounds would enlarge the tensor")
    return np.where(t < low, low, np.where(t > high, high, t))


def clip_by_norm(t, clip_norm, axes=None):
    if np.isnan(t).any():
        raise Undefined("the norm is NaN: neither below the limit nor above it")
    norm = np.sqrt(np.sum(t * t, None if axes is None else tuple(axes), keepdims=True))
    return np.where(norm <= clip_norm, t, t * max(clip_norm, 0) / norm)


def clip_by_global_norm(t_list, clip_norm, use_norm=None):
    norm = np.sqrt(sum(np.sum(t * t) for t in t_list)) if use_norm is None else use_norm
    scale = clip_norm / max(norm, clip_norm) if np.isfinite(norm) else np.nan
    return [t * scale for t in t_list], norm


@clipping("tf.clip_by_value", clip_by_value,
          errors=[error("enlarging", np.ones(3, np.float32), np.zeros((2, 3), np.float32), np.float32(1)),
                  error("unbroadcastable", np.ones(3, np.float32), np.zeros(2, np.float32), np.float32(1))])
def clip_by_values():
    yield sample(T(), T("", within=(-2, 0)), T("", within=(0, 3)))
    yield sample(T("a b"), T("b", within=(-2, 0)), T("a 1", within=(1, 3)), name="broadcast")
    yield sample(T("a b"), 1, 3, name="constants")


@clipping("tf.clip_by_norm", clip_by_norm, errors=[error("norm-not-scalar", np.ones(3, np.float32), ints(1, 2))])
def clip_by_norms():
    yield sample(T("a b"), T("", within=(0.5, 3)))
    yield sample(T("a b"), T("", within=(0.5, 3)), axes=[1], name="rows")
    yield sample(T("a b"), T("", within=(0.5, 3)), axes=[0], name="columns")
    yield sample(T("a b"), T("", within=(-3, -1)), name="negative")
    yield sample(T("a b"), np.float32(np.inf), name="no-limit")


@clipping("tf.clip_by_global_norm", clip_by_global_norm, errors=[error("no-list", np.ones(3, np.float32), 1.0)])
def clip_by_global_norms():
    yield sample([T("a b"), T("c")], T("", within=(0.5, 3)))
    yield sample([T("a b"), T("c")], T("", within=(20, 30)), name="below")
    yield sample([T("a b")], T("", within=(0.5, 3)), use_norm=T("", within=(5, 9)), name="given")


# --- counting and comparing ------------------------------------------------------------------------------------------

counting = kind("reductions and scans")


def levenshtein(a, b):
    """How many insertions, deletions and substitutions lead from one sequence to the other."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, above = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return row[-1]


def edit_distance(hypothesis, truth, normalize=True):
    out = np.zeros(np.maximum(hypothesis.dense_shape, truth.dense_shape)[:-1])
    for at in np.ndindex(out.shape):
        a, b = (s.values[(s.indices[:, :-1] == at).all(1)].tolist() for s in (hypothesis, truth))
        distance = levenshtein(a, b)
        out[at] = distance if not normalize else distance / len(b) if b else inf if a else 0
    return out


def top_k(input, k, reduction_dimension=-1, is_max_k=True, **recall):
    x = np.moveaxis(input, reduction_dimension, -1)
    if any(len(set(row)) < len(row) for row in ordered(x)):
        raise Undefined("which of equal values comes first")
    at = np.argsort(-x if is_max_k else x, -1)[..., :k]
    found = np.take_along_axis(x, at, -1), at.astype(np.int32)
    return [np.moveaxis(part, -1, reduction_dimension) for part in found]


eight = T(2, form=lambda drawn: np.array([0, 8]), edges=False)
range_errors = [error("empty-range", np.ones(3, np.float32), np.float32([5, 5])),
                error("reversed-range", np.ones(3, np.float32), np.float32([5, 0])),
                error("infinite-range", np.ones(3, np.float32), np.float32([-np.inf, 0])),
                error("no-bins", np.ones(3, np.float32), np.float32([0, 5]), nbins=0)]

counting("tf.histogram_fixed_width", histogram, T("n m", domain=(-2, 10)), eight, nbins=each(4, 7),
         dtype=each("int32", "int64"), errors=range_errors)
counting("tf.histogram_fixed_width_bins", bins, T("n m", domain=(-2, 10)), eight, nbins=each(4, 7),
         dtype=each("int32", "int64"), errors=range_errors)
counting("tf.edit_distance", edit_distance, Sparse("n 4", domain=(0, 2)), Sparse("n 5", domain=(0, 2)),
         normalize=each(True, False))
counting("tf.approx_top_k", top_k, each(T("a 9"), T("9 a")), 3, reduction_dimension=each(-1, 0),
         is_max_k=each(True, False), aggregate_to_topk=each(True, False), recall_target=1.0,   # of 1: exact
         errors=[error("k-beyond", k=10)])


# --- hashes and permutations -----------------------------------------------------------------------------------------

hashing = kind("integer and bitwise")
random = kind("random", random=True)

K0, K1, K2, WORD = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, (1 << 64) - 1


def farmhash64(s):
    """Google's Fingerprint64 of up to 64 bytes, from the published algorithm."""
    def fetch(at, size=8):
        at += len(s) if at < 0 else 0
        return int.from_bytes(s[at:at + size], "little")

    def rotate(value, by):
        value &= WORD
        return (value >> by | value << (64 - by)) & WORD

    def mix(u, v):
        a = (u ^ v) * mul & WORD
        b = (v ^ a ^ a >> 47) * mul & WORD
        return (b ^ b >> 47) * mul & WORD

    mul = K2 + 2 * len(s) & WORD
    if len(s) > 64:
        raise Undefined("a block hash that is not written out here")
    if not s:
        return K2
    if len(s) < 4:
        y, z = s[0] + (s[len(s) >> 1] << 8), len(s) + (s[-1] << 2)
        mixed = (y * K2 ^ z * K0) & WORD
        return (mixed ^ mixed >> 47) * K2 & WORD
    if len(s) < 8:
        return mix(len(s) + (fetch(0, 4) << 3), fetch(-4, 4))
    if len(s) <= 16:
        a, b = fetch(0) + K2 & WORD, fetch(-8)
        return mix(rotate(b, 37) * mul + a & WORD, (rotate(a, 25) + b) * mul & WORD)
    a, b = fetch(0) * (K1 if len(s) <= 32 else K2) & WORD, fetch(8)
    c, d = fetch(-8) * mul & WORD, fetch(-16) * K2 & WORD
    y, z = rotate(a + b, 43) + rotate(c, 30) + d & WORD, a + rotate(b + K2, 18) + c & WORD
    if len(s) <= 32:
        return mix(y, z)
    z = mix(y, z)
    e, f, g, h = fetch(16) * mul & WORD, fetch(24), (y + fetch(-32)) * mul & WORD, (z + fetch(-24)) * mul & WORD
    return mix(rotate(e + f, 43) + rotate(g, 30) + h & WORD, e + rotate(f + a, 18) + g & WORD)


def fingerprint(data, method="farmhash64"):
    prints = [farmhash64(row.tobytes()).to_bytes(8, "little") for row in data]
    return np.frombuffer(b"".join(prints), np.uint8).reshape(len(data), 8)


@hashing("tf.fingerprint", fingerprint, dtypes=[*INTEGERS, "bool"],        # references see floats widened: other bytes
         errors=[error("method", np.ones((2, 3), np.int32), "md5"), error("scalar", np.int32(1))])
def fingerprints():
    yield sample(T("n 7"))
    yield sample(T("n 3"), name="short")
    yield sample(T("n 2 1"), name="short-2")


def is_permutation(result, index, seed, max_index, rounds=4):
    return bool((np.sort(result) == index).all())


random("tf.random_index_shuffle", None, T(10, form=lambda drawn: np.arange(10), edges=False), at(1, 2, 3), 9,
       rounds=each(4, 8), invariant=is_permutation)


# --- patches ---------------------------------------------------------------------------------------------------------

image = kind("image")


def volume_patches(input, ksizes, strides, padding):
    if padding == "SAME":
        missing = [max((-(-n // s) - 1) * s + k - n, 0)
                   for n, s, k in zip(input.shape, strides, ksizes, strict=True)]
        input = np.pad(input, [(m // 2, m - m // 2) for m in missing])
    windows = np.lib.stride_tricks.sliding_window_view(input, ksizes[1:4], (1, 2, 3))
    windows = windows[:, ::strides[1], ::strides[2], ::strides[3]].transpose(0, 1, 2, 3, 5, 6, 7, 4)
    return windows.reshape(*windows.shape[:4], -1) if windows.size else windows.reshape(
        *windows.shape[:4], int(np.prod(windows.shape[4:])))


image("tf.extract_volume_patches", volume_patches, T("a 4 5 3 c"), ksizes=[1, 2, 3, 2, 1],
      strides=each([1, 1, 1, 1, 1], [1, 2, 3, 1, 1]), padding=each("VALID", "SAME"),
      errors=[error("padding", padding="FULL"), error("stride-of-batch", strides=[2, 1, 1, 1, 1])])


# --- indexing by operators -------------------------------------------------------------------------------------------
# Each program is its own reference: the same text, applied to NumPy's arrays.


def indexing(x):
    return (x[1:, ::-2], x[-1], x[:, -1:], x[2:2], x[-99:99, 3:1], x[::-1, 4:0:-3], x[..., None], x[0, None, ..., 3:5],
            x[:2, 1], x[-2][1])


def indexing_by_tensors(x, i, j):
    return x[i], x[i, j], x[i:, :j], x[..., j], x[::-1][i:i + 2]


def masking(x, mask):
    return x[mask], x[:, 0][mask]


shaped = {"kind": "shape and indexing", "autograph": False}
program("program.indexing", T(5, 6), reference=indexing, **shaped)(indexing)
program("program.indexing_by_tensors", T(5, 6), I("", within=(-5, 4)), I("", within=(-5, 5)),
        reference=indexing_by_tensors, **shaped)(indexing_by_tensors)
program("program.masking", T("n d"), B("n"), reference=masking, sizes={"d": 3}, **shaped)(masking)
