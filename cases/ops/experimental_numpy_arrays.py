"""tf.experimental.numpy.*: making arrays, reductions, shape and indexing, linear algebra, and random numbers.

The rules at the head of `experimental_numpy` hold here too. `random` does not promise which numbers are drawn, so its
functions are judged by what they do promise: shape, dtype, range and distribution.
"""

import numpy as np

from tfparity import FLOATS, SIGNED, B, I, T, each, error, inf, sample, tf

from ..references.namesakes import namesake

# --- making arrays ---------------------------------------------------------------------------------------------------

making = namesake("shape and indexing")
GIVEN = each(None, np.float32, np.int32, bool)
SHAPES = each((2, 3), (), (0, 2), 4)
HUGE = [error("huge", 2**63 - 1, dtype=np.uint16)]
PLAIN = T("a b", edges=False)  # NaN and infinity have no documented value in another dtype


def defaulting(function):
    """NumPy's function, where `dtype=None` means that no dtype is passed: the function takes its default."""
    return lambda *inputs, dtype, **options: function(*inputs, **options, **{} if dtype is None else {"dtype": dtype})


def apply_defaulting(f, *inputs, dtype, **options):
    return defaulting(f)(*inputs, dtype=dtype, **options)


making("array",             np.array,             PLAIN, dtype=GIVEN, ndmin=each(0, 3))
making("asarray",           np.asarray,           PLAIN, dtype=GIVEN)
making("asanyarray",        np.asanyarray,        PLAIN, dtype=GIVEN)
making("ascontiguousarray", np.ascontiguousarray, each(PLAIN, T("", edges=False)), dtype=GIVEN)
making("copy",              np.copy,              PLAIN)

making("zeros",      defaulting(np.zeros),     SHAPES, dtype=GIVEN, call=apply_defaulting, errors=HUGE)
making("ones",       defaulting(np.ones),      SHAPES, dtype=GIVEN, call=apply_defaulting, errors=HUGE)
making("full",       np.full,                  SHAPES, T("", edges=False), dtype=GIVEN)
making("eye",        defaulting(np.eye),       3, each(None, 4), k=each(0, 1, -2, 5), dtype=each(None, np.int32),
       call=apply_defaulting)
making("identity",   defaulting(np.identity),  each(3, 0), dtype=GIVEN, call=apply_defaulting)
making("tri",        defaulting(np.tri),       3, each(None, 4), k=each(0, 1, -2, 5), dtype=each(None, np.int32),
       call=apply_defaulting)
making("zeros_like", np.zeros_like,            PLAIN, dtype=GIVEN)
making("ones_like",  np.ones_like,             PLAIN, dtype=GIVEN)
making("full_like",  np.full_like,             PLAIN, T("", edges=False), dtype=GIVEN)

# The contents are uninitialised memory: only shape and dtype are compared.
making("empty",      defaulting(np.zeros),     SHAPES, dtype=GIVEN, call=apply_defaulting, canonical=np.zeros_like)
making("empty_like", np.zeros_like,            PLAIN, dtype=GIVEN, canonical=np.zeros_like)


@making("arange", np.arange)
def arange():
    yield sample(5)
    yield sample(5.5, name="float")
    yield sample(0, name="none")
    yield sample(2, 9, 3, name="step")
    yield sample(9, 2, -3, name="backwards")
    yield sample(9, 2, name="empty")
    yield sample(0.0, 1.0, 0.25, name="quarters")
    yield sample(2, 9, dtype=np.float32)
    yield sample(2, 9.5, dtype=np.int32, name="float,dtype=int32")


ENDS = T("", domain=(1, 9), edges=False), T("", domain=(10, 19), edges=False)


