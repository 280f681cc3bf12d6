"""What TensorFlow documents and registers: the ops, the functions and methods beside them, their kernels.

Built on `private_api`, the one module that knows TensorFlow's private names, and on `cases/not_ops.toml`. Called in a
worker or a process of its own, since it imports TensorFlow; it must not know what is declared.
"""

from __future__ import annotations

import contextlib
import doctest
import fnmatch
import functools
import importlib
import inspect
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfparity.suite.language import loading
from tfparity.suite.running import private_api
from tfparity.suite.running.called import raw_ops_of

OP_NAMESPACES = frozenset(
    ("", "audio", "bitwise", "dtypes", "image", "io", "linalg", "math", "nn", "quantization", "ragged", "random")
    + ("sets", "signal", "sparse", "strings")
)
"""The namespaces whose functions are ops, with those below them; the empty one is the root. Elsewhere a function is an
op if it dispatches."""


@dataclass(frozen=True)
class Documented:
    """A documented op: its canonical name, `tf.math.acosh`, and every public name it goes by."""

    name: str
    aliases: tuple[str, ...]


def documented() -> list[Documented]:
    """Every documented op, by name.

    A public function of the v2 API, without `compat` and `keras`, that TensorFlow exports, and that supports dispatch
    or lives in an op namespace. One function object is one op, however many names it has.
    """
    out = excluded()
    return [found for found in _candidates() if found.name not in out]


def not_ops() -> Mapping[str, str]:
    """The entries of `cases/not_ops.toml`: the reason of each name or pattern."""
    groups = tomllib.loads((loading.folder() / "not_ops.toml").read_text(encoding="utf-8"))["not_ops"]
    return {name: group["reason"] for group in groups for name in group["names"]}


def excluded() -> dict[str, str]:
    """The functions that fit the definition of an op and are none, with the reason of each."""
    names = [found.name for found in _candidates()]
    return {name: reason for entry, reason in not_ops().items() for name in fnmatch.filter(names, entry)}


def stale_exclusions() -> list[str]:
    """The entries that exclude nothing in this TensorFlow."""
    names = [found.name for found in _candidates()]
    return [entry for entry in not_ops() if not fnmatch.filter(names, entry)]


@functools.lru_cache(maxsize=1)
def _candidates() -> tuple[Documented, ...]:
    """What the rule of `documented` finds, before anything is excluded."""
    names: dict[int, set[str]] = {}
    functions: dict[int, Any] = {}
    for public, function in _public_functions():
        names.setdefault(id(function), set()).add(public)
        functions[id(function)] = function
    found = []
    for key, function in functions.items():
        canonical = private_api.canonical_name(function)
        if canonical is None:
            continue
        namespace = canonical.rpartition(".")[0].partition(".")[0]
        if namespace in OP_NAMESPACES or private_api.dispatches(function):
            found.append(Documented(f"tf.{canonical}", tuple(sorted(names[key]))))
    return tuple(sorted(found, key=lambda op: op.name))


def numpy_functions() -> list[str]:
    """The functions of TensorFlow's NumPy."""
    return sorted({public for public, _ in _public_functions() if public.startswith("tf.experimental.numpy.")})


def operators() -> list[str]:
    """The operators that a tensor overloads."""
    tensorflow = importlib.import_module("tensorflow")
    return sorted(f"tf.Tensor.{name}" for name in tensorflow.Tensor.OVERLOADABLE_OPERATORS)


def examples() -> dict[str, int]:
    """The number of `>>>` examples in the docstring of each documented op that has some."""
    parser = doctest.DocTestParser()
    found = {}
    for op in documented():
        with contextlib.suppress(ValueError):  # a docstring that is no doctest has none
            page = inspect.getdoc(_public(op.name.removeprefix("tf."))) or ""
            found[op.name] = len(parser.get_examples(page))
    return {name: count for name, count in found.items() if count}


METHODS_OF = ("Tensor", "Variable", "TensorArray", "random.Generator")


def methods() -> list[str]:
    """The public methods of the classes that compute: no properties, no classes."""
    found = []
    for name in METHODS_OF:
        owner = _public(name)
        for attribute in dir(owner):
            value = inspect.getattr_static(owner, attribute)
            if not attribute.startswith("_") and (inspect.isroutine(value) or isinstance(value, classmethod)):
                found.append(f"tf.{name}.{attribute}")
    return found


def _public_functions() -> list[tuple[str, Any]]:
    """(public name, function) for every function of the public API."""
    return [
        (f"{prefix}.{attribute}", value)
        for prefix, module in private_api.public_modules()
        for attribute, value in vars(module).items()
        if not attribute.startswith("_")
        and callable(value)
        and not inspect.isclass(value)
        and not inspect.ismodule(value)
    ]


@functools.lru_cache(maxsize=1)
def leading_types() -> dict[str, str]:
    """For each raw op, the type attribute that says which of its kernels runs: `T`, else the first it is defined with;
    ops without one are left out."""
    found = {}
    for name in raw_ops():
        types = [a.name for a in private_api.definition(name).attr if a.type == "type"]
        if types:
            found[name] = "T" if "T" in types else types[0]
    return found


def raw_ops() -> list[str]:
    """The names of `tf.raw_ops`."""
    raw = importlib.import_module("tensorflow").raw_ops
    return [name for name in dir(raw) if not name.startswith("_")]


DEVICES = {"CPU": "cpu", "DEFAULT": "cpu", "GPU": "gpu", "XLA_CPU_JIT": "xla"}
"""Where the kernels of a device type run; those registered for any device (`DEFAULT`) run on the CPU."""


@functools.lru_cache(maxsize=1)
def registered() -> set[tuple[str, str, str]]:
    """(raw op, dtype, where) of every registered kernel. The dtypes are those its constraint on the op's leading type
    attribute allows, or "" where it has none."""
    tensorflow = importlib.import_module("tensorflow")
    tensorflow.function(lambda: tensorflow.constant(0), jit_compile=True)()  # XLA registers at its first compilation
    leading, public = leading_types(), set(raw_ops())
    found = set()
    for kernel in private_api.registered_kernels():
        if kernel.device_type not in DEVICES or kernel.op not in public:
            continue
        allowed = [c.allowed_values.list.type for c in kernel.constraint if c.name == leading.get(kernel.op)]
        names = [tensorflow.as_dtype(t).name for t in allowed[0]] if allowed else [""]
        found |= {(kernel.op, name, DEVICES[kernel.device_type]) for name in names}
    return found


def reachable() -> dict[str, list[str]]:
    """For each raw op that TensorFlow's own Python makes on the way from a documented op: the documented ops."""
    raw = set(raw_ops())
    found: dict[str, list[str]] = {}
    for op in documented():
        for name in raw_ops_of(_public(op.name.removeprefix("tf.")), raw):
            found.setdefault(name, []).append(op.name)
    return dict(sorted(found.items()))


def _public(name: str) -> Any:
    """What TensorFlow has under a name, `math.acosh`."""
    return functools.reduce(getattr, name.split("."), importlib.import_module("tensorflow"))


def public_name(value: Any) -> str | None:
    """The public name of something that TensorFlow exports, `tf.nn.relu`; None where it exports no such thing."""
    try:
        name = private_api.canonical_name(value)
    except (AttributeError, TypeError):
        return None
    return f"tf.{name}" if name else None
