"""Data movement in the dtypes that few kernels support: 8-bit floats, 4-bit integers, quantized integers.

TensorFlow registers these kernels above all under XLA. Moving data must not change it: the inputs are integers from 0
to 7, which every one of these dtypes holds; they are cast (quantized ones are read bit for bit), moved, and cast back,
so NumPy's reference moves integers. Where a mode has no kernel, the check is reported as unsupported.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tfparity import I, each, program, tf

from ..references.ordering import searchsorted

FLOATS8 = ("float8_e5m2", "float8_e4m3fn", "float8_e5m2fnuz", "float8_e4m3fnuz", "float8_e4m3b11fnuz")
FOUR_BITS = ("int4", "uint4")
QUANTIZED = {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}


def narrowed(x, dtype):
    if dtype in QUANTIZED:
        return tf.bitcast(tf.cast(x, QUANTIZED[dtype]), dtype)
    return tf.cast(x, dtype)


def widened(y, dtype):
    if y.dtype.name != dtype:
        return y
    return tf.cast(tf.bitcast(y, QUANTIZED[dtype]) if dtype in QUANTIZED else y, "int8")


def zero_like(x):
    """A zero that is a constant when XLA compiles."""
    return narrowed(tf.constant(0, "int8"), x.dtype.name)


def moves(name, function, reference, *inputs):
    """Declare `program.narrow_NAME`: `function` of narrow tensors, `reference` of the integers they hold. Inputs of
    another dtype than int8 (indices) are passed as they are."""

    def body(*tensors, dtype):
        given = [narrowed(t, dtype) if t.dtype == "int8" else t for t in tensors]
        return tf.nest.map_structure(lambda y: widened(y, dtype), function(*given))

    def expected(*arrays, dtype):
        return reference(*arrays)

    program(
        f"program.narrow_{name}",
        *inputs,
        reference=expected,
        kind="shape and indexing",
        exact=True,
        autograph=False,
        dtype=each(*FLOATS8, *FOUR_BITS, *QUANTIZED),
    )(body)


def X(*shape, form=None):
    """Integers that every one of these dtypes represents exactly."""
    return I(*shape, dtype="int8", within=(0, 7), edges=False, form=form)


def depth_to_space(x):
    b, h, w, d = x.shape
    return x.reshape(b, h, w, 2, 2, d // 4).transpose(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, d // 4)


def space_to_depth(x):
    b, h, w, d = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, d).transpose(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, 4 * d)


def space_to_batch(x):
    b, h, w, d = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, d).transpose(2, 4, 0, 1, 3, 5).reshape(4 * b, h // 2, w // 2, d)


def batch_to_space(x):
    b, h, w, d = x.shape
    return x.reshape(2, 2, b // 4, h, w, d).transpose(2, 3, 0, 4, 1, 5).reshape(b // 4, 2 * h, 2 * w, d)


def scattered(x):
    out = np.zeros((6, 2), x.dtype)
    out[[4, 0, 3]] = x
    return out


to_the_right = partial(searchsorted, side="right")


def first_seen(x):
    values = list(dict.fromkeys(x.tolist()))
    return np.array(values, x.dtype), np.array([values.index(v) for v in x], np.int32)


def diagonal_set(x, diagonal):
    out = x.copy()
    np.fill_diagonal(out, diagonal)
    return out


def pushed(x):
    """A list that grows row by row, stacked."""
    rows = tf.raw_ops.EmptyTensorList(element_shape=[3], max_num_elements=2, element_dtype=x.dtype)
    for row in range(2):
        rows = tf.raw_ops.TensorListPushBack(input_handle=rows, tensor=x[row])
    return tf.raw_ops.TensorListStack(input_handle=rows, element_shape=[3], element_dtype=x.dtype)


def reversed_in_part(x):
    return np.stack([np.concatenate([row[:n][::-1], row[n:]]) for row, n in zip(x, (2, 1, 3, 0), strict=True)])


PART, AROUND = [0, 1, 0, 1], [(1, 0), (0, 2)]
CHOSEN = [[True, False, True], [False, False, True], [True, True, False], [False, True, True]]
table, cube, image = X(4, 3), X(2, 3, 4), X(2, 4, 6, 3)
sorted_rows = X(2, 5, form=lambda x: np.sort(x, -1))

moves("identity",       lambda x: tf.identity(x), lambda x: x, table)
moves("stop_gradient",  lambda x: tf.stop_gradient(x),           lambda x: x, table)
moves("ensure_shape",   lambda x: tf.ensure_shape(x, [4, None]), lambda x: x, table)
moves("placeholder",    lambda x: tf.raw_ops.PlaceholderWithDefault(input=x, shape=[4, 3]), lambda x: x, table)
moves("reshape",        lambda x: tf.reshape(x, [2, 6]),         lambda x: x.reshape(2, 6), table)
moves("expand_dims",    lambda x: tf.expand_dims(x, 1),          lambda x: x[:, None], table)
moves("squeeze",        lambda x: tf.squeeze(x, 1),              lambda x: x[:, 0], X(4, 1, 3))
moves("transpose",      lambda x: tf.transpose(x, [2, 0, 1]),    lambda x: x.transpose(2, 0, 1), cube)
moves("conjugate_transpose", lambda x: tf.raw_ops.ConjugateTranspose(x=x, perm=[1, 0]), np.transpose, table)
moves("broadcast_to",   lambda x: tf.broadcast_to(x, [2, 4, 3]), lambda x: np.broadcast_to(x, (2, 4, 3)), table)
moves("tile",           lambda x: tf.tile(x, [2, 3]),            lambda x: np.tile(x, (2, 3)), table)
moves("fill",           lambda x: tf.fill([2, 3], x),            lambda x: np.full((2, 3), x), X(""))
moves("one_hot",        lambda x, i: tf.one_hot(i, 3, x[0], x[1]),
      lambda x, i: np.where(np.arange(3) == i[:, None], *x), X(2), I(4, below=3))
moves("concat",         lambda x, y: tf.concat([x, y], 0),       lambda x, y: np.concatenate([x, y]), table, X(2, 3))
moves("stack",          lambda x, y: tf.stack([x, y], 1),        lambda x, y: np.stack([x, y], 1), table, table)
moves("unstack",        lambda x: tf.unstack(x, 4),              list, table)
moves("split",          lambda x: tf.split(x, 2),                lambda x: np.split(x, 2), table)
moves("split_sizes",    lambda x: tf.split(x, [1, 3]),           lambda x: np.split(x, [1]), table)
moves("slice",          lambda x: tf.slice(x, [1, 0], [2, 2]),   lambda x: x[1:3, :2], table)
moves("strided_slice",  lambda x: x[::2, 1:],                    lambda x: x[::2, 1:], table)
moves("gather",         lambda x, i: tf.gather(x, i),            lambda x, i: x[i], table, I(5, below=4))
moves("gather_nd",      lambda x, i: tf.gather_nd(x, i),         lambda x, i: x[tuple(i.T)], table, I(5, 2, below=3))
moves("scatter_nd",     lambda x: tf.scatter_nd([[4], [0], [3]], x, [6, 2]), scattered, X(3, 2))
moves("tensor_scatter_update", lambda x, y: tf.tensor_scatter_nd_update(x, [[0], [1]], y),
      lambda x, y: np.concatenate([y, x[2:]]), X(6, 2), X(2, 2))
moves("tensor_scatter_max", lambda x, y: tf.tensor_scatter_nd_max(x, [[0], [1]], y),
      lambda x, y: np.concatenate([np.maximum(x[:2], y), x[2:]]), X(6, 2), X(2, 2))
moves("tensor_scatter_min", lambda x, y: tf.tensor_scatter_nd_min(x, [[0], [1]], y),
      lambda x, y: np.concatenate([np.minimum(x[:2], y), x[2:]]), X(6, 2), X(2, 2))
moves("sparse_to_dense", lambda x, y: tf.raw_ops.SparseToDense(
          sparse_indices=[1, 4], output_shape=[6], sparse_values=x, default_value=y),
      lambda x, y: np.stack([y, x[0], y, y, x[1], y]), X(2), X(""))
moves("where",          lambda x, y: tf.where(CHOSEN, x, y),     lambda x, y: np.where(CHOSEN, x, y), table, table)
moves("select",         lambda x, y: tf.raw_ops.Select(condition=CHOSEN, x=x, y=y),
      lambda x, y: np.where(CHOSEN, x, y), table, table)
moves("equal",          lambda x, y: tf.raw_ops.Equal(x=x, y=y), np.equal, table, table)
moves("not_equal",      lambda x, y: tf.raw_ops.NotEqual(x=x, y=y), np.not_equal, table, table)
moves("nonzero",        lambda x: tf.where(x),                   lambda x: np.argwhere(x), table)
moves("zeros_like",     lambda x: tf.raw_ops.ZerosLike(x=x),     np.zeros_like, table)
moves("empty",          lambda x: tf.raw_ops.Empty(shape=[4, 3], dtype=x.dtype, init=True), np.zeros_like, table)
moves("rank",           lambda x: tf.raw_ops.Rank(input=x),      lambda x: np.int32(x.ndim), table)
moves("size",           lambda x: tf.raw_ops.Size(input=x),      lambda x: np.int32(x.size), table)
moves("shape",          lambda x: tf.raw_ops.Shape(input=x),     lambda x: np.array(x.shape, np.int32), table)
moves("shape_n",        lambda x: tf.raw_ops.ShapeN(input=[x, x]), lambda x: [np.array(x.shape, np.int32)] * 2, table)
moves("pad",            lambda x: tf.raw_ops.Pad(input=x, paddings=AROUND), lambda x: np.pad(x, AROUND), table)
moves("pad_value",      lambda x, y: tf.raw_ops.PadV2(input=x, paddings=AROUND, constant_values=y),
      lambda x, y: np.pad(x, AROUND, constant_values=y), table, X(""))
moves("mirror_pad",     lambda x: tf.pad(x, AROUND, "REFLECT"),  lambda x: np.pad(x, AROUND, "reflect"), table)
moves("roll",           lambda x: tf.roll(x, 2, 0),              lambda x: np.roll(x, 2, 0), table)
moves("reverse_sequence", lambda x: tf.reverse_sequence(x, [2, 1, 3, 0], 1, 0), reversed_in_part, table)
moves("band_part",      lambda x: tf.linalg.band_part(x, 0, -1), np.triu, table)
moves("diag_part",      lambda x: tf.raw_ops.MatrixDiagPartV3(input=x, k=0, padding_value=zero_like(x)),
      np.diagonal, X(4, 4))
moves("diag",           lambda x: tf.raw_ops.MatrixDiagV3(
          diagonal=x, k=0, num_rows=-1, num_cols=-1, padding_value=zero_like(x)), np.diag, X(4))
moves("set_diag",       lambda x, y: tf.linalg.set_diag(x, y),   diagonal_set, X(4, 4), X(4))
moves("space_to_depth", lambda x: tf.nn.space_to_depth(x, 2),    space_to_depth, image)
moves("depth_to_space", lambda x: tf.nn.depth_to_space(x, 2),    depth_to_space, X(2, 2, 3, 8))
moves("space_to_batch", lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), space_to_batch, image)
moves("batch_to_space", lambda x: tf.batch_to_space(x, [2, 2], [[0, 0], [0, 0]]), batch_to_space, X(8, 2, 3, 3))
moves("dynamic_partition", lambda x: tf.dynamic_partition(x, PART, 2), lambda x: [x[::2], x[1::2]], table)
moves("dynamic_stitch", lambda x, y: tf.raw_ops.DynamicStitch(indices=[[0, 2], [1]], data=[x, y]),
      lambda x, y: np.stack([x[0], y[0], x[1]]), X(2, 3), X(1, 3))
moves("parallel_stitch", lambda x, y: tf.dynamic_stitch([[0, 2], [1]], [x, y]),
      lambda x, y: np.stack([x[0], y[0], x[1]]), X(2, 3), X(1, 3))
moves("lower_bound",    lambda x, y: tf.searchsorted(x, y),          searchsorted, sorted_rows, X(2, 3))
moves("upper_bound",    lambda x, y: tf.searchsorted(x, y, "right"), to_the_right, sorted_rows, X(2, 3))
moves("unique",         lambda x: tf.unique(x),                  first_seen, X(6))
moves("list",           pushed,                                  lambda x: x[:2], table)
moves("reduce_max",     lambda x: tf.reduce_max(x, 0),           lambda x: x.max(0), table)
moves("reduce_min",     lambda x: tf.reduce_min(x, 0),           lambda x: x.min(0), table)
moves("argmax",         lambda x: tf.argmax(x, 0),               lambda x: x.argmax(0), table)
moves("argmin",         lambda x: tf.argmin(x, 0),               lambda x: x.argmin(0), table)
