"""tf.math: elementwise functions, comparisons, reductions and scans.

References are the same mathematical functions in NumPy and SciPy. Where TensorFlow documents a rule of its own
(`divide_no_nan`, `xlogy`, integer division), a small function above the row states that rule.
"""

import numpy as np

from tfparity import COMPLEX, DTYPE, FLOATS, B, I, T, Undefined, each, error, every, inf, kind, sample

from ..references import special
from ..references.arithmetic import finite, floordiv, floormod, integers, nonzero, power, true_divide

# --- elementwise unary -------------------------------------------------------------------------------------------

unary = kind("elementwise unary")


def real(x):
    return x.real


def imag(x):
    return x.imag


def angle(x):
    return np.arctan2(x.imag, x.real)


def reciprocal(x):
    if x.dtype.kind in "iu" and not x.all():
        raise Undefined("the integer zero has no reciprocal")
    return np.reciprocal(x)


def reciprocal_no_nan(x):
    return np.where(x == 0, 0, 1 / x)


def rsqrt(x):
    return 1 / np.sqrt(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x)) if x.dtype.kind == "c" else special.expit(x)


def softplus(x):
    return np.logaddexp(0, x)


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


def lgamma(x):
    """C99's lgamma: +inf at every pole and at both infinities. SciPy's is -inf at -inf, and overflows near zero."""
    near_zero = np.abs(x) < 1e-300
    return np.where(near_zero, -np.log(np.abs(x)),
                    np.where((x <= 0) & (x == np.floor(x)), inf, special.gammaln(x)))


def digamma(x):
    if np.any((x <= 0) & (x == np.floor(x)) & np.isfinite(x)):
        raise Undefined("digamma has a pole here")
    return special.digamma(x)


def fresnel(x):
    """The Fresnel integrals S and C; SciPy's are NaN at some large arguments, where both equal their limit."""
    return [np.where(np.abs(x) > 1e100, np.copysign(0.5, x), integral) for integral in special.fresnel(x)]


def fresnel_sin(x):
    return fresnel(x)[0]


def fresnel_cos(x):
    return fresnel(x)[1]


unary("tf.math.abs",               finite(np.abs),            T())
unary("tf.math.negative",          np.negative,               T())
unary("tf.math.sign",              finite(np.sign),           T())
unary("tf.math.square",            finite(np.square),         T())
unary("tf.math.reciprocal",        finite(reciprocal),        T())
unary("tf.math.reciprocal_no_nan", finite(reciprocal_no_nan), T())

unary("tf.math.ceil",  np.ceil,  T())
unary("tf.math.floor", np.floor, T())
unary("tf.math.rint",  np.rint,  T())
unary("tf.math.round", np.round, T())

unary("tf.math.is_finite", np.isfinite, T())
unary("tf.math.is_inf",    np.isinf,    T())
unary("tf.math.is_nan",    np.isnan,    T())

unary("tf.math.real",  real,    T())
unary("tf.math.imag",  imag,    T(), dtypes=FLOATS + COMPLEX)
unary("tf.math.conj",  np.conj, T())
unary("tf.math.angle", angle,   T(), dtypes=FLOATS + COMPLEX)

unary("tf.math.exp",         finite(np.exp),   T())
unary("tf.math.expm1",       finite(np.expm1), T())
unary("tf.math.log",         finite(np.log),   T(domain=(0, inf)))
unary("tf.math.log1p",       finite(np.log1p), T(domain=(-1, inf)))
unary("tf.math.sqrt",        finite(np.sqrt),  T(domain=(0, inf)))
unary("tf.math.rsqrt",       finite(rsqrt),    T(domain=(0, inf)))
unary("tf.math.sigmoid",     finite(sigmoid),  T())
unary("tf.math.log_sigmoid", log_sigmoid,      T())
unary("tf.math.softplus",    softplus,         T())

