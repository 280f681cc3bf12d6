"""Declaring and calling raw ops, whose arguments have names that come from TensorFlow."""

from __future__ import annotations

import inspect

import numpy as np

from tfparity import op


def named(function, *arguments, **attributes):
    """Call a raw op with its arguments by name, in the order of its definition."""
    return function(**dict(zip(inspect.signature(function).parameters, arguments, strict=False)), **attributes)


def raw(name, reference, *inputs, why="", **more):
    """Declare `tf.raw_ops.NAME`; without a reference, `why` says what stands in its way."""
    fixed = {"kind": "raw", "kernel_only": True, "call": named, "timed": False}
    case = op(f"tf.raw_ops.{name}", reference, *inputs, **{**fixed, **more})
    return case.no_reference(why) if why else case


def truth(x):
    """A scalar is true if it is not zero, or not the empty string; other tensors if they have elements."""
    if x.ndim:
        return np.bool_(x.size > 0)
    return np.bool_(len(x.item()) > 0 if x.dtype.kind == "O" else x != 0)
