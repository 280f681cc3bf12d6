"""What runs inside a worker process: one job at a time, such as the checks of one case in one dtype.

What a job runs may kill the worker. Before each step the worker writes down what it is about to do, and arms a
watchdog in C (`faulthandler`), which ends the process even while TensorFlow holds the interpreter lock, as XLA's
compiler can. The fork server imports this module once, TensorFlow and the cases with it, so that a new worker costs a
fork (0.1 s) and not an import (5 s). `pool` starts workers and collects their results.
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
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

from tfparity.suite.checking import checks, examples
from tfparity.suite.inputs import samples
from tfparity.suite.judging.outcome import FILL, Failure
from tfparity.suite.language import loading
from tfparity.suite.language.case import Case, CaseError
from tfparity.suite.language.dtypes import DTYPES
from tfparity.suite.records import kernels
from tfparity.suite.records.kernels import Kernel
from tfparity.suite.records.results import Check, Timing
from tfparity.suite.running import inventory, modes
from tfparity.suite.running.modes import Clock
from tfparity.suite.session.jobs import Done, Earlier, Job

END_OF_STDERR = 100_000
"""Characters of a dead worker's stderr that are read: the dump of a deep stack is long, and only its first line says
that it is one."""

UNDRAWN = "the declaration cannot be drawn in this dtype"


def start(scratch: str, run: int) -> None:
    """Make this process a worker of the process `run`: its output goes to a file of its own, and it ignores Ctrl-C,
    which the run handles."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(AttributeError, OSError):  # Linux: a run that is killed takes its workers along
        watched = os.pidfd_open(run)
        threading.Thread(target=lambda: (select.select([watched], [], []), os._exit(1)), daemon=True).start()
    log = os.open(stderr_file(scratch, os.getpid()), os.O_CREAT | os.O_RDWR | os.O_TRUNC | os.O_APPEND)
    os.dup2(log, 2)
    os.dup2(log, 1)
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    tempfile.tempdir = scratch  # files that a case leaves behind are deleted with the run's
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)


def stderr_file(scratch: str, pid: int | None) -> Path:
    return Path(scratch) / f"stderr-{pid}"


def marker_file(scratch: str, pid: int | None) -> Path:
    return Path(scratch) / f"step-{pid}"


def rows_file(scratch: str, pid: int | None) -> Path:
    return Path(scratch) / f"rows-{pid}"


def do(job: Job, scratch: str) -> Done:
    """Run one job. A marker file says at every moment what it is doing; another file holds the rows so far."""
    began = time.perf_counter()
    declared = loading.load()
    if job.files:
        declared = loading.load(job.files)
    clock = Clock()
    os.truncate(stderr_file(scratch, os.getpid()), 0)
    fill_uninitialised_memory(job.action in ("check", "examples"))
    step = Steps(job, marker_file(scratch, os.getpid()))
    rows: tuple[Check | Timing, ...] = ()
    answer: Any = None
    try:
        if job.action in ("check", "examples", "time"):
            rows = tuple(_rows(job, declared, clock, step, rows_file(scratch, os.getpid())))
        else:
            answer = _answer(job, declared, clock, step)
    finally:
        step.close()
    for pid in (*job.earlier.processes, os.getpid()):
        _note_kernels(stderr_file(scratch, pid))
    ran = _new_kernels() if job.action in ("check", "examples") else ()
    total = time.perf_counter() - began
    spent = (*clock.spent.items(), ("total", total))
    return Done(replace(job, earlier=Earlier()), rows, answer, spent, ran)


def _rows(job: Job, declared: dict[str, Case], clock: Clock, step: Steps, notes: Path) -> Iterable[Check | Timing]:
    """The rows of a job that gives rows."""
    lost = dict(job.earlier.steps)
    if job.action == "examples":
        return examples.rows(job.name, job.want, lost, clock, step)
    case = declared[job.name]
    if job.action == "time":
        from tfparity.suite.timing import case_timing

        return case_timing.run(case, job.dtype, job.want, lost, step)
    known = {row.id for row in job.earlier.rows}
    fresh = checks.run(case, job.dtype, job.want, lost, clock, step, known)
    return (*job.earlier.rows, *_noted(fresh, notes))


def _answer(job: Job, declared: dict[str, Case], clock: Clock, step: Steps) -> Any:
    """The answer of a job that gives no rows."""
    if job.action == "facts":
        from tfparity.suite.running.facts import tensorflow_facts

        return tensorflow_facts()
    if job.action == "probe":
        return probe_dtypes(declared[job.name], step, clock)
    from tfparity.suite.timing import case_timing

    return case_timing.measure(declared[job.name], job.dtype, job.want, dict(job.earlier.steps), step, job.size)


