"""Sets that are the last dimension of a dense or sparse tensor, combined in pairs."""

import numpy as np

from tfparity import SparseValue


def members(a):
    """The sets of a tensor: their counting shape, and for each place the set of its values."""
    if isinstance(a, SparseValue):
        found = {at: set() for at in np.ndindex(*map(int, a.dense_shape[:-1]))}
        for place, value in zip(a.indices, a.values, strict=True):
            found[tuple(map(int, place[:-1]))].add(value)
        return found, tuple(map(int, a.dense_shape[:-1]))
    return {at: set(a[at]) for at in np.ndindex(a.shape[:-1])}, a.shape[:-1]


def combining(combine):
    """A reference for sets combined pairwise by `combine`."""

    def reference(a, b, validate_indices=True, **options):
        (left, shape), (right, other) = members(a), members(b)
        if shape != other:
            raise ValueError("all but the last dimension must match")
        results = {at: sorted(combine(left[at], right[at], **options)) for at in left}
        places = [(*at, k) for at, result in results.items() for k in range(len(result))]
        values = np.array([value for result in results.values() for value in result], a.values.dtype
                          if isinstance(a, SparseValue) else a.dtype)
        largest = max(map(len, results.values()), default=0)
        return SparseValue(np.array(places, np.int64).reshape(-1, len(shape) + 1), values, np.array((*shape, largest)))

    return reference
