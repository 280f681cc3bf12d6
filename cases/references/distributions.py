"""How random numbers are judged: by their shape, their range and their distribution function."""

import numpy as np

from tfparity import lazy

stats = lazy("scipy.stats")
N = 4000
"""How many random numbers a judged sample draws."""


def follows(values, cdf):
    """Whether all values follow the distribution function `cdf`, by the Kolmogorov-Smirnov distance."""
    values = np.asarray(values).astype(np.float64).ravel()
    if not values.size:
        return True
    found, counts = np.unique(values, return_counts=True)
    distance = np.abs(np.cumsum(counts) / values.size - cdf(found)).max(initial=0)
    return bool(distance <= 2.5 / values.size**0.5)


def shaped(values, shape):
    return values.shape == tuple(shape)


def uniform(low, high, whole):
    """The uniform distribution function of numbers (if `whole`, of integers) from low to high, high excluded."""
    if whole:
        return lambda x: (np.floor(x) - low + 1) / (high - low)
    return stats.uniform(low, high - low).cdf


def is_uniform(x, shape, seed=None, minval=0, maxval=1, dtype=np.float32, **options):
    inside = (x >= minval).all() and (x < maxval).all()
    return bool(inside) and shaped(x, shape) and follows(x, uniform(minval, maxval, np.dtype(dtype).kind in "iu"))


def is_normal(x, shape, seed=None, mean=0.0, stddev=1.0, **options):
    return shaped(x, shape) and follows(x, stats.norm(mean, stddev).cdf)


def is_truncated(x, shape, seed=None, mean=0.0, stddev=1.0, **options):
    # Scaling and shifting may round a value to a bound, or one rounding error beyond it.
    slack = 2 * float(np.spacing(np.asarray(abs(mean) + 2 * stddev, x.dtype)))
    inside = (np.abs(x.astype(np.float64) - mean) <= 2 * stddev + slack).all()
    return bool(inside) and shaped(x, shape) and follows(x, stats.truncnorm(-2, 2, mean, stddev).cdf)
