"""Which arguments of an op its cases ever give a value that is not the default.

Read from the declarations, not from a run: every declared sample is bound to the signature of the op; a case with a
`call` is called once, on ordinary values, with a stand-in for the op that notes what it is given. Called in a process
of its own: it imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfparity.suite.inputs import samples
from tfparity.suite.language.case import DTYPE, Case, Declared, Input
from tfparity.suite.language.dtypes import DTYPES
from tfparity.suite.running import modes

CHANGES_NO_RESULT = {
    "name": "a label",
    "message": "the words of an error",
    "summarize": "the words of an error",
    "warn": "the words of a warning",
    "parallel_iterations": "how many iterations may overlap",
    "swap_memory": "where the memory is",
    "layout": "where a DTensor is",
    "use_cudnn_on_gpu": "which library computes",
    "infer_shape": "what is known before it runs",
    "gate_gradients": "when gradients are computed",
    "aggregation_method": "how gradients are added",
    "sparse_gradient": "the form of a gradient",
    "grad_a": "the place of a matrix in a gradient",
    "grad_b": "the place of a matrix in a gradient",
    "a_is_sparse": "a hint",
    "b_is_sparse": "a hint",
    "example_names": "the words of an error",
    "example_name": "the words of an error",
    "back_prop": "deprecated",
    "dim": "deprecated: axis",
    "allow_fast_lookup": "which kernel looks up",
    "recall_target": "a hint",
    "reduction_input_size_override": "a hint",
    "tf.fingerprint:method": "it has one value",
    "tf.gather:validate_indices": "deprecated: it does nothing",
    "tf.map_fn:dtype": "deprecated: fn_output_signature",
    "tf.image.non_max_suppression_padded:tile_size": "how many boxes are compared at a time",
    "tf.io.decode_jxl:dtype": "it has one value",
    "tf.io.decode_webp:dtype": "it has one value",
    "tf.nn.moments:shift": "documented as not used",
    "tf.signal.dct:axis": "it has one value",
    "tf.signal.idct:axis": "it has one value",
    "tf.signal.idct:n": "it has one value",
    "tf.numpy_function:stateful": "whether calls may be shared",
    "tf.strided_slice:var": "of TensorFlow 1: what to assign to",
}
"""Arguments that no result depends on, with the reason: of every op, or of `op:argument`. They are not counted."""

MOST_SAMPLES = 64


@dataclass(frozen=True)
class Option:
    """An argument with a default, of one op, and whether some sample gives it another value."""

    op: str
    argument: str
    default: str
    exercised: bool


def of(case: Case) -> list[Option]:
    """The options of one op. Raises AttributeError where this TensorFlow lacks the op."""
    function = modes.resolve(case.name)
    signature = inspect.signature(function)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not inspect.Parameter.empty
        and not {name, f"{case.name}:{name}"} & CHANGES_NO_RESULT.keys()
    }
    given: set[str] = set()
    if defaults:
        for args, kwargs in calls(case):
            try:
                bound = signature.bind_partial(*args, **kwargs).arguments
            except TypeError:  # an invalid call, which a case may make on purpose
                continue
            given |= {name for name in defaults.keys() & bound.keys() if differs(bound[name], defaults[name])}
    return [Option(case.name, name, repr(default), name in given) for name, default in defaults.items()]


def differs(value: Any, default: Any) -> bool:
    """Whether an argument is another one than the default; a tensor is."""
    if default is None or isinstance(value, Input) or not isinstance(value, type(default)):
        if isinstance(value, bool | int | float | str) and isinstance(default, bool | int | float | str):
            return value != default
        return value is not default and not _same_dtype(value, default)
    return bool(np.any(np.asarray(value != default)))


def _same_dtype(value: Any, default: Any) -> bool:
    """NumPy's and TensorFlow's names of one dtype are the same value; the dtype that a case is swept over is not."""
    if value is DTYPE or not hasattr(default, "as_numpy_dtype"):
        return False
    return bool(default == value)


def calls(case: Case) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What the op is called with, sample by sample."""
    for declared in list(case.samples())[:MOST_SAMPLES]:
        if case.call is None:
            yield declared.args, dict(declared.kwargs)
        else:
            yield from _noted(case, declared)


def _noted(case: Case, declared: Declared) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What a case's own `call` gives the op, in the first two dtypes in which it comes so far."""
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            found.append((args, kwargs))
            return function(*args, **kwargs)

        return called

    assert case.call
    call = case.call
    once = replace(case, samples=lambda: [declared], call=lambda f, *args, **kwargs: call(noting(f), *args, **kwargs))
    came = 0
    for dtype in case.dtypes or DTYPES:
        before = len(found)
        with contextlib.suppress(Exception):  # the op refuses this dtype; what it was given is noted all the same
            sample = samples.first(once, dtype)
            modes.program(once, sample).function(*[modes.tensor(leaf) for leaf in sample.tensors[0]])
        came += len(found) > before
        if came == 2:
            break
    return found
