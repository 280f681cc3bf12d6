"""Values in order: searching, uniqueness, counting into bins, and the nearest monotone sequence."""

from __future__ import annotations

import numpy as np

from tfparity import Undefined


def ordered(values):
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise Undefined("the documentation does not say where NaN sorts")
    return values


def searchsorted(sorted_sequence, values, side="left", out_type="int32"):
    out = np.empty(values.shape, out_type)
    for at in np.ndindex(values.shape[:-1]):
        out[at] = np.searchsorted(sorted_sequence[at], ordered(values)[at], side)
    return out


def unique_with_counts(x, out_idx="int32"):
    """Each value once, in the order of first occurrence; for each place which one it is; how many there are of each."""
    _, first, inverse, counts = np.unique(ordered(x), return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    return x[first[order]], np.argsort(order)[inverse].astype(out_idx), counts[order].astype(out_idx)


def bins(values, value_range, nbins=100, dtype="int32"):
    low, high = map(float, value_range)
    if not low < high:
        raise ValueError("the range is empty")
    at = np.floor(nbins * ((ordered(values) - low) / (high - low)))
    return np.clip(at, 0, nbins - 1).astype(dtype)


def histogram(values, value_range, nbins=100, dtype="int32"):
    return np.bincount(bins(values, value_range, nbins, int).ravel(), minlength=nbins).astype(dtype)


def counted(values, size, weights):
    out = np.zeros(size, weights.dtype)
    keep = values < size
    np.add.at(out, values[keep], weights[keep])
    return out


def isotonic(inputs, decreasing=True, axis=-1):
    """The nearest sequence that never rises, or never falls, and the number of its step at each place."""
    if not np.isfinite(inputs.astype(np.float64)).all():
        raise Undefined("least squares of what is not finite")
    from scipy.optimize import isotonic_regression  # 0.1 s, which `tfparity list` need not wait for

    x = np.moveaxis(inputs if decreasing else -inputs, axis, -1)
    out = np.empty_like(x)
    for at in np.ndindex(*x.shape[:-1]):
        out[at] = isotonic_regression(x[at], increasing=False).x
    steps = np.diff(out, axis=-1) != 0
    segments = np.concatenate([np.zeros((*x.shape[:-1], 1), np.int32), np.cumsum(steps, -1, np.int32)], -1)
    return np.moveaxis(out if decreasing else -out, -1, axis), np.moveaxis(segments, -1, axis)
