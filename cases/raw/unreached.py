"""Raw ops that no documented op reaches: the gradients' own ops, older versions of ops, summaries.

`tf.raw_ops` takes its arguments by name; here they stand in the order of the op's definition, and their names come
from TensorFlow. Lists and numbers are arguments that XLA needs to know while it compiles. Which raw ops with a CPU
kernel are not here, and why, is in `skipped.toml`.
"""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np

from tfparity import DTYPE, I, S, T, each, error, tf
from tfparity.suite.language.dtypes import FLOATS, SIGNED

from ..references import special
from ..references.arithmetic import divided, refuse_zero
from ..references.ordering import counted
from ..references.raw_ops import named, raw, truth
from ..references.windows import ONE2, ONE3, POOL2, POOL3, largest_in_window, pooling, windows


def rows(*values, dtype=np.int64):
    return np.array(values, dtype)


# --- gradients of elementwise ops, as their documentation writes them ----------------------------------------------

SCALE, SCALE_ALPHA = 1.0507009873554805, 1.7580993408473768  # of selu

pair = T("n m"), T("n m")
raw("EluGrad",         lambda g, o: np.where(o < 0, g * (o + 1), g), *pair)
raw("SeluGrad",        lambda g, o: np.where(o < 0, g * (o + SCALE_ALPHA), g * SCALE), *pair)
raw("ReluGrad",        lambda g, f: g * (f > 0), *pair)
raw("Relu6Grad",       lambda g, f: g * ((f > 0) & (f < 6)), *pair)
raw("LeakyReluGrad",   lambda g, f, alpha: np.where(f > 0, g, alpha * g), *pair, alpha=each(0.25, 0.5))
raw("SoftplusGrad",    lambda g, f: g * special.expit(f), *pair)
raw("SoftsignGrad",    lambda g, f: g / (1 + np.abs(f)) ** 2, *pair)
raw("SigmoidGrad",     lambda y, dy: dy * y * (1 - y), *pair)
raw("TanhGrad",        lambda y, dy: dy * (1 - y * y), *pair)
# A complex gradient is of the conjugate. These four conjugate themselves, the two above leave it to their callers.
raw("SqrtGrad",        lambda y, dy: dy * 0.5 / np.conj(y), *pair)
raw("RsqrtGrad",       lambda y, dy: dy * -0.5 * np.conj(y) ** 3, *pair)
raw("ReciprocalGrad",  lambda y, dy: -dy * np.conj(y) ** 2, *pair)
raw("InvGrad",         lambda y, dy: -dy * np.conj(y) ** 2, *pair)

positive = T("n", domain=(0.5, 9)), T("n", domain=(0.5, 9))
raw("IgammaGradA",     None, *positive, why="the derivative by the order has no closed form")
raw("RandomGammaGrad", None, *positive, why="the derivative of a function given implicitly")


# --- older versions of elementwise and matrix ops -------------------------------------------------------------------


def remainder(x, y):
    refuse_zero(x, y)
    return np.fmod(x, y)


def ones_among_bits(x):
    bits = x.astype(f"u{x.dtype.itemsize}").ravel()
    return np.array([bin(int(v)).count("1") for v in bits], np.uint8).reshape(x.shape)


def bucket(x, boundaries):
    return np.searchsorted(np.array(boundaries), x, "right").astype(np.int32)


raw("ApproximateEqual", lambda x, y, tolerance: np.abs(x - y) < tolerance, *pair, tolerance=each(2.0**-17, 0.5))
raw("Div",              divided, T(), T())
raw("Mod",              remainder, T(), T())
raw("Inv",              lambda x: 1 / x, T(), dtypes=(*FLOATS, "complex64", "complex128"))
raw("PopulationCount",  ones_among_bits, T(), exact=True)
raw("ToBool",           truth, T(""), dtypes=("float32", "float64", *SIGNED, "uint8", "bool", "string"), exact=True)
raw("Bucketize",        bucket, T("n m", edges=False), boundaries=[-1.5, 0.25, 3.0], exact=True)
raw("BatchMatMul",      np.matmul, T("b m k"), T("b k n"))
raw("LinSpace",         np.linspace, T("", edges=False), T("", edges=False), 5)
raw("CholeskyGrad",     None, T(4, 4, form=np.tril, edges=False), T(4, 4, edges=False),
    why="the factor's gradient is solved for; tf.linalg.cholesky is judged itself")


