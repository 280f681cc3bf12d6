"""Arithmetic as TensorFlow documents it where NumPy differs: integer division, powers, complex infinities."""

from __future__ import annotations

from functools import wraps

import numpy as np

from tfparity import Undefined


def finite(function):
    """NumPy's function, defined only where complex inputs and results are finite: the documentation does not say what
    complex infinities, NaN and poles give."""

    @wraps(function)
    def checked(*inputs, **options):
        result = function(*inputs, **options)
        if any(x.dtype.kind == "c" and not np.isfinite(x).all() for x in (*inputs, result)):
            raise Undefined("a complex input or result is not finite")
        return result

    return checked


def integers(x):
    return x.dtype.kind in "iu"


def true_divide(x, y):
    return x.astype(np.float64) / y if integers(x) else x / y


def nonzero(x, y):
    if integers(y) and x.size and not np.all(y):
        raise ZeroDivisionError("integer division by zero")
    return y


def floordiv(x, y):
    return np.floor_divide(x, nonzero(x, y)) if integers(x) else np.floor(x / y)


def floormod(x, y):
    return np.mod(x, nonzero(x, y))


def power(x, y):
    """The exponents are broadcast first: for a scalar 0.5, NumPy takes the square root, which is NaN at -inf, where the
    power is inf."""
    return np.power(x, np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape)).copy())


def refuse_zero(x, y):
    if x.dtype.kind in "iu" and np.any(np.broadcast_arrays(x, y)[1] == 0):
        raise ZeroDivisionError("integer division by zero")


def divided(x, y):
    """Quotients of integers are rounded towards zero."""
    refuse_zero(x, y)
    if x.dtype.kind in "iu":
        quotient = np.floor_divide(x, y)
        return quotient + ((quotient < 0) & (quotient * y != x)).astype(x.dtype)
    return x / y


def quotient(x, y):
    return x // y if x.dtype.kind in "iu" else x / y


def positive(x):
    """Positive integers, because the documentation does not say how a negative quotient of integers is rounded."""
    return np.maximum(np.abs(x), 1) if x.dtype.kind in "iu" else x