unary("tf.math.sin",   finite(np.sin),     T())
unary("tf.math.cos",   finite(np.cos),     T())
unary("tf.math.tan",   finite(np.tan),     T())
unary("tf.math.asin",  finite(np.arcsin),  T(domain=(-1, 1)))
unary("tf.math.acos",  finite(np.arccos),  T(domain=(-1, 1)))
unary("tf.math.atan",  finite(np.arctan),  T())
unary("tf.math.sinh",  finite(np.sinh),    T())
unary("tf.math.cosh",  finite(np.cosh),    T())
unary("tf.math.tanh",  finite(np.tanh),    T())
unary("tf.math.asinh", finite(np.arcsinh), T())
unary("tf.math.acosh", finite(np.arccosh), T(domain=(1, inf)))
unary("tf.math.atanh", finite(np.arctanh), T(domain=(-1, 1)))

unary("tf.math.erf",                 special.erf,     T())
unary("tf.math.erfc",                special.erfc,    T())
unary("tf.math.erfinv",              special.erfinv,  T(domain=(-1, 1)))
unary("tf.math.erfcinv",             special.erfcinv, T(domain=(0, 2)))
unary("tf.math.ndtri",               special.ndtri,   T(domain=(0, 1)))
unary("tf.math.lgamma",              lgamma,          T(domain=(0, inf)))
unary("tf.math.digamma",             digamma,         T(domain=(0, inf)))
unary("tf.math.bessel_i0",           special.i0,      T())
unary("tf.math.bessel_i0e",          special.i0e,     T())
unary("tf.math.bessel_i1",           special.i1,      T())
unary("tf.math.bessel_i1e",          special.i1e,     T())
unary("tf.math.special.bessel_j0",   special.j0,      T())
unary("tf.math.special.bessel_j1",   special.j1,      T())
unary("tf.math.special.bessel_k0",   special.k0,      T(domain=(0, inf)))
unary("tf.math.special.bessel_k0e",  special.k0e,     T(domain=(0, inf)))
unary("tf.math.special.bessel_k1",   special.k1,      T(domain=(0, inf)))
unary("tf.math.special.bessel_k1e",  special.k1e,     T(domain=(0, inf)))
unary("tf.math.special.bessel_y0",   special.y0,      T(domain=(0, inf)))
unary("tf.math.special.bessel_y1",   special.y1,      T(domain=(0, inf)))
unary("tf.math.special.dawsn",       special.dawsn,   T())
unary("tf.math.special.expint",      special.expi,    T(within=(0, inf)))
unary("tf.math.special.fresnel_cos", fresnel_cos,     T())
unary("tf.math.special.fresnel_sin", fresnel_sin,     T())
unary("tf.math.special.spence",      special.spence,  T(domain=(0, inf)))

# --- binary, with broadcasting ---------------------------------------------------------------------------------------

binary = kind("binary")


def truncatediv(x, y):
    if not integers(x):
        return np.trunc(x / y)
    quotient = np.floor_divide(x, nonzero(x, y))
    return quotient + ((np.fmod(x, y) != 0) & ((x < 0) != (y < 0))).astype(x.dtype)


def truncatemod(x, y):
    return np.fmod(x, nonzero(x, y))


def divide_no_nan(x, y):
    return np.where(y == 0, 0, true_divide(x, y))


def multiply_no_nan(x, y):
    return np.where(y == 0, 0, x * y)


def xdivy(x, y):
    return np.where(x == 0, 0, x / y)


def xlogy(x, y):
    return np.where(x == 0, 0, x * np.log(y))


def xlog1py(x, y):
    return np.where(x == 0, 0, x * np.log1p(y))


def squared_difference(x, y):
    return np.conj(x - y) * (x - y)


def nextafter(x, y):
    """The neighbours in the dtype that the op runs in: a reference gets its inputs in the next higher precision."""
    own = {np.dtype(np.float64): np.float32, np.dtype(np.longdouble): np.float64}.get(x.dtype, x.dtype)
    return np.nextafter(x.astype(own), y.astype(own))


def bits(x):
    """Bit patterns are compared, because neighbouring numbers differ by less than any tolerance; all NaN become -1."""
    return np.where(np.isnan(x), -1, x.view({4: np.int32, 8: np.int64}[x.dtype.itemsize]))


