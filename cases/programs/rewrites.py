"""Short compositions that graph optimizers (grappler) and XLA's algebraic simplifier rewrite, as families.

The expected result is that of the program as written: each operation rounded to the dtype, in the order given, by
IEEE 754. So a formula is stated once, as a function of `m`: TensorFlow for the program, and NumPy (in the dtype itself,
not in a higher precision) for the reference. Constants are constants of the graph, tensors are arguments.
"""

from functools import partial

import numpy as np

from tfparity import T, each, inf, tf

from ..references.formulas import ACTIVATIONS, ANY, FLOAT32, TELLING, family, nan, rewrite, theirs

# --- arithmetic with constants -------------------------------------------------------------------------------------

family({
    "times_zero":              lambda m, x: x * 0.0,
    "times_one":               lambda m, x: x * 1.0,
    "times_minus_one":         lambda m, x: x * -1.0,
    "times_nan":               lambda m, x: x * nan,
    "times_infinity":          lambda m, x: x * inf,
    "plus_zero":               lambda m, x: x + 0.0,
    "plus_minus_zero":         lambda m, x: x + -0.0,
    "minus_zero":              lambda m, x: x - 0.0,
    "zero_minus":              lambda m, x: 0.0 - x,
    "plus_infinity":           lambda m, x: x + inf,
    "minus_itself":            lambda m, x: x - x,
    "plus_itself":             lambda m, x: x + x,
    "plus_itself_thrice":      lambda m, x: x + x + x,
    "over_itself":             lambda m, x: x / x,
    "over_one":                lambda m, x: x / 1.0,
    "over_zero":               lambda m, x: x / 0.0,
    "over_infinity":           lambda m, x: x / inf,
    "zero_over":               lambda m, x: 0.0 / x,
    "one_over_one_over":       lambda m, x: 1.0 / (1.0 / x),
    "one_over_chain":          lambda m, x: 3.0 / (2.0 / x),
    "reciprocal_twice":        lambda m, x: m.reciprocal(m.reciprocal(x)),
    "over_power_of_two":       lambda m, x: [x / 2.0, x / 0.25, x / 1024.0, x / -4.0],
    "over_constant":           lambda m, x: [x / 3.0, x / 7.0, x / 10.0, x / 0.1, x / -49.0],
    "times_constants":         lambda m, x: [(x * 3.0) * 0.1, 0.1 * (3.0 * x), (x * 1e30) * 1e-30, (x * 1e-30) * 1e30],
    "times_then_over":         lambda m, x: [(x * 3.0) / 3.0, (x / 3.0) * 3.0, (x / 3.0) / 7.0, (x * 1e30) / 1e30],
    "plus_constants":          lambda m, x: [(x + 1.0) - 1.0, (x + 0.1) + 0.2, (x - 1e8) + 1e8, 1.0 - (1.0 - x)],
    "distributed":             lambda m, x: [x * 3.0 + x * 0.1, (x + 2.0) * 3.0, x * 0.1 - x * 0.1],
    "square_or_product":       lambda m, x: [x * x, m.square(x), x * x * x, m.square(x) * m.square(x)],
    "power":                   lambda m, x: [m.pow(x, m.like(c, x)) for c in (0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.5, 4)],
    "power_of_power":          lambda m, x: [m.pow(m.pow(x, m.like(2, x)), m.like(c, x)) for c in (3, 0.5)],
    "power_of_special":        lambda m, x: [m.pow(x, m.like(c, x)) for c in (inf, -inf, nan, -0.0)],
    "constant_to_power":       lambda m, x: [m.pow(m.like(c, x), x) for c in (0, 1, -1, inf, nan)],
}, ANY, **FLOAT32)

# --- functions and their inverses ----------------------------------------------------------------------------------