class Steps:
    """Called with every step before it is run: it writes the step into the marker file, which is mapped into memory,
    and sets the watchdog, which ends the process when the step takes longer than its limit.

    The watchdog is set again once a second, not at every step, and allows a second more: it is a thread, and starting
    one at every step, and writing the marker, cost 2.5 percent of worker time on busy cores.
    """

    SIZE = 4096
    SECOND = 1.0

    def __init__(self, job: Job, path: Path):
        self.job = job
        self.doing: checks.Step | None = None
        self.text = ""
        self.set_at, self.limit = -inf, 0.0
        with path.open("wb+") as file:
            file.truncate(self.SIZE)
            self.marker = mmap.mmap(file.fileno(), self.SIZE)

    def __call__(self, doing: checks.Step, draw: int) -> None:
        if doing != self.doing:
            self.doing, self.text = doing, json.dumps(doing)
            now, allowed = time.monotonic(), limit(self.job, doing[1])
            if now - self.set_at > self.SECOND or allowed != self.limit:
                self.set_at, self.limit = now, allowed
                faulthandler.dump_traceback_later(allowed + self.SECOND, exit=True, file=2)  # type: ignore[arg-type]
        line = f"[{self.text}, {draw}]\n".encode()
        self.marker[: len(line)] = line

    def close(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        self.marker.close()


def fill_uninitialised_memory(filled: bool) -> None:
    """Let malloc fill the memory it gives with the byte `FILL`; or leave it as it is, which timing needs.

    The result of an op that returns uninitialised memory differs in every run, or is by luck the zeros of a fresh
    page; filled, it is known by its bytes. This is glibc's M_PERTURB, which takes the byte's complement. It reaches
    aligned memory, such as TensorFlow's tensors, but not the small pieces that a thread caches; other systems have
    nothing like it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(-6, FILL ^ 0xFF if filled else 0)


def _noted(rows: Iterable[Check], notes: Path) -> Iterator[Check]:
    """The rows, each written to the file before the next is begun."""
    with notes.open("wb", buffering=0) as file:
        for row in rows:
            file.write(pickle.dumps(row))
            yield row


def noted(notes: Path) -> tuple[Check, ...]:
    """The rows that a job had written when its worker died."""
    found = []
    with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError), notes.open("rb") as file:
        while True:
            found.append(pickle.load(file))
    return tuple(found)


_SEEN: set[Kernel] = set()
"""The kernels that ran in this process, in whatever job: the kernel cache logs each one once, XLA every time that it
compiles."""

_REPORTED: set[Kernel] = set()
"""Those of them that an earlier job of this process has reported."""


def _note_kernels(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        _SEEN.update(kernels.instantiated(log.read_text(errors="replace"), inventory.leading_types()))


def _new_kernels() -> tuple[Kernel, ...]:
    fresh = _SEEN - _REPORTED
    _REPORTED.update(fresh)
    return tuple(sorted(fresh))


def limit(job: Job, mode: str) -> float:
    """Seconds one sample may take in a mode: a fifth of the timeout once an earlier sample has hung in it."""
    hung = any(step[1] == mode and lost.verdict == "timeout" for step, lost in job.earlier.steps)
    return job.timeout / 5 if hung else job.timeout


def probe_dtypes(case: Case, step: Steps, clock: Clock) -> dict[str, str]:
    """For every dtype the case may be swept over: TensorFlow's message where it has no kernel for it, else "".

    The first ordinary sample is run eagerly in each dtype, because for composite ops as for single ones that shows
    what the registry and the Python wrappers refuse. An op that this version lacks is refused in every dtype. Where
    only XLA has the kernel, as that of `tf.math.reciprocal` of integers, the dtype is not refused.
    """
    try:
        if not case.is_program:
            modes.resolve(case.name)
    except AttributeError as error:
        dtype = samples.LEADING[0] if samples.swept(case) else samples.fixed_dtype(case)
        return {dtype: f"not in this version: {error}"}
    if not samples.swept(case):
        return {samples.fixed_dtype(case): ""}
    found: dict[str, str] = {}
    unsupported = False
    for dtype in case.dtypes or DTYPES:
        step(("probe", "eager", "CPU:0", dtype), 0)
        try:
            sample = samples.first(case, dtype)
        except CaseError:
            raise
        except Exception as error:  # a form that is not defined for strings, say
            found[dtype] = f"{UNDRAWN}: {type(error).__name__}: {error}"
            continue
        outcome = modes.run(modes.Execution(case, sample, modes.EAGER, "CPU:0", clock))[0]
        found[dtype] = outcome.words if isinstance(outcome, Failure) and _refuses(outcome) else ""
        unsupported |= isinstance(outcome, Failure) and outcome.unsupported
    if found and all(found.values()) and not unsupported:
        return dict.fromkeys(found, "")  # refused everywhere, and never for its dtype: let the checks show the error
    return found


def _refuses(failure: Failure) -> bool:
    """Whether an error says that there is no kernel, of XLA's either, for the dtype."""
    lacking = kernels.lacking(failure.message, inventory.leading_types())
    if lacking:  # the registry takes a second to read, so it is asked for such an error alone
        return lacking not in inventory.registered()
    return failure.unsupported or failure.cls in ("TypeError", "ValueError", "AttributeError")
