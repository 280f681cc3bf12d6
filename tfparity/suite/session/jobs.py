"""Jobs: the pieces of work that worker processes are given, and how a request becomes a list of them.

Records and rules only: who runs a job is `worker`, and where, `pool`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tfparity.suite.checking import examples
from tfparity.suite.checking.checks import Step
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.inputs import samples
from tfparity.suite.judging.outcome import Lost
from tfparity.suite.language import loading
from tfparity.suite.language.case import Case
from tfparity.suite.records import identity
from tfparity.suite.records.kernels import Kernel
from tfparity.suite.records.results import Check, Timing
from tfparity.suite.session.profiles import Choice
from tfparity.suite.session.request import Request, Selection

QUICK_TIMES = 8
"""The quick profile times one case in so many, chosen by a hash of its name."""

TIMING_TIMEOUT = 60.0
"""Seconds one sample may take at least while it is timed: it is called many times."""

Action = Literal["facts", "probe", "check", "examples", "time", "measure"]

Dtypes = dict[str, dict[str, str]]
"""case -> dtype -> TensorFlow's message where it has no kernel for the dtype, else ""."""


@dataclass(frozen=True)
class Earlier:
    """What earlier tries of a job left behind: the `steps` that killed a worker and how, the ids of the `processes`
    that died (their logs still name the kernels that ran), and the `rows` given before."""

    steps: tuple[tuple[Step, Lost], ...] = ()
    processes: tuple[int, ...] = ()
    rows: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Job:
    """One piece of work for a worker.

    action      gives                                                     needs
    `facts`     what TensorFlow says of itself and its devices            -
    `probe`     the dtypes of a case                                      name, files
    `check`     the checks of a case in one dtype                         name, files, dtype, want
    `examples`  the checks of the examples on an op's page                name, want
    `time`      the timings of a case in one dtype                        name, files, dtype, want
    `measure`   one measurement with every sample kept, for pytest        name, files, dtype, want, size

    timeout     seconds one step may take
    files       the case file to load beside those that come with tfparity, if it is the user's own
    earlier     what tries that lost their worker left; empty in the first
    """

    action: Action
    name: str = ""
    dtype: str = ""
    want: Wanted = field(default_factory=Wanted)
    timeout: float = 30.0
    files: tuple[str, ...] = ()
    size: int = 0
    earlier: Earlier = Earlier()

    @property
    def key(self) -> str:
        """Its name among the finished jobs of a run."""
        return f"{self.action}:{self.name}/{self.dtype}"


@dataclass(frozen=True)
class Done:
    """What a job gave: rows, or for `facts`, `probe` and `measure` an `answer`; the seconds it took by phase (`total`
    is all of it), and the kernels that ran in this process for the first time."""

    job: Job
    rows: tuple[Check | Timing, ...] = ()
    answer: Any = None
    spent: tuple[tuple[str, float], ...] = ()
    ran: tuple[Kernel, ...] = ()


@dataclass(frozen=True)
class Scope:
    """What the jobs of a session are made from: the request, its cases, their dtypes, what to run of each sample, and
    the samples of the quick profile (None in the full one)."""

    request: Request
    selection: Selection
    dtypes: Dtypes
    want: Wanted
    quick: Choice | None = None

    def runs(self, name: str, dtype: str) -> bool:
        """Whether a case in a dtype is asked for, and in this shard."""
        part, whole = self.selection.shard
        return self.asks(name, dtype) and zlib.crc32(f"{name}/{dtype}".encode()) % whole == part - 1

    def asks(self, name: str, dtype: str) -> bool:
        """Whether a case in a dtype is asked for, in whatever shard."""
        return self.request.dtype(dtype) and identity.wanted(self.selection.queries, op=name, dtype=dtype)

    def able(self, name: str) -> list[str]:
        """The dtypes TensorFlow has a kernel for."""
        return [dtype for dtype, message in self.dtypes[name].items() if not message]


def files(case: Case) -> tuple[str, ...]:
    """The case file a worker must load beside those that come with tfparity."""
    return () if loading.is_case_file(Path(case.file)) else (case.file,)