def polygamma(order, x):
    if np.any((order < 0) | (order % 1 != 0)):
        raise Undefined("polygamma is defined only for non-negative integer orders")
    return np.where(order == 0, digamma(x), special.polygamma(order, x))


def zeta(x, q):
    if np.any((x <= 1) | (q <= 0) | np.isinf(x) | np.isinf(q)):
        raise Undefined("the series of zeta has no sum, or only a limit")
    return special.zeta(x, q)


def betainc(a, b, x):
    """The arguments have equal shapes or are scalars: the documentation promises no other broadcasting."""
    if len({i.shape for i in (a, b, x) if i.ndim}) > 1:
        raise ValueError("shapes differ")
    return special.betainc(a, b, x)


def polyval(coefficients, x):
    def horner(x, value, *rest):
        for coefficient in rest:
            value = coefficient + x * value
        return value

    return finite(horner)(x, *coefficients)


binary("tf.math.add",                np.add,                     T(), T())
binary("tf.math.subtract",           np.subtract,                T(), T())
binary("tf.math.multiply",           finite(np.multiply),        T(), T())
binary("tf.math.scalar_mul",         finite(np.multiply),        T(""), T())
binary("tf.math.squared_difference", finite(squared_difference), T(), T())
binary("tf.math.maximum",            np.maximum,                 T(), T())
binary("tf.math.minimum",            np.minimum,                 T(), T())

binary("tf.math.divide",          finite(true_divide),     T(), T())
binary("tf.math.truediv",         finite(true_divide),     T(), T())
binary("tf.realdiv",              finite(np.divide),       T(), T(), dtypes=FLOATS + COMPLEX)
binary("tf.math.divide_no_nan",   finite(divide_no_nan),   T(), T())
binary("tf.math.multiply_no_nan", finite(multiply_no_nan), T(), T())
binary("tf.math.floordiv",        floordiv,                T(), T())
binary("tf.math.floormod",        floormod,                T(), T())
binary("tf.truncatediv",          truncatediv,             T(), T())
binary("tf.truncatemod",          truncatemod,             T(), T())

binary("tf.math.pow",       finite(power),   T(), T())
binary("tf.math.atan2",     np.arctan2,      T(), T())
binary("tf.math.nextafter", nextafter,       T(), T(), canonical=bits, constants=())
binary("tf.math.xdivy",     finite(xdivy),   T(), T())
binary("tf.math.xlogy",     finite(xlogy),   T(), T(domain=(0, inf)))
binary("tf.math.xlog1py",   finite(xlog1py), T(), T(domain=(-1, inf)))
binary("tf.math.polyval",   polyval,         [T(), T(), T()], T())

# Where both are equal and large, the function is a half, and its series and continued fraction converge slowest.
gamma_arguments = (sample(T(domain=(0, inf)), T(domain=(0, inf))),
                   sample(np.float32([1e5, 8e5, 8685113]), np.float32([1e5, 8e5, 8685113]), name="balanced"))
# XLA's series does not terminate on edge values in float64, and takes 27 s, near the timeout, in bfloat16.
binary("tf.math.igamma",    special.gammainc,  dtypes=("float32", "float64"))(lambda: gamma_arguments)
binary("tf.math.igammac",   special.gammaincc)(lambda: gamma_arguments)
binary("tf.math.betainc",   betainc,           T(domain=(0, inf)), T(domain=(0, inf)), T(domain=(0, 1)))
binary("tf.math.zeta",      zeta,              T(domain=(1, inf)), T(domain=(0, inf)))
binary("tf.math.polygamma", polygamma,         T(values=(0, 1, 2, 3, 7, 0.5, -1)), T(within=(0, inf)))

# --- comparison and logical ------------------------------------------------------------------------------------------

comparison = kind("comparison and logical")


def is_non_decreasing(x):
    return np.all(x.ravel()[:-1] <= x.ravel()[1:])


def is_strictly_increasing(x):
    return np.all(x.ravel()[:-1] < x.ravel()[1:])


