"""Derivatives of a program, as programs: what is judged of each aspect that differentiates.

A function here takes the function to differentiate and gives another one of the same tensors. It uses TensorFlow alone
and knows nothing of the suite, so that the script of `repro` carries its source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function `(*tensors, first)` that gives the gradients of the floating results, weighted unevenly, by the
    floating inputs; None where there is none. `first` is a scalar int32, 0.

    The weights are odd multiples of 1/8, exact in every dtype. Equal weights would hide errors that sum to zero, as
    softmax's do; a weight of zero would make NaN of infinity; and were they constants of the graph, its optimizer would
    fold them into what is under test, so they grow from the argument `first`.
    """
    import tensorflow as tf

    def differentiable(t: Any) -> bool:
        return isinstance(t, tf.Tensor) and (t.dtype.is_floating or t.dtype.is_complex)

    def derivative(*arguments: Any) -> Any:
        *tensors, first = arguments
        inputs = [t for t in tensors if differentiable(t)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = [r for r in tf.nest.flatten(function(*tensors)) if differentiable(r)]
        weights = [
            tf.reshape((tf.cast((tf.range(tf.size(r)) + first) % 7, r.dtype) - 3) / 4 + 0.125, tf.shape(r))
            for r in results
        ]
        found = tape.gradient(results, inputs, output_gradients=weights) if results else [None] * len(inputs)
        return [None if g is None else tf.convert_to_tensor(g) for g in found]

    return derivative