def facts_job() -> Job:
    return Job("facts", timeout=120)


def probe_job(case: Case, timeout: float) -> Job:
    return Job("probe", case.name, timeout=timeout, files=files(case))


def check_jobs(scope: Scope) -> list[Job]:
    """One job for each case and dtype. The quick profile names the samples of most cases; a case it does not name runs
    in its main dtype alone."""
    jobs = []
    for name in scope.dtypes:
        case, able = scope.selection.cases[name], scope.able(name)
        asked = [dtype for dtype in able if scope.asks(name, dtype)]
        chosen = (scope.quick or {}).get(name)
        main = samples.main_dtype(able)
        if chosen and samples.swept(case):
            main = samples.LEADING[0]  # of the dtypes in the profile, only this one is surely the main one of all
        if scope.quick is not None and not chosen:
            asked = [dtype for dtype in asked if dtype == samples.main_dtype(asked)]
        for dtype in asked:
            if scope.runs(name, dtype):
                want = replace(scope.want, samples=chosen[dtype] if chosen else (), main=dtype == main)
                jobs.append(Job("check", name, dtype, want, scope.request.timeout, files(case)))
    return jobs


def example_jobs(scope: Scope) -> list[Job]:
    """One job for each documented op: the examples of its page. The quick profile leaves them out."""
    return [
        Job("examples", name, examples.DTYPE, scope.want, scope.request.timeout)
        for name, case in scope.selection.cases.items()
        if not scope.request.quick and examples.may_have(case) and scope.runs(name, examples.DTYPE)
    ]


def refused_rows(scope: Scope) -> Iterator[Check]:
    """One row for each dtype TensorFlow has no kernel for, with its message."""
    for name, messages in scope.dtypes.items():
        for dtype, message in messages.items():
            at = identity.Identity(name, dtype, "all", "eager", "CPU:0", "value", "docs")
            if message and scope.runs(name, dtype) and identity.wanted(scope.selection.queries, **vars(at)):
                yield Check(str(at), **vars(at), verdict="unsupported", detail=message)


def timed_dtype(scope: Scope, name: str) -> str | None:
    """The one dtype a case is timed in: the leading one of those asked for; None where it is not timed."""
    if not scope.selection.cases[name].timed:
        return None
    return samples.main_dtype([dtype for dtype in scope.able(name) if scope.asks(name, dtype)])


def time_jobs(scope: Scope, rows: Iterable[dict[str, Any]]) -> list[Job]:
    """What to time: each timed case in one dtype, without the modes that failed a check in it."""
    failed: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        fatal = row["verdict"] in ("crash", "timeout")
        wrong = row["verdict"] in ("differs", "error-differs") and not row["waiver"]
        if row["aspect"] == "value" and (fatal or wrong):
            failed.setdefault((row["op"], row["dtype"]), set()).add(row["mode"])
    jobs = []
    for name in scope.dtypes:
        dtype = timed_dtype(scope, name)
        if dtype is None or not scope.runs(name, dtype) or _left_out(scope, name):
            continue
        out = failed.get((name, dtype), set())
        if "eager" in out:
            continue
        want = replace(scope.want, modes=tuple(mode for mode in scope.want.modes if mode not in out))
        timeout = max(scope.request.timeout, TIMING_TIMEOUT)
        jobs.append(Job("time", name, dtype, want, timeout, files(scope.selection.cases[name])))
    return jobs


def _left_out(scope: Scope, name: str) -> bool:
    """Whether the quick profile leaves a case untimed; of a few cases it times every one."""
    many = len(scope.dtypes) > 2 * QUICK_TIMES
    return scope.request.quick and many and bool(zlib.crc32(name.encode()) % QUICK_TIMES)


def measure_job(request: Request, case: Case, dtype: str, size: int) -> Job:
    """One size of a case, timed on the CPU with all its samples kept."""
    return Job("measure", case.name, dtype, Wanted(request.modes, ("CPU:0",)), TIMING_TIMEOUT, files(case), size)
