"""What only TensorFlow knows of itself and of the machine's devices: its build, its settings, the devices it lists.

Called in a worker, since it imports TensorFlow; `records.machine` makes the fingerprint of a run from the answer and
must not know how it was found.
"""

from __future__ import annotations

from typing import Any

from tfparity.suite.records.machine import processor
from tfparity.suite.running import private_api


def tensorflow_facts() -> dict[str, Any]:
    """TensorFlow's version, build, devices and settings.

    Keys: version, build (git version, compiler and what it was built for), devices (dicts of name as `CPU:0`, type and
    description), onednn, tf32, determinism (None where this version does not say), intra_threads and inter_threads.
    Listing the devices initialises them: thread counts and memory growth cannot be changed after this.
    """
    import tensorflow as tf

    return {
        "version": tf.__version__,
        "build": {
            "git": str(tf.version.GIT_VERSION),
            "compiler": str(tf.version.COMPILER_VERSION),
            **{key: value for key, value in tf.sysconfig.get_build_info().items() if isinstance(value, str | bool)},
        },
        "devices": _devices(),
        "onednn": private_api.onednn(),
        "tf32": bool(tf.config.experimental.tensor_float_32_execution_enabled()),
        "determinism": private_api.determinism(),
        "intra_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_threads": tf.config.threading.get_inter_op_parallelism_threads(),
    }


def _devices() -> list[dict[str, str]]:
    """TensorFlow's logical devices. Of several logical devices on one physical device, each carries its description.

    A split GPU has more logical than physical devices; they are matched in order while their counts agree, and
    otherwise described by the first of their type.
    """
    import tensorflow as tf

    listed = []
    for kind in dict.fromkeys(device.device_type for device in tf.config.list_logical_devices()):
        physical = tf.config.list_physical_devices(kind)
        logical = tf.config.list_logical_devices(kind)
        for number, device in enumerate(logical):
            match = physical[number if len(physical) == len(logical) else 0] if physical else None
            name = device.name.removeprefix("/device:")
            listed.append({"name": name, "type": kind, "description": _description(kind, match)})
    return listed


def _description(kind: str, physical: Any) -> str:
    """The device's name, and a GPU's compute capability: 'NVIDIA H100 (compute capability 9.0)'; '' if unknown."""
    import tensorflow as tf

    if kind == "CPU":
        return str(processor()["name"])
    try:
        details = tf.config.experimental.get_device_details(physical) if physical is not None else {}
    except Exception:  # a pluggable device may answer with any error of its own
        details = {}
    name, capability = str(details.get("device_name", "")), details.get("compute_capability")
    return f"{name} (compute capability {'.'.join(map(str, capability))})".strip() if capability else name
