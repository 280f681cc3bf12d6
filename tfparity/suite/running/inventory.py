"""What TensorFlow documents and registers: ops, kernels, gradients. The one room that reads TensorFlow's private API.

Every private name it uses is asked for here and nowhere else, and a test checks that each still answers. Called in a
worker or a process of its own: it imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import dis
import doctest
import fnmatch
import functools
import importlib
import inspect
import pkgutil
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OP_NAMESPACES = frozenset(
    ("", "audio", "bitwise", "dtypes", "image", "io", "linalg", "math", "nn", "quantization", "ragged", "random")
    + ("sets", "signal", "sparse", "strings")
)
"""The namespaces whose functions are ops, with those below them; the empty one is the root. Elsewhere a function is an
op if it dispatches."""

NOT_OPS = {
    "context manager": ("control_dependencies", "device", "init_scope", "variable_creator_scope"),
    "decorator: it makes functions": (
        "custom_gradient",
        "function",
        "grad_pass_through",
        "no_gradient",
        "nondifferentiable_batch_function",
        "recompute_grad",
    ),
    "predicate, or a conversion of Python objects": (
        "dtypes.as_dtype",
        "executing_eagerly",
        "get_current_name_scope",
        "get_logger",
        "get_static_value",
        "inside_function",
        "is_symbolic_tensor",
        "is_tensor",
        "make_ndarray",
        "make_tensor_proto",
        "type_spec_from_value",
    ),
    "global state": (
        "random.get_global_generator",
        "random.set_global_generator",
        "random.set_seed",
        "register_tensor_conversion_function",
    ),
    "plug-in loading": ("load_library", "load_op_library"),
    "file-system call": ("io.gfile.*", "io.write_graph", "quantization.experimental.quantize_saved_model"),
}
"""Functions of the op namespaces that are no ops, by reason; a name may end in `*`. One that excludes nothing in this
TensorFlow is stale, and an error of the coverage."""


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


def excluded() -> dict[str, str]:
    """What fits the definition of an op and is none, with its reason."""
    names = [found.name for found in _candidates()]
    return {name: reason for reason, pattern in _exclusions() for name in fnmatch.filter(names, pattern)}


def stale_exclusions() -> list[str]:
    """The entries of NOT_OPS that exclude nothing in this TensorFlow."""
    names = [found.name for found in _candidates()]
    return [pattern for _, pattern in _exclusions() if not fnmatch.filter(names, pattern)]


def _exclusions() -> list[tuple[str, str]]:
    return [(reason, f"tf.{pattern}") for reason, patterns in NOT_OPS.items() for pattern in patterns]


@functools.lru_cache(maxsize=1)
def _candidates() -> tuple[Documented, ...]:
    """What the rule of `documented` finds, before anything is excluded."""
    from tensorflow.python.util import tf_export

    names: dict[int, set[str]] = {}
    functions: dict[int, Any] = {}
    for public, function in _walk():
        names.setdefault(id(function), set()).add(public)
        functions[id(function)] = function
    found = []
    for key, function in functions.items():
        canonical = tf_export.get_canonical_name_for_symbol(function, add_prefix_to_v1_names=False)
        if canonical is None:
            continue
        inside = canonical.rpartition(".")[0].partition(".")[0] in OP_NAMESPACES
        if inside or hasattr(function, "_tf_dispatchers") or hasattr(function, "_tf_fallback_dispatchers"):
            found.append(Documented(f"tf.{canonical}", tuple(sorted(names[key]))))
    return tuple(sorted(found, key=lambda op: op.name))


def numpy_functions() -> list[str]:
    """The functions of TensorFlow's NumPy."""
    return sorted({public for public, _ in _walk() if public.startswith("tf.experimental.numpy.")})


def operators() -> list[str]:
    """The operators that a tensor overloads."""
    tensorflow = importlib.import_module("tensorflow")
    return sorted(f"tf.Tensor.{name}" for name in tensorflow.Tensor.OVERLOADABLE_OPERATORS)


def examples() -> dict[str, int]:
    """The number of `>>>` examples in the docstring of each documented op that has some."""
    parser = doctest.DocTestParser()
    found = {}
    for op in documented():
        function = functools.reduce(getattr, op.name.split(".")[1:], importlib.import_module("tensorflow"))
        with contextlib.suppress(ValueError):  # a docstring that is no doctest has none
            found[op.name] = len(parser.get_examples(inspect.getdoc(function) or ""))
    return {name: count for name, count in found.items() if count}


METHODS_OF = ("Tensor", "Variable", "TensorArray", "random.Generator")


