"""What TensorFlow documents and registers: ops, kernels, gradients. The one room that reads TensorFlow's private API.

Every private name it uses is asked for here and nowhere else, and a test checks that each still answers. Called in a
worker or a process of its own: it imports TensorFlow.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from typing import Any

NAMESPACES = (
    "",
    "audio",
    "bitwise",
    "debugging",
    "dtypes",
    "image",
    "io",
    "linalg",
    "math",
    "nn",
    "quantization",
    "ragged",
    "random",
    "sets",
    "signal",
    "sparse",
    "strings",
)
"""Where ops live; the empty one is the root."""

NOT_OPS = {
    "context managers and scopes": (
        "control_dependencies",
        "device",
        "init_scope",
        "name_scope",
        "variable_creator_scope",
        "debugging.experimental.disable_dump_debug_info",
        "debugging.experimental.enable_dump_debug_info",
    ),
    "decorators and tracing": ("function", "autodiff", "no_gradient"),
    "predicates and conversion of Python objects": (
        "is_tensor",
        "is_symbolic_tensor",
        "as_dtype",
        "get_static_value",
        "make_ndarray",
        "make_tensor_proto",
        "type_spec_from_value",
        "executing_eagerly",
        "inside_function",
        "get_logger",
    ),
    "global state": (
        "random.set_seed",
        "random.set_global_generator",
        "random.get_global_generator",
        "get_current_name_scope",
        "debugging.set_log_device_placement",
        "debugging.get_log_device_placement",
        "debugging.enable_check_numerics",
        "debugging.disable_check_numerics",
        "debugging.enable_traceback_filtering",
        "debugging.disable_traceback_filtering",
        "debugging.is_traceback_filtering_enabled",
    ),
    "plug-in loading": ("load_library", "load_op_library"),
    "file-system calls": (
        "io.read_file",
        "io.write_file",
        "io.match_filenames_once",
        "io.matching_files",
        "io.write_graph",
        "io.is_jpeg",
    ),
}
"""Functions of the op namespaces that are no ops, by reason. An entry that TensorFlow no longer has is an error."""


@dataclass(frozen=True)
class Documented:
    """A documented op: its canonical name, `tf.math.acosh`, and every public name it goes by."""

    name: str
    aliases: tuple[str, ...]


def documented() -> list[Documented]:
    """Every public function reachable by walking TensorFlow's generated v2 API, without `compat` and `keras`.

    One function object is one op. It counts when TensorFlow exports it, and it either supports dispatch or lives in an
    op namespace.
    """
    from tensorflow.python.util import tf_export

    names: dict[int, set[str]] = {}
    objects: dict[int, Any] = {}
    for public, found in _walk():
        names.setdefault(id(found), set()).add(public)
        objects[id(found)] = found
    excluded = {f"tf.{n}" for group in NOT_OPS.values() for n in group}
    ops = []
    for key, aliases in names.items():
        canonical = tf_export.get_canonical_name_for_symbol(objects[key], add_prefix_to_v1_names=False)
        if canonical is None:
            continue
        name = f"tf.{canonical}"
        inside = canonical.rpartition(".")[0] in NAMESPACES
        dispatches = hasattr(objects[key], "_tf_dispatchers") or hasattr(objects[key], "_tf_fallback_dispatchers")
        if (inside or dispatches) and name not in excluded and not aliases & excluded:
            ops.append(Documented(name, tuple(sorted(aliases))))
    return sorted(ops, key=lambda op: op.name)


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


def gradients() -> dict[str, bool]:
    """For each raw op the gradient registry knows: whether it has a gradient (False: marked not differentiable)."""
    from tensorflow.python.framework import ops

    registry = ops.gradient_registry
    return {name: registry.lookup(name) is not None for name in registry.list()}


def private_api() -> dict[str, bool]:
    """Which of the private names used here still answer in this TensorFlow."""
    asked = {
        "tf_export.get_canonical_name_for_symbol": (
            "tensorflow.python.util.tf_export",
            "get_canonical_name_for_symbol",
        ),
        "kernels.get_all_registered_kernels": ("tensorflow.python.framework.kernels", "get_all_registered_kernels"),
        "ops.gradient_registry": ("tensorflow.python.framework.ops", "gradient_registry"),
    }
    return {name: hasattr(importlib.import_module(module), attribute) for name, (module, attribute) in asked.items()}