def spaced(**options):
    """Samples that run between two scalars of the dtype, between two arrays, and between two Python numbers."""

    def samples():
        yield sample(*ENDS)
        yield sample(*ENDS, num=7, name="num=7")
        yield sample(*ENDS, num=1, name="num=1")
        yield sample(*ENDS, num=0, name="num=0")
        yield sample(*ENDS, num=5, endpoint=False, name="no-endpoint")
        yield sample(*ENDS, num=1, endpoint=False, name="num=1,no-endpoint")
        yield sample(*ENDS, num=5, dtype=np.float32, name="dtype=float32")
        yield sample(T("n", domain=(1, 9), edges=False), T("n", domain=(10, 19), edges=False), num=5, axis=-1,
                     name="arrays,axis=-1")
        yield sample(1, 8, num=5, name="numbers")
        for option, value in options.items():
            yield sample(*ENDS, num=5, **{option: value})

    return samples


making("linspace",  np.linspace,  dtypes=FLOATS + SIGNED)(spaced(retstep=True))
# The power in logspace amplifies the rounding error of its exponent.
making("logspace",  np.logspace,  dtypes=FLOATS + SIGNED, error_factor=16)(spaced(base=2.0))
making("geomspace", np.geomspace, dtypes=FLOATS + SIGNED)(spaced())

making("diag",         np.diag,         each(T("a b"), T("n")), k=each(0, 1, -2))
making("diagflat",     np.diagflat,     each(T("a b"), T("n")), k=each(0, 1, -2))
making("diag_indices", np.diag_indices, each(3, 0), ndim=each(2, 3, 1))
making("meshgrid",     np.meshgrid,     T("a"), T("b"), indexing=each("xy", "ij"))
making("ix_",          np.ix_,          T("a"), T("b"), T("c"))
making("vander",       np.vander,       T("n", domain=(-2, 2)), N=each(None, 3, 0), increasing=each(False, True))

# --- reductions and scans --------------------------------------------------------------------------------------------

reduction = namesake("reductions and scans")
mean = namesake("reductions and scans", widen=True)
AXES = each(None, 0, (0, -1))
AXIS = each(None, 0, -1)
KEEP = each(False, True)
ARRAY = T("a b c")

reduction("all",  np.all,  ARRAY, axis=AXES, keepdims=KEEP)
reduction("any",  np.any,  ARRAY, axis=AXES, keepdims=KEEP)
reduction("amax", np.amax, ARRAY, axis=AXES, keepdims=KEEP)
reduction("amin", np.amin, ARRAY, axis=AXES, keepdims=KEEP)
reduction("max",  np.max,  ARRAY, axis=AXES, keepdims=KEEP)
reduction("min",  np.min,  ARRAY, axis=AXES, keepdims=KEEP)
reduction("ptp",  np.ptp,  ARRAY, axis=AXES, keepdims=KEEP)


def with_dtype(**more):
    """Samples for every axis, with and without `keepdims`; then with a result dtype; then with the options `more`."""

    def samples():
        for axis in (None, 0, (0, -1)):
            yield sample(ARRAY, axis=axis)
            yield sample(ARRAY, axis=axis, keepdims=True)
        yield sample(ARRAY, axis=-1, dtype=np.float32, name="dtype=float32")
        yield sample(T("a b c", edges=False), axis=-1, dtype=np.float64, name="dtype=float64")
        if more:
            yield sample(ARRAY, axis=-1, **more)

    return samples


reduction("sum",     np.sum)(with_dtype())
reduction("prod",    np.prod)(with_dtype())
reduction("nansum",  np.nansum)(with_dtype())
reduction("nanprod", np.nanprod)(with_dtype())
mean("nanmean",      np.nanmean)(with_dtype())
mean("mean",         np.mean)(with_dtype())
# S is not measured for integers, so the factor covers how far the order of a long sum moves the result.
mean("var",          np.var, error_factor=8)(with_dtype(ddof=1))
mean("std",          np.std, ARRAY, axis=AXES, keepdims=KEEP, error_factor=8)