comparison("tf.math.equal",         np.equal,         T(), T())
comparison("tf.math.not_equal",     np.not_equal,     T(), T())
comparison("tf.math.less",          np.less,          T(), T())
comparison("tf.math.less_equal",    np.less_equal,    T(), T())
comparison("tf.math.greater",       np.greater,       T(), T())
comparison("tf.math.greater_equal", np.greater_equal, T(), T())

comparison("tf.math.logical_and", np.logical_and, B(), B())
comparison("tf.math.logical_or",  np.logical_or,  B(), B())
comparison("tf.math.logical_xor", np.logical_xor, B(), B())
comparison("tf.math.logical_not", np.logical_not, B())

comparison("tf.math.is_non_decreasing",      is_non_decreasing,      each(T("n", form=np.sort), T("a b")))
comparison("tf.math.is_strictly_increasing", is_strictly_increasing, each(T("n", form=np.sort), T("a b")))

# --- reductions and scans --------------------------------------------------------------------------------------------

reduction = kind("reductions and scans")
AXES = each(None, 0, (0, -1))
KEEP = each(False, True)
OUT = each(np.int64, np.int32)


def sized(reduce):
    """The reduction, which is defined only where there are elements."""

    def function(x, axis, keepdims):
        if x.size == 0:
            raise Undefined("the documentation gives no result for a tensor without elements")
        return reduce(x, axis=axis, keepdims=keepdims)

    return function


def reduce_mean(x, axis, keepdims):
    """The mean of integers is in their own dtype: the example of the page gives 0 for [1, 0, 1, 0]."""
    if not integers(x):
        return np.mean(x, axis=axis, keepdims=keepdims)
    if x.size == 0:
        raise Undefined("the documentation gives no mean of an integer tensor without elements")
    return np.trunc(np.mean(x.astype(np.longdouble), axis=axis, keepdims=keepdims)).astype(x.dtype)


def l2_normalize(x, axis, epsilon):
    return x / np.sqrt(np.maximum(np.sum(np.abs(x) ** 2, axis if axis is None else tuple(np.atleast_1d(axis)),
                                         keepdims=True), epsilon))


def reduce_euclidean_norm(x, axis, keepdims):
    """In the dtype of `x`, as documented: for integers, the example of the page gives 4 as the root of 17."""
    squares = np.sum(np.abs(x.astype(np.longdouble) if integers(x) else x) ** 2, axis=axis, keepdims=keepdims)
    if integers(x) and np.any(squares > np.iinfo(x.dtype).max):
        raise Undefined("the sum of the squares overflows its integer dtype")
    return np.sqrt(squares).astype(x.dtype)


def lbeta(x):
    if np.any(x > 1e6):
        raise Undefined("the difference of two such large logarithms of gamma has no correct digit")
    return np.sum(lgamma(x), -1) - lgamma(np.sum(x, -1))


def count_nonzero(x, axis, keepdims, dtype):
    return np.asarray(np.count_nonzero(x, axis=axis, keepdims=keepdims)).astype(dtype)


def zero_fraction(x):
    return np.mean(x == 0)


def arg(reduce):
    def function(x, axis, output_type):
        if np.isnan(x).any():
            raise Undefined("NaN is neither smaller nor larger than another number")
        return reduce(x, axis or 0).astype(output_type)

    return function


def scan(ufunc, identity):
    """Cumulative results along `axis`; exclusive ones start with the identity and leave out the last element."""

    def function(x, axis, exclusive, reverse):
        x = np.moveaxis(np.flip(x, axis) if reverse else x, axis, 0)
        out = ufunc.accumulate(x, 0, dtype=x.dtype)
        if exclusive:
            out = np.concatenate([np.full_like(out[:1], identity), ufunc(np.full_like(out[:-1], identity), out[:-1])])
        out = np.moveaxis(out, 0, axis)
        return np.flip(out, axis) if reverse else out

    return function


def add_n(inputs):
    if len({x.shape for x in inputs}) > 1:
        raise ValueError("shapes differ")
    return sum(inputs[1:], inputs[0])