# --- shape and indexing ---------------------------------------------------------------------------------------------


def diagonal_matrix(diagonal, k=0, rows=-1, columns=-1, padding=0):
    size = diagonal.shape[-1] + abs(k)
    out = np.full((*diagonal.shape[:-1], size, size), padding, diagonal.dtype)
    at = np.arange(diagonal.shape[-1])
    out[..., at + max(-k, 0), at + max(k, 0)] = diagonal
    return out


def with_diagonal(x, diagonal, k=0):
    out, at = x.copy(), np.arange(diagonal.shape[-1])
    out[..., at + max(-k, 0), at + max(k, 0)] = diagonal
    return out


def offsets(axis, shapes):
    ends = np.cumsum([0, *(shape[axis] for shape in shapes)])[:-1]
    return [np.where(np.arange(len(shapes[0])) == axis, end, 0).astype(shapes[0].dtype) for end in ends]


def reduced_axes(s0, s1):
    """The axes along which each of two shapes of one rank is broadcast."""
    return [np.flatnonzero(s == 1).astype(s.dtype) for s in (s0, s1)]


def first_seen(x, axis):
    _, first, inverse, count = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    return x[first[order]], np.argsort(order)[inverse].astype(np.int32), count[order].astype(np.int32)


def slice_gradient(shape, begin, end, strides, dy):
    out = np.full(shape, b"" if dy.dtype.kind == "O" else 0, dy.dtype)
    out[tuple(map(slice, begin, end, strides))] = dy
    return out


def slice_updated(x, begin, end, strides, value):
    out = x.copy()
    out[tuple(map(slice, begin, end, strides))] = value
    return out


