"""The machine a run was made on: what it is, how it is set, and how busy it was meanwhile.

Everything here is an observation; nothing is set, and what cannot be read is None, never an exception (a Mac has no
/proc, a container no driver). It does not import TensorFlow: a worker asks it (`running.facts`), and `fingerprint` is
given the answer.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

PROC = Path("/proc")
# What decides which kernels are chosen, and with that the last bits of a result; the other hundred flags do not.
FEATURES = re.compile(r"sse|avx|fma|f16c|bf16|amx|vnni|neon|asimd|sve|sme(?!p)|i8mm|fphp")
ASIDE = ("misalignsse",)
MAX_ISA = (
    (
        ("SSE4_2", ("avx*", "f16c")),
        ("AVX", ("avx2*", "fma*")),
        ("AVX2", ("avx512*",)),
        ("AVX512", ("avx512*vnni",)),
        ("AVX512_VNNI", ("avx512*bf16",)),
        ("AVX512_BF16", ("amx*",)),
        ("AMX", ("amx_fp16",)),
    ),
    (("NEON", ("sve",)), ("SVE", ("sve2",))),
)
"""The values of `--xla_cpu_max_isa`, oldest first, and the features that each switches off, besides those that newer
values do: what XLA's `cpu_features.cc` does, in the names of Linux (`avx512_vnni`) and of CPUID (`avx512vnni`)."""


def first_match(path: Path, pattern: str) -> str | None:
    """The first group of the first match in a file, or None if there is no such file or match."""
    try:
        found = re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found.group(1).strip() if found else None


def output_of(*command: str, folder: str | os.PathLike[str] | None = None) -> str | None:
    """What a command printed, stripped, or None if it is missing, fails or takes over ten seconds."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.strip()


# How busy it is


@dataclass(frozen=True)
class Noise:
    """Counters of the machine at one moment, or their increase between two moments.

    seconds   of the monotonic clock
    pressure  seconds in which some runnable task waited for a CPU, over all tasks (Linux 4.20 and later)
    steal     CPU seconds that the hypervisor gave to others, over all cores; its grain is a tick, 10 ms
    switches  times this process was interrupted although it wanted to go on
    Each is NaN where the system does not provide it.
    """

    seconds: float
    pressure: float
    steal: float
    switches: float

    def since(self, earlier: Noise) -> Noise:
        return Noise(
            self.seconds - earlier.seconds,
            self.pressure - earlier.pressure,
            self.steal - earlier.steal,
            self.switches - earlier.switches,
        )


def noise(proc: Path = PROC) -> Noise:
    """The counters now; take it before and after, and subtract with `since`. About 30 µs."""
    return Noise(time.monotonic(), pressure(proc), steal(proc), switches())


def pressure(proc: Path = PROC) -> float:
    """Seconds since boot in which some task waited for a CPU, from /proc/pressure/cpu; NaN where there is none."""
    try:
        line = (proc / "pressure" / "cpu").read_bytes().split(b"\n", 1)[0]
        return int(line.rpartition(b"total=")[2]) / 1e6
    except (OSError, ValueError):
        return float("nan")


def steal(proc: Path = PROC) -> float:
    """CPU seconds since boot that the hypervisor took, from the eighth figure of /proc/stat; NaN where there is none.

    Read here and not through psutil because it is read between samples, where the first line is enough.
    """
    try:
        with (proc / "stat").open("rb") as lines:
            fields = lines.readline().split()
        return int(fields[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return float("nan")


def switches() -> float:
    """Involuntary context switches of the calling thread so far (of the process, where threads are not counted)."""
    try:
        import resource

        return float(resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)).ru_nivcsw)
    except (ImportError, OSError):
        return float("nan")


def load() -> list[float] | None:
    """The load averages of the last 1, 5 and 15 minutes, or None."""
    try:
        return [round(each, 2) for each in os.getloadavg()]
    except (OSError, AttributeError):
        return None


# What it is


@lru_cache(maxsize=1)
def processor() -> dict[str, Any]:
    """The CPU's name and the features that decide which kernels run: `{"name": str, "features": [str, ...]}`."""
    try:
        from cpuinfo import get_cpu_info

        facts = get_cpu_info()
    except Exception:  # it runs programs of the machine, which may raise anything
        facts = {}
    name = facts.get("brand_raw") or platform.processor() or platform.machine() or "unknown"
    features = sorted(flag for flag in facts.get("flags") or [] if records(flag))
    return {"name": name, "features": features}