def methods() -> list[str]:
    """The public methods of the classes that compute: no properties, no classes."""
    found = []
    for name in METHODS_OF:
        owner = functools.reduce(getattr, name.split("."), importlib.import_module("tensorflow"))
        for attribute in dir(owner):
            value = inspect.getattr_static(owner, attribute)
            if not attribute.startswith("_") and (inspect.isroutine(value) or isinstance(value, classmethod)):
                found.append(f"tf.{name}.{attribute}")
    return found


def _walk() -> list[tuple[str, Any]]:
    """(public name, function) for every function of the generated API packages."""
    root = importlib.import_module("tensorflow._api.v2")
    found: list[tuple[str, Any]] = []
    modules = [("tf", root)]
    for info in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
        parts = info.name.removeprefix(root.__name__ + ".").split(".")
        if {"compat", "keras"} & set(parts) or any(p.startswith("_") for p in parts):
            continue
        try:
            public = ".".join(["tf", *(p for p in parts if p != "v2")])  # the root's own names live in a module `v2`
            modules.append((public, importlib.import_module(info.name)))
        except ImportError:
            continue
    for prefix, module in modules:
        for attribute, value in vars(module).items():
            if (
                not attribute.startswith("_")
                and callable(value)
                and not inspect.isclass(value)
                and not inspect.ismodule(value)
            ):
                found.append((f"{prefix}.{attribute}", value))
    return found


def kernels(device: str = "CPU") -> dict[str, set[str]]:
    """For each raw op with a kernel on a device type, the dtypes its `T` constraint names (empty: unconstrained)."""
    from tensorflow.python.framework import dtypes
    from tensorflow.python.framework import kernels as registry

    found: dict[str, set[str]] = {}
    for kernel in registry.get_all_registered_kernels().kernel:
        if kernel.device_type not in (device, "DEFAULT"):
            continue
        named = found.setdefault(kernel.op, set())
        for constraint in kernel.constraint:
            named.update(dtypes.as_dtype(t).name for t in constraint.allowed_values.list.type)
    return found


@functools.lru_cache(maxsize=1)
def leading_types() -> dict[str, str]:
    """For each raw op, the type attribute that says which of its kernels runs: `T`, else the first it is defined with;
    ops without one are left out."""
    from tensorflow.python.framework import op_def_registry

    found = {}
    for name in raw_ops():
        types = [a.name for a in op_def_registry.get(name).attr if a.type == "type"]
        if types:
            found[name] = "T" if "T" in types else types[0]
    return found


def raw_ops() -> list[str]:
    """The names of `tf.raw_ops`."""
    raw = importlib.import_module("tensorflow").raw_ops
    return [name for name in dir(raw) if not name.startswith("_")]


DEVICES = {"CPU": "cpu", "DEFAULT": "cpu", "GPU": "gpu", "XLA_CPU_JIT": "xla"}
"""Where a kernel registered for a device type runs; one for any device runs on the CPU."""


@functools.lru_cache(maxsize=1)
def registered() -> set[tuple[str, str, str]]:
    """(raw op, dtype, where) of every registered kernel. The dtypes are those its constraint on the op's leading type
    attribute allows, or "" where it has none."""
    from tensorflow.python.framework import dtypes
    from tensorflow.python.framework import kernels as registry

    tensorflow = importlib.import_module("tensorflow")
    tensorflow.function(lambda: tensorflow.constant(0), jit_compile=True)()  # XLA registers at its first compilation
    leading, public = leading_types(), set(raw_ops())
    found = set()
    for kernel in registry.get_all_registered_kernels().kernel:
        if kernel.device_type not in DEVICES or kernel.op not in public:
            continue
        allowed = [c.allowed_values.list.type for c in kernel.constraint if c.name == leading.get(kernel.op)]
        names = [dtypes.as_dtype(t).name for t in allowed[0]] if allowed else [""]
        found |= {(kernel.op, name, DEVICES[kernel.device_type]) for name in names}
    return found


def reachable() -> dict[str, list[str]]:
    """For each raw op that TensorFlow's own Python calls on the way from a documented op: the documented ops.

    Read from the functions' compiled code, through every function of `tensorflow.python.ops` that it names, to the
    generated function that makes the raw op. Methods and overloaded operators, which a name does not tell, are not
    followed.
    """
    raw = set(raw_ops())
    found: dict[str, list[str]] = {}
    for documented_op in documented():
        function = functools.reduce(getattr, documented_op.name.split(".")[1:], importlib.import_module("tensorflow"))
        for name in _raw_ops_of(function, raw):
            found.setdefault(name, []).append(documented_op.name)
    return dict(sorted(found.items()))


