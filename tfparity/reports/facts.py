"""What run.json says of the machine, in words. Knows run.json, and no check or timing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from tfparity.reports import formats
from tfparity.suite.records.results import Run


def shown(value: Any) -> str:
    """A fact of run.json as text."""
    if value is None or value == "" or value == []:
        return formats.NONE
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return formats.significant(value, 3)
    if isinstance(value, dict):
        return ", ".join(f"{formats.plain(k)} {shown(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(shown(v) for v in value)
    return formats.plain(value)


def devices(machine: dict[str, Any]) -> str:
    """The devices in words: `CPU:0, GPU:0 (NVIDIA ...)`."""
    listed = machine.get("devices")
    words = []
    for device in listed if isinstance(listed, list) else []:
        if not isinstance(device, dict):
            words.append(formats.plain(device))
            continue
        about = device.get("description")
        words.append(
            formats.plain(device.get("name") or device.get("type") or "?")
            + (f" ({formats.plain(about)})" if about else "")
        )
    return ", ".join(words) or formats.NONE


FACTS = {                                          # run.json's machine: key -> what a reader calls it
    "cpu": "Processor", "cores": "Cores", "memory": "Memory", "gpu": "GPU", "driver": "GPU driver", "os": "System",
    "python": "Python", "numpy": "NumPy", "onednn": "oneDNN", "tf32": "TF32", "determinism": "Determinism",
    "intra_threads": "Threads within an op", "inter_threads": "Threads between ops", "xla_flags": "XLA flags",
    "cpu_features": "CPU features",
}  # fmt: skip
LOADS = ("load_before", "load_after")


def machine(run: Run) -> dict[str, Any]:
    """The machine of a run, {} where run.json has none."""
    found = run.meta.get("machine")
    return found if isinstance(found, dict) else {}


def facts(run: Run) -> dict[str, str]:
    """What identifies and configures the machine, in words; what run.json does not say is a dash."""
    about = machine(run)
    out = {"TensorFlow": shown(run.meta.get("tensorflow")), "tfparity": shown(run.meta.get("tfparity")),
           "Devices": devices(about)}  # fmt: skip
    for key, title in FACTS.items():
        if key in about or key not in ("determinism", "gpu", "driver"):
            out[title] = formats.memory(about[key]) if key == "memory" and about.get(key) else shown(about.get(key))
    for key in about:
        if key not in FACTS and key not in LOADS and key != "devices":
            out[formats.plain(key)] = shown(about[key])
    return out


def number(value: Any) -> float:
    """A number of run.json, NaN where it holds something else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _costs(run: Run) -> dict[str, float]:
    found = run.meta.get("costs")
    return {str(key): number(value) for key, value in found.items()} if isinstance(found, dict) else {}


def costs(run: Run) -> dict[str, float]:
    """Seconds of worker time by phase."""
    return {k: v for k, v in _costs(run).items() if k not in ("harness_share", "total") and math.isfinite(v)}


def harness_share(run: Run) -> float:
    """The share of worker time outside tracing, compiling and executing, NaN where it was not recorded."""
    return _costs(run).get("harness_share", math.nan)


def machines(runs: Sequence[Run], names: Sequence[str]) -> pd.DataFrame:
    """One row a fact, one column a run; `differs` says whether the runs disagree."""
    each = [facts(run) for run in runs]
    titles = list(dict.fromkeys(title for known in each for title in known))
    table = pd.DataFrame({"fact": titles})
    for name, known in zip(names, each, strict=True):
        table[name] = [known.get(title, formats.NONE) for title in titles]
    table["differs"] = [len({known.get(title, formats.NONE) for known in each}) > 1 for title in titles]
    return table
