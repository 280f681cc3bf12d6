"""The root namespace, tf.*: ops that shape, move, select and sort what is in a tensor, and make tensors from nothing.

Nearly all of them only move data, so NumPy has a namesake and agreement is exact. What is special is at the rims:
indices that are negative, out of range, repeated or absent, sizes of zero, and arguments such as a shape or an axis,
which are Python values in one sample and tensors in another (XLA needs to know them when it compiles).
"""

import numpy as np

from tfparity import (
    DTYPE,
    B,
    I,
    Ragged,
    RaggedValue,
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

shaping = kind("shape and indexing")


def ints(*values, dtype=np.int32):
    """An integer tensor: an argument of the traced function, where a list would be a constant of the graph."""
    return np.array(values, dtype)


def zeros_of(shape, dtype):
    """Zeros as TensorFlow has them: the zero of strings is the empty string."""
    return np.full(shape, b"" if np.dtype(dtype) == object else 0, dtype)


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
    yield sample(T("a b"))
    yield sample(T("a b"), out_type="int64", name="int64")
    yield sample(T(""), name="scalar")
    yield sample(Sparse("a b"), name="sparse")


@shaping("tf.size", size_of)
def size():
    yield sample(T("a b"))
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
shaping("tf.transpose", transpose, T("a b c"), perm=each(None, [0, 2, 1], [2, 0, 1]), conjugate=each(False, True),
        errors=[error("repeated", perm=[0, 1, 1]), error("beyond", perm=[0, 1, 3]), error("too-short", perm=[0, 1])])
shaping("tf.ensure_shape", ensured, T(4, 3), each([4, 3], [None, 3], [None, None]),
        errors=[error("other-size", np.ones((4, 3), np.float32), [None, 4]),
                error("other-rank", np.ones((4, 3), np.float32), [4, 3, 1])])


@shaping("tf.reshape", np.reshape,
         errors=[error("too-few", np.ones(3, np.float32), [4]), error("not-divisible", np.ones(5, np.float32), [2, -1]),
                 error("two-unknown", np.ones((2, 3), np.float32), [-1, -1]),
                 error("negative", np.ones((2, 3), np.float32), [-2, -3])])
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
                 error("fewer-axes", np.ones((1, 3), np.float32), [3])])
def broadcast_to():
    yield sample(T(3, 1), [3, 4], name="stretch")
    yield sample(T(3, 1), [2, 3, 4], name="more-axes")
    yield sample(T(""), [2, 3], name="scalar")
    yield sample(T(1, 3), [0, 3], name="to-empty")
    yield sample(T(3, 1), ints(2, 3, 5), name="tensor")


def broadcast_shape(x, y):
    return np.array(np.broadcast_shapes(tuple(x), tuple(y)), np.asarray(x).dtype)


@shaping("tf.broadcast_dynamic_shape", broadcast_shape, timed=False,
         errors=[error("incompatible", ints(2, 3), ints(3, 2))])
def broadcast_dynamic_shape():
    yield sample(ints(1, 2, 3), ints(5, 1, 3), name="int32")
    yield sample(ints(4, 1, dtype=np.int64), ints(7, 1, 5, dtype=np.int64), name="int64")
    yield sample(ints(0, 3), ints(1, 1), name="zero")
    yield sample(ints(), ints(2, 3), name="scalar")


def list_of_static_shape(f, x, y):
    return f(tf.TensorShape(x), tf.TensorShape(y)).as_list()


@shaping("tf.broadcast_static_shape", lambda x, y: list(np.broadcast_shapes(x, y)), call=list_of_static_shape,
         timed=False, errors=[error("incompatible", [2, 3], [3, 2])])
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
        return np.pad(tensor, paddings, constant_values=constant_values)
    return np.pad(tensor, paddings, mode.lower())


@shaping("tf.concat", np.concatenate,
         errors=[error("other-sizes", [np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)], 0),
                 error("other-ranks", [np.ones((2, 3), np.float32), np.ones(3, np.float32)], 0),
                 error("axis-beyond", [np.ones((2, 3), np.float32)] * 2, 2)])
def concat():
    yield sample([T("a b"), T("c b")], 0)
    yield sample([T("a b"), T("a c"), T("a b")], 1, name="three")
    yield sample([T("a b c"), T("a b d")], -1, name="last")
    yield sample([T("a b")], 0, name="one")
    yield sample([T(0, 3), T(2, 3), T(0, 3)], 0, name="empty-ones")
    yield sample([T("a b"), T("a c")], np.int32(1), name="tensor-axis")


shaping("tf.stack", np.stack, [T("a b"), T("a b"), T("a b")], axis=each(0, 1, -1),
        errors=[error("other-shapes", [np.ones(2, np.float32), np.ones(3, np.float32)]), error("axis-beyond", axis=3)])
shaping("tf.parallel_stack", np.stack, [T("a b"), T("a b"), T("a b")],
        call=lambda f, values: tf.function(lambda *tensors: f(tensors), autograph=False)(*values))   # graphs only
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


@shaping("tf.gather", gather, errors=[error("axis-beyond", np.ones((2, 3), np.float32), ints(0), axis=2)])
def gathers():
    yield sample(T("n d"), I("m", below="n"))
    yield sample(T("n d"), I("m k", below="d"), axis=1, name="columns")
    yield sample(T("n d e"), I("", below="d"), axis=-2, name="scalar-int64", )
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
    yield sample(T("a b"), B("b"), axis=-1, name="last")
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
    return scattering(np.add)(zeros_of(tuple(shape), updates.dtype), indices, updates, bad_indices_policy)


def distinct(indices):
    """Index vectors into a tensor of 8 rows, no two the same: which of two writers wins is not documented."""
    return (np.arange(indices.size) * 3 % 8).reshape(indices.shape)


@shaping("tf.scatter_nd", scatter_nd,
         errors=[error("too-deep", ints([0, 0]), np.ones(1, np.float32), [4]),
                 error("other-updates", ints([0], [1]), np.ones((2, 5), np.float32), [4, 3])])
def scatters_nd():
    yield sample(I("m 1", below=6), T("m 3"), [6, 3])
    yield sample(I("m 2", below=4), T("m"), [4, 4], name="scalars")
    yield sample(I("m k 1", below=6, dtype="int64"), T("m k 3"), ints(6, 3, dtype=np.int64), name="tensor-shape")
    yield sample(I("m 1", within=(-3, 8)), T("m 3"), [6, 3], bad_indices_policy="IGNORE", name="ignore")


update_errors = [error("beyond", np.ones(4, np.float32), ints([4]), np.ones(1, np.float32)),
                 error("negative", np.ones(4, np.float32), ints([-1]), np.ones(1, np.float32)),
                 error("other-updates", np.ones((4, 2), np.float32), ints([0]), np.ones((1, 3), np.float32)),
                 error("too-deep", np.ones(4, np.float32), ints([0, 0]), np.ones(1, np.float32))]


@shaping("tf.tensor_scatter_nd_update", scattering(lambda place, update: update), errors=update_errors)
def tensor_scatter_nd_update():
    yield sample(T(8, "d"), T(5, 1, dtype="int32", form=distinct, edges=False), T(5, "d"))
    yield sample(T(8), T(2, 3, 1, dtype="int64", form=distinct, edges=False), T(2, 3), name="scalars")
    yield sample(T(8, "d"), T(0, 1, dtype="int32"), T(0, "d"), name="none")


for name, combine in {"add": np.add, "sub": np.subtract, "min": np.minimum, "max": np.maximum}.items():
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


@shaping("tf.reverse_sequence", reverse_sequence,
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
