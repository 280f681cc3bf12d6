"""tf.quantization: numbers on a grid of 2^bits steps, still as floats (fake quantization) or as quantized integers.

The pages give the formulas; the references are those, in higher precision. A value half way between two steps may go
either way in rounding, so ordinary values are drawn at random and edges are those of the range.
"""

import numpy as np

from tfparity import T, Undefined, each, error, every, kind, sample, tf

quantization = kind("quantization")


# --- fake quantization ---------------------------------------------------------------------------------------------


def adjusted(low, high, num_bits, narrow_range):
    """The range moved so that zero is a step of the grid: its ends and the step."""
    if not 2 <= num_bits <= 16 or np.any(low >= high):
        raise ValueError("num_bits lies in [2, 16] and min below max")
    if np.any(low > 0) or np.any(high < 0):
        raise Undefined("the page calls ranges without zero unexpected")
    steps = 2**num_bits - 1 - (1 if narrow_range else 0)
    scale = (high - low) / steps
    if np.any(np.abs(low / scale % 1 - 0.5) < 2.0**-21 * steps):
        raise Undefined("the page does not say which step zero takes half way between two")
    bottom = scale * np.round(low / scale)
    return bottom, high + bottom - low, scale


def fake_quant(inputs, min, max, num_bits, narrow_range):
    bottom, top, scale = adjusted(min, max, num_bits, narrow_range)
    if np.isnan(inputs).any():
        raise Undefined("the page gives NaN no place")
    steps = (np.clip(inputs, bottom, top) - bottom) / scale
    near = 2.0**-21 * (np.abs(inputs) + top - bottom) / scale
    if (np.abs(steps % 1 - 0.5) < near).any():
        raise Undefined("half way between two steps within float32's precision")
    return np.floor(steps + 0.5) * scale + bottom


def from_eight(x):
    """A step near zero is right to a unit of the range, not of itself."""
    return x + np.float32(8)


def positive_zero(results):
    return (
        [x + np.zeros((), x.dtype) for x in results]
        if isinstance(results, list | tuple)
        else results + np.zeros((), results.dtype)
    )


def inside(inputs, min, max, num_bits, narrow_range):
    bottom, top, _ = adjusted(min, max, num_bits, narrow_range)
    return (inputs >= bottom) & (inputs <= top)


def gradient_of_args(gradients, inputs, min, max, num_bits, narrow_range):
    """What comes back passes where the input lay inside the range."""
    return np.where(inside(inputs, min, max, num_bits, narrow_range), gradients, 0)


def gradient_of_vars(gradients, inputs, min, max, num_bits, narrow_range):
    """To the inputs inside the range, to `min` what lies below it, to `max` what lies above it."""
    bottom, top, _ = adjusted(min, max, num_bits, narrow_range)
    axes = tuple(range(inputs.ndim)) if np.ndim(min) == 0 else tuple(range(inputs.ndim - 1))
    below, above = inputs < bottom, inputs > top
    return (
        np.where(~below & ~above, gradients, 0),
        np.where(below, gradients, 0).sum(axes),
        np.where(above, gradients, 0).sum(axes),
    )


F32 = "float32"
BITS = {"num_bits": each(8, 4, 16), "narrow_range": each(False, True)}
LOW, HIGH = T("", dtype=F32, within=(-6, -1), edges=False), T("", dtype=F32, within=(1, 6), edges=False)
LOWS, HIGHS = T("d", dtype=F32, within=(-6, -1), edges=False), T("d", dtype=F32, within=(1, 6), edges=False)
VALUES, BACK = T("n d", dtype=F32, domain=(-8, 8), edges=False), T("n d", dtype=F32, edges=False)
WRONG = [error("bits", num_bits=17), error("few-bits", num_bits=1)]
# in four bits from -0.5 to 2.5 are 15 steps of 0.2, and zero lies half way between two
LEFT, RIGHT = (-0.5,), (2.5,)
HALF, HALVES = ([T(shape, dtype=F32, values=v) for v in (LEFT, RIGHT)] for shape in ("", "d"))
PAIR = np.array([-6, -5], np.float32), np.array([5, 6], np.float32)


def half_way(*inputs):
    return sample(*inputs, num_bits=4, narrow_range=False, name="zero-half-way")


def two_ranges(*inputs, **options):
    """Where one range is asked for."""
    return error("two-ranges", *inputs, *PAIR, **options)


X, FEWER = np.linspace(-7, 7, 12, dtype=np.float32).reshape(4, 3), {**BITS, "num_bits": each(8, 4)}

