"""Pooling over windows that do not overlap, and the arguments of the raw ops that pool."""

from __future__ import annotations

from itertools import product

import numpy as np


def windows(shape, kernel):
    """The inner positions of a strided window, and the window's slices at each."""
    counts = [(n - k) // k + 1 for n, k in zip(shape, kernel, strict=True)]
    for place in product(*map(range, counts)):
        yield place, tuple(slice(p * k, p * k + k) for p, k in zip(place, kernel, strict=True))


def largest_in_window(x, ksize, strides, padding):
    return np.stack([x[(slice(None), *w)].max((1, 2)) for _, w in windows(x.shape[1:3], ksize[1:3])], 1).reshape(
        len(x), x.shape[1] // ksize[1], x.shape[2] // ksize[2], -1
    )


POOL2, POOL3 = [1, 2, 2, 1], [1, 2, 2, 2, 1]
ONE2, ONE3 = [1, 1, 1, 1], [1, 1, 1, 1, 1]
pooling = {"ksize": POOL2, "strides": POOL2, "padding": "VALID"}
