"""tf.sets: a set is the last dimension of a tensor, without its repeats; the dimensions before it count the sets.

Tensors may be dense or sparse, sparse ones holding sets of unequal size. The result is sparse, each set in ascending
order from place 0, and its last dimension as long as the largest set.
"""

import numpy as np

from tfparity import INTEGERS, Sparse, SparseValue, T, each, error, kind, sample

from ..references.sets import combining, members

sets = kind("sets")

VALUES = (*INTEGERS, "string")


def difference(a, b, aminusb=True):
    return a - b if aminusb else b - a


def sizes(a, validate_indices=True):
    found, shape = members(a)
    return np.array([len(s) for s in found.values()], np.int32).reshape(shape)


def tensors():
    """Sets with a few values in common: both dense, the second sparse, both sparse."""
    few = {"domain": (0, 4)}
    yield sample(T("n a", **few), T("n b", **few), name="dense")
    yield sample(T("n 3", **few), Sparse("n 4", **few), name="dense-sparse")
    yield sample(Sparse("2 n 3", **few), Sparse("2 n 4", **few), name="sparse")
    yield sample(Sparse("n 3", **few), Sparse("n 4", **few), validate_indices=False, name="unvalidated")


def in_either_order():
    yield from tensors()
    for ab in tensors():
        yield sample(*ab.args, aminusb=False, name=f"{ab.name}-b-minus-a")


shapes_differ = error("shapes-differ", np.ones((2, 3), np.int32), np.ones((3, 3), np.int32))
sparse_first = error("sparse-first", SparseValue(np.zeros((1, 2), np.int64), np.ones(1, np.int32), np.array([2, 3])),
                     np.ones((2, 3), np.int32))

sets("tf.sets.union", combining(set.union), dtypes=VALUES, errors=[shapes_differ])(tensors)
sets("tf.sets.intersection", combining(set.intersection), dtypes=VALUES, errors=[shapes_differ])(tensors)
sets("tf.sets.difference", combining(difference), dtypes=VALUES, errors=[shapes_differ, sparse_first])(in_either_order)
sets("tf.sets.size", sizes, Sparse("n 4", domain=(0, 4)), validate_indices=each(True, False), dtypes=VALUES)