quantization("tf.quantization.fake_quant_with_min_max_args", fake_quant, canonical=from_eight,
             errors=[*WRONG, error("range", np.zeros((2, 3), np.float32), 2.0, 1.0)])(
    lambda: [*every(VALUES, each(-6.0, -0.5), 5.5, **BITS), half_way(VALUES, *LEFT, *RIGHT)])
quantization("tf.quantization.fake_quant_with_min_max_args_gradient", gradient_of_args, canonical=positive_zero,
             errors=WRONG)(
    lambda: [*every(BACK, VALUES, -5.0, 5.5, **BITS), half_way(BACK, VALUES, *LEFT, *RIGHT)])
quantization("tf.quantization.fake_quant_with_min_max_vars", fake_quant, canonical=from_eight,
             errors=[*WRONG, two_ranges(X)])(
    lambda: [*every(VALUES, LOW, HIGH, **BITS), half_way(VALUES, *HALF)])
quantization("tf.quantization.fake_quant_with_min_max_vars_gradient", gradient_of_vars, canonical=positive_zero,
             errors=[*WRONG, two_ranges(X, X)])(
    lambda: [*every(BACK, VALUES, LOW, HIGH, **FEWER), half_way(BACK, VALUES, *HALF)])
quantization("tf.quantization.fake_quant_with_min_max_vars_per_channel", fake_quant, canonical=from_eight,
             errors=WRONG)(
    lambda: [*every(each(VALUES, T("d", dtype=F32, domain=(-8, 8))), LOWS, HIGHS, **FEWER), half_way(VALUES, *HALVES)])
quantization("tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient", gradient_of_vars,
             canonical=positive_zero, errors=WRONG)(
    lambda: [*every(BACK, VALUES, LOWS, HIGHS, **FEWER), half_way(BACK, VALUES, *HALVES)])

# --- quantized integers --------------------------------------------------------------------------------------------

INTEGER = {"qint8": np.int8, "quint8": np.uint8, "qint16": np.int16, "quint16": np.uint16}


def round_away(x):
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def quantize(input, min_range, max_range, type, mode, round_mode="HALF_AWAY_FROM_ZERO", narrow_range=False, axis=None,
             ensure_minimum_range=0.01):
    """The integers and the range they stand for; the range holds zero and has a least width against its ends. With an
    axis, which here is the last, each channel has a range of its own."""
    info = np.iinfo(INTEGER[type])
    lowest = info.min + (1 if narrow_range else 0)
    low, high = np.minimum(min_range, 0), np.maximum(max_range, 0)
    ends = np.maximum(np.abs(min_range), np.abs(max_range))
    high = np.maximum(high, low + ensure_minimum_range * np.maximum(1, ends))
    if mode == "SCALED":
        ends = ((lowest, low), (info.max, high))
        scale = np.minimum(*(np.where(n * at > 0, n / np.where(at == 0, 1, at), np.inf) for n, at in ends))
        low, high = lowest / scale, info.max / scale
        rounded = np.round if round_mode == "HALF_TO_EVEN" else round_away
        return rounded(np.clip(input, low, high) * scale).astype(INTEGER[type]), low, high
    steps = int(info.max) - int(info.min)
    if mode == "MIN_COMBINED":
        found = (np.clip(input, low, high) - low) * steps / (high - low)
        found = found - (steps + 1) / 2 if info.min < 0 else found
        return round_away(found).clip(info.min, info.max).astype(INTEGER[type]), low, high
    per = steps / (high - low)
    found = round_away(input * per) - round_away(low * per) + info.min
    return found.clip(info.min, info.max).astype(INTEGER[type]), low, high


def dequantize(input, min_range, max_range, type, mode, narrow_range=False, axis=None, dtype=np.float32):
    info = np.iinfo(INTEGER[type])
    steps = int(info.max) - int(info.min)
    x = input.astype(np.float64)
    if mode == "SCALED":
        lowest = info.min + (1 if narrow_range else 0)
        return x * (max_range / info.max if info.min == 0 else np.maximum(min_range / lowest, max_range / info.max))
    if mode == "MIN_COMBINED":
        return min_range + (x + ((steps + 1) / 2 if info.min < 0 else 0)) * (max_range - min_range) / steps
    return min_range + (x - info.min) * (max_range - min_range) / steps


