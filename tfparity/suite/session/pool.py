"""Processes that may die: jobs go in, what they gave comes out, and a crash or a hang costs only its own step.

Built on pebble, the one kept pool that survives the death of a worker, tells its pid and exit code, and recycles
workers (`concurrent.futures` breaks as a whole; pytest-xdist restarts a worker but re-imports TensorFlow, 5 s each).
Workers come from a fork server that has imported TensorFlow and never started its runtime.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from typing import Any

from pebble import ProcessExpired, ProcessPool

from tfparity.suite.judging.outcome import Lost
from tfparity.suite.language.case import CaseError
from tfparity.suite.records import kernels
from tfparity.suite.records.results import Check, RunError
from tfparity.suite.session import worker
from tfparity.suite.session.worker import Done, Job

TASKS_PER_WORKER = 250
"""About 5 XLA compilations a task at 0.4 MB each: a worker is replaced after some 500 MB of leak. A fresh one
costs what one more task does, for its first kernels and XLA's start."""

BACKSTOP = 40
"""A job's own watchdog guards each step; should it fail, the pool ends the job after this many timeouts."""


class Pool:
    """Worker processes; a context manager. Results come in the order they finish, or one by one with `result`."""

    def __init__(self, jobs: int):
        os.environ |= kernels.LOG
        os.environ.setdefault("PYTHONSAFEPATH", "1")  # or cases/math.py, where someone stands, hides the library's
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tfparity.suite.session.preload"])
        self.scratch = tempfile.mkdtemp(prefix="tfparity-")
        self.size = jobs
        self.processes = ProcessPool(
            max_workers=jobs,
            max_tasks=TASKS_PER_WORKER,
            initializer=worker.start,
            initargs=(self.scratch, os.getpid()),
            context=context,
        )

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.processes.stop()
        self.processes.join()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def submit(self, job: Job) -> Future[Done]:
        return self.processes.schedule(worker.do, args=(job, self.scratch), timeout=job.timeout * BACKSTOP)  # type: ignore[return-value]

    def run(self, jobs: Iterable[Job]) -> Iterator[Done]:
        """Every job's result, as they finish. At most a few jobs a worker are queued, so that stopping is prompt."""
        todo = iter(jobs)
        pending: dict[Future[Done], Job] = {}

        def fill() -> None:
            while len(pending) < 2 * self.size + 2 and (job := next(todo, None)) is not None:
                pending[self.submit(job)] = job

        fill()
        while pending:
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                job = pending.pop(future)
                outcome = self.settle(job, future)
                if isinstance(outcome, Job):
                    pending[self.submit(outcome)] = outcome
                else:
                    yield outcome
            fill()

    def result(self, job: Job, future: Future[Done]) -> Done:
        """One job's result, waiting for it and trying again for as long as it loses workers."""
        outcome = self.settle(job, future)
        while isinstance(outcome, Job):
            outcome = self.settle(outcome, self.submit(outcome))
        return outcome

    def settle(self, job: Job, future: Future[Done]) -> Done | Job:
        """A finished job's result; or, when its worker died, the job to try again without the step it died in."""
        try:
            return future.result()
        except ProcessExpired as death:
            return self._without(job, death.pid, death.exitcode)
        except TimeoutError:
            return self._without(job, None, None)
        except CaseError:
            raise
        except Exception as error:  # the declaration itself, its invariant or canonical form, raises
            return _all_lost(job, Lost("crash", f"the case itself raises {type(error).__name__}: {error}"))

    def _without(self, job: Job, pid: int | None, code: int | None) -> Done | Job:
        end = _end_of(worker.stderr_file(self.scratch, pid))
        doing, draw = _marked(worker.marker_file(self.scratch, pid))
        late = pid is None or "Timeout (" in end
        if late:
            lost = Lost(
                "timeout", f"no answer within {worker.limit(job, doing[1] if doing else ''):g} s, in draw {draw}"
            )
        else:
            lost = Lost("crash", f"the process died of {_death(code)}, in draw {draw}\n{_telling(end)}".strip())
        if doing is None and not job.lost and "No module named" in end:
            raise RunError(f"workers cannot start: {end.strip().splitlines()[-1]}")
        if job.action == "check" and doing is not None:
            job = replace(job, kept=(*job.kept, *worker.noted(worker.rows_file(self.scratch, pid))))
        if pid is not None:  # its log tells which kernels ran before it died
            job = replace(job, died=(*job.died, pid))
        if doing is None or doing in dict(job.lost):
            return _all_lost(job, lost)
        return replace(job, lost=(*job.lost, (doing, lost)))


def _all_lost(job: Job, lost: Lost) -> Done:
    """A job that dies outside of every step: one row says so."""
    identity = f"{job.name}/{job.dtype}/all/eager@CPU:0#value:docs"
    row = Check(
        identity, job.name, job.dtype, "all", "eager", "CPU:0", "value", "docs", lost.verdict, detail=lost.detail
    )
    return Done(job, (*job.kept, row) if job.action in ("check", "examples") else (), facts={})


def _marked(path: Any) -> tuple[Any, int]:
    try:
        doing, draw = json.loads(path.read_text().splitlines()[0])
        return tuple(doing), draw
    except (OSError, ValueError, IndexError):
        return None, -1


def _end_of(path: Any) -> str:
    try:
        return kernels.quiet(path.read_text(errors="replace"))[-worker.END_OF_STDERR :]
    except OSError:
        return ""


def _telling(end: str) -> str:
    """The lines of a dying process's stderr that say why: TensorFlow's check failures before faulthandler's frames."""
    lines = [line for line in end.splitlines() if line.strip() and not line.startswith(("I0000", "WARNING: All log"))]
    fatal = [line for line in lines if "Check failed" in line or line.startswith(("F0", "F1", "Fatal"))]
    return "\n".join((fatal or lines)[-3:])


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
