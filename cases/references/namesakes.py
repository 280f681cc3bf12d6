"""Declaring a function of tf.experimental.numpy, which promises the values and the dtype of its namesake in NumPy."""

from contextlib import contextmanager
from functools import wraps
from importlib import import_module

import numpy as np

from tfparity import Undefined, kind, tf


@contextmanager
def numpy_behavior(**options):
    """NumPy's behavior of tensors, for the length of one call: it is meant to stay on for good, and other cases of
    the same process would notice. What nothing public takes back is the enhanced indexing."""
    from unittest import mock  # 27 ms that `tfparity list` need not spend

    with mock.patch.object(import_module("tensorflow.python.framework.ops"), "_numpy_style_slicing", False):
        tf.experimental.numpy.experimental_enable_numpy_behavior(**options)
        try:
            yield
        finally:
            tf.experimental.numpy.experimental_enable_numpy_behavior(dtype_conversion_mode="off")


def flat(tree):
    """The leaves of nested lists, tuples and dicts."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for branch in tree for leaf in flat(branch)] if isinstance(tree, list | tuple) else [tree]


def finite(tree):
    """Whether no complex array in it has an infinity or NaN: of those NumPy's pages say nothing."""
    return all(np.isfinite(x).all() for x in flat(tree) if isinstance(x, np.ndarray) and x.dtype.kind == "c")


def dtypes_of(tree):
    dtypes = [np.asarray(x).dtype for x in flat(tree)]
    return np.array(["string" if dtype.kind in "OSU" else dtype.name for dtype in dtypes], object)


def whole(x):
    return isinstance(x, np.ndarray) and x.dtype.kind in "biu"


PROMOTED = ("float32", "float64", "int32", "int8", "bool", "complex64")
"""Dtypes for which NumPy's promotion rules differ; the kernels below are those of ops that run in every dtype."""


def namesake(of_kind, widen=False, **fixed):
    """Like `kind`, for functions that promise what their namesake in NumPy gives, and its dtype.

    With `widen`, the reference has whole numbers as float64, since NumPy's own answer for them is of as few bits as
    the dtype it promises.
    """
    declare = kind(of_kind, **fixed)

    def row(name, function, *inputs, call=lambda f, *inputs, **options: f(*inputs, **options), **options):
        @wraps(function)
        def reference(*inputs, **options):
            wide = [x.astype(np.float64) if widen and whole(x) else x for x in inputs]
            result = function(*wide, **options)
            if not finite([inputs, result]):
                raise Undefined("of a complex number that is not finite")
            return result

        def dtypes(result, *inputs, **options):
            """Those of the results, and NumPy's; none where NumPy refuses, which the reference judges."""
            try:
                expected = function(*inputs, **options)
            except Exception:
                return []
            return dtypes_of(result), dtypes_of(expected)

        def enabled(f, *inputs, **options):
            with numpy_behavior():
                return call(f, *inputs, **options)

        options = {"invariant": dtypes, "timed": False, "dtypes": PROMOTED, **options}
        return declare(f"tf.experimental.numpy.{name}", reference, *inputs, call=enabled, **options)

    return row
