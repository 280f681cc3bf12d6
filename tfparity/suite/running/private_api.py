"""Every private name of TensorFlow that tfparity uses, each in one small function.

What no public name gives: the list of documented functions, the registry of kernels, the checker of printed output,
two settings, two caches. A test asks `private_api` whether each name still answers, and another that no other module of
the package mentions one. It imports TensorFlow only when it is asked; it must not know what its answers are used for.
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import FunctionType, ModuleType
from typing import Any

API = "tensorflow._api.v2"
"""The package whose modules are generated from what TensorFlow exports."""

OPS, GENERATED = "tensorflow.python.ops.", "tensorflow.python.ops.gen_"
"""The modules of TensorFlow's Python ops, and those among them whose functions each make one raw op."""

NAMES = {
    "canonical_name": ("tensorflow.python.util.tf_export", "get_canonical_name_for_symbol"),
    "registered_kernels": ("tensorflow.python.framework.kernels", "get_all_registered_kernels"),
    "definition": ("tensorflow.python.framework.op_def_registry", "get"),
    "output_checker": ("tensorflow.tools.docs.tf_doctest_lib", "TfDoctestOutputChecker"),
    "onednn": ("tensorflow.python.util._pywrap_util_port", "IsMklEnabled"),
    "determinism": ("tensorflow.python.framework.config", "is_op_determinism_enabled"),
    "forget_scalars": ("tensorflow.python.pywrap_tfe", "TFE_ClearScalarCache"),
}
"""By the function below that asks for it: a private module, and its attribute."""


def private_api() -> dict[str, bool]:
    """Which of NAMES this TensorFlow still has."""
    return {name: _has(*place) for name, place in NAMES.items()}


def _has(module: str, attribute: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ImportError:
        return False


def _private(name: str) -> Any:
    module, attribute = NAMES[name]
    return getattr(importlib.import_module(module), attribute)


def canonical_name(function: Any) -> str | None:
    """The name that a function is documented under, `math.acosh`; None where TensorFlow does not export it."""
    found = _private("canonical_name")(function, add_prefix_to_v1_names=False)
    return None if found is None else str(found)


def dispatches(function: Any) -> bool:
    """Whether a function can be overridden for other types than tensors, which TensorFlow offers for ops."""
    return hasattr(function, "_tf_dispatchers") or hasattr(function, "_tf_fallback_dispatchers")


def public_modules() -> list[tuple[str, ModuleType]]:
    """(public name, module) of the public API of TensorFlow 2, without `compat` and `keras`."""
    root = importlib.import_module(API)
    found = [("tf", root)]
    for info in pkgutil.walk_packages(root.__path__, f"{API}."):
        parts = info.name.removeprefix(f"{API}.").split(".")
        if {"compat", "keras"} & set(parts) or any(part.startswith("_") for part in parts):
            continue
        try:
            public = ".".join(["tf", *(p for p in parts if p != "v2")])  # the root's own names live in a module `v2`
            found.append((public, importlib.import_module(info.name)))
        except ImportError:
            continue
    return found


def is_public_module(found: Any) -> bool:
    """Whether it is a module of the public API, such as `tf.math`."""
    return isinstance(found, ModuleType) and found.__name__.startswith(API)


def makes_a_raw_op(function: FunctionType) -> bool:
    """Whether it is one of the generated functions, which make one raw op each."""
    return _module(function).startswith(GENERATED)


def composes_ops(function: FunctionType) -> bool:
    """Whether it belongs to TensorFlow's Python ops, and is not generated."""
    return _module(function).startswith(OPS) and not makes_a_raw_op(function)


def _module(function: FunctionType) -> str:
    return str(function.__globals__.get("__name__", ""))


def undecorated(function: Any) -> list[Any]:
    """What a function wraps, as Python and TensorFlow's decorators keep it."""
    attributes = ("__wrapped__", "__func__", "python_function", "decorated_target")
    return [found for name in attributes if callable(found := getattr(function, name, None))]


def registered_kernels() -> Any:
    """The definitions of all kernels: op, device_type, constraint."""
    return _private("registered_kernels")().kernel


def definition(raw_op: str) -> Any:
    """The definition of a raw op: its attributes, `attr`."""
    return _private("definition")(raw_op)


def output_checker() -> doctest.OutputChecker:
    """What TensorFlow checks the printed output of its documentation with: it allows for rounding errors."""
    return _private("output_checker")()  # type: ignore[no-any-return]


def onednn() -> bool | None:
    """Whether oneDNN computes; None where TensorFlow no longer says. The default depends on the CPU's features."""
    return _answer("onednn")


def determinism() -> bool | None:
    """Whether op determinism is enabled; None where TensorFlow no longer says."""
    return _answer("determinism")


def _answer(name: str) -> bool | None:
    return bool(_private(name)()) if _has(*NAMES[name]) else None


def forget_scalars() -> None:
    """Empty TensorFlow's cache of Python scalars, where 0.0 and -0.0 are one key (2.18 to 2.22): `tf.constant(-0.0)` is
    whichever came first in the process, and no verdict may depend on what ran before it."""
    if _has(*NAMES["forget_scalars"]):
        _private("forget_scalars")()


def forget_caching_device() -> None:
    """Undo what a refused `tf.foldl`, `scan` or `map_fn` in a graph leaves in the process (2.18 to 2.22): its caching
    device, with which eager refuses the next `tf.recompute_grad`."""
    from tensorflow.compat.v1 import get_variable_scope

    get_variable_scope()._caching_device = None
