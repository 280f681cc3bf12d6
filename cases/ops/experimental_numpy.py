"""tf.experimental.numpy.*: elementwise functions, dtypes and configuration; arrays are in `experimental_numpy_arrays`.

Each of the 209 functions (201, and 8 in `random`) has a namesake in NumPy, and promises NumPy's values and result
dtypes: "type promotion follows NumPy semantics". The value is judged against NumPy in higher precision; the dtype, as
`value:theory`, against the dtype that NumPy gives for the same arrays. Functions of two arguments also get arguments
of two different dtypes, and Python numbers. Every case runs with NumPy behavior enabled, the first step of TensorFlow's
guide: without it, `sin` of an integer raises AttributeError.
"""

from functools import partial, wraps

import numpy as np

from tfparity import T, each, inf, sample, tf

from ..references.namesakes import namesake, numpy_behavior, whole


def mixed():
    """Samples of two arguments: of one dtype; then of two dtypes; then with a Python number as the second one."""
    yield sample(T(), T())
    one = T("n", domain=(1, 9), edges=False)
    for dtype in ("float32", "float64", "int8", "uint64"):
        yield sample(one, T("n", dtype=dtype, domain=(1, 9), edges=False), name=f"with-{dtype}")
    yield sample(one, T("n", dtype="bool", values=(True,)), name="with-bool")
    for number in (2, 2.5):
        yield sample(one, number, name=f"with-{number}")


def mixed_whole():
    """The same for functions of integers."""
    yield sample(T(), T())
    for dtype in ("int32", "int8", "uint8", "bool"):
        yield sample(T("n", edges=False), T("n", dtype=dtype, domain=(1, 9), edges=False), name=f"with-{dtype}")
    yield sample(T("n", edges=False), 2, name="with-2")


def refusing(function):
    """NumPy's function, but it raises where NumPy only warns: at a division of integers by zero."""

    @wraps(function)
    def refuse(x, y):
        with np.errstate(divide="raise" if whole(x) and whole(y) else "ignore"):
            return function(x, y)

    return refuse


def power(x, y):
    """The exponents are broadcast first: for a scalar array 0.5, NumPy takes the square root, which is NaN at -inf,
    where the power is inf."""
    return np.power(x, y if isinstance(y, int | float) else np.broadcast_to(y, np.broadcast(x, y).shape).copy())


# --- elementwise unary -----------------------------------------------------------------------------------------------

unary = namesake("elementwise unary")
curve = namesake("elementwise unary", widen=True)
INTERVAL = T(domain=(-1, 1))
POSITIVE = T(domain=(0, inf))
DECIMALS = each(0, 2, -1)

unary("abs",        np.abs,        T())
unary("absolute",   np.absolute,   T())
unary("conj",       np.conj,       T())
unary("conjugate",  np.conjugate,  T())
unary("fabs",       np.fabs,       T())
unary("negative",   np.negative,   T())
unary("positive",   np.positive,   T())
unary("reciprocal", np.reciprocal, T())
unary("sign",       np.sign,       T())
unary("square",     np.square,     T())

unary("around", np.around, T(), decimals=DECIMALS)
unary("round",  np.round,  T(), decimals=DECIMALS)
curve("ceil",   np.ceil,   T())
curve("fix",    np.fix,    T())
curve("floor",  np.floor,  T())

unary("real",  np.real,  T())
unary("imag",  np.imag,  T())
curve("angle", np.angle, T(), deg=each(False, True))

curve("cbrt",  np.cbrt,  T())
curve("exp",   np.exp,   T())
curve("exp2",  np.exp2,  T())
curve("expm1", np.expm1, T())
curve("log",   np.log,   POSITIVE)
curve("log10", np.log10, POSITIVE)
curve("log1p", np.log1p, T(domain=(-1, inf)))
curve("log2",  np.log2,  POSITIVE)
curve("sqrt",  np.sqrt,  POSITIVE)

curve("arccos",  np.arccos,  INTERVAL)
curve("arccosh", np.arccosh, T(domain=(1, inf)))
curve("arcsin",  np.arcsin,  INTERVAL)
curve("arcsinh", np.arcsinh, T())
curve("arctan",  np.arctan,  T())
curve("arctanh", np.arctanh, INTERVAL)
curve("cos",     np.cos,     T())
curve("cosh",    np.cosh,    T())
curve("deg2rad", np.deg2rad, T())
curve("rad2deg", np.rad2deg, T())
curve("sin",     np.sin,     T())
curve("sinc",    np.sinc,    T())
curve("sinh",    np.sinh,    T())
curve("tan",     np.tan,     T())
curve("tanh",    np.tanh,    T())

# --- binary ----------------------------------------------------------------------------------------------------------

binary = namesake("binary")
curve2 = namesake("binary", widen=True)

binary("add",      np.add)(mixed)
binary("subtract", np.subtract)(mixed)
binary("multiply", np.multiply)(mixed)
binary("maximum",  np.maximum)(mixed)
binary("minimum",  np.minimum)(mixed)

binary("divide",       np.divide)(mixed)
binary("true_divide",  np.true_divide)(mixed)
binary("floor_divide", refusing(np.floor_divide))(mixed)
binary("divmod",       refusing(np.divmod))(mixed)
binary("mod",          refusing(np.mod))(mixed)
binary("remainder",    refusing(np.remainder))(mixed)

binary("power",       power)(mixed)
binary("float_power", np.float_power)(mixed)
curve2("arctan2",     np.arctan2)(mixed)
curve2("heaviside",   np.heaviside)(mixed)
curve2("hypot",       np.hypot)(mixed)
curve2("logaddexp",   np.logaddexp)(mixed)
curve2("logaddexp2",  np.logaddexp2)(mixed)