family({
    "negated_twice":           lambda m, x: m.negative(m.negative(x)),
    "absolute_twice":          lambda m, x: m.abs(m.abs(x)),
    "absolute_of_negative":    lambda m, x: m.abs(-x),
    "absolute_of_square":      lambda m, x: m.abs(m.square(x)),
    "sqrt_of_square":          lambda m, x: m.sqrt(x * x),
    "square_of_sqrt":          lambda m, x: [m.square(m.sqrt(x)), m.sqrt(x) * m.sqrt(x)],
    "one_over_sqrt":           lambda m, x: [1.0 / m.sqrt(x), x / m.sqrt(x)],
    "sign_times_absolute":     lambda m, x: m.sign(x) * m.abs(x),
    "floor_of_floor":          lambda m, x: [m.floor(m.floor(x)), m.ceil(m.floor(x)), m.floor(x) + 1.0],
    "round_of_half":           lambda m, x: [m.round(x + 0.5), m.round(x * 2.0) / 2.0, m.floor(x + 0.5)],
    "remainder_of_floor":      lambda m, x: x - m.floor(x),
    "squared_difference":      lambda m, x: m.square(x - 1.0),
    "negated_difference":      lambda m, x: -(x - 1.0),
    "plus_of_negative":        lambda m, x: [1.0 + (-x), x + (-x), x - (-x)],
}, ANY, **FLOAT32)

# Inputs for which one rounding error of an inner step changes the result by many units are excluded by `within`.
family({"exp_of_log":          lambda m, x: m.exp(m.log(x))}, T(within=(0.1, 10)), **FLOAT32)
family({"exp_of_product":      lambda m, x: [m.exp(x) * m.exp(-x), m.exp(x) * m.exp(x), 1.0 / m.exp(x)]},
       T(within=(1, 80)), **FLOAT32)
family({"log_of_exp":          lambda m, x: m.log(m.exp(x)),
        "log_of_one_plus_exp": lambda m, x: m.log(1.0 + m.exp(x))}, T(within=(1, inf)), **FLOAT32)
family({"log_of_one_plus":     lambda m, x: m.log(1.0 + x)}, T(within=(2, inf)), **FLOAT32)
family({"log_of_product":      lambda m, x: [m.log(x * 2.0), m.log(m.sqrt(x)), m.log(m.square(x)), m.log(1.0 / x)]},
       T(within=(2, 1e18)), **FLOAT32)
family({"exp_minus_one":       lambda m, x: m.exp(x) - 1.0}, T(within=(0.5, inf)), **FLOAT32)
family({"sigmoid_written_out": lambda m, x: 1.0 / (1.0 + m.exp(-x)),
        "swish_written_out":   lambda m, x: x * (1.0 / (1.0 + m.exp(-x)))}, T(within=(-80, inf)), **FLOAT32)


@rewrite("rewrite.log_of_one_plus_small", np.array([1e-10, 1e-5, 3e-8, -1e-9, 0.0], np.float32),
         reference=lambda x: np.log(np.float32(1) + x.astype(np.float32)))
def log_of_one_plus_small(x):
    """As written, 1 + x is already rounded; log1p would give another, more exact, result."""
    return tf.math.log(1.0 + x)


@rewrite("rewrite.exp_minus_one_small", np.array([1e-10, 1e-8, -1e-10, 0.0], np.float32),
         reference=lambda x: np.exp(x.astype(np.float32)) - np.float32(1))
def exp_minus_one_small(x):
    """As written, exp(x) is rounded to 1 and the difference is 0; expm1 would give another result."""
    return tf.exp(x) - 1.0


# --- extremes, comparisons and choices -----------------------------------------------------------------------------

