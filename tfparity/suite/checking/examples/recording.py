"""Recording what an example calls: a stand-in for `tf`, and each call with its arguments as they were and its result.

It must not know how the calls are made again, nor how they are judged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from tfparity.suite.checking.task import Step
from tfparity.suite.judging.outcome import Lost, Outcome, Value, failure, value
from tfparity.suite.language.trees import RaggedValue, SparseValue, leaves, rebuild
from tfparity.suite.running import private_api
from tfparity.suite.running.modes import Clock

WITHOUT_VALUES = ("variant", "resource")
"""Dtypes whose tensors have no values to take or to compare."""


@dataclass(frozen=True)
class Context:
    """Where examples run: the device, the steps in which earlier attempts died, the clock, and `step`, which is called
    with each step before it is taken."""

    device: str
    lost: Mapping[Step, Lost]
    clock: Clock
    step: Callable[[Step, int], None]


@dataclass(frozen=True)
class Convertible:
    """An argument that is no tensor and could be one: `plain` is what the example has, `array` the tensor's values."""

    plain: Any
    array: np.ndarray


@dataclass(frozen=True)
class Plain:
    """An argument that stays what the example has: a list that is an option, say. Its repr is its source."""

    value: Any

    def __repr__(self) -> str:
        if isinstance(self.value, np.ndarray):
            return f"np.array({self.value.tolist()!r}, {str(self.value.dtype)!r})"
        return f"tf.{self.value!r}" if type(self.value).__name__ == "TensorShape" else repr(self.value)


@dataclass(frozen=True)
class Call:
    """One eager call of a documented op by an example.

    sample   its part of the identity: the example, the op, and from the second such call on a number
    draw     its arguments: tensors as arrays, lists and arrays as Convertible, all else as Plain
    outcome  what it gave
    reason   why it cannot be made again, else empty
    """

    sample: str
    name: str
    function: Callable[..., Any]
    draw: Any
    outcome: Outcome
    reason: str = ""


@dataclass
class Recorder:
    """Makes the stand-in for `tf`, and keeps the calls made through it while it is not `idle`. `known` are the names of
    the ops to record, by function id; `example` is the number of the one that runs."""

    known: Mapping[int, str]
    calls: list[Call] = field(default_factory=list)
    example: int = 0
    idle: bool = False

    def stand_in(self, module: ModuleType) -> ModuleType:
        """A module that gives what `module` gives, but records eager calls of the known ops."""
        import tensorflow as tf

        class Namespace(ModuleType):
            def __getattr__(_, name: str) -> Any:
                found = getattr(module, name)
                if private_api.is_public_module(found):
                    return self.stand_in(found)
                if self.idle or id(found) not in self.known or not tf.executing_eagerly():
                    return found  # autograph must see the function itself
                return self.recording(found)

        return Namespace(module.__name__)

    def recording(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose eager calls are recorded; those that it makes itself are not."""
        import tensorflow as tf

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.idle or not tf.executing_eagerly():
                return function(*args, **kwargs)
            draw = _draw(args, kwargs)
            self.idle = True
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                phase = "execute" if isinstance(error, tf.errors.OpError) else "trace"
                self._record(function, draw, failure(error, phase), "")
                raise
            finally:
                self.idle = False
            reason = _not_comparable(result)
            self._record(function, draw, Value("", ()) if reason else value(result), reason)
            return result

        return call

    def _record(self, function: Callable[..., Any], draw: Any, outcome: Outcome, reason: str) -> None:
        name = self.known[id(function)]
        sample = f"example-{self.example},{name}"
        earlier = sum(call.name == name and call.sample.split(",")[0] == sample.split(",")[0] for call in self.calls)
        self.calls.append(Call(f"{sample}-{earlier + 1}" if earlier else sample, name, function, draw, outcome, reason))


def _draw(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The arguments as they are before the call, which may change them."""
    draw = tuple(map(recorded, args)), {key: recorded(argument) for key, argument in kwargs.items()}
    if all(isinstance(leaf, Plain) for leaf in leaves(draw)):
        return rebuild(draw, _scalar)
    return draw


def recorded(tree: Any) -> Any:
    """Arguments as they are now, in the form of a sample's draw, with Convertible where there is a choice."""
    import tensorflow as tf

    if isinstance(tree, dict):
        return {key: recorded(branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple) and (array := _array_of(tree)) is not None:
        return Convertible(deepcopy(tree), array)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(recorded, tree))
    if isinstance(tree, list | tuple):
        return type(tree)(map(recorded, tree))
    if isinstance(tree, tf.SparseTensor):
        return SparseValue(tree.indices.numpy(), tree.values.numpy(), tree.dense_shape.numpy())
    if isinstance(tree, tf.RaggedTensor):
        return RaggedValue(tree.flat_values.numpy(), tuple(s.numpy() for s in tree.nested_row_splits))
    if isinstance(tree, tf.Variable):
        return Convertible(tree, tree.numpy())
    if isinstance(tree, np.ndarray):
        return Convertible(tree.copy(), tree.copy())
    if isinstance(tree, tf.Tensor) and hasattr(tree, "numpy") and tree.dtype.name not in WITHOUT_VALUES:
        return _array(tree.numpy())
    return Plain(tree)


def _scalar(leaf: Plain) -> Any:
    """A number or a string of a call that has no tensors: the data may be among those."""
    array = None if isinstance(leaf.value, bool) else _array_of(leaf.value)
    return leaf if array is None else Convertible(leaf.value, array)


def _array_of(items: Any) -> np.ndarray | None:
    """The tensor that TensorFlow makes of numbers or strings, or of nested lists of them; None where it makes none."""
    import tensorflow as tf

    numbers_or_strings = bool | int | float | complex | str | bytes | np.generic
    found = list(leaves(items))
    if not found or not all(isinstance(leaf, numbers_or_strings) for leaf in found):
        return None
    try:
        return _array(tf.constant(items).numpy())
    except (ValueError, TypeError, tf.errors.OpError):
        return None


def _array(found: Any) -> np.ndarray:
    """A tensor's `numpy()`, which for a scalar string is bytes."""
    return np.array(found, object) if isinstance(found, bytes) else np.asarray(found)


def _not_comparable(result: Any) -> str:
    """Why no graph can return it or nothing can be compared, else empty."""
    import tensorflow as tf

    tensors = tf.Tensor | tf.SparseTensor | tf.RaggedTensor | tf.IndexedSlices | np.ndarray | np.generic | None
    for leaf in leaves(result):
        if not isinstance(leaf, tensors):
            return f"it gives a {type(leaf).__name__}, which is no tensor"
        if getattr(leaf, "dtype", None) in (tf.variant, tf.resource):
            return f"it gives a tensor of dtype {leaf.dtype.name}, which has no values to compare"
    return ""
