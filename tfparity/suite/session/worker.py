"""What runs inside a worker process: planning, checking and timing one case in one dtype.

A worker may be killed by what it runs. Before each step it writes down what it is about to do, and arms a watchdog in
C (`faulthandler`) that ends the process even while TensorFlow holds the interpreter lock, as XLA's compiler can.
This module is imported once by the fork server, TensorFlow and the cases with it, so that a fresh worker costs a fork
(0.1 s) and not an import (5 s).
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import mmap
import os
import pickle
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

from tfparity.suite.checking import checks, examples
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.inputs import samples
from tfparity.suite.judging.outcome import FILL, Failure, Lost
from tfparity.suite.language import case as cases
from tfparity.suite.language import loading
from tfparity.suite.language.dtypes import DTYPES
from tfparity.suite.records import kernels
from tfparity.suite.records.kernels import Kernel
from tfparity.suite.records.results import Check, Timing
from tfparity.suite.running import inventory, modes
from tfparity.suite.running.modes import Clock

END_OF_STDERR = 100_000  # a dump of a deep trace is long, and its first line says that it is one
UNDRAWN = "the declaration cannot be drawn in this dtype"


@dataclass(frozen=True)
class Job:
    """One piece of work. `action` is `plan`, `check`, `examples` (those of the op's page), `time`, `measure` (one size,
    all samples kept) or `facts`; `lost` are the steps earlier tries died in, `died` the processes, `kept` the rows they
    gave before."""

    action: str
    name: str = ""
    dtype: str = ""
    want: Wanted = field(default_factory=Wanted)
    timeout: float = 30.0
    lost: tuple[tuple[checks.Step, Lost], ...] = ()
    files: tuple[str, ...] = ()
    size: int = 0
    died: tuple[int, ...] = ()
    kept: tuple[Check, ...] = ()

    @property
    def key(self) -> str:
        """Its name among the finished jobs of a run."""
        return f"{self.action}:{self.name}/{self.dtype}"


@dataclass(frozen=True)
class Done:
    """What a job gave, the seconds it took by phase (`total` is all of it), and the kernels that ran in this process
    for the first time."""

    job: Job
    rows: tuple[Check | Timing, ...] = ()
    facts: Any = None
    spent: tuple[tuple[str, float], ...] = ()
    ran: tuple[Kernel, ...] = ()


def start(scratch: str, run: int) -> None:
    """Make this process a worker of the process `run`: quiet, its stderr in a file of its own, deaf to Ctrl-C, which
    is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(AttributeError, OSError):  # Linux: a run that is killed takes its workers along
        watched = os.pidfd_open(run)
        threading.Thread(target=lambda: (select.select([watched], [], []), os._exit(1)), daemon=True).start()
    log = os.open(stderr_file(scratch, os.getpid()), os.O_CREAT | os.O_RDWR | os.O_TRUNC | os.O_APPEND)
    os.dup2(log, 2)
    os.dup2(log, 1)
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    tempfile.tempdir = scratch  # what a case leaves in files goes with the run
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)


def stderr_file(scratch: str, pid: int | None) -> Path:
    return Path(scratch) / f"stderr-{pid}"


def marker_file(scratch: str, pid: int | None) -> Path:
    return Path(scratch) / f"step-{pid}"


def rows_file(scratch: str, pid: int | None) -> Path:
    return Path(scratch) / f"rows-{pid}"


def do(job: Job, scratch: str) -> Done:
    """Run one job. What it was doing stands in the marker file at every moment, the rows it gave in another."""
    began = time.perf_counter()
    declared = loading.load()
    if job.files:
        declared = loading.load(job.files)
    clock = Clock()
    os.truncate(stderr_file(scratch, os.getpid()), 0)
    unwritten_memory(filled=job.action in ("check", "examples"))
    step = Steps(job, marker_file(scratch, os.getpid()))
    rows: tuple[Check | Timing, ...] = ()
    facts: Any = None
    try:
        if job.action == "plan":
            facts = plan(declared[job.name], step, clock)
        elif job.action == "check":
            known = {row.id for row in job.kept}
            fresh = checks.run(declared[job.name], job.dtype, job.want, dict(job.lost), clock, step, known)
            rows = (*job.kept, *_noted(fresh, rows_file(scratch, os.getpid())))
        elif job.action == "examples":
            rows = tuple(examples.rows(job.name, job.want, dict(job.lost), clock, step))
        elif job.action == "time":
            from tfparity.suite.timing import case_timing as timed

            rows = tuple(timed.run(declared[job.name], job.dtype, job.want, dict(job.lost), step))
        elif job.action == "measure":
            from tfparity.suite.timing import case_timing as timed

            facts = timed.measure(declared[job.name], job.dtype, job.want, dict(job.lost), step, job.size)
        else:
            from tfparity.suite.running.facts import tensorflow_facts

            facts = tensorflow_facts()
    finally:
        step.close()
    for pid in (*job.died, os.getpid()):
        _note(stderr_file(scratch, pid))
    ran = _ran() if job.action in ("check", "examples") else ()
    total = time.perf_counter() - began
    spent = (*clock.spent.items(), ("total", total))
    return Done(replace(job, lost=(), died=(), kept=()), rows, facts, spent, ran)


