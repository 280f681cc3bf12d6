"""One run from beginning to end: plan, check, time, and a folder that holds what was found.

The edge where state lives: processes, the run folder, the progress line. Rows come from workers and go to the
recorder; whatever ends the run (Ctrl-C, a full disk, a failing gate) leaves a folder that `--resume` continues.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import platformdirs
from packaging.version import Version
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tfparity import __version__
from tfparity.suite.checking import examples
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.inputs import samples
from tfparity.suite.language import case as cases
from tfparity.suite.language import loading
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import DTYPES
from tfparity.suite.records import identity, machine, waivers
from tfparity.suite.records.results import FAILING, Check, Recorder, Run, RunError
from tfparity.suite.running import modes
from tfparity.suite.session import profiles
from tfparity.suite.session.pool import Pool
from tfparity.suite.session.worker import Done, Job
from tfparity.suite.timing import sampler as timing
from tfparity.suite.timing import statistics

OLDEST, NEWEST = Version("2.18"), Version("2.22")
QUICK_TIMES = 8
"""The quick profile times one in so many cases, chosen by name."""

PHASES = ("trace", "compile", "execute")


class UsageError(ValueError):
    """A request that cannot be meant; the message is one line that says what to do."""


@dataclass(frozen=True)
class Request:
    """What a user asked for, as the command line gives it."""

    queries: tuple[str, ...] = ()
    modes: tuple[str, ...] = modes.DEFAULT_MODES
    devices: tuple[str, ...] = ("*",)
    dtypes: tuple[str, ...] = ("*",)
    jobs: int = 0
    shard: str = ""
    timeout: float = 30.0
    files: tuple[str, ...] = ()
    profile: str = "full"
    check: bool = True
    time: bool = True
    command: str = ""

    @property
    def whole(self) -> bool:
        """Whether it asks for all there is, so that a waiver nothing matched is a problem."""
        return (
            not self.queries
            and not self.shard
            and self.dtypes == ("*",)
            and self.modes == modes.DEFAULT_MODES
            and self.profile == "full"
            and self.check
        )

    @property
    def quick(self) -> bool:
        return self.profile == "quick"

    @property
    def workers(self) -> int:
        return self.jobs or max(
            1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )


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


@dataclass(frozen=True)
class Selection:
    """The declared cases a request asks for, and its queries parsed."""

    cases: dict[str, Case]
    queries: tuple[identity.Query, ...]
    shard: tuple[int, int]


def select(request: Request) -> Selection:
    """The cases asked for, without TensorFlow. Raises QueryError, CaseError or UsageError in one line."""
    declared = loading.load()
    if request.files:
        declared = loading.load(request.files)
    queries = tuple(identity.parse(text) for text in request.queries)
    if request.profile not in ("full", "quick"):
        raise UsageError(f"unknown profile {request.profile!r}: full or quick")
    for mode in request.modes:
        if mode not in modes.MODES and mode != "numpy":
            raise UsageError(f"unknown mode {mode!r}: the modes are {', '.join([*modes.MODES, 'numpy'])}")
    if request.dtypes != ("*",) and not any(
        fnmatchcase(d, p) for d in (*DTYPES, "none", examples.DTYPE) for p in request.dtypes
    ):
        raise UsageError(f"no dtype matches {', '.join(request.dtypes)}: the dtypes are {', '.join(DTYPES)}")
    names = identity.select(queries, declared)
    return Selection({n: declared[n] for n in names}, queries, _shard(request.shard))


def _shard(text: str) -> tuple[int, int]:
    if not text:
        return 1, 1
    try:
        part, whole = (int(n) for n in text.split("/"))
    except ValueError:
        part, whole = 0, 0
    if not 1 <= part <= whole:
        raise UsageError(f"--shard {text!r} must read I/N with 1 <= I <= N, such as 2/4")
    return part, whole


def ledgers(request: Request) -> list[Path]:
    """The ledgers in force: that of the cases that come with tfparity, and `waivers.toml` beside a user case file."""
    return list(
        dict.fromkeys([loading.folder() / "waivers.toml", *(Path(f).parent / "waivers.toml" for f in request.files)])
    )


def unchecked(selection: Selection, rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The selected cases that gave nothing but `unsupported`, with the words: no dtype of theirs was judged."""
    words: dict[str, str] = {}
    judged = set()
    for row in rows:
        if row["verdict"] == "unsupported":
            words.setdefault(row["op"], row["detail"].splitlines()[0] if row["detail"] else "")
        else:
            judged.add(row["op"])
    return {op: text for op, text in words.items() if op in selection.cases and op not in judged}


