"""Transposed and conjugated matrices, as the flags of solvers and products ask for."""

import numpy as np


def adjoint(a):
    """The conjugate transpose; the transpose where the dtype is not complex, as for strings."""
    a = np.swapaxes(a, -1, -2)
    return np.conj(a) if np.iscomplexobj(a) else a


def flipped(a, transpose=False, conjugate=False):
    return adjoint(a) if conjugate else np.swapaxes(a, -1, -2) if transpose else a
