"""tf.dtypes: casts and bitcasts. The documentation gives no value for the cast of a float outside the range of an
integer type, and calls the cast of NaN and infinity to an integer type undefined."""

import ml_dtypes
import numpy as np

from tfparity import FLOATS, INTEGERS, T, Undefined, each, kind

cast = kind("cast")


def bounds(dtype):
    return (np.iinfo if dtype.kind in "iu" else ml_dtypes.finfo)(dtype)


def converted(x, dtype):
    """A complex number is cast by its real part; a float is rounded towards zero; integers wrap around."""
    dtype = np.dtype(dtype)
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = x.real
    if dtype.kind in "iu" and x.dtype.kind == "f":
        x = np.trunc(x)
        if not np.all((x >= bounds(dtype).min) & (x <= bounds(dtype).max)):
            raise Undefined("the value lies outside the range of the integer type")
    if x.dtype == np.longdouble:
        x = x.astype(np.float64)           # float64 holds the value exactly, and every dtype converts from it
    return x.astype(dtype)


def saturated(value, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind in "iu" and np.any(np.isnan(value)):
        raise Undefined("NaN has no value in an integer type")
    low, high = bounds(dtype).min, bounds(dtype).max
    if dtype.kind in "iu" and value.dtype.kind in "iu":
        within = bounds(value.dtype)
        return np.clip(value, max(low, within.min), min(high, within.max)).astype(dtype)
    clipped = np.clip(value.astype(np.longdouble), np.longdouble(low), np.longdouble(high))
    return clipped.astype(dtype) if dtype.kind in "iu" else clipped.astype(np.float64)


def viewed(x, dtype):
    dtype = np.dtype(dtype)
    x = np.ascontiguousarray(x)
    if x.dtype.itemsize >= dtype.itemsize:
        return x.view(dtype) if x.dtype.itemsize == dtype.itemsize else x[..., None].view(dtype)
    if x.shape[-1] * x.dtype.itemsize != dtype.itemsize:
        raise ValueError("the last dimension must make one element")
    return x.view(dtype)[..., 0]


def complex_of(real, imag):
    out = np.empty(real.shape, np.result_type(real, np.complex64))
    out.real, out.imag = real, imag        # `real + 1j * imag` would turn infinity into NaN
    return out


cast("tf.cast", converted, T(), dtype=each(np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.complex64,
                                           np.int32, np.int64, np.int8, np.uint8, np.uint32))
cast("tf.dtypes.saturate_cast", saturated, T(), dtypes=FLOATS + INTEGERS,
     dtype=each(np.float16, np.float32, np.int32, np.int64, np.int8, np.uint8))
cast("tf.dtypes.complex", complex_of, T("a b"), T("a b"))
# The reference gets floats in higher precision, where their own bits are lost, so all inputs here are integers.
cast("tf.bitcast", viewed, T("a 4"), each(np.uint8, np.int16, np.int32, np.float32, np.float64, np.complex64),
     dtypes=INTEGERS)
