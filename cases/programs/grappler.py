"""The graph optimizer (grappler): for each of its stages, graphs that match the pattern that the stage rewrites.

Each section names the source file of the stages. As in `rewrites`, the expected result is that of the program as
written: the reference is NumPy in the dtype itself, and the shapes are such that the stage applies its rewrite.
"""

from functools import partial

import numpy as np

from tfparity import I, T, each, error, tf

from ..references import special
from ..references.formulas import ACTIVATIONS, ANY, FLOAT32, family, rewrite

# --- arithmetic_optimizer.cc: OptimizeMaxOrMinOfMonotonic ----------------------------------------------------------

# The stage computes the extreme first and applies the function to it alone. The index differs where the function maps
# two values to one (relu is flat, tanh saturates), and the value differs where the function is NaN for one input.
SCALE, ALPHA = np.float32(1.05070098), np.float32(1.67326324)
TOTAL = {
    **{name: ACTIVATIONS[name] for name in ("relu", "relu6", "elu", "sigmoid", "tanh")},
    "selu":     lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: np.logaddexp(x, np.float32(0)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sinh":     np.sinh,
    "asinh":    np.arcsinh,
    "atan":     np.arctan,
    "erf":      special.erf,
    "exp":      np.exp,
    "expm1":    np.expm1,
    "floor":    np.floor,
    "ceil":     np.ceil,
    "round":    np.rint,
    "sign":     np.sign,
    "negative": np.negative,
}
PARTIAL = {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "acosh": np.arccosh}
STEPS = T(12, 5, values=[-200, -150, -20.5, -5, -1.5, -0.75, 0, 0.25, 0.5, 1, 2.5, 20, 200, 201])


def applied(function, x):
    return (getattr(tf.nn, function, None) or getattr(tf.math, function))(x)


def extreme_of(functions, name, *extremes):
    """Declare `rewrite.EXTREME_of_NAME`, one extreme in each: the stage skips a node with two uses."""
    for extreme in extremes:
        def run(x, function, extreme=extreme):
            return getattr(tf, extreme if extreme.startswith("arg") else f"reduce_{extreme}")(applied(function, x), 1)

        def written(x, function, extreme=extreme):
            return getattr(np, extreme)(functions[function](x.astype(np.float32)), 1)

        rewrite(f"rewrite.{extreme}_of_{name}", STEPS, function=each(*functions), reference=written, **FLOAT32)(run)


extreme_of(TOTAL, "function", "max", "min", "argmax", "argmin")      # documented: of equal values, the first index
extreme_of(PARTIAL, "partial_function", "max", "min")                # NaN outside the domain, so the extreme is NaN


@rewrite("rewrite.pooling_of_function", T(2, 4, 6, 3, values=[-200, -20, -1, 0, 0.5, 20, 200]),
         function=each("relu", "tanh", "exp", "sign", "negative"), **FLOAT32,
         reference=lambda x, function: TOTAL[function](x.astype(np.float32))
                                       .reshape(2, 2, 2, 3, 2, 3).max((2, 4)))
def pooling_of_function(x, function):
    return tf.nn.max_pool2d(applied(function, x), 2, 2, "VALID")


# --- arithmetic_optimizer.cc: the other stages ---------------------------------------------------------------------

family({
    "common_factor":           lambda m, x, y: [x * y + x * 2.0, y * x - y * 3.0, m.sqrt(x) * y + m.sqrt(x) * x],
    "common_divisor":          lambda m, x, y: [x / y + y / y, y / x - x / x],
    "sum_of_many":             lambda m, x, y: [x + y + x + y, (x + y) + (y + y), x + x + y + y + x],
    "sqrt_as_divisor":         lambda m, x, y: [x / m.sqrt(y), m.sqrt(x) / m.sqrt(y)],
    "squared_difference_of":   lambda m, x, y: m.square(x - y),
    "negation_of_operands":    lambda m, x, y: [(-x) + y, x + (-y), (-x) - (-y), (-x) / (-y), x * (-y), -(-x * y)],
}, ANY, ANY, **FLOAT32)

family({
    "logarithm_of_softmax":    lambda m, x: m.log(m.exp(x) / m.sum(m.exp(x), -1)[..., None]),
    "functions_in_a_row":      lambda m, x: [m.exp(m.negative(m.abs(x))), m.sqrt(m.square(m.sin(x))),
                                             m.floor(m.tanh(m.negative(x)))],
    "function_of_concat":      lambda m, x: m.concat([m.exp(x), m.exp(-x)], 0),
    "concat_of_function":      lambda m, x: [m.concat([m.sqrt(m.abs(x[:2])), m.sqrt(m.abs(x[2:]))], 0),
                                             m.concat([m.negative(m.exp(x)), m.negative(m.exp(x + 1.0))], 1)],
    "times_tile":              lambda m, x: m.tile(x[:1], (3, 1)) * m.tile(x[1:2], (3, 1)),
    "times_ones":              lambda m, x: x[:1] * np.ones((4, 1), np.float32),
    "sums_of_other_shapes":    lambda m, x: [x + x[:1] + x[:, :1], x[:1] + 1e8 + x, x[:, :1] * x * x[:1] * x],
    "cast_of_transpose":       lambda m, x: m.cast(m.transpose(m.cast(x, "float16"), (1, 0)), "float32"),
    "cast_of_reshape":         lambda m, x: m.cast(m.reshape(m.cast(x, "float16"), (-1,)), "float32"),
}, T(4, 5, domain=(-3, 3), edges=False), **FLOAT32)


@rewrite("rewrite.logarithm_of_softmax_op", T(4, 5, values=[-300, -10, 0, 1, 20]), **FLOAT32,
         reference=lambda x: np.log(special.softmax(x.astype(np.float32), -1)))
def logarithm_of_softmax_op(x):
    """As written, the logarithm of a softmax that underflows to 0 is -inf; log_softmax would be finite."""
    return tf.math.log(tf.nn.softmax(x))


@rewrite("rewrite.stack_and_take", T("m n"), T("m n"), axis=each(0, 1, -1), **FLOAT32,
         reference=lambda x, y, axis: [np.take(np.stack([x, y, x], axis), place, axis) for place in (1, 2, -1)])
def stack_and_take(x, y, axis):
    stacked = tf.stack([x, y, x], axis)
    rest = (slice(None),) * (axis if axis >= 0 else 2)
    return [stacked[(*rest, place)] for place in (1, 2, -1)]


@rewrite("rewrite.stack_of_one", T("m n"), axis=each(0, 1, 2, -2), **FLOAT32,
         reference=lambda x, axis: np.stack([x] * 4, axis))
def stack_of_one(x, axis):
    """A stack of one tensor four times is rewritten to a tile and a reshape."""
    return tf.stack([x] * 4, axis)


@rewrite("rewrite.upsampled_sum", T(2, 3, 4, 2), **FLOAT32,
         reference=lambda x: x.repeat(2, 1).repeat(2, 2) + x.repeat(2, 1).repeat(2, 2)[:, :1])
def upsampled_sum(x):
    larger = tf.image.resize(x, [6, 8], "nearest")
    return larger + larger[:, :1]


@rewrite("rewrite.cast_into_segments", T("n d", dtype="int32"), number=each(3, 5), dtypes=["int32"],
         reference=lambda x, number: [np.stack([x[np.arange(len(x)) % number == k].sum(0) for k in range(number)])] * 2)
def cast_into_segments(x, number):
    ids = tf.range(tf.shape(x)[0]) % number
    return (tf.math.unsorted_segment_sum(x, tf.cast(ids, tf.int64), number),
            tf.math.unsorted_segment_sum(x, tf.cast(ids, tf.int64), tf.constant(number, tf.int64)))


NOTHING = {      # leaves x as it is
    "reshape":   lambda x: tf.reshape(x, [-1]),
    "transpose": lambda x: tf.transpose(tf.transpose(x)),
    "cast":      lambda x: tf.cast(x, x.dtype),
    "slice":     lambda x: x[:],
    "squeeze":   lambda x: tf.squeeze(tf.expand_dims(x, 0), 0),
}


@rewrite("rewrite.nothing_plus_itself", T("n", edges=False), nothing=each(*NOTHING), **FLOAT32,
         reference=lambda x, nothing: [x + x] * 3)
def nothing_plus_itself(x, nothing):
    """x after a no-op, plus x: at the top level, in a branch and in a loop."""
    def doubled(v):
        return NOTHING[nothing](v) + v

    return (doubled(x), tf.cond(tf.size(x) >= 0, lambda: doubled(x), lambda: x),
            tf.while_loop(lambda i, v: i < 1, lambda i, v: [i + 1, doubled(v)], [0, x])[1])


# --- constant_folding.cc -------------------------------------------------------------------------------------------

family({
    "constants_pushed_down":   lambda m, x: [2.0 + (x + 3.0), 2.0 - (x - 3.0), (x - 2.0) - 3.0, 2.0 * (3.0 * x),
                                             (3.0 / x) * 2.0, (x / 3.0) / 2.0, 2.0 / (3.0 / x), (x * 1e20) * 1e20],
    "constants_in_sum":        lambda m, x: [(x + 1e8) + (x - 1e8), 1e8 + x + -1e8, (1.0 + x) + (2.0 + x)],
    "zeros_and_ones":          lambda m, x: [x * np.float32(0), x / np.float32(1), 0.0 / x, x - 0.0, 1.0 * x, 0.0 + x],
}, ANY, **FLOAT32)

family({
    "reduction_of_ones":       lambda m, x: [m.sum(x[:1], 0), m.max(x[:1], 0), m.prod(x[:1], 0), m.mean(x[:1], 0)],
    "tile_by_one":             lambda m, x: m.tile(x, (1, 1)),
    "pad_by_nothing":          lambda m, x: m.pad(x, [[0, 0], [0, 0]]),
    "reverse_of_one":          lambda m, x: m.reverse(x[:1], 0),
    "concat_of_one":           lambda m, x: m.concat([x], 0),
    "concat_with_nothing":     lambda m, x: m.concat([x, x[:0], x[1:1]], 0),
    "concat_of_concat":        lambda m, x: m.concat([m.concat([x, -x], 0), m.concat([x], 0)], 0),
    "slice_of_everything":     lambda m, x: [x[:], x[0:4], x[:, 0:5:1]],
}, T(4, 5), **FLOAT32)


family({
    "reduction_of_nothing":    lambda m, x: [m.sum(x, ()), m.max(x, ()), m.prod(x, ()), m.mean(x, ())],
}, T(4, 5, edges=False), **FLOAT32)      # NumPy adds -0.0 to 0.0


@rewrite("rewrite.slice_of_constant", I("", within=(1, 3)), dtypes=["int32"],
         reference=lambda n: np.arange(1, 5, dtype=np.int32)[1: 1 + n],
         errors=[error("too-long", np.int32(3), size=4)])
def slice_of_constant(n, size=None):
    """A slice that is refused for an argument is also refused for a constant."""
    return tf.slice(tf.constant([1, 2, 3, 4]), [1], [n if size is None else size])


@rewrite("rewrite.product_with_constant_matrix", T("m", 4, edges=False), **FLOAT32,
         reference=lambda x: (x @ np.arange(16).reshape(4, 4).astype(np.float32)) * np.float32(0.1))
def product_with_constant_matrix(x):
    """A constant factor after a product with a constant matrix is folded into the matrix."""
    return tf.matmul(x, tf.reshape(tf.range(16.0), [4, 4])) * 0.1


# --- remapper.cc ---------------------------------------------------------------------------------------------------


def normal_share(x):
    return 0.5 * x * (1 + special.erf(x * np.float32(np.sqrt(0.5))))


@rewrite("rewrite.activations_written_out", T("m n", domain=(0, 4), edges=False), **FLOAT32,
         reference=lambda x: [normal_share(x), x / (1 + np.exp(-x)), x * np.tanh(np.logaddexp(x, 0)),
                              np.where(x > 0, x, 0.2 * x), np.clip(x + 3, 0, 6) / 6 * x])
def activations_written_out(x):
    """gelu, swish, mish, leaky relu and hard swish written as formulas; each also has its own kernel."""
    return (0.5 * x * (1.0 + tf.math.erf(x * np.float32(np.sqrt(0.5)))), x * tf.sigmoid(x),
            x * tf.tanh(tf.math.softplus(x)), tf.maximum(x, 0.2 * x), tf.nn.relu6(x + 3.0) / 6.0 * x)


UNIT = partial(T, domain=(0, 1), edges=False)       # where normal_share has no cancellation


@rewrite("rewrite.product_bias_gelu", UNIT("m k"), UNIT("k n"), UNIT("n"), **FLOAT32,
         reference=lambda x, w, b: normal_share(x @ w + b))
def product_bias_gelu(x, w, b):
    y = tf.nn.bias_add(tf.matmul(x, w), b)
    return 0.5 * y * (1.0 + tf.math.erf(y * np.float32(np.sqrt(0.5))))


@rewrite("rewrite.layer_norm_written_out", T("m n", edges=False), T("n", edges=False), T("n", edges=False), **FLOAT32,
         error_factor=8, reference=lambda x, g, b: (x - x.mean(-1, keepdims=True))
                                   / np.sqrt(x.var(-1, keepdims=True) + np.float32(1e-3)) * g + b)
def layer_norm_written_out(x, gamma, beta):
    mean = tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), -1, keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-3) * gamma + beta


@rewrite("rewrite.batch_norm_then_relu", T(2, 3, 4, 3, edges=False), T(3, edges=False), T(3, edges=False), **FLOAT32,
         reference=lambda x, g, b: np.maximum((x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-3) * g + b, 0))
def batch_norm_then_relu(x, gamma, beta):
    return tf.nn.relu(tf.compat.v1.nn.fused_batch_norm(x, gamma, beta)[0])
