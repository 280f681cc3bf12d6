"""Raw ops on quantized tensors, older and newer ones, by the rules of `unreached.py`."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np

from tfparity import T, each, tf

from ..references.raw_ops import named, raw
from ..references.windows import ONE2, largest_in_window, pooling

PLAIN = {"qint8": "int8", "quint8": "uint8", "qint32": "int32", "qint16": "int16", "quint16": "uint16"}


def quantized(*types):
    """Apply a raw op to integers read as quantized ones, argument by argument; quantized results are read back."""

    def plain(result):
        return tf.bitcast(result, PLAIN[result.dtype.name]) if result.dtype.name in PLAIN else result

    def call(function, *arguments, **attributes):
        given = [tf.bitcast(a, t) if t else a for a, t in zip_longest(arguments, types)]
        return tf.nest.map_structure(plain, named(function, *given, **attributes))

    return call


def of_type(dtype, *shape, **more):
    return T(*shape, dtype=dtype, edges=False, **more)


inside = "what its rounding promises is not documented"
EIGHT, UNIT = of_type("uint8", 2, 3), (-1.0, 1.0)
sums = of_type("int32", 2, 3)
picture, taps, thirds = of_type("uint8", 1, 4, 4, 2), of_type("int8", 2, 2, 2, 3), of_type("float32", 3)
raw("QuantizedAdd",      None, EIGHT, EIGHT, *UNIT, *UNIT, call=quantized("quint8", "quint8"), why=inside)
raw("QuantizedMul",      None, EIGHT, EIGHT, *UNIT, *UNIT, call=quantized("quint8", "quint8"), why=inside)
raw("QuantizedMatMul",   None, EIGHT, of_type("uint8", 3, 4), *UNIT, *UNIT, call=quantized("quint8", "quint8"),
    why=inside)
raw("QuantizedBiasAdd",  None, EIGHT, of_type("uint8", 3), *UNIT, *UNIT, out_type="qint32",
    call=quantized("quint8", "quint8"), why=inside)
raw("QuantizedAvgPool",  None, picture, *UNIT, **pooling, call=quantized("quint8"), why=inside)
raw("QuantizedMaxPool",  lambda x, low, high, **o: (largest_in_window(x, **o), np.float32(low), np.float32(high)),
    picture, *UNIT, **pooling, call=quantized("quint8"), exact=True)
raw("QuantizedRelu",     None, EIGHT, *UNIT, call=quantized("quint8"), why=inside)
raw("QuantizedRelu6",    None, EIGHT, -1.0, 7.0, call=quantized("quint8"), why=inside)
raw("QuantizedReshape",  lambda x, shape, low, high: (x.reshape(shape), np.float32(low), np.float32(high)),
    EIGHT, [3, 2], *UNIT, call=quantized("quint8"), exact=True)
raw("QuantizedResizeBilinear", None, picture, [6, 6], *UNIT, call=quantized("quint8"), why=inside)
raw("QuantizedInstanceNorm", None, picture, *UNIT, call=quantized("quint8"), why=inside)
raw("QuantizedConv2D",   None, picture, of_type("uint8", 2, 2, 2, 3), *UNIT, *UNIT, strides=ONE2, padding="VALID",
    call=quantized("quint8", "quint8"), why=inside)
raw("QuantizedBatchNormWithGlobalNormalization", None, picture, *UNIT, *(of_type("uint8", 2), *UNIT) * 4,
    out_type="qint32", variance_epsilon=0.001, scale_after_normalization=each(False, True),
    call=quantized(*("quint8", None, None) * 5), why=inside)
raw("QuantizeDownAndShrinkRange", None, sums, *UNIT, out_type="quint8", call=quantized("qint32"), why=inside)
raw("Requantize",        None, sums, *UNIT, *UNIT, out_type="quint8", call=quantized("qint32"), why=inside)
raw("RequantizationRange", None, sums, *UNIT, call=quantized("qint32"), why=inside)
raw("RequantizationRangePerChannel", None, of_type("int32", 1, 2, 2, 3), [-1.0] * 3, [1.0] * 3, clip_value_max=6.0,
    call=quantized("qint32"), why=inside)
raw("RequantizePerChannel", None, of_type("int32", 1, 2, 2, 3), [-1.0] * 3, [1.0] * 3, *UNIT, call=quantized("qint32"),
    why=inside)


def passed_inside(g, x, low, high):
    return g * ((x >= low) & (x <= high)), np.zeros_like(low), np.zeros_like(high)


limits = T("", domain=(-3, -2), edges=False), T("", domain=(2, 3), edges=False)
raw("QuantizeAndDequantizeV3",     None, T("n m", edges=False), *limits, 8, why=inside)
raw("QuantizeAndDequantizeV4Grad", passed_inside, T("n m"), T("n m", edges=False), *limits)

EIGHT_BITS = {"quantization_min_val": -128, "quantization_max_val": 127}


def bits_of(*names):
    return {f"{name}_{key}": value for name in names for key, value in EIGHT_BITS.items()}


def quantize(x, scale, zero, **bits):
    return np.clip(np.floor(x / scale + 0.5) + zero, -128, 127).astype(np.int8)


def dequantize(x, scale, zero, **bits):
    return ((x.astype(np.float32) - zero) * scale).astype(np.float32)


hybrid = {"Tout": "float32", **bits_of("rhs"), "call": quantized(None, "qint8"), "why": inside}
both = {"Tout": "qint32", **bits_of("lhs", "rhs", "output"), "call": quantized("qint8", "qint8"), "why": inside}
FROM_LEFT, FROM_RIGHT, INTO = (0.25, 3), (0.5, 1), (1.0, 0)  # scale and zero point
left, right, kernel = of_type("int8", "m k"), of_type("int8", "k n"), of_type("int8", 3, 2, 2, 2)
raw("UniformQuantize",     quantize, T("n m", dtype="float32", edges=False), *FROM_LEFT, Tout="qint8", **EIGHT_BITS,
    call=quantized(), exact=True)
raw("UniformDequantize",   dequantize, of_type("int8", "n m"), *FROM_LEFT, Tout="float32", **EIGHT_BITS,
    call=quantized("qint8"), exact=True)
raw("UniformRequantize",   None, of_type("int8", "n m"), *FROM_LEFT, *FROM_RIGHT, Tout="qint8",
    **bits_of("input", "output"), call=quantized("qint8"), why=inside)
raw("UniformQuantizedAdd", None, of_type("int32", "n m"), of_type("int32", "n m"), *FROM_LEFT, *FROM_RIGHT, *INTO,
    **bits_of("lhs", "rhs", "output"), call=quantized("qint32", "qint32"), why=inside)
raw("UniformQuantizedClipByValue", lambda x, low, high, *rest, **bits: np.clip(x, low, high), of_type("int32", "n m"),
    of_type("int32", "", within=(-5, -3)), of_type("int32", "", within=(2, 4)), 0.25, 0, **EIGHT_BITS,
    call=quantized("qint32", "qint32", "qint32"), exact=True)
raw("UniformQuantizedDot", None, left, right, *FROM_LEFT, *FROM_RIGHT, *INTO, **both)
raw("UniformQuantizedDotHybrid", None, T("m k", dtype="float32", edges=False), right, *FROM_LEFT, **hybrid)
raw("UniformQuantizedConvolution", None, of_type("int8", 1, 2, 4, 4), kernel, *FROM_LEFT, *FROM_RIGHT, *INTO,
    padding="VALID", **both)
raw("UniformQuantizedConvolutionHybrid", None, T(1, 2, 4, 4, dtype="float32", edges=False), kernel, *FROM_LEFT,
    padding="VALID", **hybrid)