class Steps:
    """Told of every step before it is done: its name stands in the marker file, which is mapped into memory, and the
    watchdog ends the process should it take longer than its limit.

    The watchdog is set again once a second, not at every step, and gives a second more: it is a thread, and
    starting one at every step, with writing the marker, was 2.5 percent of worker time on busy cores.
    """

    SIZE = 4096
    SECOND = 1.0

    def __init__(self, job: Job, path: Path):
        self.job = job
        self.doing: checks.Step | None = None
        self.words = ""
        self.set_at, self.limit = -inf, 0.0
        with path.open("wb+") as file:
            file.truncate(self.SIZE)
            self.marker = mmap.mmap(file.fileno(), self.SIZE)

    def __call__(self, doing: checks.Step, draw: int) -> None:
        if doing != self.doing:
            self.doing, self.words = doing, json.dumps(doing)
            now, allowed = time.monotonic(), limit(self.job, doing[1])
            if now - self.set_at > self.SECOND or allowed != self.limit:
                self.set_at, self.limit = now, allowed
                faulthandler.dump_traceback_later(allowed + self.SECOND, exit=True, file=2)  # type: ignore[arg-type]
        told = f"[{self.words}, {draw}]\n".encode()
        self.marker[: len(told)] = told

    def close(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        self.marker.close()


def unwritten_memory(filled: bool) -> None:
    """Let what malloc gives be `FILL`, or whatever was there before, as timing wants it.

    An op that returns what it never wrote gives something else in every run, or by luck the zeros of a fresh page. It
    is glibc's M_PERTURB, which sets the complement (of aligned memory, as TensorFlow's tensors are; not of what a
    thread keeps of its own small pieces); other systems go without.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(-6, FILL ^ 0xFF if filled else 0)


def _noted(rows: Iterable[Check], notes: Path) -> Iterator[Check]:
    """The rows, each written down before the next is begun."""
    with notes.open("wb", buffering=0) as file:
        for row in rows:
            file.write(pickle.dumps(row))
            yield row


def noted(notes: Path) -> tuple[Check, ...]:
    """The rows that a job wrote down before it died."""
    found = []
    with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError), notes.open("rb") as file:
        while True:
            found.append(pickle.load(file))
    return tuple(found)


_SEEN: set[Kernel] = set()
_TOLD: set[Kernel] = set()
"""The kernels that ran in this process, in whatever job (its kernel cache logs each once, XLA every time it compiles),
and those that a check has told of."""


def _note(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        _SEEN.update(kernels.instantiated(log.read_text(errors="replace"), inventory.leading_types()))


def _ran() -> tuple[Kernel, ...]:
    fresh = _SEEN - _TOLD
    _TOLD.update(fresh)
    return tuple(sorted(fresh))


def limit(job: Job, mode: str) -> float:
    """Seconds one sample may take in a mode: a fifth of the timeout once an earlier sample has hung in it."""
    hung = any(step[1] == mode and lost.verdict == "timeout" for step, lost in job.lost)
    return job.timeout / 5 if hung else job.timeout


def plan(case: cases.Case, step: Any, clock: Clock) -> dict[str, str]:
    """For every dtype the case may be swept over, TensorFlow's words if it has no kernel for it, else "".

    Asked of TensorFlow by running the first ordinary sample eagerly: what its registry and its Python wrappers refuse
    is said there, for composite ops as for single ones. An op that this version lacks is refused in every dtype. Where
    only XLA has the kernel, as that of `tf.math.reciprocal` of integers, the dtype is not refused.
    """
    try:
        if not case.is_program:
            modes.resolve(case.name)
    except AttributeError as error:
        return {
            samples.LEADING[0] if samples.swept(case) else samples.fixed_dtype(case): f"not in this version: {error}"
        }
    if not samples.swept(case):
        return {samples.fixed_dtype(case): ""}
    found: dict[str, str] = {}
    said = 0
    for dtype in case.dtypes or DTYPES:
        step(("plan", "eager", "CPU:0", dtype), 0)
        try:
            sample = samples.first(case, dtype)
        except cases.CaseError:
            raise
        except Exception as error:  # a form that knows no strings, say
            found[dtype] = f"{UNDRAWN}: {type(error).__name__}: {error}"
            continue
        outcome = modes.run(modes.Execution(case, sample, modes.EAGER, "CPU:0", clock))[0]
        refused = isinstance(outcome, Failure) and (
            outcome.unsupported or outcome.cls in ("TypeError", "ValueError", "AttributeError")
        )
        lacking = isinstance(outcome, Failure) and kernels.lacking(outcome.message, inventory.leading_types())
        if lacking:  # the registry takes a second to read
            refused = lacking not in inventory.registered()
        found[dtype] = outcome.words if isinstance(outcome, Failure) and refused else ""
        said += isinstance(outcome, Failure) and outcome.unsupported
    if found and all(found.values()) and not said:
        return dict.fromkeys(found, "")  # refused everywhere, and never for its dtype: let the checks show the error
    return found
