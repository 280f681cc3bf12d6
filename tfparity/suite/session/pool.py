"""Worker processes that may die: jobs go in, results come out, and a crash or a hang costs only its own step.

Built on pebble, the one maintained pool that survives the death of a worker, gives its pid and exit code, and replaces
workers (`concurrent.futures` breaks as a whole; pytest-xdist restarts a worker but imports TensorFlow again, 5 s each).
Workers are forked from a server that has imported TensorFlow and never started its runtime. What a job does is
in `worker`.
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
from tfparity.suite.session.jobs import Done, Job

TASKS_PER_WORKER = 250
"""A worker is replaced after this many jobs. A job compiles about 5 programs with XLA, which leaks 0.4 MB each: some
500 MB in all. A new worker costs as much as one more job, for its first kernels and for XLA's start."""

BACKSTOP = 40
"""A job's own watchdog limits each step; if that fails, the pool ends the job after this many timeouts."""


class Pool:
    """Worker processes; a context manager. `run` gives results in the order they finish, `one` that of one job."""

    def __init__(self, jobs: int):
        os.environ |= kernels.LOG
        os.environ.setdefault("PYTHONSAFEPATH", "1")  # else `math.py` in the current folder hides Python's own
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

    def one(self, job: Job) -> Done:
        """One job's result, waited for."""
        return self.result(job, self.submit(job))

    def result(self, job: Job, future: Future[Done]) -> Done:
        """The result of a submitted job, waited for. A job whose worker died is tried again without the step that
        killed it, for as long as that is another step."""
        outcome = self.settle(job, future)
        while isinstance(outcome, Job):
            outcome = self.settle(outcome, self.submit(outcome))
        return outcome

    def settle(self, job: Job, future: Future[Done]) -> Done | Job:
        """A finished job's result; or, when its worker died, the job to try again without the step that killed it."""
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
            lost = Lost("crash", f"the process died of {_death(code)}, in draw {draw}\n{_reason(end)}".strip())
        earlier = job.earlier
        if doing is None and not earlier.steps and "No module named" in end:
            raise RunError(f"workers cannot start: {end.strip().splitlines()[-1]}")
        if job.action == "check" and doing is not None:
            earlier = replace(earlier, rows=(*earlier.rows, *worker.noted(worker.rows_file(self.scratch, pid))))
        if pid is not None:  # its log names the kernels that ran before it died
            earlier = replace(earlier, processes=(*earlier.processes, pid))
        if doing is None or doing in dict(earlier.steps):
            return _all_lost(replace(job, earlier=earlier), lost)
        return replace(job, earlier=replace(earlier, steps=(*earlier.steps, (doing, lost))))


def _all_lost(job: Job, lost: Lost) -> Done:
    """The result of a job whose worker died outside of every step: one row says so."""
    identity = f"{job.name}/{job.dtype}/all/eager@CPU:0#value:docs"
    row = Check(
        identity, job.name, job.dtype, "all", "eager", "CPU:0", "value", "docs", lost.verdict, detail=lost.detail
    )
    return Done(job, (*job.earlier.rows, row) if job.action in ("check", "examples") else (), answer={})


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


def _reason(end: str) -> str:
    """The lines of a dead process's stderr that say why: TensorFlow's check failures before faulthandler's frames."""
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