@mean("average", np.average)
def average():
    for axis in (None, 0, -1):
        yield sample(T("a b"), axis=axis)
        yield sample(T("a b"), axis=axis, returned=True)
        yield sample(T("a b"), axis=axis, weights=T("a b", domain=(1, 9)), name=f"axis={axis},weights")
    yield sample(T("a b"), axis=0, weights=T("a", domain=(1, 9)), returned=True, name="axis=0,row-weights,returned")


reduction("argmax",        np.argmax,        T("a b"), axis=AXIS)
reduction("argmin",        np.argmin,        T("a b"), axis=AXIS)
reduction("count_nonzero", np.count_nonzero, T("a b"), axis=AXES)
reduction("cumprod",       np.cumprod,       T("a b"), axis=AXIS, dtype=each(None, np.float32))
reduction("cumsum",        np.cumsum,        T("a b"), axis=AXIS, dtype=each(None, np.float32),
          canonical=lambda total: total + total.dtype.type(0))                      # the sign of zero is not documented
reduction("diff",          np.diff,          T("a b"), n=each(1, 2, 0), axis=each(-1, 0))
reduction("sort",          np.sort,          T("a b"), axis=each(-1, 0, None))


@reduction("argsort", np.argsort)
def argsort():
    for axis in (-1, 0, None):
        yield sample(T("a b"), axis=axis, kind="stable")
    yield sample(T("n", form=np.argsort, edges=False), name="distinct")


# --- shape and indexing ----------------------------------------------------------------------------------------------

shape = namesake("shape and indexing")


def number(f, a):
    """The result, a Python number, as int64: a graph would make it a tensor of fewer bits than NumPy's result."""
    return tf.cast(f(a), tf.int64)


shape("ndim",     np.ndim,     each(T("a b"), T("")), call=number)
shape("size",     np.size,     each(T("a b"), T("")), call=number)
shape("shape",    lambda a: np.array(a.shape, np.int64), each(T("a b"), T("")),
      call=lambda f, a: tf.constant(list(f(a)), tf.int64))
shape("isscalar", np.isscalar, each(T("a b"), 3.5))

shape("broadcast_arrays", np.broadcast_arrays, T("a 1"), T("b"), T(""))
shape("broadcast_to",     np.broadcast_to,     T("a 1"), (2, 4, 3), sizes={"a": 4})
shape("expand_dims",      np.expand_dims,      T("a b"), each(0, 1, -1))
shape("flatten",          lambda a, order: a.flatten(order), T("a b"), order=each("C", "F", "A", "K"))
shape("moveaxis",         np.moveaxis,         ARRAY, each(0, -1), each(1, -1))
shape("ravel",            np.ravel,            T("a b"))
shape("reshape",          np.reshape,          T(4, 3), each((2, 6), -1, (3, -1)), order=each("C", "F"))
shape("squeeze",          np.squeeze,          T("a 1 b 1"), axis=each(None, 1, (1, -1)))
shape("swapaxes",         np.swapaxes,         ARRAY, each(0, -1), each(1, -2))
shape("transpose",        np.transpose,        ARRAY, axes=each(None, (1, 2, 0), (-1, 0, 1)))
shape("atleast_1d",       np.atleast_1d,       T(""), T("a b"))
shape("atleast_2d",       np.atleast_2d,       T(""), T("a"), ARRAY)
shape("atleast_3d",       np.atleast_3d,       T(""), T("a"), T("a b"))

shape("flip",   np.flip,   ARRAY, axis=AXIS)
shape("fliplr", np.fliplr, ARRAY)
shape("flipud", np.flipud, ARRAY)
shape("repeat", np.repeat, T("a b"), each(2, 0), axis=AXIS)
shape("roll",   np.roll,   T("a b"), each(1, -2, 9), axis=AXIS)
shape("rot90",  np.rot90,  ARRAY, k=each(1, 2, -1, 0), axes=each((0, 1), (-1, 0)))
shape("tile",   np.tile,   T("a b"), each(2, (2, 1, 3), (3, 2), (0, 1)))
shape("tril",   np.tril,   ARRAY, k=each(0, 1, -2))
shape("triu",   np.triu,   ARRAY, k=each(0, 1, -2))