def covers(request: Request, selection: Selection, waiver: waivers.Waiver) -> bool:
    """Whether the request runs all that a waiver speaks of: every op it matches, unfiltered, or its own query."""
    if not replace(request, queries=()).whole:
        return False
    if any(q.patterns == waiver.match.patterns for q in selection.queries):
        return True
    spoken = [name for name in loading.load() if waiver.match.matches(op=name)]
    whole = [q for q in selection.queries if set(q.patterns[1:]) == {"*"}]
    return bool(spoken) and all(any(q.matches(op=name) for q in whole) for name in spoken)


def require_tensorflow() -> None:
    """Raises RunError when there is no TensorFlow; nothing is imported."""
    if importlib.util.find_spec("tensorflow") is None:
        raise RunError("TensorFlow is not installed: pip install 'tfparity[cpu]' (or [gpu], [nightly])")


def tensorflow_facts(pool: Pool) -> dict[str, Any]:
    """What TensorFlow says of itself. Raises RunError when it is missing or of a version that is not supported."""
    require_tensorflow()
    job = Job("facts", timeout=120)
    facts = pool.result(job, pool.submit(job)).facts
    if not facts:
        raise RunError("TensorFlow does not start: try `python -c 'import tensorflow'` and mend what it says")
    version = Version(facts["version"])
    if not (OLDEST <= version < NEWEST or version.is_devrelease or "dev" in facts["version"]):
        raise RunError(
            f"TensorFlow {version} is not supported: install one from {OLDEST} up to, not including, {NEWEST}"
        )
    return facts


def choose_devices(request: Request, facts: dict[str, Any]) -> tuple[str, ...]:
    names = [d["name"] for d in facts["devices"] if d["type"] not in ("XLA_CPU", "XLA_GPU")]
    chosen = tuple(n for n in names if any(fnmatchcase(n, p) for p in request.devices))
    if not chosen:
        raise UsageError(f"no device matches {', '.join(request.devices)}: TensorFlow sees {', '.join(names)}")
    return chosen


# --- planning ------------------------------------------------------------------------------------------------------


def plans(
    pool: Pool,
    selection: Selection,
    facts: dict[str, Any],
    timeout: float,
    console: Console,
    chosen: profiles.Choice | None = None,
) -> dict[str, dict[str, str]]:
    """For each case its dtypes, and TensorFlow's words where it refuses one; remembered between runs.

    What was planned is kept in the user's cache folder under a digest of TensorFlow's version, the case files and the
    engine, so the next run starts at once. A case whose dtypes are `chosen` needs no planning.
    """
    store, chosen = _Remembered(facts["version"]), chosen or {}
    known: dict[str, dict[str, str] | None] = {
        n: dict.fromkeys(chosen[n], "") if n in chosen else store.get(c)
        for n, c in selection.cases.items()
        if not c.missing
    }
    missing = [n for n, plan in known.items() if plan is None]
    with Meter(console, "planning", len(known), len(known) - len(missing)) as meter:
        for done in pool.run(Job("plan", n, timeout=timeout, files=_files(selection.cases[n])) for n in missing):
            known[done.job.name] = _with_lost(done)
            store.put(selection.cases[done.job.name], known[done.job.name] or {})
            meter.advance(done.job.name)
    store.save()
    return {n: plan or {} for n, plan in known.items()}