def nextafter(x, y):
    """The neighbours in the dtype that the op runs in: a reference gets its inputs in the next higher precision."""
    own = {np.dtype(np.float64): np.float32, np.dtype(np.longdouble): np.float64}
    return np.nextafter(*(z.astype(own.get(z.dtype, z.dtype)) for z in (x, y)))


def bits(x):
    """Bit patterns are compared, because neighbouring numbers differ by less than any tolerance; all NaN become -1."""
    return np.where(np.isnan(x), -1, x.view({4: np.int32, 8: np.int64}[x.dtype.itemsize]))


binary("nextafter", nextafter, T(), T(), canonical=bits, constants=(), invariant=None)


@binary("clip", np.clip)
def clip():
    yield sample(T(), T(within=(-inf, 0)), T(within=(0, inf)))
    yield sample(T("a b"), -1.5, 2, name="numbers")
    yield sample(T("a b"), None, T("b", dtype="float64", edges=False), name="no-minimum")
    yield sample(T("a b"), T("b", dtype="int32"), None, name="no-maximum")
    yield sample(T("a b", edges=False), 2, 1, name="minimum-above-maximum")


# --- comparison and logical ------------------------------------------------------------------------------------------

comparison = namesake("comparison and logical")

comparison("equal",         np.equal)(mixed)
comparison("greater",       np.greater)(mixed)
comparison("greater_equal", np.greater_equal)(mixed)
comparison("less",          np.less)(mixed)
comparison("less_equal",    np.less_equal)(mixed)
comparison("not_equal",     np.not_equal)(mixed)

comparison("logical_and", np.logical_and)(mixed)
comparison("logical_not", np.logical_not, T())
comparison("logical_or",  np.logical_or)(mixed)
comparison("logical_xor", np.logical_xor)(mixed)

comparison("array_equal", np.array_equal, T("n", values=(0, 1)), T("n", values=(0, 1)), sizes={"n": 1})


def within(*inputs):
    def samples():
        yield sample(*inputs)
        for tolerance in ({"rtol": 0.5}, {"atol": 2.0}, {"equal_nan": True}):
            yield sample(*inputs, **tolerance)

    return samples


comparison("allclose", np.allclose)(within(T("n", values=(2, 3)), T("n", values=(2, 3))))
comparison("isclose",  np.isclose)(within(T(), T()))

comparison("isfinite",     np.isfinite,     T())
comparison("isinf",        np.isinf,        T())
comparison("isnan",        np.isnan,        T())
comparison("isneginf",     np.isneginf,     T())
comparison("isposinf",     np.isposinf,     T())
comparison("iscomplex",    np.iscomplex,    T())
comparison("isreal",       np.isreal,       T())
comparison("iscomplexobj", np.iscomplexobj, T("n"))
comparison("isrealobj",    np.isrealobj,    T("n"))
comparison("signbit",      np.signbit,      T())

# --- integer and bitwise ---------------------------------------------------------------------------------------------

bitwise = namesake("integer and bitwise")

bitwise("bitwise_and", np.bitwise_and)(mixed_whole)
bitwise("bitwise_not", np.bitwise_not, T())
bitwise("bitwise_or",  np.bitwise_or)(mixed_whole)
bitwise("bitwise_xor", np.bitwise_xor)(mixed_whole)

HUNDRED = T(domain=(-100, 100), edges=False)  # for the lowest number of a dtype, gcd does not terminate
bitwise("gcd", np.gcd, HUNDRED, HUNDRED)
bitwise("lcm", np.lcm, HUNDRED, HUNDRED)

# --- dtypes and configuration ----------------------------------------------------------------------------------------

cast = namesake("cast")
NAMES = ("bool", "int8", "uint8", "int32", "int64", "uint64", "float16", "float32", "float64", "complex64")


def table(f, one, others):
    """The names of the dtypes that `f` gives for one dtype and each of the others."""
    found = [f(one, other) for other in others]
    return [np.dtype(getattr(dtype, "as_numpy_dtype", dtype)).name for dtype in found]


def limits(info):
    return np.array([getattr(info, name) for name in ("bits", "eps", "max", "min", "smallest_normal")], np.float64)


cast("finfo",         lambda dtype: limits(np.finfo(dtype)), each(np.float32, np.float64, np.float16),
     call=lambda f, dtype: limits(f(dtype)))
cast("issubdtype",    np.issubdtype, each(*NAMES), each(np.integer, np.floating, np.inexact, np.bool_))
cast("promote_types", partial(table, np.promote_types), each(*NAMES), NAMES, call=table, invariant=None)
cast("result_type",   partial(table, np.result_type),   each(*NAMES), [*NAMES, 2, 2.5, True], call=table,
     invariant=None)

state = namesake("state")


def with_behavior(x, y, prefer_float32=False, dtype_conversion_mode="legacy"):
    if dtype_conversion_mode == "off":
        raise TypeError("two dtypes")
    return x.T, x[[2, 0]], x + y, np.asarray(1.5, np.float32 if prefer_float32 else np.float64)


def behave(f, x, y, **options):
    with numpy_behavior(**options):
        return x.T, x[[2, 0]], x + y, tf.experimental.numpy.asarray(1.5)


# "safe" and "all" must be chosen at the beginning of a program, and a case runs later than that
state("experimental_enable_numpy_behavior", with_behavior, T("a b", dtype="int32"), T("a b", dtype="float32"),
      prefer_float32=each(False, True), dtype_conversion_mode=each("legacy", "off"), sizes={"a": 3}, call=behave)