shape("diagonal",    np.diagonal,    ARRAY, offset=each(0, 1, -2, 9), axis1=each(0, -1), axis2=1,
      axis_options=("axis1", "axis2"))
shape("nonzero",     np.nonzero,     each(T("a b"), T("n")))
shape("compress",    np.compress,    each([True, False, True], B(3)), T("3 3"), axis=AXIS)
shape("take",        np.take,        T("a b"), I("n", within=(-5, 5)), axis=AXIS, mode=each("clip", "wrap"),
      empty=False)
shape("take_along_axis", np.take_along_axis, T("a b"), I("a n", below=3, negative=True), axis=-1, sizes={"b": 3})


@shape("pad", np.pad)
def pad():
    for width in (((1, 2), (0, 1)), ((0, 0), (2, 2))):
        for mode in ("constant", "reflect", "symmetric"):
            yield sample(T("a b"), width, mode=mode, name=f"{mode}-{width[0][0]}")
    yield sample(T("a b"), ((1, 2), (0, 1)), mode="constant", constant_values=3)


@shape("where", np.where)
def where():
    yield sample(T("a b", dtype="bool"), T("a b"), T("b"))
    yield sample(T("a b"), T("a b"), T("a b"), name="numbers-as-conditions")
    yield sample(T("a b", dtype="bool"), T("a b"), T("a b", dtype="float64"), name="with-float64")
    yield sample(T("a b", dtype="bool"), T("a b"), 2.5, name="with-2.5")
    yield sample(T("a b"), name="condition-only")


@shape("select", np.select)
def select():
    conditions = [T("a b", dtype="bool"), T("a b", dtype="bool")]
    yield sample(conditions, [T("a b"), T("a b")])
    yield sample(conditions, [T("a b"), T("a b")], default=7)
    yield sample(conditions, [T("a b"), T("a b", dtype="float64")], name="with-float64")


def joined():
    """Samples of arrays to join: of rank 3, of rank 1, and of two different dtypes."""
    yield sample([T("a b c"), T("a b c")])
    yield sample([T("n"), T("n"), T("n")], name="vectors")
    yield sample([T("a b"), T("a b", dtype="float64")], name="with-float64")
    yield sample([T("a b"), T("a b", dtype="int8")], name="with-int8")


def joined_along():
    yield from joined()
    yield sample([T("a b"), T("a b")], axis=-1)


shape("append",      np.append,      T("a b"), T("a b"), axis=AXIS)
shape("concatenate", np.concatenate)(joined_along)
shape("stack",       np.stack)(joined_along)
shape("dstack",      np.dstack)(joined)
shape("hstack",      np.hstack)(joined)
shape("vstack",      np.vstack)(joined)

shape("split",  np.split,  T(6, 4), each(2, [1, 3], [2, 9]), axis=each(0, 1))
shape("dsplit", np.dsplit, T(2, 3, 6), each(2, [1, 3]))
shape("hsplit", np.hsplit, T(2, 6), each(2, [1, 3]))
shape("vsplit", np.vsplit, T(6, 2), each(2, [1, 3]))

# --- linear algebra --------------------------------------------------------------------------------------------------

linear = namesake("linear algebra")


def products(*more):
    """Samples of two matrices; then of two different dtypes; then of the pairs of shapes in `more`."""

    def samples():
        yield sample(T("m k"), T("k n"))
        yield sample(T("m k"), T("k n", dtype="float64"), name="with-float64")
        yield sample(T("m k"), T("k n", dtype="int8"), name="with-int8")
        for a, b in more:
            name = ",".join(shape.replace(" ", "x") or "scalar" for shape in (a, b))
            yield sample(T(a, edges=False), T(b, edges=False), name=name)

    return samples