def _with_lost(done: Done) -> dict[str, str]:
    """A dtype that killed the planning process is one to check: the check will say what happens."""
    return dict(done.facts or {}) or {"float32": ""}


class _Remembered:
    def __init__(self, version: str):
        engine = hashlib.blake2b(version.encode() + __version__.encode(), digest_size=8)
        for source in sorted(Path(__file__).parents[1].rglob("*.py")):
            engine.update(source.read_bytes())
        self.path = Path(platformdirs.user_cache_dir("tfparity")) / f"plan-{engine.hexdigest()}.json"
        self.digests: dict[str, str] = {}
        self.fresh = False
        try:
            self.plans = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.plans = {}

    def _key(self, case: Case) -> str:
        if case.file not in self.digests:
            self.digests[case.file] = hashlib.blake2b(Path(case.file).read_bytes(), digest_size=8).hexdigest()
        return f"{case.name}@{self.digests[case.file]}"

    def get(self, case: Case) -> dict[str, str] | None:
        return self.plans.get(self._key(case))

    def put(self, case: Case, plan: dict[str, str]) -> None:
        self.plans[self._key(case)] = plan
        self.fresh = True

    def save(self) -> None:
        if not self.fresh:
            return
        try:  # a cache that cannot be written only costs time
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(self.plans))
            os.replace(fresh, self.path)
        except OSError:
            pass


def _files(case: Case) -> tuple[str, ...]:
    """The case file a worker must load beside those that come with tfparity."""
    return () if loading.is_case_file(Path(case.file)) else (case.file,)


def check_jobs(
    request: Request,
    selection: Selection,
    planned: dict[str, dict[str, str]],
    want: Wanted,
    chosen: profiles.Choice | None = None,
) -> list[Job]:
    """One job for each case and dtype; in the quick profile with the samples `chosen`, where it names the case."""
    jobs = []
    for name, plan in planned.items():
        able = [d for d, refused in plan.items() if not refused]
        runs = [d for d in able if _asked(request, selection, name, d)]
        known = (chosen or {}).get(name)
        main = samples.main_dtype(able)
        if known and samples.swept(selection.cases[name]):
            main = samples.LEADING[0]  # of dtypes that were picked, only this one is surely the main one of all
        for dtype in runs if chosen is None or known else [d for d in runs if d == samples.main_dtype(runs)]:
            if _in_shard(selection, name, dtype):
                its = replace(want, samples=known[dtype] if known else (), main=dtype == main)
                jobs.append(Job("check", name, dtype, its, request.timeout, files=_files(selection.cases[name])))
    return jobs


def example_jobs(request: Request, selection: Selection, want: Wanted) -> list[Job]:
    """One job for each documented op: the examples of its page. The quick profile leaves them out."""
    return [
        Job("examples", name, examples.DTYPE, want, request.timeout)
        for name, case in selection.cases.items()
        if not request.quick
        and examples.may_have(case)
        and _asked(request, selection, name, examples.DTYPE)
        and _in_shard(selection, name, examples.DTYPE)
    ]


def _in_shard(selection: Selection, name: str, dtype: str) -> bool:
    part, whole = selection.shard
    return zlib.crc32(f"{name}/{dtype}".encode()) % whole == part - 1


def _asked(request: Request, selection: Selection, name: str, dtype: str) -> bool:
    return any(fnmatchcase(dtype, p) for p in request.dtypes) and identity.wanted(
        selection.queries, op=name, dtype=dtype
    )