def _raw_ops_of(function: Any, raw: set[str]) -> set[str]:
    seen: set[int] = set()
    found: set[str] = set()
    todo = list(_plain_functions(function))
    while todo:
        at = todo.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        module = at.__globals__.get("__name__", "")
        if module.startswith("tensorflow.python.ops.gen_"):
            found.update([c for c in at.__code__.co_consts if isinstance(c, str) and c in raw][:1])
        elif module.startswith("tensorflow.python.ops."):
            todo += _functions_named(at)
    return found


@functools.cache
def _functions_named(function: types.FunctionType) -> tuple[types.FunctionType, ...]:
    """The functions that a function's code names: globals, and attributes of modules."""
    names = _named(function.__code__, function.__globals__)
    return tuple(plain for named in names for plain in _plain_functions(named))


def _named(code: types.CodeType, names: dict[str, Any]) -> Iterator[Any]:
    at: Any = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            at = names.get(instruction.argval)
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(at, types.ModuleType | type):
            at = getattr(at, instruction.argval, None)
        elif instruction.opname == "IMPORT_NAME":
            at = sys.modules.get(instruction.argval)
        elif instruction.opname not in ("PRECALL", "CACHE", "EXTENDED_ARG"):
            at = None
        if callable(at) and not isinstance(at, type):
            yield at
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _named(constant, names)


def _plain_functions(decorated: Any) -> Iterator[types.FunctionType]:
    """The Python functions under TensorFlow's decorators: what they wrap, and what their closures hold."""
    todo, seen = [decorated], set()
    while todo:
        at = todo.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if isinstance(at, types.FunctionType):
            yield at
            todo += [cell.cell_contents for cell in at.__closure__ or () if _filled(cell)]
        for attribute in ("__wrapped__", "__func__", "python_function", "decorated_target"):
            todo += [v for v in (getattr(at, attribute, None),) if callable(v)]


def _filled(cell: types.CellType) -> bool:
    try:
        return callable(cell.cell_contents) and not isinstance(cell.cell_contents, type)
    except ValueError:
        return False


def gradients() -> dict[str, bool]:
    """For each raw op the gradient registry knows: whether it has a gradient (False: marked not differentiable)."""
    from tensorflow.python.framework import ops

    registry = ops.gradient_registry
    return {name: registry.lookup(name) is not None for name in registry.list()}


def forget_scalars() -> None:
    """Empty TensorFlow's cache of Python scalars, where 0.0 and -0.0 are one key (2.18 to 2.22): `tf.constant(-0.0)` is
    whichever came first in the process, and a verdict must not hang on what ran before it."""
    from tensorflow.python import pywrap_tfe

    getattr(pywrap_tfe, "TFE_ClearScalarCache", lambda: None)()


def forget_caching_device() -> None:
    """Undo what a refused `tf.foldl`, `scan` or `map_fn` in a graph leaves in the process (2.18 to 2.22): its caching
    device, with which eager refuses the next `tf.recompute_grad`."""
    from tensorflow.compat.v1 import get_variable_scope

    get_variable_scope()._caching_device = None


def private_api() -> dict[str, bool]:
    """Which of the private names used here still answer in this TensorFlow."""
    asked = {
        "tf_export.get_canonical_name_for_symbol": (
            "tensorflow.python.util.tf_export",
            "get_canonical_name_for_symbol",
        ),
        "kernels.get_all_registered_kernels": ("tensorflow.python.framework.kernels", "get_all_registered_kernels"),
        "op_def_registry.get": ("tensorflow.python.framework.op_def_registry", "get"),
        "ops.gradient_registry": ("tensorflow.python.framework.ops", "gradient_registry"),
        "pywrap_tfe.TFE_ClearScalarCache": ("tensorflow.python.pywrap_tfe", "TFE_ClearScalarCache"),
        "tf_doctest_lib.TfDoctestOutputChecker": ("tensorflow.tools.docs.tf_doctest_lib", "TfDoctestOutputChecker"),
    }
    return {name: hasattr(importlib.import_module(module), attribute) for name, (module, attribute) in asked.items()}


def public_name(value: Any) -> str | None:
    """The public name of something that TensorFlow exports, `tf.nn.relu`; None where it exports no such thing."""
    from tensorflow.python.util import tf_export

    try:
        name = tf_export.get_canonical_name_for_symbol(value, add_prefix_to_v1_names=False)
    except (AttributeError, TypeError):
        return None
    return f"tf.{name}" if name else None