family({
    "maximum_with_infinity":   lambda m, x: [m.maximum(x, m.like(inf, x)), m.maximum(x, m.like(-inf, x))],
    "minimum_with_infinity":   lambda m, x: [m.minimum(x, m.like(inf, x)), m.minimum(x, m.like(-inf, x))],
    "extreme_of_nan":          lambda m, x: [m.maximum(x, m.like(nan, x)), m.minimum(m.like(nan, x), x)],
    "clamp":                   lambda m, x: m.minimum(m.maximum(x, m.like(-1, x)), m.like(2, x)),
    "clamp_crossed":           lambda m, x: m.minimum(m.maximum(x, m.like(2, x)), m.like(-1, x)),
    "clamp_other_way":         lambda m, x: m.maximum(m.minimum(x, m.like(2, x)), m.like(-1, x)),
    "maximum_of_maximum":      lambda m, x: m.maximum(m.maximum(x, m.like(1, x)), m.like(3, x)),
    "maximum_of_itself":       lambda m, x: [m.maximum(x, x), m.minimum(x, x)],
    "compared_with_itself":    lambda m, x: [x == x, x != x, x < x, x <= x, x > x, x >= x],
    "compared_with_nan":       lambda m, x: [x == m.like(nan, x), x != m.like(nan, x), x < m.like(nan, x)],
    "compared_with_infinity":  lambda m, x: [x < inf, x <= inf, x > -inf, x >= inf, x == -inf],
    "not_of_comparison":       lambda m, x: [m.logical_not(x < 1), m.logical_not(x >= 1), m.logical_not(x == 1)],
    "is_nan_of_sum":           lambda m, x: [m.is_nan(x + 1.0), m.is_nan(x * 0.0), m.is_finite(x - x)],
    "select_of_same":          lambda m, x: m.where(x > 0, x, x),
    "select_as_absolute":      lambda m, x: [m.where(x > 0, x, -x), m.where(x >= 0, x, -x)],
    "select_as_maximum":       lambda m, x: [m.where(x > 1, x, m.like(1, x)), m.where(x < 1, m.like(1, x), x)],
    "select_by_constant":      lambda m, x: [m.where(True, x, x + 1.0), m.where(False, x, x + 1.0)],
    "select_without_nan":      lambda m, x: m.where(x == x, x, m.like(0, x)),
    "select_of_zeros":         lambda m, x: m.where(x > 0, m.like(0, x), m.like(-0.0, x)),
}, ANY, **FLOAT32)

# --- two tensors ---------------------------------------------------------------------------------------------------

family({
    "plus_then_minus":         lambda m, x, y: (x + y) - y,
    "over_of_over":            lambda m, x, y: [(x / y) / y, x / (y / 2.0), 1.0 / (x / y)],
    "minus_of_minus":          lambda m, x, y: [x - (x - y), -(x - y), x + (-y)],
    "products_of_same":        lambda m, x, y: [x * y - y * x, (x * 2.0) * (y * 3.0), (-x) * (-y)],
    "difference_of_squares":   lambda m, x, y: (x - y) * (x - y),
    "compare_by_difference":   lambda m, x, y: [x - y > 0, x - y == 0, m.logical_not(x < y)],
    "select_either":           lambda m, x, y: m.where(x < y, x, y),
}, ANY, ANY, **FLOAT32)

# Results include exact 0 and infinity, but no subnormal value that eager kernels flush to zero.
family({"exponentials":         lambda m, x, y: [m.exp(x) * m.exp(y), m.exp(x) / m.exp(y)]},
       *[T(values=[-200, -87, -1, 0, 1, 2, 88, 200])] * 2, error_factor=64, **FLOAT32)
family({"power_of_exponential": lambda m, x, y: m.pow(m.exp(x), y)},
       T(values=[-200, -1, 0, 1, 2, 88, 200]), T(values=[-0.5, 0, 0.25, 1, 30]), error_factor=64, **FLOAT32)
family({"logarithm_of_power":   lambda m, x, y: m.log(m.pow(x, y))},
       T(values=[-2.5, -1, 0, 1, 2, 1e10]), T(values=[-8, -1.5, -0.5, 0, 1, 2, 30]), error_factor=64, **FLOAT32)

family({
    "times_then_over_other":   lambda m, x, y: [(x * y) / y, (x / y) * y],
}, ANY, T(values=[v for v in TELLING if not 1e12 < abs(v) < inf]), **FLOAT32)

# --- integers ------------------------------------------------------------------------------------------------------

INTEGERS = {"dtypes": ["int32", "int64", "int8", "uint8", "uint32"]}
SIGNED = {"dtypes": ["int32", "int64", "int8"]}

