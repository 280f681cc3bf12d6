"""pytest's hooks: `pytest cases` runs the same checks as `tfparity check`, one test each, with the same verdicts.

A test is one row: passed, skipped (`unsupported`), xfailed (waived) or failed. The tests of one case and dtype are one
job of the session's pool; the first of them waits for it, the others read its rows. The plugin does nothing until a
file of the cases folder is collected. It makes no job and no ledger of its own: `opening.Session` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tfparity.suite.checking import planning
from tfparity.suite.inputs import samples
from tfparity.suite.language import loading
from tfparity.suite.language.case import CaseError
from tfparity.suite.records import identity, waivers
from tfparity.suite.records.results import Check, RunError
from tfparity.suite.running.modes import NUMPY
from tfparity.suite.session import jobs
from tfparity.suite.session.jobs import Done, Job, Scope
from tfparity.suite.session.opening import Session
from tfparity.suite.session.request import Request, UsageError
from tfparity.suite.timing import case_timing as timed
from tfparity.suite.timing import pytest_benchmark
from tfparity.suite.timing.measurement import Measurement

AHEAD = 6
"""Jobs queued before a test needs them, so that workers never wait for pytest."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tfparity")
    group.addoption("--tfparity-modes", default=",".join(Request().modes), help="modes to run, comma-separated")
    group.addoption("--tfparity-dtypes", default="*", help="dtype patterns, comma-separated")
    group.addoption("--tfparity-query", action="append", default=[], help="only checks that match; may be repeated")
    group.addoption("--tfparity-jobs", type=int, default=0, help="worker processes; 0: one a core")
    group.addoption("--tfparity-timeout", type=float, default=30.0, help="seconds one sample may take in one mode")
    group.addoption(
        "--tfparity-bench", action="store_true", help="time the cases with pytest-benchmark instead of checking them"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if loading.is_case_file(file_path):
        return CaseFile.from_parent(parent, path=file_path)
    return None


class CaseFile(pytest.File):
    """A file of cases; collecting it asks TensorFlow, in a worker, for the dtypes of each."""

    def collect(self) -> Iterator[pytest.Item]:
        try:
            session = _state(self.config).session()
            scope = session.scope(session.selection.in_file(self.path))
        except (CaseError, identity.QueryError, waivers.WaiverError, UsageError, RunError) as error:
            raise pytest.UsageError(str(error)) from error
        yield from (self._benchmarks if self.config.getoption("tfparity_bench") else self._checks)(scope)

    def _checks(self, scope: Scope) -> Iterator[pytest.Item]:
        for row in jobs.refused_rows(scope):
            yield CheckItem.from_parent(self, name=row.id, row=row, job=None)
        for job in jobs.check_jobs(scope):
            case = scope.selection.cases[job.name]
            for planned in planning.plan(case, samples.expand(case, job.dtype), job.want):
                at = identity.Identity(job.name, job.dtype, **vars(planned))
                if job.want.row(at):
                    yield CheckItem.from_parent(self, name=str(at), row=at, job=job)
        for job in jobs.example_jobs(scope):
            yield PageItem.from_parent(self, name=f"{job.name}/{job.dtype}", job=job)

    def _benchmarks(self, scope: Scope) -> Iterator[pytest.Item]:
        for name in scope.dtypes:
            case, dtype = scope.selection.cases[name], jobs.timed_dtype(scope, name)
            if dtype is None:
                continue
            for _, size in timed.sizes(case, dtype):
                job = jobs.measure_job(scope.request, case, dtype, size)
                for mode in (m for m in timed.timed_modes() if m in scope.want.modes):
                    if mode != NUMPY or case.reference:
                        yield bench_item(self, job, mode)


class CheckItem(pytest.Item):
    """One check: `row` is its identity, or, with no job, the row itself."""

    def __init__(self, *, row: Any, job: Job | None, **more: Any):
        super().__init__(**more)
        self.row, self.job = row, job
        self.user_properties += [("op", row.op), ("mode", row.mode), ("dtype", row.dtype)]
        self.add_marker(pytest.mark.xdist_group(f"{row.op}/{row.dtype}"))

    def runtest(self) -> None:
        check = _state(self.config).judged(self)
        self.user_properties += [("verdict", check.verdict), ("device", check.device)]
        if check.verdict == "unsupported":
            pytest.skip(check.detail)
        if check.waiver:
            pytest.xfail(check.waiver)
        if check.failing:
            raise Diverges(check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Diverges):
            check = excinfo.value.check
            kind = f" {check.kind}" if check.kind else ""
            return f"{check.verdict}{kind}: {check.id}\n{check.detail}\nreproduce with: tfparity repro '{check.id}'"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class PageItem(pytest.Item):
    """All examples of one op's page: which checks they make is known only when they have run."""

    def __init__(self, *, job: Job, **more: Any):
        super().__init__(**more)
        self.job = job
        self.user_properties += [("op", job.name), ("dtype", job.dtype)]

    def runtest(self) -> None:
        rows = _state(self.config).page(self.job)
        if not rows:
            pytest.skip("the page has no example")
        for check in rows:
            if check.failing:
                raise Diverges(check)

    repr_failure = CheckItem.repr_failure
    reportinfo = CheckItem.reportinfo


def bench_item(parent: CaseFile, job: Job, mode: str) -> pytest.Function:
    """One mode of one case at one size, a benchmark of pytest-benchmark; the modes of a size are timed together."""
    state, task = _state(parent.config), f"{job.name}/{job.dtype}"

    def timed_mode(benchmark: Any) -> None:
        measured = state.measured(job)
        if mode not in measured.names:
            pytest.skip(f"{job.name} does not run in {mode}")
        pytest_benchmark.record(benchmark, measured, mode, group=f"{task}/{job.size}")

    item = pytest.Function.from_parent(parent, name=f"{task}/{job.size}/{mode}", callobj=timed_mode)
    item.user_properties += [("op", job.name), ("mode", mode), ("dtype", job.dtype)]
    item.add_marker(pytest.mark.xdist_group(task))
    return item


class Diverges(Exception):
    """A check failed and no waiver covers it."""

    def __init__(self, check: Check):
        super().__init__(f"{check.verdict} {check.kind}: {check.id}")
        self.check = check


class State:
    """What one run of pytest shares: the open session, and the jobs under way."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.opened: Session | None = None
        self.futures: dict[str, tuple[Job, Future[Done]]] = {}
        self.rows: dict[str, dict[str, Check]] = {}
        self.order: list[Job] = []
        self.problems: list[str] = []
        self.groups = pytest_benchmark.Groups()

    def session(self) -> Session:
        """The session, opened when it is first asked for."""
        if self.opened is None:
            self.opened = Session(request_of(self.config)).__enter__()
        return self.opened

    def judged(self, item: CheckItem) -> Check:
        session = self.session()
        if item.job is None:
            return session.judged([item.row])[0]
        key = item.job.key
        if key not in self.rows:
            self._submit_ahead(item.job)
            job, future = self.futures.pop(key)
            self.rows[key] = {row.id: row for row in session.pool.result(job, future).rows if isinstance(row, Check)}
        row = self.rows[key].get(item.name)
        if row is None:  # the worker died outside of every step: its only row stands for all
            row = next(
                iter(self.rows[key].values()),
                Check(item.name, **vars(item.row), verdict="crash", detail="the worker gave no row"),
            )
            row = replace(row, id=item.name, **vars(item.row))
        return session.judged([row])[0]

    def page(self, job: Job) -> list[Check]:
        """The rows of an op's examples."""
        session = self.session()
        return session.judged(session.pool.one(job).rows)

    def measured(self, job: Job) -> Measurement:
        """The interleaved measurement of a case at a size, made in a worker when its first mode is asked for."""

        def make() -> Measurement:
            answer = self.session().pool.one(job).answer
            if not answer:
                raise RuntimeError(f"{job.name}/{job.dtype} gave no measurement at {job.size} elements")
            return answer

        return self.groups.of(f"{job.name}/{job.dtype}/{job.size}", make)

    def _submit_ahead(self, job: Job) -> None:
        """Queue this job and the next few."""
        if not self.order:
            self.order = list({i.job.key: i.job for i in self.config.tfparity_items if i.job}.values())  # type: ignore[attr-defined]
        at = next((n for n, j in enumerate(self.order) if j.key == job.key), None)
        wanted = [job] if at is None else self.order[at : at + AHEAD]
        for each in wanted:
            if each.key not in self.futures and each.key not in self.rows:
                self.futures[each.key] = (each, self.session().pool.submit(each))


def request_of(config: pytest.Config) -> Request:
    """What pytest's own options ask for."""
    jobs_asked = config.getoption("tfparity_jobs")
    return Request(
        tuple(config.getoption("tfparity_query")),
        tuple(config.getoption("tfparity_modes").split(",")),
        ("*",),
        tuple(config.getoption("tfparity_dtypes").split(",")),
        jobs_asked or (1 if hasattr(config, "workerinput") else 0),  # xdist's workers are already one a core
        timeout=config.getoption("tfparity_timeout"),
        time=False,
    )


def _state(config: pytest.Config) -> State:
    state = getattr(config, "tfparity_state", None)
    if state is None:
        state = config.tfparity_state = State(config)  # type: ignore[attr-defined]
    return state


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.tfparity_items = [i for i in session.items if isinstance(i, CheckItem)]  # type: ignore[attr-defined]


def _unfiltered(config: pytest.Config) -> bool:
    """Whether pytest runs the whole folder of cases, so that the ledger of waivers can be judged."""
    narrowed = any(
        config.getoption(o, None) for o in ("keyword", "markexpr", "lf", "deselect", "maxfail", "collectonly")
    )
    asked = {Path(argument).resolve() for argument in config.args}
    return not narrowed and loading.folder().resolve() in asked and not hasattr(config, "workerinput")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    state: State | None = getattr(session.config, "tfparity_state", None)
    if state is None or state.opened is None:
        return
    if getattr(session.config, "tfparity_items", []) and _unfiltered(session.config):
        state.problems = state.opened.problems()
    if state.problems and exitstatus == 0:
        session.exitstatus = 1
    state.opened.close()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    state = getattr(config, "tfparity_state", None)
    for problem in getattr(state, "problems", []):
        terminalreporter.write_line(f"ledger: {problem}", red=True)
