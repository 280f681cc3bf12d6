"""How each mode makes a program ready to be called: `prepare(program, specs)`, and what a trace knows of shapes.

It uses TensorFlow alone and knows nothing of the suite, so that the script of `repro` carries its source.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Program:
    """A case's call on one sample's structure: `function(*tensors, *extra)`.

    autograph  whether it is traced with autograph
    extra      arrays that are arguments beside the sample's tensors
    state      what the case keeps between calls: variables, tables, queues
    kept       what a mode made that must live as long as the program is called
    """

    function: Callable[..., Any]
    autograph: bool = False
    extra: tuple[Any, ...] = ()
    state: tuple[Any, ...] = ()
    kept: list[Any] = field(default_factory=list, compare=False)


@dataclass(frozen=True)
class Shapes:
    """How much of the shapes a trace knows: `loosen` gives the TensorSpec that the signature has for one given."""

    name: str
    loosen: Callable[[Any], Any] = field(compare=False)


def known(spec: Any) -> Any:
    return spec


def unknown_dimensions(spec: Any) -> Any:
    import tensorflow as tf

    if isinstance(spec, tf.TensorSpec):
        return tf.TensorSpec([None] * spec.shape.rank, spec.dtype)
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.SparseTensorSpec([None] * spec.shape.rank, spec.dtype)
    return spec


def unknown_rank(spec: Any) -> Any:
    import tensorflow as tf

    return tf.TensorSpec(None, spec.dtype) if isinstance(spec, tf.TensorSpec) else spec


KNOWN = Shapes("known shapes", known)
UNKNOWN_DIMENSIONS = Shapes("unknown dimensions", unknown_dimensions)
UNKNOWN_RANK = Shapes("an unknown rank", unknown_rank)


def eager(program: Program, specs: list[Any]) -> Callable[..., Any]:
    """The function as it is."""
    return program.function


def graph(program: Program, specs: list[Any], **options: Any) -> Callable[..., Any]:
    """A `tf.function`, traced."""
    import tensorflow as tf

    function = tf.function(program.function, input_signature=specs, autograph=program.autograph, **options)
    function.get_concrete_function()
    return function


def compiled(program: Program, specs: list[Any]) -> Callable[..., Any]:
    """A `tf.function` that XLA compiles."""
    return graph(program, specs, jit_compile=True)


def saved(program: Program, specs: list[Any]) -> Callable[..., Any]:
    """The graph after saving and loading, with the variables and tables of the case."""
    import tensorflow as tf

    module = tf.Module()
    module.state = list(program.state)
    module.f = graph(program, specs)
    path = tempfile.mkdtemp(prefix="tfparity-")
    try:
        tf.saved_model.save(module, path)
        loaded = tf.saved_model.load(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
    program.kept.append(loaded)  # a function does not keep the variables that it captured
    return loaded.f


def concrete(function: Callable[..., Any]) -> Callable[..., Any]:
    """The one concrete function of a `tf.function`: 130 us a call, where finding it from the signature makes that 220.
    Of a loaded function its own; any other function as it is."""
    if hasattr(function, "concrete_functions"):
        return function.concrete_functions[0]
    return getattr(function, "get_concrete_function", lambda: function)()


def contradiction(call: Any, results: Any) -> str:
    """Where a result does not fit the static shape or dtype that shape inference promised for it, in words, else ""."""
    import tensorflow as tf

    if not hasattr(call, "structured_outputs"):
        return ""
    promised = tf.nest.flatten(call.structured_outputs)
    for spec, result in zip(promised, tf.nest.flatten(results), strict=False):
        if (
            isinstance(spec, tf.TensorSpec | tf.Tensor)
            and isinstance(result, tf.Tensor)
            and not (spec.shape.is_compatible_with(result.shape) and spec.dtype == result.dtype)
        ):
            return f"promised {spec.dtype.name}{spec.shape} but gave {result.dtype.name}{result.shape}"
    return ""