linear("matmul", np.matmul)(products(("k", "k"), ("k", "k n"), ("m k", "k"), ("b m k", "b k n"), ("b m k", "k n")))
linear("dot",    np.dot)(products(("k", "k"), ("", "m n"), ("b m k", "k"), ("b m k", "c k n")))
linear("inner",  np.inner,  each(T("m k"), T("k")), each(T("n k"), T("k")))
linear("outer",  np.outer,  each(T("m n"), T("m")), T("k"))
linear("vdot",   np.vdot,   T("m n"), T("m n"))
linear("kron",   np.kron,   each(T("m n"), T("m")), T("j k"))
linear("cross",  np.cross,  T("n 3"), T("n 3"))
linear("trace",  np.trace,  T("m n k"), offset=each(0, 1, -2), axis1=each(0, 1), axis2=2, dtype=each(None, np.float32),
       axis_options=("axis1", "axis2"))

linear("tensordot", np.tensordot, T("m j k"), T("j k n"), axes=each(2, ((1, 2), (0, 1)), ((-1,), (1,))))
linear("einsum",    np.einsum,    each("ij,jk->ik", "ij,jk", "ki,ij->kj"), T("n n"), T("n n"))
linear("polyval",   np.polyval,   T("k", domain=(-2, 2)), T("n", domain=(-2, 2)))

# --- random ----------------------------------------------------------------------------------------------------------

random = namesake("random", random=True)
SIZES = each((50, 80), 4000)


def promises(function):
    """The facts that hold for a right result: zeros of its shape and dtype; then True for range, mean and deviation."""
    return lambda *args, **options: (np.zeros_like(function(*args, **options)), True, True, True)


def keeps(mean, deviation, low=-inf, high=inf):
    """The same facts of TensorFlow's result; its mean and deviation must be right within five standard errors. No mode
    promises which numbers are drawn."""

    def facts(f, *args, **options):
        result = f(*args, **options)
        x = tf.cast(tf.reshape(result, [-1]), tf.float64)
        error = 5 * deviation / tf.sqrt(tf.cast(tf.size(x), tf.float64))
        inside = tf.reduce_all((x >= low) & (x < high))
        near = [tf.abs(tf.reduce_mean(x) - mean) <= error, tf.abs(tf.math.reduce_std(x) - deviation) <= error]
        return tf.zeros_like(result), inside, *near

    return facts


NORMAL, UNIT = keeps(0, 1), keeps(0.5, 12**-0.5, 0, 1)
LOW, HIGH = T("2", dtype="float64", values=[2.0]), T("3 1", dtype="float64", values=[9.0])

random("random.rand",            promises(np.random.rand),            50, 80, call=UNIT)
random("random.random",          promises(np.random.random),          size=SIZES, call=UNIT)
random("random.randn",           promises(np.random.randn),           50, 80, call=NORMAL)
random("random.standard_normal", promises(np.random.standard_normal), size=SIZES, call=NORMAL)
random("random.poisson",         promises(np.random.poisson),         3.5, size=SIZES, call=keeps(3.5, 3.5**0.5, 0))
random("random.randint",         promises(np.random.randint),         2, 9, size=SIZES, dtype=each(np.int64, np.int32),
       call=keeps(5, 2, 2, 9))


@random("random.uniform", promises(np.random.uniform), call=keeps(5.5, 7 * 12**-0.5, 2, 9))
def uniform():
    yield sample(2.0, 9.0, size=(50, 80))
    yield sample(2.0, 9.0, size=4000, name="size=4000")
    yield sample(LOW, HIGH, name="of-the-shape-of-its-bounds")


def twice(f, seed):
    draws = []
    for _ in range(2):
        f(seed)
        draws.append(tf.experimental.numpy.random.rand(9))
    return tf.reduce_all(draws[0] == draws[1])


random("random.seed", lambda seed: True, each(7, 0), call=twice)