def space_to_batch(x, paddings, block_size):
    x = np.pad(x, [(0, 0), *paddings, (0, 0)])
    b, h, w, d = x.shape
    blocks = x.reshape(b, h // block_size, block_size, w // block_size, block_size, d)
    return blocks.transpose(2, 4, 0, 1, 3, 5).reshape(-1, h // block_size, w // block_size, d)


def batch_to_space(x, crops, block_size):
    b, h, w, d = x.shape
    blocks = x.reshape(block_size, block_size, b // block_size**2, h, w, d).transpose(2, 3, 0, 4, 1, 5)
    out = blocks.reshape(-1, h * block_size, w * block_size, d)
    (top, bottom), (left, right) = crops
    return out[:, top : out.shape[1] - bottom, left : out.shape[2] - right]


def added_at(x, indices, updates):
    out = x.copy()
    np.add.at(out, tuple(indices.T), updates)
    return out


def moved_dimension(x, src_format="NHWC", dst_format="NCHW"):
    return np.array([dst_format.index(src_format[i]) for i in x], x.dtype)


def permuted(x, src_format="NHWC", dst_format="NCHW"):
    return x[[src_format.index(letter) for letter in dst_format]]


square = T("b n n")
raw("MatrixDiag",        diagonal_matrix, T("b n"), exact=True)
raw("MatrixDiagV2",      diagonal_matrix, T("b n"), each(0, 1, -1), -1, -1, T("", edges=False), exact=True)
raw("MatrixDiagPart",    lambda x: np.diagonal(x, 0, -2, -1), square, exact=True)
raw("MatrixDiagPartV2",  lambda x, k, padding: np.diagonal(x, k, -2, -1), T(2, 4, 4), each(0, 1, -2), T(""), exact=True)
raw("MatrixSetDiag",     with_diagonal, square, T("b n"), exact=True)
raw("MatrixSetDiagV2",   with_diagonal, T(2, 4, 4), T(2, 3), 1, exact=True)
raw("Concat",            lambda axis, parts: np.concatenate(parts, axis), each(0, 1), [T("n m"), T("n m")], exact=True)
raw("ConcatOffset",      offsets, 1, [rows(2, 3, 4, dtype=np.int32), rows(2, 5, 4, dtype=np.int32)], exact=True)
raw("BroadcastGradientArgs", reduced_axes, rows(2, 1, 4, dtype=np.int32), rows(1, 3, 4, dtype=np.int32), exact=True)
raw("Gather",            lambda x, i: x[i], T("n d"), I("m", below="n"), exact=True)
raw("Reverse",           lambda x, dims: np.flip(x, np.flatnonzero(dims)), T("n m"), each([True, False], [True, True]),
    exact=True)
raw("NthElement",        lambda x, n, reverse: np.sort(x)[..., -1 - n if reverse else n], T("b 5", edges=False), 3,
    reverse=each(False, True), exact=True)
raw("UniqueV2",          lambda x, axis: first_seen(x, axis)[:2], T("n", edges=False), [0], exact=True)
raw("UniqueWithCountsV2", first_seen, T("n", edges=False), [0], exact=True)
raw("DataFormatDimMap",    moved_dimension, T("n", within=(-4, 3)), dst_format=each("NCHW", "NHWC"), exact=True)
raw("DataFormatVecPermute", permuted, T(4), dst_format=each("NCHW", "NHWC"), exact=True)
raw("SpaceToBatch",      space_to_batch, T(2, 4, 5, 3), [[0, 0], [1, 0]], block_size=2, exact=True)
raw("BatchToSpace",      batch_to_space, T(8, 2, 3, 3), [[0, 0], [1, 0]], block_size=2, exact=True)
raw("StridedSliceGrad",  slice_gradient, [5, 4], [1, 0], [4, 4], [2, 3], T(2, 2), exact=True)
raw("TensorStridedSliceUpdate", slice_updated, T(5, 4), [1, 0], [4, 4], [2, 3], T(2, 2), exact=True)
raw("ScatterNdNonAliasingAdd", added_at, T("n d"), I("m 1", below="n"), T("m d"), empty=False)
for same in ("PreventGradient", "DebugGradientIdentity", "Snapshot", "Copy", "CopyHost"):
    raw(same, lambda x: x, T("n m"), exact=True)
raw("DebugIdentity",     lambda x, tensor_name: x, T("n m"), tensor_name="a:0", exact=True)
raw("DebugNanCount",     lambda x, tensor_name: np.array([np.isnan(x).sum()], np.int64), T("n m"), tensor_name="a:0",
    dtypes=FLOATS, exact=True)
raw("DebugNumericSummary",   None, T("n m"), tensor_name="a:0", why="fourteen numbers of a debugger's own choice")
raw("DebugNumericSummaryV2", None, T("n m"), tensor_debug_mode=each(2, 3, 4, 5, 8), tensor_id=3,
    why="numbers of a debugger's own choice")


# --- counting and sets ----------------------------------------------------------------------------------------------


def counted_rows(splits, values, size, weights):
    return np.stack([counted(values[a:b], size, weights[a:b]) for a, b in pairwise(splits)])


def counted_sparse(indices, values, shape, size, weights):
    return np.stack([counted(values[indices[:, 0] == r], size, weights[indices[:, 0] == r]) for r in range(shape[0])])


def in_top(predictions, targets, k):
    own = np.take_along_axis(predictions, targets[:, None].astype(np.int64), 1)
    return np.isfinite(own[:, 0]) & ((predictions > own).sum(1) < k)


def counted_places(splits, values, weights, binary_output):
    dense = counted_rows(splits, values, max(values) + 1, weights)
    there = np.array([(r, v) for r, (a, b) in enumerate(pairwise(splits)) for v in sorted({*values[a:b]})])
    return there, dense[tuple(there.T)], np.array(dense.shape)


def weighted(count):
    """With `count` weights: were there fewer than values, the kernels would read past their end, and never the same."""

    def call(function, *arguments, **attributes):
        *others, weights = arguments
        return named(function, *others, tf.ensure_shape(weights, [count]), **attributes)

    return call


PLACES = rows([0, 0], [0, 2], [1, 1], [2, 0])
BINS = rows(1, 0, 3, 3, 2, dtype=np.int32)

raw("Bincount",       counted, I("n", within=(0, 6)), 5, T("n"))
raw("RaggedBincount", counted_rows, rows(0, 2, 2, 5), BINS, 4, T(5), call=weighted(5))
raw("SparseBincount", counted_sparse, PLACES, BINS[:4], [3, 3], 4, T(4), call=weighted(4))
raw("RaggedCountSparseOutput", counted_places, rows(0, 2, 2, 5), BINS, T(5), binary_output=False,
    call=weighted(5))
raw("InTopK",         in_top, T("n 5", dtype="float32", edges=False), T("n", within=(0, 4)), k=2,
    dtypes=("int32", "int64"), exact=True)


# --- sparse and ragged ----------------------------------------------------------------------------------------------

ROWS, SEGMENTS = 5, I("n", below="m", form=np.sort)


def segment_gradient(weigh):
    """The gradient of a sparse segment reduction: each looked-up row gets its segment's gradient, weighed by the
    segment's size."""

    def reference(grad, indices, segments, size):
        counts = np.bincount(segments, minlength=len(grad))[segments]
        out = np.zeros((size, grad.shape[1]), grad.dtype)
        np.add.at(out, indices, grad[segments] / weigh(counts)[:, None])
        return out

    return reference


def compact(reference):
    def only_rows_named(grad, indices, segments, size):
        named_rows = np.unique(indices)
        return reference(grad, indices, segments, size)[named_rows], named_rows

    return only_rows_named


WEIGHTS = {"Sum": np.ones_like, "Mean": lambda n: n, "SqrtN": lambda n: np.sqrt(n.astype(np.float64))}
for reduction, weigh in WEIGHTS.items():
    gradient = segment_gradient(weigh)
    raw(f"SparseSegment{reduction}Grad", gradient, T("m 2"), I("n", below=ROWS), SEGMENTS, ROWS)
    raw(f"SparseSegment{reduction}GradV2", compact(gradient), T("m 2"), I("n", below=ROWS), SEGMENTS, ROWS)


def backprop_of_sum(grad, a, b, total):
    return [np.array([grad[(total == place).all(1)].item() for place in part], grad.dtype) for part in (a, b)]


def backprop_of_slice(grad, places, start, sliced):
    out = np.zeros(len(places), grad.dtype)
    for g, place in zip(grad, sliced + start, strict=True):
        out[(places == place).all(1)] = g
    return out


def backprop_of_filling(where, grad):
    return grad[where], np.delete(grad, where).sum(dtype=grad.dtype)


def ragged_places(splits, values):
    lengths = np.diff(splits[0])
    places = [(r, c) for r, n in enumerate(lengths) for c in range(n)]
    return np.array(places), values, np.array([len(lengths), max(lengths)])


def ragged_dense(shape, values, default, partitions, row_partition_types):
    lengths = np.diff(partitions[0])
    out = np.full((len(lengths), max(lengths)), default, values.dtype)
    out[np.arange(max(lengths)) < lengths[:, None]] = values
    return out


def cellwise(function):
    return lambda places, values, shape, dense: function(values, np.broadcast_to(dense, shape)[tuple(places.T)])


raw("SparseDenseCwiseAdd", cellwise(np.add), PLACES, T(4), rows(3, 3), T(3))
raw("SparseDenseCwiseMul", cellwise(np.multiply), PLACES, T(4), rows(3, 3), T(3, 3))
raw("SparseDenseCwiseDiv", cellwise(divided), PLACES, T(4), rows(3, 3), T(3, 3, domain=(0.5, 5), edges=False))
raw("SparseAddGrad",       backprop_of_sum, T(5), PLACES, PLACES[1:] + rows([0, 0], [0, 1], [0, 0]),
    rows([0, 0], [0, 2], [1, 1], [1, 2], [2, 0]))
raw("SparseSliceGrad",     backprop_of_slice, T(2), PLACES, rows(0, 1), rows([0, 1], [1, 0]), exact=True)
raw("SparseFillEmptyRowsGrad", backprop_of_filling, rows(0, 2, 3), T(5))
raw("RaggedTensorToSparse", ragged_places, [rows(0, 2, 2, 5)], T(5), exact=True)
raw("RaggedTensorToTensor", ragged_dense, rows(-1, -1), T(5), T(""), [rows(0, 2, 2, 5)],
    row_partition_types=["ROW_SPLITS"], exact=True)


# --- convolution, pooling and normalization -------------------------------------------------------------------------


def spread_evenly(shape, grad, ksize, strides, padding):
    out, inner = np.zeros(shape, grad.dtype), tuple(range(1, len(shape) - 1))
    for place, window in windows(shape[1:-1], ksize[1:-1]):
        out[(slice(None), *window)] += np.expand_dims(grad[(slice(None), *place)], inner) / np.prod(ksize)
    return out


def filter_gradient(x, sizes, dy, strides, padding):
    """Of a convolution with stride 1 and no padding: each tap of the filter saw the input shifted by its place."""
    out = np.zeros(sizes, x.dtype)
    for tap in product(*map(range, sizes[:-2])):
        seen = x[(slice(None), *(slice(t, t + n) for t, n in zip(tap, dy.shape[1:-1], strict=True)))]
        out[tap] = seen.reshape(-1, seen.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])
    return out


def convolved(x, weights):
    shape = [n - k + 1 for n, k in zip(x.shape[1:3], weights.shape[:2], strict=True)]
    out = np.zeros((len(x), *shape, weights.shape[-1]), x.dtype)
    for i, j in product(range(weights.shape[0]), range(weights.shape[1])):
        out += x[:, i : i + shape[0], j : j + shape[1]] @ weights[i, j]
    return out


def padded_and_convolved(x, paddings, weights, mode, strides, padding):
    return convolved(np.pad(x, paddings, mode.lower()), weights)


def ramp(*shape):
    """Rising values: in every window the last element is the largest."""
    return T(*shape, form=lambda x: np.arange(x.size).reshape(x.shape), edges=False)


def tops(*shape):
    """The largest of each window of two in the inner dimensions of a ramp."""
    whole_ramp = np.arange(np.prod(doubled(shape))).reshape(doubled(shape))
    return T(*shape, form=lambda x: corner(whole_ramp), edges=False)


def doubled(shape):
    return (shape[0], *(2 * n for n in shape[1:-1]), shape[-1])


def corner(x):
    return x[(slice(None), *(slice(1, None, 2),) * (x.ndim - 2))]


def to_the_largest(x, largest, grad, *rest, **options):
    out = np.zeros_like(x)
    corner(out)[...] += grad  # a zero of any sign is added to a zero
    return out


def of_the_largest(x, largest, grad, *rest, **options):
    return corner(grad)


def at_places(x, grad, places, ksize, strides, padding):
    out = np.zeros(x.size, x.dtype)
    np.add.at(out, places.ravel(), grad.ravel())
    return out.reshape(x.shape)


AROUND = [[0, 0], [1, 1], [1, 0], [0, 0]]
pooling3 = {"ksize": POOL3, "strides": POOL3, "padding": "VALID"}
routed, routed3 = (ramp(1, 4, 6, 2), tops(1, 2, 3, 2)), (ramp(1, 4, 4, 2, 3), tops(1, 2, 2, 1, 3))

raw("AvgPoolGrad",      spread_evenly, [2, 4, 6, 3], T(2, 2, 3, 3), **pooling,
    errors=[error("gradient-too-high", [2, 4, 6, 3], T(2, 3, 3, 3))])
raw("AvgPool3DGrad",    spread_evenly, [1, 4, 4, 2, 3], T(1, 2, 2, 1, 3), **pooling3,
    errors=[error("gradient-too-deep", [1, 4, 4, 2, 3], T(1, 3, 2, 1, 3))])
raw("MaxPoolV2",        largest_in_window, T(2, 4, 6, 3, edges=False), POOL2, POOL2, padding="VALID", exact=True)
raw("MaxPoolGrad",      to_the_largest, *routed, T(1, 2, 3, 2), **pooling, exact=True)
raw("MaxPoolGradV2",    to_the_largest, *routed, T(1, 2, 3, 2), POOL2, POOL2, padding="VALID", exact=True)
raw("MaxPoolGradGrad",  of_the_largest, *routed, T(1, 4, 6, 2), **pooling, exact=True)
raw("MaxPoolGradGradV2", of_the_largest, *routed, T(1, 4, 6, 2), POOL2, POOL2, padding="VALID", exact=True)
raw("MaxPool3DGrad",    to_the_largest, *routed3, T(1, 2, 2, 1, 3), **pooling3, exact=True)
raw("MaxPool3DGradGrad", of_the_largest, *routed3, T(1, 4, 4, 2, 3), **pooling3, exact=True)
raw("MaxPoolGradWithArgmax", at_places, T(1, 4, 6, 2, edges=False), T(1, 2, 3, 2),
    I(1, 2, 3, 2, below=48, dtype="int64"), **pooling)
raw("Conv2DBackpropFilter", filter_gradient, T(2, 4, 5, 3), [2, 3, 3, 4], T(2, 3, 3, 4), strides=ONE2, padding="VALID")
raw("Conv3DBackpropFilterV2", filter_gradient, T(1, 3, 4, 3, 2), [2, 2, 2, 2, 3], T(1, 2, 3, 2, 3), strides=ONE3,
    padding="VALID")
raw("FusedPadConv2D",   padded_and_convolved, T(1, 4, 5, 2, edges=False), AROUND, T(2, 3, 2, 3),
    mode=each("REFLECT", "SYMMETRIC"), strides=ONE2, padding="VALID", empty=False)    # else uninitialised memory
raw("FusedResizeAndPadConv2D", None, T(1, 4, 5, 2), [6, 6], AROUND, T(2, 3, 2, 3),
    mode="REFLECT", strides=ONE2, padding="VALID", why="three documented ops in one; each is judged itself",
    empty=False)
for side in ("Input", "Filter"):
    raw(f"Dilation2DBackprop{side}", None, T(1, 4, 5, 2), T(2, 2, 2), T(1, 3, 4, 2), strides=ONE2, rates=ONE2,
        padding="VALID", why="which of equal values gets the gradient is not documented")
raw("BiasAddV1",        lambda x, b: x + b, T("a b c"), T("c"))
raw("BiasAddGrad",      lambda g, data_format: np.sum(g, (0, 1, 2) if data_format == "NHWC" else (0, 2, 3), g.dtype),
    T(2, 3, 4, 5), data_format=each("NHWC", "NCHW"))
raw("LRNGrad",          None, T(1, 2, 3, 7), T(1, 2, 3, 7), T(1, 2, 3, 7), depth_radius=2,
    why="tf.nn.local_response_normalization is judged itself")
raw("FractionalAvgPoolGrad", None, rows(1, 4, 6, 2), T(1, 2, 3, 2), rows(0, 2, 4), rows(0, 2, 4, 6),
    overlapping=each(False, True), why="the forward op is judged itself")
raw("FractionalMaxPoolGrad", to_the_largest, *routed, T(1, 2, 3, 2), rows(0, 2, 4), rows(0, 2, 4, 6), exact=True)
raw("MirrorPadGrad",    None, T(5, 6), [[1, 1], [0, 2]], mode=each("REFLECT", "SYMMETRIC"),
    error_factor=4, why="tf.pad is judged itself")  # sums of up to four values, in any order

moments = "reserve spaces are the op's own; tf.nn.batch_normalization is judged itself"
normal, channel = T(2, 3, 4, 5, edges=False), T(5, domain=(0.5, 2), edges=False)
wide = T(5, domain=(0.5, 2), dtype="float32", edges=False)
raw("FusedBatchNorm",   None, normal, channel, channel, channel, channel, is_training=each(False, True), why=moments,
    error_factor=4, dtypes=("float32",))  # its variance of 24 values is a difference of two sums
raw("FusedBatchNormV2", None, normal, wide, wide, wide, wide, is_training=each(True, False), why=moments)
raw("FusedBatchNormV3", None, normal, wide, wide, wide, wide, is_training=each(True, False), why=moments)
raw("FusedBatchNormGrad",   None, normal, normal, channel, channel, channel, why=moments, dtypes=("float32",))
raw("FusedBatchNormGradV2", None, normal, normal, wide, wide, wide, is_training=each(True, False), why=moments)
raw("FusedBatchNormGradV3", None, normal, normal, wide, wide, wide, wide, is_training=each(True, False), why=moments)


# --- recurrent cells ------------------------------------------------------------------------------------------------


def gated(x, h, w_ru, w_c, b_ru, b_c):
    r, u = np.split(special.expit(np.concatenate([x, h], 1) @ w_ru + b_ru), 2, 1)
    c = np.tanh(np.concatenate([x, h * r], 1) @ w_c + b_c)
    return r, u, c, (1 - u) * c + u * h


def small(*shape):
    return T(*shape, domain=(-0.5, 0.5), edges=False)


cell = "the gradient of a whole recurrent cell"
lstm = (small(2, 3), small(2, 4), small(2, 4), small(7, 16), small(4), small(4), small(4), small(16))
steps = (3, small(3, 2, 3), *lstm[1:])
raw("GRUBlockCell",      gated, small(2, 3), small(2, 4), small(7, 8), small(7, 4), small(8), small(4))
raw("GRUBlockCellGrad",  None, small(2, 3), small(2, 4), small(7, 8), small(7, 4), small(8), small(4),
    *[small(2, 4)] * 4, why=cell)
raw("LSTMBlockCell",     None, *lstm, use_peephole=each(False, True), why="the order of its gates is not documented")
raw("LSTMBlockCellGrad", None, *lstm, *[small(2, 4)] * 8, use_peephole=each(False, True), why=cell)
raw("BlockLSTM",         None, *steps, use_peephole=each(False, True), why="the order of its gates is not documented")
raw("BlockLSTMV2",       None, *steps, use_peephole=each(False, True), why="the order of its gates is not documented")
raw("BlockLSTMGrad",     None, *steps, *[small(3, 2, 4)] * 9, use_peephole=each(False, True), why=cell)
raw("BlockLSTMGradV2",   None, *steps, *[small(3, 2, 4)] * 9, use_peephole=each(False, True), why=cell)


# --- images and sound -----------------------------------------------------------------------------------------------


def nearest(points, centers, k):
    distances = ((points[:, None] - centers) ** 2).sum(-1)
    order = np.argsort(distances, 1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, 1)


resized = "the adjoint of a resize that is judged itself"
CROPS, OF_THE_FIRST = T("b 3 3 2", dtype="float32"), I("b", below=1)
BOXES = T("b 4", dtype="float32", within=(0, 1), form=lambda x: np.sort(x.reshape(-1, 2, 2), 1).reshape(-1, 4),
          edges=False)
NO_BOXES = T(1, 0, dtype="float32"), I(1, 0)
astray = "a NaN box gives addresses outside the image: an out-of-bounds read and write"
corners = rows([0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1], dtype=np.float32)
scores = rows(0.9, 0.75, 0.6, 0.95, 0.5, dtype=np.float32)
kept = np.array([3, 0], np.int32)  # one box of each of the two heaps of overlapping ones, the best scored
upright = rows([1, 0, 0, 0, 1, 0, 0, 0], dtype=np.float32)  # the identity

raw("ResizeBilinearGrad",        None, T(1, 6, 8, 2, dtype="float32"), T(1, 3, 4, 2),
    half_pixel_centers=each(False, True), why=resized)
raw("ResizeBicubicGrad",         None, T(1, 6, 8, 2, dtype="float32"), T(1, 3, 4, 2),
    half_pixel_centers=each(False, True), why=resized)
raw("ResizeNearestNeighborGrad", None, T(1, 6, 8, 2), [3, 4], half_pixel_centers=each(False, True), why=resized)
raw("ScaleAndTranslateGrad",     None, T(1, 6, 8, 2), T(1, 3, 4, 2), rows(2, 2, dtype=np.float32),
    rows(0, 0, dtype=np.float32), why=resized)
raw("CropAndResizeGradImage",    None, CROPS, BOXES, OF_THE_FIRST, [1, 5, 6, 2],
    T=DTYPE, method=each("bilinear", "nearest"), why=resized, skips={"nan-1": astray},
    errors=[error("none-of-rank-2", T(0, 3, 3, 2, dtype="float32"), *NO_BOXES, [1, 5, 6, 2])])
raw("CropAndResizeGradBoxes",    None, CROPS, T(1, 5, 6, 2), BOXES, OF_THE_FIRST, why=resized, skips={"nan-2": astray},
    errors=[error("none-of-rank-2", T(0, 3, 3, 2, dtype="float32"), T(1, 5, 6, 2), *NO_BOXES)])
raw("ImageProjectiveTransformV2", lambda x, *rest, **o: x, T(1, 4, 5, 2, edges=False), upright, [4, 5],
    interpolation=each("NEAREST", "BILINEAR"))
raw("ImageProjectiveTransformV3", lambda x, *rest, **o: x, T(1, 4, 5, 2, edges=False), upright, [4, 5], 0.0,
    interpolation=each("NEAREST", "BILINEAR"), fill_mode=each("CONSTANT", "REFLECT", "NEAREST"))
raw("NonMaxSuppression",   lambda *given: kept, corners, scores, 2)
raw("NonMaxSuppressionV2", lambda *given: kept, corners, scores, 2, 0.5)
raw("NonMaxSuppressionV4", lambda *given, **o: (kept, np.int32(2)), corners, scores, 2, 0.5, 0.0)
raw("ExtractGlimpse",      None, T(1, 5, 6, 2, dtype="float32"), [3, 3], rows([0, 0], dtype=np.float32),
    centered=each(True, False), uniform_noise=False, noise="zero", why="tf.image.extract_glimpse is judged itself")
raw("NearestNeighbors",    nearest, T("n d", dtype="float32", edges=False), T("c d", dtype="float32", edges=False), 2,
    sizes={"c": 4}, empty=False)
raw("KMC2ChainInitialization", None, T("n", dtype="float32", domain=(0, 9), edges=False), 1, why="a random choice")
raw("KmeansPlusPlusInitialization", None, T("n d", dtype="float32", edges=False), 2, 1, 1, why="a random choice",
    skips={"nan-0": "it searches among distances of NaN, and did not finish in two of five whole runs"})
raw("AudioSpectrogram",    None, T("n 2", dtype="float32"), window_size=8, stride=4, sizes={"n": 32},
    magnitude_squared=each(False, True), why="its window is not documented")
raw("Mfcc",                None, T(1, 4, 129, dtype="float32", domain=(0, 9), edges=False), 8000,
    why="its filterbank is not documented")


# --- random ---------------------------------------------------------------------------------------------------------


def of_shape(*shape):
    return lambda result, *given, **options: result.shape == shape


SEED = rows(3, 7, dtype=np.int32)
seeded = "random; the modes must agree, for the seed is given"
drawn = {"dtype": DTYPE, "why": seeded}
raw("StatelessRandomNormal",         None, [4, 5], SEED, invariant=of_shape(4, 5), **drawn)
raw("StatelessRandomUniform",        None, [4, 5], SEED, invariant=of_shape(4, 5), **drawn)
raw("StatelessTruncatedNormal",      None, [4, 5], SEED, invariant=of_shape(4, 5), **drawn)
raw("StatelessRandomUniformFullInt", None, [4, 5], SEED, invariant=of_shape(4, 5), **drawn)
raw("StatelessRandomUniformInt",     None, [4, 5], SEED, T("", within=(0, 3), edges=False),
    T("", within=(9, 20), edges=False), why=seeded)
raw("StatelessRandomGammaV2",        None, [4, 5], SEED, T("", domain=(1, 3), edges=False), why=seeded)
raw("StatelessRandomGetKeyCounterAlg", None, SEED, why="a generator's state is its own")


# --- summaries and names --------------------------------------------------------------------------------------------

protocol = "a serialized summary; the modes must agree on its bytes"
raw("ScalarSummary",    None, "tag", T(""), why=protocol)
raw("HistogramSummary", None, "tag", T("n", edges=False), why=protocol)
raw("AudioSummaryV2",   None, "tag", T(1, 6, 2, dtype="float32", within=(-1, 1), edges=False), 8000.0, why=protocol)
raw("TensorSummary",    None, T("n"), why=protocol)
raw("TensorSummaryV2",  None, "tag", T("n"), b"", why=protocol)
raw("MergeSummary",     None, [S("", values=[b""]), S("", values=[b""])], why=protocol)
raw("ShardedFilename",  lambda base, shard, count: np.array(b"%s-%05d-of-%05d" % (base.item(), shard, count), object),
    S(""), I("", within=(0, 9)), I("", within=(10, 99)), exact=True)
raw("ShardedFilespec",  lambda base, count: np.array(b"%s-?????-of-%05d" % (base.item(), count), object), S(""),
    I("", within=(10, 99)), exact=True)
raw("SdcaFprint",       None, S("n"), why="a fingerprint that names no function")
