"""Reading and writing elements of a tensor: gathering, scattering and stitching, with indices that must lie within it.
"""

import numpy as np


def ints(*values, dtype=np.int32):
    """An integer array, which becomes an argument of the traced function; a list would be a constant of the graph."""
    return np.array(values, dtype)


def zeros_of(shape, dtype):
    """Zeros as TensorFlow defines them: the zero of strings is the empty string."""
    return np.full(shape, b"" if np.dtype(dtype) == object else 0, dtype)


def dynamic_stitch(indices, data):
    rest = data[0].shape[indices[0].ndim:]
    merged = zeros_of((1 + max((i.max(initial=-1) for i in indices), default=-1), *rest), data[0].dtype)
    for index, part in zip(indices, data, strict=True):
        merged[index.ravel()] = part.reshape(index.size, *rest)
    return merged


def of_same_shape(function):
    def reference(x, y):
        if x.shape != y.shape:
            raise ValueError("shapes differ")
        return function(x, y)

    return reference


def within(x, indices, count):
    """The indices, if every entry along their last axis lies within its dimension of the first `count` ones of x."""
    if np.any(indices < 0) or np.any(indices >= x.shape[:count]):
        raise IndexError("an index is out of range")
    return indices


def by_rows(change):
    """A reference that changes the rows of a copy one after the other."""
    def reference(x, indices, rows, **arguments):
        x, indices = x.copy(), within(x, indices[..., None], 1)[..., 0]
        for i, row in zip(indices, rows, strict=True):
            x[i] = change(x[i], row)
        return [x, x]

    return reference


def replaced(old, new):
    return new


def distinct(drawn):
    """As many distinct indices as were drawn: the permutation that sorts the drawn ones."""
    return np.argsort(drawn, axis=-1, kind="stable")


def by_places(change):
    """A reference that changes the slices at the positions in the rows of `indices`."""
    def reference(x, indices, updates):
        x, indices = x.copy(), within(x, indices, indices.shape[-1])
        for place, update in zip(map(tuple, indices), updates, strict=True):
            x[place] = change(x[place], update)
        return x

    return reference


def sparse_read(x, indices):
    return x[within(x, indices[..., None], 1)[..., 0]]


def gather_nd(x, indices):
    return x[tuple(np.moveaxis(within(x, indices, indices.shape[-1]), -1, 0))]


def zeros_like(x, shape):
    return np.full(shape, b"", object) if x.dtype.kind == "O" else np.zeros(shape, x.dtype)


def scattered(x, indices, size):
    out = zeros_like(x, (size, *x.shape[1:]))
    out[indices] = x
    return out