def refused_rows(request: Request, selection: Selection, planned: dict[str, dict[str, str]]) -> Iterator[Check]:
    """One row for each dtype TensorFlow has no kernel for, in its own words."""
    for name, plan in planned.items():
        for dtype, words in plan.items():
            at = identity.Identity(name, dtype, "all", "eager", "CPU:0", "value", "docs")
            if (
                words
                and _asked(request, selection, name, dtype)
                and _in_shard(selection, name, dtype)
                and identity.wanted(selection.queries, **vars(at))
            ):
                yield Check(str(at), **vars(at), verdict="unsupported", detail=words)


def time_jobs(
    request: Request,
    selection: Selection,
    planned: dict[str, dict[str, str]],
    want: Wanted,
    rows: Iterable[dict[str, Any]],
) -> list[Job]:
    """What to time: each timed case in one dtype, without the modes that failed a check in it."""
    failed: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        fatal = row["verdict"] in ("crash", "timeout")
        wrong = row["verdict"] in ("differs", "error-differs") and not row["waiver"]
        if row["aspect"] == "value" and (fatal or wrong):
            failed.setdefault((row["op"], row["dtype"]), set()).add(row["mode"])
    jobs = []
    for name, plan in planned.items():
        dtype = samples.main_dtype(
            [d for d, refused in plan.items() if not refused and _asked(request, selection, name, d)]
        )
        if (
            dtype is None
            or not selection.cases[name].timed
            or not _in_shard(selection, name, dtype)
            or (request.quick and zlib.crc32(name.encode()) % QUICK_TIMES and len(planned) > 2 * QUICK_TIMES)
        ):
            continue
        out = failed.get((name, dtype), set())
        if "eager" not in out:
            left = tuple(m for m in want.modes if m not in out)
            jobs.append(
                Job(
                    "time",
                    name,
                    dtype,
                    replace(want, modes=left),
                    max(request.timeout, 60.0),
                    files=_files(selection.cases[name]),
                )
            )
    return jobs


# --- running -------------------------------------------------------------------------------------------------------


def execute(request: Request, out: Path, *, resume: bool = False, console: Console | None = None) -> Found:
    """Do what was asked, into the folder `out`. Raises RunError, QueryError, CaseError or UsageError, one line each."""
    console = console or Console(stderr=True)
    selection = select(request)
    require_tensorflow()
    known = [w for ledger_file in ledgers(request) for w in waivers.read(ledger_file)]
    recorder = Recorder(
        out,
        {"tfparity": __version__, "command": request.command, "started": _now(), "git": machine.git_state()},
        resume=resume,
    )
    spent: dict[str, float] = {}
    interrupted = False
    problems: list[str] = []
    try:
        with Pool(request.workers) as pool:
            console.print(
                f"[dim]starting {request.workers} workers …[/dim]"
                if console.is_terminal
                else f"starting {request.workers} workers"
            )
            facts = tensorflow_facts(pool)
            recorder.meta |= {"tensorflow": facts["version"], "machine": machine.fingerprint(facts)}
            recorder.write_meta()
            devices = choose_devices(request, facts)
            ledger = waivers.Ledger.of(known, facts["version"], date.today())
            for row in recorder.rows["checks"]:
                ledger.apply(Check(**row))
            finished = set(recorder.meta.get("done", ()))
            began = time.perf_counter()
            console.print(
                f"TensorFlow {facts['version']} on {', '.join(devices)}; "
                f"asking it for the dtypes of {len(selection.cases)} cases"
            )
            chosen = profiles.quick() if request.quick else None
            planned = plans(pool, selection, facts, request.timeout, console, chosen)
            spent["plan"] = (time.perf_counter() - began) * request.workers
            want = Wanted(request.modes, devices, selection.queries)
            if request.check:
                if "refused" not in finished:
                    recorder.append("checks", refused_rows(request, selection, planned), done="refused")
                jobs = check_jobs(request, selection, planned, want, chosen)
                jobs += example_jobs(request, selection, want)
                _advance(pool, jobs, finished, recorder, console, "checks", spent, ledger)
                problems = ledger.problems(whole=request.whole, judged=lambda w: covers(request, selection, w))
        if request.time:
            with Pool(1) as pool:  # alone: a second worker would be noise
                jobs = time_jobs(request, selection, planned, want, recorder.rows["checks"])
                _advance(pool, jobs, finished, recorder, console, "timings", {}, None)
    except KeyboardInterrupt:
        interrupted = True
    except (cases.CaseError, UsageError):
        recorder.discard_if_empty()
        raise
    finally:
        if sys.exc_info()[0] is None or interrupted:
            recorder.meta |= {
                "costs": costs(spent),
                "twin": _twin(recorder.rows["timings"]),
                "waiver_problems": problems,
                "unchecked": unchecked(selection, recorder.rows["checks"]) if request.check else {},
            }
            recorder.meta.setdefault("machine", {})["load_after"] = machine.load()
    run = recorder.close(finished=None if interrupted else _now())
    return Found(run, problems, interrupted)