def quantize_and_dequantize(input, input_min, input_max, signed_input, num_bits, range_given, round_mode, narrow_range):
    """A scale that represents the range, the values rounded on it, and back."""
    low, high = (input_min, input_max) if range_given else (input.min(initial=np.inf), input.max(initial=-np.inf))
    least = (-(2 ** (num_bits - 1)) + (1 if narrow_range else 0)) if signed_input else 0
    most = 2 ** (num_bits - 1) - 1 if signed_input else 2**num_bits - 1
    scale = min(least / low if least * low > 0 else np.inf, most / high if most * high > 0 else np.inf)
    rounded = np.round if round_mode == "HALF_TO_EVEN" else lambda x: np.floor(x + 0.5)
    return rounded(np.clip(input, least / scale, most / scale) * scale) / scale


def quantized(f, x, low, high, type, mode, **options):
    """The integers leave as plain ones: a quantized dtype is no NumPy dtype."""
    found = f(x, low, high, getattr(tf, type), mode, **options)
    return tf.bitcast(found.output, INTEGER[type]), found.output_min, found.output_max


def dequantized(f, x, low, high, type, mode, **options):
    return f(tf.bitcast(x, getattr(tf, type)), low, high, mode, **options)


@quantization("tf.quantization.quantize", quantize, call=quantized, errors=[two_ranges(X, type="qint8", mode="SCALED")])
def quantizing():
    for type in ("quint8", "qint8", "qint16", "quint16"):
        for mode in ("MIN_COMBINED", "SCALED", "MIN_FIRST"):
            yield sample(VALUES, LOW, HIGH, type, mode, name=f"{type},{mode}")
    yield sample(VALUES, LOW, HIGH, "qint8", "SCALED", round_mode="HALF_TO_EVEN", name="qint8,even")
    yield sample(VALUES, LOW, HIGH, "qint8", "SCALED", narrow_range=True, name="qint8,narrow")
    yield sample(VALUES, LOWS, HIGHS, "qint8", "SCALED", axis=1, name="qint8,by-channel")
    yield sample(VALUES, LOW, HIGH, "qint8", "SCALED", ensure_minimum_range=4.0, name="qint8,wider")


@quantization("tf.quantization.dequantize", dequantize, call=dequantized,
              errors=[two_ranges(X.astype(np.uint8), type="quint8", mode="SCALED")])
def dequantizing():
    for type, dtype in (("quint8", "uint8"), ("qint8", "int8"), ("qint16", "int16"), ("quint16", "uint16")):
        for mode in ("MIN_COMBINED", "SCALED", "MIN_FIRST"):
            yield sample(T("n d", dtype=dtype), LOW, HIGH, type, mode, name=f"{type},{mode}")
    yield sample(T("n d", dtype="int8"), LOW, HIGH, "qint8", "SCALED", narrow_range=True, name="qint8,narrow")
    yield sample(T("n d", dtype="int8"), LOWS, HIGHS, "qint8", "SCALED", axis=1, name="qint8,by-channel")
    yield sample(T("n d", dtype="uint8"), LOW, HIGH, "quint8", "MIN_COMBINED", dtype="bfloat16", name="quint8,bfloat16")


def both_ways():
    x, low, high = (
        T("n d", domain=(-8, 8), edges=False),
        T("", domain=(-6, -1), edges=False),
        T("", domain=(1, 6), edges=False),
    )
    positive = T("n d", domain=(0, 8), edges=False)
    for signed in (True, False):
        for given in (True, False):
            for round_mode in ("HALF_TO_EVEN", "HALF_UP"):
                yield sample(
                    x if signed else positive,
                    low,
                    high,
                    signed,
                    8,
                    given,
                    round_mode,
                    narrow_range=False,
                    name=f"{signed},{given},{round_mode}",
                )
    yield sample(x, low, high, True, 4, True, "HALF_TO_EVEN", narrow_range=True, name="narrow")


def quantized_concat(axis, x, y, low, high):
    """Tensors of one range keep their integers and that range."""
    return np.concatenate([x, y], axis), low, high


def concatenated(f, axis, x, y, low, high):
    found = f(axis, [tf.bitcast(x, tf.quint8), tf.bitcast(y, tf.quint8)], [low, low], [high, high])
    return tf.bitcast(found.output, tf.uint8), found.output_min, found.output_max


for version in ("", "_v2"):
    quantization(f"tf.quantization.quantize_and_dequantize{version}", quantize_and_dequantize, errors=[
        two_ranges(X, signed_input=True, num_bits=8, range_given=True, round_mode="HALF_UP")])(both_ways)
quantization("tf.quantization.quantized_concat", quantized_concat, each(0, 1), T("n d", dtype="uint8"),
             T("n d", dtype="uint8"), LOW, HIGH, call=concatenated,
             errors=[two_ranges(0, X.astype(np.uint8), X.astype(np.uint8))])
