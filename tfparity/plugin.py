"""pytest's hooks: `pytest cases` runs the same checks as `tfparity check`, one test each, with the same verdicts.

A test is one row: passed, skipped (`unsupported`), xfailed (waived) or failed. Tests of one case and dtype run as one
job in a worker process of their own pool; the first one asked for waits for it, the others read its rows. The plugin
does nothing until a file of the cases folder (or one given with --cases) is collected.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tfparity.suite.checking import planning
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.inputs import samples
from tfparity.suite.language import case as cases
from tfparity.suite.language import loading
from tfparity.suite.records import identity, waivers
from tfparity.suite.records.results import Check
from tfparity.suite.session import session as session_of
from tfparity.suite.session.pool import Pool
from tfparity.suite.session.session import Request
from tfparity.suite.session.worker import Done, Job
from tfparity.suite.timing import case_timing as timed
from tfparity.suite.timing import pytest_benchmark
from tfparity.suite.timing.measurement import Measurement

AHEAD = 6
"""Jobs queued before the test that needs them, so that workers never wait for pytest."""


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
        state = _state(self.config)
        try:
            request = state.request
            selection = session_of.select(request)
            mine = {
                n: c
                for n, c in selection.cases.items()
                if Path(c.file).resolve() == self.path.resolve() and not c.missing
            }
            planned = state.plan(session_of.Selection(mine, selection.queries, selection.shard))
        except (
            cases.CaseError,
            identity.QueryError,
            waivers.WaiverError,
            session_of.UsageError,
            session_of.RunError,
        ) as error:
            raise pytest.UsageError(str(error)) from error
        if self.config.getoption("tfparity_bench"):
            for name, plan in planned.items():
                dtype = samples.main_dtype([d for d, refused in plan.items() if not refused])
                if dtype and mine[name].timed:
                    for _, size in timed.sizes(mine[name], dtype):
                        for mode in timed.timed_modes():
                            if mode != "numpy" or mine[name].reference:
                                yield bench_item(self, name, dtype, size, mode)
            return
        want = Wanted(request.modes, state.devices, selection.queries)
        for row in session_of.refused_rows(request, selection, planned):
            yield CheckItem.from_parent(self, name=row.id, row=row, job=None)
        for job in session_of.check_jobs(request, selection, planned, want):
            for planned_row in planning.plan(mine[job.name], samples.expand(mine[job.name], job.dtype), job.want):
                at = identity.Identity(job.name, job.dtype, **vars(planned_row))
                if want.row(at):
                    yield CheckItem.from_parent(self, name=str(at), row=at, job=job)
        here = session_of.Selection(
            {n: c for n, c in selection.cases.items() if Path(c.file).resolve() == self.path.resolve()},
            selection.queries,
            selection.shard,
        )
        for job in session_of.example_jobs(request, here, want):
            yield PageItem.from_parent(self, name=f"{job.name}/{job.dtype}", job=job)


class CheckItem(pytest.Item):
    """One check."""

    def __init__(self, *, row: Any, job: Job | None, **more: Any):
        super().__init__(**more)
        self.row, self.job = row, job
        op, dtype, mode = (row.op, row.dtype, row.mode)
        self.user_properties += [("op", op), ("mode", mode), ("dtype", dtype)]
        self.add_marker(pytest.mark.xdist_group(f"{op}/{dtype}"))

    def runtest(self) -> None:
        state = _state(self.config)
        check = state.judged(self)
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
    """All examples of one op's page: which checks they make is known when they have run."""

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


def bench_item(parent: CaseFile, case: str, dtype: str, size: int, mode: str) -> pytest.Function:
    """One mode of one case at one size, a benchmark of pytest-benchmark; the modes of a size are timed together."""
    state = _state(parent.config)

    def timed_mode(benchmark: Any) -> None:
        measured = state.measured(case, dtype, size)
        if mode not in measured.names:
            pytest.skip(f"{case} does not run in {mode}")
        pytest_benchmark.record(benchmark, measured, mode, group=f"{case}/{dtype}/{size}")

    item = pytest.Function.from_parent(parent, name=f"{case}/{dtype}/{size}/{mode}", callobj=timed_mode)
    item.user_properties += [("op", case), ("mode", mode), ("dtype", dtype)]
    item.add_marker(pytest.mark.xdist_group(f"{case}/{dtype}"))
    return item