def _advance(
    pool: Pool,
    jobs: list[Job],
    finished: set[str],
    recorder: Recorder,
    console: Console,
    table: str,
    spent: dict[str, float],
    ledger: waivers.Ledger | None,
) -> None:
    """Run jobs, keeping each one's rows as they come."""
    todo = [job for job in jobs if job.key not in finished]
    with Meter(console, "checking" if table == "checks" else "timing", len(jobs), len(jobs) - len(todo)) as meter:
        for done in pool.run(todo):
            rows: list[Any] = list(done.rows)
            if ledger is not None:
                rows = [ledger.apply(row) for row in rows]
                for row in rows:
                    if row.failing:
                        meter.failing += 1
            recorder.append("kernels", done.ran)
            recorder.append(table, rows, done=done.job.key)
            for phase, seconds in done.spent:
                spent[phase] = spent.get(phase, 0.0) + seconds
            meter.advance(done.job.name)


def costs(spent: dict[str, float]) -> dict[str, float]:
    """Seconds of worker time by phase, and the harness's share: what lies outside tracing, compiling and executing."""
    total = spent.get("total", 0.0)
    inside = sum(spent.get(phase, 0.0) for phase in PHASES)
    shown = {k: round(v, 2) for k, v in spent.items() if k != "total"}
    shown["other"] = round(max(total - sum(v for k, v in spent.items() if k not in ("total", "plan")), 0.0), 2)
    return {**shown, "total": round(total, 2), "harness_share": round(1 - inside / total, 4) if total else 0.0}


def _twin(rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """The permanent A/A comparison: how often eager was called different from itself."""
    twins = [r for r in rows if timing.twin_of(r["mode"])]
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


class Meter:
    """Progress and an estimate: a moving line on a terminal, a plain line every 15 seconds elsewhere."""

    def __init__(self, console: Console, doing: str, total: int, already: int = 0):
        self.console, self.doing, self.total, self.count, self.already = console, doing, total, already, already
        self.failing, self.began, self.said = 0, time.monotonic(), time.monotonic()
        self.bar: Progress | None = None
        if console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=console,
            )
            self.task = self.bar.add_task(doing, total=total, completed=already, note="")

    def __enter__(self) -> Meter:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar:
            self.bar.stop()

    def advance(self, name: str) -> None:
        self.count += 1
        if self.bar:
            self.bar.update(
                self.task,
                advance=1,
                note=(f"{self.failing} failing  {name}" if self.doing == "checking" else name)[:60],
            )
        elif time.monotonic() - self.said > 15 or self.count == self.total:
            self.said = time.monotonic()
            passed = self.said - self.began
            left = passed / max(self.count - self.already, 1) * (self.total - self.count)
            note = f"{self.failing} failing" if self.doing == "checking" else name
            self.console.print(
                f"{self.doing} {self.count}/{self.total}, {passed:.0f} s, about {left:.0f} s left, {note}",
                highlight=False,
            )
