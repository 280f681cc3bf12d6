"""Raw ops whose kernels documented ops reach in few dtypes only: with an option, or behind a Python shortcut.

Called directly, in every dtype, by the rules of `unreached.py`.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from tfparity import DTYPE, I, SparseValue, T, each, error, sample, tf
from tfparity.suite.language.dtypes import COMPLEX, FLOATS, INTEGERS, SIGNED

from ..references.arithmetic import divided
from ..references.images import resize
from ..references.indexing import dynamic_stitch, ints, scattered
from ..references.ordering import counted, histogram, isotonic, searchsorted
from ..references.raw_ops import raw, truth
from ..references.segments import segments
from ..references.sets import combining

REAL = FLOATS + INTEGERS


# --- sizes, copies and moves ----------------------------------------------------------------------------------------


def conjugate_transpose(x, perm):
    return (np.conj(x) if x.dtype.kind == "c" else x).transpose(perm)


def is_true(x):
    return np.array([v != b"" for v in x.flat]).reshape(x.shape) if x.dtype.kind == "O" else x != 0


def differences(x, y):
    """The values of x that are not in y, in their order, and where they stand."""
    where = np.array([n for n, v in enumerate(x) if v not in set(y.tolist())], np.int32)
    return x[where], where


def pushed(function, x):
    """A list that grows row by row, stacked."""
    rows = function(element_shape=[3], max_num_elements=2, element_dtype=x.dtype)
    for row in range(2):
        rows = tf.raw_ops.TensorListPushBack(input_handle=rows, tensor=x[row])
    return tf.raw_ops.TensorListStack(input_handle=rows, element_shape=[3], element_dtype=x.dtype)


def scatter(function, x, indices):
    """A list of five rows, some of them written."""
    empty = tf.raw_ops.TensorListReserve(element_shape=[3], num_elements=5, element_dtype=x.dtype)
    rows = function(input_handle=empty, tensor=x, indices=indices)
    return tf.raw_ops.TensorListStack(input_handle=rows, element_shape=[3], element_dtype=x.dtype)


@cache
def adding(number, spec):
    """A graph that adds a number to such a tensor."""
    return tf.function(lambda v: v + number, autograph=False).get_concrete_function(spec)


def branching(function, condition, x):
    """One of two functions of x, at the choice of a tensor of any dtype."""
    spec = tf.TensorSpec(x.shape, x.dtype)
    then, otherwise = adding(1, spec), adding(-1, spec)
    return function(cond=condition, input=[x], Tout=[x.dtype], then_branch=then, else_branch=otherwise)


TABLE = T("n m")
raw("Size",                   lambda x: np.int32(x.size), TABLE, exact=True)
raw("Rank",                   lambda x: np.int32(x.ndim), TABLE, exact=True)
raw("ShapeN",                 lambda parts: [np.array(p.shape, np.int32) for p in parts], [TABLE, T("k")], exact=True)
raw("ZerosLike",              lambda x: np.full(x.shape, b"" if x.dtype.kind == "O" else 0, x.dtype), TABLE, exact=True)
raw("Empty",                  lambda shape, dtype, init: np.full(shape, b"" if dtype.kind == "O" else 0, dtype),
    [2, 3], DTYPE, init=True, exact=True)
raw("StopGradient",           lambda x: x, TABLE, exact=True)
raw("PlaceholderWithDefault", lambda x, shape: x, T(3), shape=[3], exact=True)
raw("ConjugateTranspose",     conjugate_transpose, exact=True)(lambda: (
    sample(T("n m k"), [2, 0, 1]), sample(T(""), np.zeros(0, np.int32), name="scalar")))
raw("SplitV",                 lambda x, sizes, axis, num_split: np.split(x, np.cumsum(sizes)[:-1], axis),
    T(5, "m"), [2, 0, 3], 0, num_split=3, exact=True)
raw("PadV2",                  lambda x, paddings, value: np.pad(x, paddings, constant_values=value),
    TABLE, [[1, 0], [0, 2]], T(""), exact=True)
raw("MirrorPad",              lambda x, paddings, mode: np.pad(x, paddings, mode.lower()), T(3, 4), [[1, 2], [2, 0]],
    mode=each("REFLECT", "SYMMETRIC"), exact=True)
raw("Select",                 np.where, T("n m", dtype="bool"), TABLE, TABLE, exact=True)
raw("Where",                  lambda x: np.argwhere(is_true(x)), TABLE, exact=True)
raw("ListDiff",               differences, T("n"), T("m"), exact=True)
raw("ParallelDynamicStitch",  dynamic_stitch, [ints(4, 0, 2), ints(1, 3)], [T(3, "d"), T(2, "d")], exact=True)
raw("UpperBound",             partial(searchsorted, side="right"), T("b n", form=lambda x: np.sort(x, -1), edges=False),
    T("b m", edges=False), dtypes=REAL, exact=True)
raw("EmptyTensorList",        lambda x: x, T(2, 3), call=pushed, exact=True)
raw("TensorListScatterIntoExistingList", partial(scattered, size=5), T("k", 3), I("k", below=5), call=scatter,
    dtypes=FLOATS, exact=True)
CONDITIONS = ("float32", "float64", *SIGNED, "uint8", "bool", "string")  # the others abort the process
for conditional in ("If", "StatelessIf"):
    raw(conditional, lambda condition, x: x + 1 if truth(condition) else x - 1, T(""), T(3, dtype="float32"),
        call=branching, dtypes=CONDITIONS)


# --- arithmetic -----------------------------------------------------------------------------------------------------


raw("Add",               np.add, T(), T())
raw("RealDiv",           divided, T(), T())
raw("Round",             np.round, T())
raw("Bitcast",           lambda x, type: x[..., None].view(type), T("n m"), type="uint8",
    dtypes=(*FLOATS, *COMPLEX), exact=True)
raw("Einsum",            lambda parts, equation: np.einsum(equation, *parts), [T("i j k"), T("j k")],
    equation=each("ijk,jk->ij", "ijk,jk->ki"), dtypes=("float32",),  # tf.einsum has the others
    errors=[error("unknown-output", equation="ijk,jk->ijl")])
raw("BatchMatMulV3",     lambda x, y, Tout: np.matmul(x, y), T("b m k"), T("b k n"), Tout=DTYPE)
raw("HistogramFixedWidth", histogram, T("n", domain=(-2, 10), within=(-2, 60), edges=False),
    T(2, form=lambda x: np.array([0, 8], x.dtype), edges=False), 4, dtypes=REAL, exact=True)
raw("IsotonicRegression", lambda x: isotonic(x.astype(np.float32)), T("a b", edges=False), dtypes=SIGNED, empty=False,
    error_factor=4, canonical=lambda found: found[0])  # of equal means, which share a segment is open


# --- segments, sparse tensors and sets ------------------------------------------------------------------------------

LOOKED_UP, SEGMENTS = [0, 3, 1, 1], [0, 0, 1, 3]
PLACES = np.array([[0, 0], [0, 3], [1, 1], [2, 0]])


def reduced(reduce):
    """The rows that hold anything, reduced along the columns."""

    def reference(places, values, shape, axes):
        held = np.unique(places[:, 0])
        found = np.array([reduce(values[places[:, 0] == row]) for row in held], values.dtype)
        return held[:, None], found, np.array(shape[:1])

    return reference


def added(places, values, shape, dense):
    out = dense.copy()
    out[tuple(places.T)] += values
    return out


def binned(x, size, weights, binary_output):
    """The sum of the weights of each number, or whether it occurs."""
    return np.isin(np.arange(size), x).astype(weights.dtype) if binary_output else counted(x, size, weights)


def union(ours, theirs):
    """Row by row, sorted, as the three parts of a sparse tensor."""
    found = combining(set.union)(ours, theirs)
    return found.indices, found.values, found.dense_shape


for reduction, weigh in {"Sum": None, "Mean": np.copy, "SqrtN": np.sqrt}.items():
    raw(f"SparseSegment{reduction}WithNumSegments", segments(weigh), T(4, "d"), LOOKED_UP, SEGMENTS, 5)
raw("SparseReduceSumSparse", reduced(lambda v: v.sum(dtype=v.dtype)), PLACES, T(4), [3, 4], [1])
raw("SparseReduceMaxSparse", reduced(np.max), PLACES, T(4), [3, 4], [1], dtypes=REAL)
raw("SparseTensorDenseAdd", added, PLACES, T(4), np.array([3, 4]), T(3, 4))
raw("DenseBincount", binned, I(7, within=(0, 4)), 5, T(7), binary_output=each(False, True))
raw("DenseToSparseSetOperation", lambda x, *theirs, set_operation: union(x, SparseValue(*theirs)),
    T(3, 4, edges=False), PLACES, T(4, edges=False, form=np.sort), np.array([3, 4]), set_operation="union",
    dtypes=(*SIGNED, "uint8", "uint16", "string"), exact=True)
raw("SparseToSparseSetOperation",
    lambda *parts, set_operation: union(SparseValue(*parts[:3]), SparseValue(*parts[3:])),
    PLACES, T(4, edges=False, form=np.sort), np.array([3, 4]), PLACES, T(4, edges=False, form=np.sort),
    np.array([3, 4]), set_operation="union",
    dtypes=(*SIGNED, "uint8", "uint16", "string"), exact=True)


# --- images ---------------------------------------------------------------------------------------------------------

PIXELS = T("n 5 7 3", domain=(-4, 4), within=(0, 100), edges=False)
CENTRED = {"half_pixel_centers": True}


def resized(method, **options):
    return lambda x, size, *rest, **given: resize(x, size, method, **options)


raw("ResizeNearestNeighbor", resized("nearest"), PIXELS, [4, 9], **CENTRED, dtypes=REAL, exact=True)
raw("ResizeBilinear",        resized("bilinear"), PIXELS, [4, 9], **CENTRED, dtypes=REAL, error_factor=64)
raw("ResizeArea",            resized("area"), PIXELS, [4, 9], dtypes=REAL, error_factor=64)
raw("ResizeBicubic",         None, PIXELS, [4, 9], **CENTRED, dtypes=REAL,
    why="its weights come from a table of 1,024 steps")
raw("ScaleAndTranslate",     resized("bilinear", antialias=True), PIXELS, [4, 9], np.array([4 / 5, 9 / 7], np.float32),
    np.zeros(2, np.float32), kernel_type="triangle", dtypes=REAL, error_factor=64)

HEIGHT_WIDTH = T(3, form=lambda x: np.array([40, 50, 3], x.dtype), edges=False)
WHOLE = np.array([[[0.1, 0.2, 0.7, 0.9]]], np.float32)
drawn = "a random window; tf.image's own is judged"
raw("SampleDistortedBoundingBoxV2", None, HEIGHT_WIDTH, WHOLE, 0.5, seed=3, seed2=4, kind="random", random=True,
    kernel_only=False, dtypes=INTEGERS, why=drawn)
raw("StatelessSampleDistortedBoundingBox", None, HEIGHT_WIDTH, WHOLE, 0.5, [3, 4], dtypes=INTEGERS, why=drawn)
raw("CTCLoss", None, T(5, 2, 4, edges=False), np.array([[0, 0], [0, 1], [1, 0]]), np.array([0, 2, 1], np.int32),
    np.array([5, 4], np.int32), dtypes=("float32", "float64"), why="tf.nn.ctc_loss is judged itself")
