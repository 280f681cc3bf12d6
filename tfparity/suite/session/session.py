"""One run from beginning to end: open a session, check, time, and keep what was found in a folder.

State on disk lives here. Rows come from workers and go to the recorder; whatever ends the run (Ctrl-C, a full disk, a
failing gate) leaves a folder that `--resume` continues. Nothing here knows what a check or a timing does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from tfparity import __version__
from tfparity.suite.language.case import CaseError
from tfparity.suite.records import machine
from tfparity.suite.records.results import FAILING, Check, Recorder, Run
from tfparity.suite.session.jobs import Job, Scope, check_jobs, example_jobs, refused_rows, time_jobs
from tfparity.suite.session.opening import Session
from tfparity.suite.session.pool import Pool
from tfparity.suite.session.progress import Meter
from tfparity.suite.session.request import Request, UsageError, unchecked
from tfparity.suite.timing import statistics
from tfparity.suite.timing.schedule import twin_of

PHASES = ("trace", "compile", "execute")
"""The phases of worker time that TensorFlow spends; the rest is the harness's own."""


@dataclass
class Found:
    """What a run found, beside its folder."""

    run: Run
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def failing(self) -> int:
        table = self.run.checks
        return int((table["verdict"].isin(FAILING) & (table["waiver"] == "")).sum())


def execute(request: Request, out: Path, *, resume: bool = False, console: Console | None = None) -> Found:
    """Do what was asked, into the folder `out`. Raises RunError, QueryError, CaseError, WaiverError or UsageError, one
    line each."""
    console = console or Console(stderr=True)
    session = Session(request, console)
    meta = {"tfparity": __version__, "command": request.command, "started": _now(), "git": machine.git_state()}
    work = Work(session, Recorder(out, meta, resume=resume))
    interrupted = False
    try:
        started = f"starting {request.workers} workers"
        console.print(f"[dim]{started} …[/dim]" if console.is_terminal else started)
        with session:
            work.begin()
            scope = work.probe()
            if request.check:
                work.check(scope)
        if request.time:
            work.time(scope)
    except KeyboardInterrupt:
        interrupted = True
    except (CaseError, UsageError):
        work.recorder.discard_if_empty()
        raise
    finally:
        if sys.exc_info()[0] is None or interrupted:
            work.end()
    run = work.recorder.close(finished=None if interrupted else _now())
    return Found(run, work.problems, interrupted)


class Work:
    """What `execute` does, step by step, and what it keeps: the folder, the jobs done, and the worker time spent."""

    def __init__(self, session: Session, recorder: Recorder):
        self.session, self.recorder = session, recorder
        self.finished = set(recorder.meta["done"])
        self.spent: dict[str, float] = {}
        self.problems: list[str] = []

    def begin(self) -> None:
        """Record the machine; let the ledger see the checks of the run that is continued."""
        facts = self.session.facts
        self.recorder.meta |= {"tensorflow": facts["version"], "machine": self.session.machine}
        self.recorder.write_meta()
        self.session.judged(Check(**row) for row in self.recorder.rows["checks"])

    def probe(self) -> Scope:
        session, began = self.session, time.perf_counter()
        session.console.print(
            f"TensorFlow {session.facts['version']} on {', '.join(session.devices)}; "
            f"asking it for the dtypes of {len(session.selection.cases)} cases"
        )
        scope = session.scope()
        self.spent["probe"] = (time.perf_counter() - began) * session.request.workers
        return scope

    def check(self, scope: Scope) -> None:
        if "refused" not in self.finished:
            self.recorder.append("checks", refused_rows(scope), done="refused")
        self._run(self.session.pool, [*check_jobs(scope), *example_jobs(scope)], "checks")
        self.problems = self.session.problems()

    def time(self, scope: Scope) -> None:
        with Pool(1) as alone:  # a second worker would disturb what is timed
            self._run(alone, time_jobs(scope, self.recorder.rows["checks"]), "timings")

    def end(self) -> None:
        """Record what is known only now."""
        request, rows = self.session.request, self.recorder.rows
        self.recorder.meta |= {
            "costs": costs(self.spent),
            "twin": twin(rows["timings"]),
            "waiver_problems": self.problems,
            "unchecked": unchecked(self.session.selection, rows["checks"]) if request.check else {},
        }
        self.recorder.meta.setdefault("machine", {})["load_after"] = machine.load()

    def _run(self, pool: Pool, jobs: list[Job], table: str) -> None:
        """Run the jobs that are not finished, keeping each one's rows as they come."""
        todo = [job for job in jobs if job.key not in self.finished]
        checking, failing = table == "checks", 0
        with Meter(
            self.session.console, "checking" if checking else "timing", len(jobs), len(jobs) - len(todo)
        ) as meter:
            for done in pool.run(todo):
                rows = self.session.judged(done.rows)
                self.recorder.append("kernels", done.ran)
                self.recorder.append(table, rows, done=done.job.key)
                if checking:
                    failing += sum(row.failing for row in rows)
                    for phase, seconds in done.spent:
                        self.spent[phase] = self.spent.get(phase, 0.0) + seconds
                meter.advance(done.job.name, failing if checking else None)


def costs(spent: dict[str, float]) -> dict[str, float]:
    """Seconds of worker time by phase, and the harness's share: what lies outside tracing, compiling and executing."""
    total = spent.get("total", 0.0)
    inside = sum(spent.get(phase, 0.0) for phase in PHASES)
    shown = {k: round(v, 2) for k, v in spent.items() if k != "total"}
    shown["other"] = round(max(total - sum(v for k, v in spent.items() if k not in ("total", "probe")), 0.0), 2)
    return {**shown, "total": round(total, 2), "harness_share": round(1 - inside / total, 4) if total else 0.0}


def twin(rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """The permanent A/A comparison: how often eager was called faster or slower than itself."""
    twins = [r for r in rows if twin_of(r["mode"])]
    if not twins:
        return {}
    ratio = (
        statistics.sign_test_interval([r["ratio"] for r in twins])
        if len(twins) > 1
        else statistics.Interval(twins[0]["ratio_low"], twins[0]["ratio"], twins[0]["ratio_high"])
    )
    return {
        "pairs": len(twins),
        "false_calls": sum(r["verdict"] in ("faster", "slower") for r in twins),
        "ratio": ratio.mid,
        "low": ratio.low,
        "high": ratio.high,
    }


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