def records(feature: str) -> bool:
    """Whether a feature of this name, if the CPU has it, stands in `cpu_features` of a run."""
    return bool(FEATURES.search(feature)) and feature not in ASIDE


def enabled(features: Iterable[str], xla_flags: str) -> frozenset[str]:
    """The CPU features that XLA may use: those of the CPU, without those that `--xla_cpu_max_isa` switches off.

    The flag limits the code that XLA compiles; eager kernels and oneDNN still use all that the CPU has.
    """
    limits = re.findall(r"--xla_cpu_max_isa=(\w+)", xla_flags)
    off: tuple[str, ...] = ()
    for family in MAX_ISA:
        names = [name for name, _ in family]
        if limits and limits[-1].upper() in names:
            off = tuple(p for _, patterns in family[names.index(limits[-1].upper()) :] for p in patterns)
    return frozenset(f for f in features if not any(fnmatchcase(f, pattern) for pattern in off))


def cores() -> int | None:
    """The cores this process may use, hyper-threads counted, an affinity mask respected."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count()


def memory() -> int | None:
    """Installed memory in bytes, or None."""
    try:
        import psutil

        return int(psutil.virtual_memory().total)
    except (ImportError, OSError, RuntimeError):
        return None


@lru_cache(maxsize=1)
def gpus() -> tuple[str, ...] | None:
    """The names of the NVIDIA GPUs that the driver's own tool lists, or None without it."""
    listed = output_of("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    return tuple(line.strip() for line in listed.splitlines() if line.strip()) if listed else None


@lru_cache(maxsize=1)
def driver(proc: Path = PROC) -> str | None:
    """The version of the NVIDIA kernel driver, or None."""
    found = first_match(proc / "driver" / "nvidia" / "version", r"Kernel Module\D*(\d+\.\d+(?:\.\d+)?)")
    listed = found or output_of("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return listed.splitlines()[0] if listed else None


def fingerprint(tensorflow: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What identifies the machine and its settings in `run.json`; every value goes into JSON as it is.

    `tensorflow` is what `running.facts` returned in a worker; without it the settings that only TensorFlow knows
    are None and `devices` is empty. Keys: cpu, cores, memory (bytes), os, python, numpy, devices (dicts of name, type,
    description), gpu, driver, onednn, tf32, determinism, intra_threads, inter_threads (0: TensorFlow chooses),
    xla_flags, cpu_features, tensorflow_build, load_before (1, 5 and 15 minutes).
    """
    import numpy

    facts = dict(tensorflow or {})
    devices = list(facts.get("devices") or [])
    described = [each.get("description") for each in devices if each.get("type") == "GPU" and each.get("description")]
    return {
        "cpu": processor()["name"],
        "cores": cores(),
        "memory": memory(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "devices": devices,
        "gpu": ", ".join(described or gpus() or ()) or None,
        "driver": driver(),
        "onednn": facts.get("onednn"),
        "tf32": facts.get("tf32"),
        "determinism": facts.get("determinism"),
        "intra_threads": facts.get("intra_threads"),
        "inter_threads": facts.get("inter_threads"),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "cpu_features": list(processor()["features"]),
        "tensorflow_build": facts.get("build"),
        "load_before": load(),
    }


# What was checked out


def git_state(folder: str | os.PathLike[str] = ".") -> dict[str, Any] | None:
    """The commit of the checkout that holds `folder`, and whether tracked files differ from it.

    `{"commit": 40 hex digits, "dirty": bool}`, or None outside a checkout, before the first commit, or without git.
    """
    commit = output_of("git", "rev-parse", "HEAD", folder=folder)
    if not commit or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        return None
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no", folder=folder)
    return None if changed is None else {"commit": commit, "dirty": bool(changed)}