family({
    "integer_times":           lambda m, x: [x * 0, x * 1, x * 2, x * 3, x + x, x * 4 * 5],
    "integer_plus":            lambda m, x: [x + 0, x - x, (x + 100) - 100, (x - 1) + 1, 0 - x],
    "integer_over_constant":   lambda m, x: [x // m.like(c, x) for c in (1, 2, 3, 7, 10, 64)],
    "integer_remainder":       lambda m, x: [x % m.like(c, x) for c in (1, 2, 3, 7, 10, 64)],
    "integer_over_and_back":   lambda m, x: [(x // 4) * 4, (x // 3) * 3 + x % 3, (x * 2) // 2, (x * 3) // 3],
    "integer_shifts":          lambda m, x: [m.shift_left(x, 1), m.shift_right(x, 1), m.shift_right(x, 5),
                                             m.shift_right(m.shift_left(x, 3), 3),
                                             m.shift_left(m.shift_right(x, 3), 3)],
    "integer_bits":            lambda m, x: [x & 0, x & x, x | 0, x | x, x ^ x, x ^ 0, ~(~x), (x & 12) | (x & 3)],
    "integer_compared":        lambda m, x: [x == x, x != x, x < x, x >= x, x + 1 > x, x * 2 == x + x],
    "integer_extremes":        lambda m, x: [m.maximum(x, x), m.minimum(m.maximum(x, m.like(3, x)), m.like(100, x))],
    "integer_square":          lambda m, x: [x * x, m.square(x), m.square(x) - x * x],
}, T(), **INTEGERS)

family({
    "integer_negated":         lambda m, x: [-x, m.negative(-x), m.abs(x), m.abs(-x), m.sign(x) * m.abs(x)],
    "integer_over_negative":   lambda m, x: [x // m.like(c, x) for c in (-1, -2, -3, -7)],
    "integer_by_negative":     lambda m, x: [x % m.like(c, x) for c in (-1, -2, -3, -7)],
    "integer_absolute":        lambda m, x: [m.abs(x * x), m.abs(m.square(x)), m.abs(x * 5), m.abs(x + x),
                                             m.abs(m.abs(x)), m.maximum(x * x, m.like(0, x)),
                                             m.where(x * x < m.like(0, x), m.abs(x * x), x * x)],
}, T(), **SIGNED)

family({
    "bool_of_constant":        lambda m, p: [m.logical_and(p, True), m.logical_and(p, False), m.logical_or(p, True),
                                             m.logical_or(p, False), m.logical_xor(p, True), m.logical_not(p)],
    "bool_of_itself":          lambda m, p: [m.logical_and(p, p), m.logical_or(p, m.logical_not(p)),
                                             m.logical_and(p, m.logical_not(p)), m.logical_xor(p, p), p == p],
}, T(), dtypes=["bool"])

# --- casts and bits ------------------------------------------------------------------------------------------------


def casts(source, *chains, within=(-inf, inf)):
    """x cast along each chain of dtypes; named by the dtypes passed through."""
    for chain in chains:
        def through(m, x, chain=chain):
            for dtype in chain:
                x = m.cast(x, numpy_name(dtype) if m is theirs else dtype)
            return x

        family({"cast_" + "_".join([source, *chain]): through}, T(within=within), dtypes=[source])


def numpy_name(dtype):
    import ml_dtypes

    return getattr(ml_dtypes, dtype) if dtype == "bfloat16" else dtype


casts("int32", ["int8", "int32"], ["uint8", "int32"], ["int64", "int32"], ["float32", "int32"], ["float64", "int32"],
      ["bool", "int32"], ["int16", "int8"], ["float16"], within=(-(2**24), 2**24))
casts("int64", ["int32", "int64"], ["float64", "float32"], ["uint32", "int64"])
casts("float32", ["float16", "float32"], ["bfloat16", "float32"], ["float64", "float32"], ["bool", "float32"],
      ["float64", "float16"], ["complex64"])
casts("float64", ["float32", "float64"], ["float32", "float16"], ["float32", "bfloat16"])
casts("float32", ["int32", "float32"], ["int8", "float32"], within=(-127, 127))
casts("float16", ["float32", "float16"], ["bfloat16", "float16"])
casts("uint8", ["int8", "uint8"], ["int32", "float32", "uint8"])

family({"bits_there_and_back":   lambda m, x: m.bits(m.bits(x, "int32"), "float32"),
        "bits_of_negative":      lambda m, x: m.bits(-x, "int32"),
        "sign_bit_cleared":      lambda m, x: m.bits(m.bits(x, "int32") & 0x7FFFFFFF, "float32")},
       T(), dtypes=["float32"])

# --- shapes --------------------------------------------------------------------------------------------------------


family({
    "transpose_of_transpose":  lambda m, x: m.transpose(m.transpose(x, (1, 2, 0)), (2, 0, 1)),
    "transpose_twice":         lambda m, x: m.transpose(m.transpose(x, (1, 2, 0)), (0, 2, 1)),
    "reshape_of_reshape":      lambda m, x: m.reshape(m.reshape(x, (-1,)), (5, -1)),
    "reshape_of_transpose":    lambda m, x: m.reshape(m.transpose(x, (2, 1, 0)), (-1,)),
    "reverse_of_reverse":      lambda m, x: [m.reverse(m.reverse(x, 1), 1), m.reverse(m.reverse(x, 0), 1)],
    "concat_of_slices":        lambda m, x: m.concat([x[:2], x[2:]], 0),
    "concat_of_slices_apart":  lambda m, x: m.concat([x[:, 1:], x[:, :1]], 1),
    "slice_of_concat":         lambda m, x: m.concat([x, -x], 0)[1:5],
    "slice_of_slice":          lambda m, x: x[1:, :, 1:][:-1, :, ::2],
    "slice_of_reverse":        lambda m, x: m.reverse(x, 0)[:2],
    "pad_of_pad":              lambda m, x: m.pad(m.pad(x, [[1, 0], [0, 2], [0, 0]]), [[0, 1], [1, 1], [0, 0]]),
    "slice_of_pad":            lambda m, x: m.pad(x, [[1, 1], [2, 0], [0, 3]])[1:-1, 2:, :-3],
    "sum_of_sum":              lambda m, x: m.sum(m.sum(x, 2), 0),
    "max_of_max":              lambda m, x: m.max(m.max(x, 2), 0),
    "sum_of_transpose":        lambda m, x: m.sum(m.transpose(x, (2, 0, 1)), 1),
    "sum_of_negative":         lambda m, x: [m.sum(-x, 0), -m.sum(x, 0), m.sum(x * 2.0, 0)],
    "sum_of_broadcast":        lambda m, x: m.sum(m.broadcast_to(x[None], (4, 4, 3, 5)), 0),
    "max_of_tile":             lambda m, x: m.max(m.tile(x, (1, 2, 3)), 2),
    "mean_of_zeros":           lambda m, x: m.mean(x * 0.0, 1),
    "broadcast_then_times":    lambda m, x: m.broadcast_to(x[:, :1], (4, 3, 5)) * x,
}, T(4, 3, 5), dtypes=["float32"])

family({
    "argmax_of_ties":          lambda m, x: [m.argmax(x * 0.0, 1), m.argmax(m.concat([x, x], 1), 1),
                                             m.argmin(m.concat([x, x], 1), 1), m.argmax(-x, 2)],
}, T(4, 3, 5, edges=False), dtypes=["float32"])      # for NaN, no result is documented

# --- fused layers --------------------------------------------------------------------------------------------------


SMALL = partial(T, domain=(-1, 1), edges=False)       # where activations are not flat and gradients do not cancel


def activated(y, activation):
    return y if activation == "none" else getattr(tf.nn, activation)(y)


@rewrite("rewrite.dense_layer", SMALL("m k"), SMALL("k n"), SMALL("n"),
         activation=each(*ACTIVATIONS), dtypes=["float32", "float64", "bfloat16"],
         reference=lambda x, w, b, activation: ACTIVATIONS[activation](x @ w + b))
def dense_layer(x, w, b, activation):
    """Matrix product, bias and activation, which the remapper fuses into one kernel."""
    return activated(tf.nn.bias_add(tf.matmul(x, w), b), activation)


@rewrite("rewrite.product_plus_row", SMALL(5, 5), SMALL(5, 5), each(SMALL(5), SMALL(1, 5), SMALL(5, 1), SMALL(2, 1, 5)),
         transpose_a=each(False, True), dtypes=["float32", "float64"],
         reference=lambda x, y, row, transpose_a: (x.T if transpose_a else x) @ y + row)
def product_plus_row(x, y, row, transpose_a):
    """The bias of a fused product must be a vector; other shapes must not be fused."""
    return tf.matmul(x, y, transpose_a=transpose_a) + row


def convolved(x, w, b, activation):
    kh, kw = w.shape[:2]
    x = np.pad(x, [(0, 0), ((kh - 1) // 2, kh // 2), ((kw - 1) // 2, kw // 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), (1, 2))
    return ACTIVATIONS[activation](np.einsum("bhwikl,klio->bhwo", windows, w) + b)


@rewrite("rewrite.convolution_layer", SMALL(2, 5, 6, 3), SMALL(3, 3, 3, 4), SMALL(4),
         activation=each(*ACTIVATIONS), dtypes=["float32"], reference=convolved)
def convolution_layer(x, w, b, activation):
    """Convolution, bias and activation, fused likewise."""
    return activated(tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "SAME"), b), activation)


@rewrite("rewrite.normalised_convolution", SMALL(2, 5, 6, 3), SMALL(3, 3, 3, 4), SMALL(4),
         dtypes=["float32"], reference=lambda x, w, s: np.maximum(convolved(x, w, 0, "none") * s * 0.5 + 1, 0))
def normalised_convolution(x, w, scale):
    """A convolution, then a scale: the constant factor may be folded into the filter."""
    return tf.nn.relu(tf.nn.conv2d(x, w, 1, "SAME") * scale * 0.5 + 1.0)


@rewrite("rewrite.transposes_around_matmul", T("m k", edges=False), T("n k", edges=False), dtypes=["float32"],
         reference=lambda x, y: [x @ y.T, (y @ x.T).T, x @ y.T])
def transposes_around_matmul(x, y):
    return (tf.matmul(x, tf.transpose(y)), tf.transpose(tf.matmul(y, tf.transpose(x))),
            tf.matmul(x, tf.transpose(tf.transpose(y)), transpose_b=True))


@rewrite("rewrite.relu_of_relu", ANY, dtypes=["float32"], constants=(), reference=lambda x: [np.maximum(x, 0)] * 2,
         canonical=lambda results: [np.asarray(result) + 0.0 for result in results])
def relu_of_relu(x):
    """relu keeps NaN, and relu of relu equals relu; the sign of a zero result is not specified."""
    return tf.nn.relu(x), tf.nn.relu(tf.nn.relu(x))


# --- gradients of choices ------------------------------------------------------------------------------------------


def slope(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)


@rewrite("rewrite.gradient_of_select", T(), dtypes=["float32"], constants=(),
         reference=lambda x: np.where(x > 0, 2.0, -3.0))
def gradient_of_select(x):
    return slope(lambda v: tf.where(v > 0, v * 2.0, v * -3.0), x)


@rewrite("rewrite.gradient_of_guarded_select", T(), dtypes=["float32"], constants=(),
         reference=lambda x: np.where(x > 0, 0.5 / np.sqrt(np.where(x > 0, x, 1)), 0))
def gradient_of_guarded_select(x):
    """The documented way to avoid NaN: tf.where before the function as well as after it."""
    return slope(lambda v: tf.where(v > 0, tf.sqrt(tf.where(v > 0, v, 1.0)), 0.0), x)


@rewrite("rewrite.gradient_of_unguarded_select", np.array([0.0, 4.0], np.float32),
         reference=lambda x: np.array([np.nan, -0.0625]))
def gradient_of_unguarded_select(x):
    """The trap that tf.where documents: 0 times the infinite gradient of the branch not selected is NaN."""
    return slope(lambda v: tf.where(v < 1.0, 0.0, 1.0 / v), x)


@rewrite("rewrite.gradient_of_unguarded_root", np.array([0.0, -1.0, 4.0], np.float32),
         reference=lambda x: np.array([np.nan, np.nan, 0.25]))
def gradient_of_unguarded_root(x):
    """The same trap: the gradient is infinite at 0 and NaN below 0."""
    return slope(lambda v: tf.where(v > 0, tf.sqrt(v), 0.0), x)


@rewrite("rewrite.gradient_of_maximum_tie", T(), dtypes=["float32"], constants=(), reference=lambda x: np.ones_like(x))
def gradient_of_maximum_tie(x):
    """The gradients of the two sides of a tie sum to one."""
    with tf.GradientTape() as tape:
        other = tf.identity(x)
        tape.watch([x, other])
        y = tf.maximum(x, other)
    return tf.add_n(tape.gradient(y, [x, other]))