class Diverges(Exception):
    """A check failed and no waiver explains it."""

    def __init__(self, check: Check):
        super().__init__(f"{check.verdict} {check.kind}: {check.id}")
        self.check = check


class State:
    """What one pytest session shares: the pool, the plan, the jobs under way, and the ledger."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.request = Request(
            tuple(config.getoption("tfparity_query")),
            tuple(config.getoption("tfparity_modes").split(",")),
            ("*",),
            tuple(config.getoption("tfparity_dtypes").split(",")),
            config.getoption("tfparity_jobs"),
            timeout=config.getoption("tfparity_timeout"),
            time=False,
        )
        if hasattr(config, "workerinput") and not self.request.jobs:
            self.request = replace(self.request, jobs=1)  # xdist's workers are already one a core
        self.pool: Pool | None = None
        self.futures: dict[str, tuple[Job, Future[Done]]] = {}
        self.rows: dict[str, dict[str, Check]] = {}
        self.order: list[Job] = []
        self.problems: list[str] = []
        self.groups = pytest_benchmark.Groups()

    def open(self) -> Pool:
        if self.pool is None:
            self.pool = Pool(self.request.workers)
            self.facts = session_of.tensorflow_facts(self.pool)
            self.devices = session_of.choose_devices(self.request, self.facts)
            self.ledger = waivers.Ledger.of(
                [w for f in session_of.ledgers(self.request) for w in waivers.read(f)],
                self.facts["version"],
                date.today(),
            )
        return self.pool

    def plan(self, selection: session_of.Selection) -> dict[str, dict[str, str]]:
        pool = self.open()
        return session_of.plans(pool, selection, self.facts, self.request.timeout, Console(quiet=True))

    def judged(self, item: CheckItem) -> Check:
        if item.job is None:
            return self.ledger.apply(item.row)
        key = item.job.key
        if key not in self.rows:
            self._ahead(item.job)
            job, future = self.futures.pop(key)
            self.rows[key] = {row.id: row for row in self.open().result(job, future).rows if isinstance(row, Check)}
        row = self.rows[key].get(item.name)
        if row is None:  # the job died outside of every step: its only row speaks for all
            row = next(
                iter(self.rows[key].values()),
                Check(item.name, **vars(item.row), verdict="crash", detail="the worker gave no row"),
            )
            row = replace(row, id=item.name, **vars(item.row))
        return self.ledger.apply(row)

    def page(self, job: Job) -> list[Check]:
        """The rows of an op's examples."""
        done = self.open().result(job, self.open().submit(job))
        return [self.ledger.apply(row) for row in done.rows if isinstance(row, Check)]

    def measured(self, case: str, dtype: str, size: int) -> Measurement:
        """The interleaved measurement of a case at a size, made in a worker when its first mode is asked for."""

        def make() -> Measurement:
            job = Job("measure", case, dtype, Wanted(self.request.modes, ("CPU:0",)), 60.0, size=size)
            done = self.open().result(job, self.open().submit(job))
            if not done.facts:
                raise RuntimeError(f"{case}/{dtype} gave no measurement at {size} elements")
            return done.facts

        return self.groups.of(f"{case}/{dtype}/{size}", make)

    def _ahead(self, job: Job) -> None:
        """Queue this job and the next few."""
        if not self.order:
            self.order = list({i.job.key: i.job for i in self.config.tfparity_items if i.job}.values())  # type: ignore[attr-defined]
        at = next((n for n, j in enumerate(self.order) if j.key == job.key), None)
        wanted = [job] if at is None else self.order[at : at + AHEAD]
        for each in wanted:
            if each.key not in self.futures and each.key not in self.rows:
                self.futures[each.key] = (each, self.open().submit(each))


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
    state = getattr(session.config, "tfparity_state", None)
    if state is None or state.pool is None:
        return
    if getattr(session.config, "tfparity_items", []) and _unfiltered(session.config):
        request, selection = state.request, session_of.select(state.request)
        state.problems = state.ledger.problems(
            whole=request.whole, judged=lambda waiver: session_of.covers(request, selection, waiver)
        )
    if state.problems and exitstatus == 0:
        session.exitstatus = 1
    state.pool.__exit__()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    state = getattr(config, "tfparity_state", None)
    for problem in getattr(state, "problems", []):
        terminalreporter.write_line(f"ledger: {problem}", red=True)