reduction("tf.math.reduce_sum",            np.sum,                        T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_prod",           finite(np.prod),               T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_mean",           finite(reduce_mean),           T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_max",            sized(np.max),                 T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_min",            sized(np.min),                 T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_variance",       finite(np.var),                T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_std",            finite(np.std),                T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_logsumexp",      np.logaddexp.reduce,           T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_euclidean_norm", finite(reduce_euclidean_norm), T("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_all",            np.all,                        B("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.reduce_any",            np.any,                        B("a b c"), axis=AXES, keepdims=KEEP)
reduction("tf.math.count_nonzero", count_nonzero, T("a b c"), axis=AXES, keepdims=KEEP, dtype=np.int32)
reduction("tf.math.l2_normalize",         finite(l2_normalize), T("a b"),
          axis=each(None, 0, [0, 1]), epsilon=each(1e-12, 4.0))
reduction("tf.math.zero_fraction",         zero_fraction,                 T("a b", values=(0, 1, 2)))
reduction("tf.math.argmax", arg(np.argmax), T("a b"), axis=each(None, 0, -1), output_type=OUT)
reduction("tf.math.argmin", arg(np.argmin), T("a b"), axis=each(None, 0, -1), output_type=OUT)
reduction("tf.math.lbeta",                 lbeta,                         T("a k", domain=(0, inf)))

reduction("tf.math.add_n",        add_n, [T("a b"), T("a b"), T("a b")])
reduction("tf.math.accumulate_n", lambda inputs, **same: add_n(inputs))(lambda: (
    sample([T("a b"), T("a b"), T("a b")]), sample([T(4, 3), T(4, 3)], shape=[4, 3], tensor_dtype=DTYPE, name="typed")))

FLAGS = {"exclusive": each(False, True), "reverse": each(False, True)}
reduction("tf.math.cumsum",               scan(np.add, 0),              T("a b"), axis=each(0, 1), **FLAGS,
          canonical=lambda total: total + total.dtype.type(0))                        # the sign of 0 is not promised
reduction("tf.math.cumprod",              finite(scan(np.multiply, 1)), T("a b"), axis=each(0, 1), **FLAGS)
reduction("tf.math.cumulative_logsumexp", scan(np.logaddexp, -inf),     T("a b"), axis=each(0, 1), **FLAGS)


# segments: rows of the data that have the same id are reduced to one row of the result


def segments(reduce, empty=0):
    """Ids must be sorted, and the last id names the last row. `empty` fills the rows whose id does not occur."""

    def function(data, ids):
        if len(ids) != len(data) or (np.diff(ids) < 0).any():
            raise ValueError("ids must be sorted, and as many as rows")
        return unsorted_segments(reduce, lambda dtype: empty)(data, ids, int(ids[-1]) + 1 if len(ids) else 0)

    return function


def unsorted_segments(reduce, empty=lambda dtype: 0):
    """Rows of the data whose id is negative are dropped."""

    def function(data, ids, num_segments):
        if ids.shape != data.shape[:ids.ndim] or (ids >= num_segments).any():
            raise ValueError("one id for each row, each below num_segments")
        row = data.shape[ids.ndim:]
        data, ids = data.reshape(ids.size, *row), ids.ravel()
        out = np.full((num_segments, *row), empty(data.dtype), data.dtype)
        for n in set(ids[ids >= 0]):
            out[n] = reduce(data[ids == n])
        return out

    return function


def sum_of(rows):
    return np.sum(rows, 0, dtype=rows.dtype)


def prod_of(rows):
    return np.prod(rows, 0, dtype=rows.dtype)


def max_of(rows):
    return np.max(rows, 0)


def min_of(rows):
    return np.min(rows, 0)


def mean_of(rows):
    return np.trunc(np.mean(rows.astype(np.longdouble), 0)) if integers(rows) else np.mean(rows, 0)


def sqrt_n_of(rows):
    return np.sum(rows, 0) / np.sqrt(len(rows))


def one(dtype):
    return 1


def lowest(dtype):
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.finfo(dtype).max


def highest(dtype):
    return np.iinfo(dtype).max if dtype.kind in "iu" else np.finfo(dtype).max


def clipped(result):
    """The result, with numbers beyond float16's range replaced by the ends of that range. A reference gets floats in
    higher precision than the op, so it cannot know the lowest and the highest number of the op's dtype."""
    if integers(result):
        return result
    most = result.dtype.type(65504)
    return np.minimum(np.maximum(result, -most), most)


ROWS = np.ones((3, 2), np.float32)
SORTED = T("n", dtype="int32", within=(0, 5), form=np.sort, edges=False)
DISORDER = [error("unsorted", ROWS, np.array([0, 2, 1], np.int32))]
BEYOND = [error("beyond", ROWS, np.array([0, 6, 1], np.int32), 6)]


def any_order():
    yield sample(T("n d"), I("n", within=(-2, 5)), 6)
    yield sample(T("n m d"), I("n m", within=(-2, 5)), 6, name="ids-of-rank-2")


reduction("tf.math.segment_sum",  segments(sum_of),             T("n d"), SORTED, errors=DISORDER)
reduction("tf.math.segment_prod", segments(finite(prod_of), 1), T("n d"), SORTED, errors=DISORDER)
reduction("tf.math.segment_max",  segments(max_of),             T("n d"), SORTED, errors=DISORDER)
reduction("tf.math.segment_min",  segments(min_of),             T("n d"), SORTED, errors=DISORDER)
reduction("tf.math.segment_mean", segments(finite(mean_of)),    T("n d"), SORTED, errors=DISORDER)

reduction("tf.math.unsorted_segment_sum",    unsorted_segments(sum_of),                errors=BEYOND)(any_order)
reduction("tf.math.unsorted_segment_prod",   unsorted_segments(finite(prod_of), one),  errors=BEYOND)(any_order)
reduction("tf.math.unsorted_segment_max",    unsorted_segments(max_of, lowest),        errors=BEYOND,
          canonical=clipped)(any_order)
reduction("tf.math.unsorted_segment_min",    unsorted_segments(min_of, highest),       errors=BEYOND,
          canonical=clipped)(any_order)
reduction("tf.math.unsorted_segment_mean",   unsorted_segments(mean_of),               errors=BEYOND,
          dtypes=FLOATS + COMPLEX)(any_order)
reduction("tf.math.unsorted_segment_sqrt_n", unsorted_segments(sqrt_n_of),             errors=BEYOND,
          dtypes=FLOATS + COMPLEX)(any_order)


# counting and ranking


def bincount(arr, weights=None, minlength=0, maxlength=None, dtype=np.int32, axis=None, binary_output=False):
    if (arr < 0).any():
        raise ValueError("negative values")
    length = max(int(arr.max(initial=-1)) + 1, minlength)
    length = length if maxlength is None else min(length, maxlength)

    def bins(values, weights):
        counts, kept = np.zeros(length, np.int64 if weights is None else weights.dtype), values < length
        np.add.at(counts, values[kept], 1 if weights is None else weights[kept])
        return counts

    if axis == -1:
        counts = np.array([bins(row, None) for row in arr]).reshape(len(arr), length)
    else:
        counts = bins(arr.ravel(), weights)
    return (counts > 0 if binary_output else counts).astype(dtype if weights is None else weights.dtype)


@reduction("tf.math.bincount", bincount, errors=[error("negative", np.array([1, -1], np.int32), weights=None)])
def numbers():
    yield sample(I("n", within=(0, 6)), weights=T("n"), name="weights")
    yield sample(I("n", within=(0, 6)), minlength=9)
    yield sample(I("n", within=(0, 6)), minlength=2, maxlength=4)
    yield sample(I("n", within=(0, 6)), maxlength=4, dtype=np.float32)
    yield sample(I("m n", within=(0, 6)), axis=0)
    yield sample(I("m n", within=(0, 6)), axis=-1)
    yield sample(I("m n", within=(0, 6)), axis=-1, binary_output=True, minlength=9)


def confusion_matrix(labels, predictions, num_classes=None, weights=None, dtype=np.int32):
    count = int(max(labels.max(initial=-1), predictions.max(initial=-1))) + 1 if num_classes is None else num_classes
    matrix = np.zeros((count, count), np.float64 if weights is None else weights.dtype)
    if min(labels.min(initial=0), predictions.min(initial=0)) < 0:
        raise ValueError("labels start at 0")
    np.add.at(matrix, (labels, predictions), 1 if weights is None else weights)
    return matrix.astype(dtype)


@reduction("tf.math.confusion_matrix", confusion_matrix)
def labels():
    yield sample(I("n", below=5), I("n", below=5), num_classes=5)
    yield sample(I("n", within=(0, 4)), I("n", within=(0, 4)))
    yield sample(I("n", within=(0, 4)), I("n", within=(0, 4)), num_classes=5, dtype=np.float64, name="float64")
    yield sample(I("n", within=(0, 4)), I("n", within=(0, 4)), num_classes=5, dtype=np.float32,
                 weights=T("n", dtype="float32"), name="weights")


def top_k(x, k, index_type=np.int32, sorted=True):
    """The largest first; of equal elements, the one with the lower index first."""
    if x.dtype.kind == "f" and np.isnan(x).any():
        raise Undefined("NaN is neither smaller nor larger than another number")
    if k > x.shape[-1]:
        raise ValueError("fewer than k")
    last = x.shape[-1] - 1
    order = last - np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1][..., :k]
    return [np.take_along_axis(x, order, -1), order.astype(index_type)]


def chosen(result, operand, k, reduction_dimension=-1, aggregate_to_topk=True):
    """Whether the values are those at the indices. Which elements are found is not promised, nor, without
    aggregation, how many more than k."""
    values, indices = result
    assert values.shape[reduction_dimension] == k or (values.shape[reduction_dimension] > k and not aggregate_to_topk)
    return values, np.take_along_axis(operand, indices, reduction_dimension)


def in_top_k(targets, predictions, k):
    own = predictions[np.arange(len(targets)), targets][:, None]
    return np.isfinite(own[:, 0]) & (np.sum(predictions > own, 1) < k)


reduction("tf.math.top_k", top_k)(lambda: [
    *every(T("a b"), k=each(1, 3), index_type=each(np.int32, np.int64, np.int16)),
    sample(T("a b"), k=1, sorted=False)])      # for more than one, no order is promised
reduction("tf.math.approx_max_k", None, T("a b", edges=False), k=3, reduction_dimension=each(-1, 0),
          aggregate_to_topk=each(True, False), invariant=chosen,
          sizes={"a": 6, "b": 8}).no_reference(
    "the op is approximate: which of the largest elements it finds is not promised")
reduction("tf.math.approx_min_k", None, T("a b", edges=False), k=3, reduction_dimension=each(-1, 0),
          aggregate_to_topk=each(True, False), invariant=chosen,
          sizes={"a": 6, "b": 8}).no_reference(
    "the op is approximate: which of the smallest elements it finds is not promised")
reduction("tf.math.in_top_k",           in_top_k,   I("n", within=(0, 4)), T("n", 5, dtype="float32"), k=each(2, 1, -1))
reduction("tf.math.invert_permutation", np.argsort, T("n", form=np.argsort, edges=False),
          errors=[error("repeated", np.array([0, 0, 1], np.int32)), error("negative", np.array([0, -1], np.int32))])

# --- sequences -------------------------------------------------------------------------------------------------------

random = kind("random", random=True)


def sobol_sample(dim, num_results, skip, dtype):
    """The Sobol sequence without its first point, which is zero."""
    from scipy.stats import qmc  # the import takes a second, and one op needs it

    return qmc.Sobol(dim, scramble=False).random(skip + 1 + num_results)[skip + 1:].astype(dtype)


random("tf.math.sobol_sample", sobol_sample, each(1, 5), 31, skip=each(0, 4), dtype=DTYPE)
