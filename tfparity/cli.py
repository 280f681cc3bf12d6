"""The command `tfparity`: each command reads its arguments, calls the package that does the work, and prints how it
ended.

A heavy module is imported inside the command that needs it, so that `list` and `--help` answer in a fraction of a
second.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfparity.suite.records import identity

if TYPE_CHECKING:
    from tfparity.suite.session.request import Request
    from tfparity.suite.session.session import Found

app = typer.Typer(
    help="Does TensorFlow give the same answers, and how fast, in every way of running it?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Queries = Annotated[
    list[str] | None,
    typer.Argument(metavar="[QUERY]...", help=f"{identity.FORM}; parts take * and ?, trailing parts may be left out"),
]
Out = Annotated[Path | None, typer.Option("--out", help="folder to write; default runs/DATE-TIME")]
Modes = Annotated[
    str,
    typer.Option("--modes", help="comma-separated: eager graph graph-dynamic xla numpy, also xla-dynamic savedmodel"),
]
Devices = Annotated[str, typer.Option("--devices", help="comma-separated patterns, such as CPU:0,GPU:*")]
Dtypes = Annotated[str, typer.Option("--dtypes", help="comma-separated patterns, such as float*,int32")]
Jobs = Annotated[int, typer.Option("--jobs", min=0, help="worker processes; 0: one a core")]
Shard = Annotated[str, typer.Option("--shard", help="I/N: the I-th of N parts")]
Resume = Annotated[Path | None, typer.Option("--resume", help="continue the run in this folder")]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="seconds one sample may take in one mode")]
Cases = Annotated[
    list[str] | None,
    typer.Option("--cases", help="a file of your own cases, beside those that come with tfparity; may be repeated"),
]
TimedModes = Annotated[str, typer.Option("--modes", help="comma-separated: eager graph xla numpy")]
TimingJobs = Annotated[
    int, typer.Option("--jobs", min=0, help="worker processes that ask for dtypes, 0: one a core; one alone times")
]
TimingTimeout = Annotated[
    float, typer.Option("--timeout", min=1, help="seconds one size may take in one mode; at least 60")
]
Profile = Annotated[
    str,
    typer.Option("--profile", help="full; or quick: in minutes, the samples that found most per second, and few times"),
]
TimingProfile = Annotated[
    str, typer.Option("--profile", help="full; or quick: one case in eight, chosen by a hash of its name")
]
Costs = Annotated[bool, typer.Option("--costs", help="print where the time went, and the harness's own share")]

ALL_MODES = "eager,graph,graph-dynamic,xla,numpy"


def examples(*lines: str) -> str:
    """The end of a command's help: worked examples, one a line, as they are typed."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def main() -> None:
    """Run the command; an error that the user can mend is one line on stderr and exit status 2."""
    try:
        app(standalone_mode=True)
    except BrokenPipeError:
        sys.exit(141)
    except KeyboardInterrupt:
        print("tfparity: interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if not isinstance(error, _mendable()):
            raise
        print(f"tfparity: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)


def _mendable() -> tuple[type[Exception], ...]:
    """The errors that a user can mend; imported when there is one, because `list` needs none of it."""
    from tfparity.suite.language.case import CaseError
    from tfparity.suite.records.results import RunError
    from tfparity.suite.records.waivers import WaiverError
    from tfparity.suite.session.request import UsageError

    return identity.QueryError, CaseError, RunError, WaiverError, UsageError


def _folder(prefix: str = "") -> Path:
    return Path("runs") / (prefix + datetime.now().strftime("%Y-%m-%d-%H%M%S"))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _request(
    queries: list[str] | None, modes: str, devices: str, dtypes: str, cases: list[str] | None, **more: Any
) -> Request:
    """The request that options mean, and the command line as it was typed, for `run.json`."""
    from tfparity.suite.session.request import Request

    return Request(
        tuple(queries or ()),
        _list(modes),
        _list(devices),
        _list(dtypes),
        files=tuple(cases or ()),
        command="tfparity " + shlex.join(sys.argv[1:]),
        **more,
    )


def _execute(
    request: Request, out: Path | None, resume: Path | None, ran: Callable[[Found], int], costs: bool
) -> Found:
    """Carry a request out, write its report, print its summary. Exit status 130 when it was interrupted, 2 when
    nothing ran, which `ran` counts."""
    from rich.console import Console

    from tfparity.suite.session import session

    folder = resume or out or _folder()
    found = session.execute(request, folder, resume=resume is not None, console=Console(stderr=True))
    _summarize(found, folder, costs)
    if found.interrupted:
        print(f"interrupted; continue with --resume {folder}")
        raise typer.Exit(130)
    if not ran(found):
        words = "the queries, dtypes, modes and shard given leave no check"
        print(f"tfparity: nothing ran: {words}", file=sys.stderr)
        raise typer.Exit(2)
    return found


def _summarize(found: Found, folder: Path, costs: bool) -> None:
    from rich.console import Console

    from tfparity.reports import pages, summary

    console = Console()
    page = pages.write([found.run], folder)
    console.print(summary.render(found.run, page))
    for op, message in list(found.run.meta.get("unchecked", {}).items())[:8]:
        console.print(f"not checked in any dtype: {op}: {message}", markup=False, highlight=False, soft_wrap=True)
    for problem in found.problems:
        console.print(f"ledger: {problem}", style="red", markup=False)
    if costs:
        spent = dict(found.run.meta.get("costs", {}))
        share = spent.pop("harness_share", 0)
        for phase, seconds in spent.items():
            console.print(f"{phase:>12} {seconds:9.1f} s", highlight=False)
        console.print(f"harness share of worker time: {share:.1%}", highlight=False)


@app.command(
    epilog=examples(
        "tfparity run 'tf.math.*/float32' --out runs/math",
        "tfparity run --profile quick --modes eager,xla,numpy --costs",
    )
)
def run(
    queries: Queries = None,
    out: Out = None,
    modes: Modes = ALL_MODES,
    devices: Devices = "*",
    dtypes: Dtypes = "*",
    jobs: Jobs = 0,
    shard: Shard = "",
    resume: Resume = None,
    timeout: Timeout = 30,
    cases: Cases = None,
    profile: Profile = "full",
    costs: Costs = False,
) -> None:
    """Check, then time what passed, then report."""
    how = {"jobs": jobs, "shard": shard, "timeout": timeout, "profile": profile}
    request = _request(queries, modes, devices, dtypes, cases, **how)
    _execute(request, out, resume, lambda found: len(found.run.checks), costs)


@app.command(
    epilog=examples(
        "tfparity check 'tf.linalg.*' --jobs 4",
        "tfparity check 'mine.*' --cases my_ops.py --modes eager,xla",
    )
)
def check(
    queries: Queries = None,
    out: Out = None,
    modes: Modes = ALL_MODES,
    devices: Devices = "*",
    dtypes: Dtypes = "*",
    jobs: Jobs = 0,
    shard: Shard = "",
    resume: Resume = None,
    timeout: Timeout = 30,
    cases: Cases = None,
    profile: Profile = "full",
    costs: Costs = False,
) -> None:
    """Conformance only. Exit status 1 on a failure without a waiver, 2 when nothing ran."""
    how = {"jobs": jobs, "shard": shard, "timeout": timeout, "profile": profile}
    request = _request(queries, modes, devices, dtypes, cases, **how, time=False)
    found = _execute(
        request, out, resume, lambda found: int((found.run.checks["verdict"] != "unsupported").sum()), costs
    )
    if found.failing or found.problems:
        raise typer.Exit(1)


@app.command(
    epilog=examples(
        "tfparity bench tf.linalg.matmul --dtypes bfloat16",
        "tfparity bench 'tf.nn.*' --modes eager,graph,xla --out runs/nn",
    )
)
def bench(
    queries: Queries = None,
    out: Out = None,
    modes: TimedModes = "eager,graph,xla,numpy",
    devices: Devices = "*",
    dtypes: Dtypes = "*",
    jobs: TimingJobs = 0,
    shard: Shard = "",
    resume: Resume = None,
    timeout: TimingTimeout = 30,
    cases: Cases = None,
    profile: TimingProfile = "full",
) -> None:
    """Timing only. Exit status 2 when nothing ran."""
    how = {"jobs": jobs, "shard": shard, "timeout": timeout, "profile": profile}
    request = _request(queries, modes, devices, dtypes, cases, **how, check=False)
    _execute(request, out, resume, lambda found: len(found.run.timings), costs=False)


@app.command(epilog=examples("tfparity report runs/cpu runs/gpu --out pages", "tfparity report runs/2026-12-01-090000"))
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="run folders, such as several machines'")],
    out: Annotated[
        Path | None, typer.Option("--out", help="folder to write; default the run's own, or runs/report-DATE-TIME")
    ] = None,
) -> None:
    """Write HTML, Markdown, CSV and pictures from one run or several."""
    from tfparity.reports import pages
    from tfparity.suite.records.results import read

    folder = out or (runs[0] if len(runs) == 1 else _folder("report-"))
    print(pages.write([read(path) for path in runs], folder))


@app.command(
    epilog=examples("tfparity compare runs/2.20 runs/2.21", "tfparity compare runs/before runs/after > changes.txt")
)
def compare(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="the earlier run")],
    head: Annotated[Path, typer.Argument(metavar="HEAD", help="the later run")],
) -> None:
    """What changed between two runs, in verdicts and times. Exit status 1 on a regression."""
    from rich.console import Console

    from tfparity.reports.compare import compare as compared
    from tfparity.suite.records.results import read

    found = compared(read(base), read(head))
    Console().print(found.text, soft_wrap=True)
    if found.regressed:
        raise typer.Exit(1)


@app.command(
    "list",
    epilog=examples("tfparity list 'tf.math.*'", "tfparity list --json > cases.json"),
)
def list_cases(
    queries: Queries = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list")] = False,
    cases: Cases = None,
) -> None:
    """The declared cases, one on each line. Columns: op, file, kind, status, reference. TensorFlow is not imported."""
    from tfparity.suite.language import loading

    known = loading.load()
    if cases:
        known = loading.load(cases)
    names = identity.select([identity.parse(q) for q in queries or ()], known)
    rows = [_row(known[name]) for name in names]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    widths = {key: max([len(row[key]) for row in rows] + [len(key)]) for key in ("op", "file", "kind", "status")}
    print("  ".join(f"{key:{width}}" for key, width in widths.items()) + "  reference")
    for row in rows:
        print(
            "  ".join(f"{row[key]:{width}}" for key, width in widths.items()) + f"  {row['reference'] or row['reason']}"
        )
    print(f"{len(rows)} cases", file=sys.stderr)


def _row(case: Any) -> dict[str, Any]:
    name = getattr(case.reference, "__name__", "") if case.reference else ""
    reference = ("lambda" if name == "<lambda>" else name) or ("invariant" if case.invariant else "")
    return {
        "op": case.name,
        "file": Path(case.file).name,
        "kind": case.kind,
        "status": case.status,
        "reason": case.missing or case.reason,
        "reference": reference,
        "skips": dict(case.skips),
    }


@app.command(
    epilog=examples("tfparity coverage", "tfparity coverage runs/all --out docs --limits LIMITS.md"),
)
def coverage(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="runs that record what was reached")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="also write coverage.md, its tables, and with runs LIMITS.md, here")
    ] = None,
    limits: Annotated[
        Path | None, typer.Option("--limits", help="a LIMITS.md: exit status 1 where the runs contradict it")
    ] = None,
) -> None:
    """How much of TensorFlow is covered. Of its documented ops, options, kernels, dtypes, gradients and examples: how
    many are covered, and how many are declared holes. Exit status 1 when an op is neither."""
    from tfparity.reports import coverage_page
    from tfparity.reports import limits as limited
    from tfparity.suite.coverage import matrix
    from tfparity.suite.records.results import RunError, read, replace

    if limits and not runs:
        raise RunError("--limits needs a run to compare the page with: tfparity coverage RUN --limits LIMITS.md")
    if limits and not limits.is_file():
        raise RunError(f"there is no page of limits at {limits}; write one with tfparity coverage RUN --out DIR")
    found = [read(path) for path in runs or ()]
    good = coverage_page.show(matrix.measure(found), out)
    problems: list[str] = []
    if found and (out or limits):
        joined = limited.joined(found)
        if out:
            replace(out / "LIMITS.md", limited.page(limited.limits(joined), str(joined.meta["tensorflow"])))
        if limits:
            problems = limited.stale(limits.read_text(encoding="utf-8"), joined)
    for problem in problems:
        print(f"limits: {problem}")
    if problems or not good:
        raise typer.Exit(1)


@app.command(
    epilog=examples(
        "tfparity repro 'tf.math.acosh/float32/edge/xla@CPU:0#value:numpy' > show.py",
        "tfparity repro 'mine.f/float32/edge/xla@CPU:0#value:eager' --cases my_ops.py",
    )
)
def repro(
    id: Annotated[str, typer.Argument(metavar="ID", help=f"{identity.FORM}, as a report shows it")], cases: Cases = None
) -> None:
    """Print a script that shows the outcome of a check. It needs only TensorFlow and NumPy."""
    from tfparity.suite.checking import examples
    from tfparity.suite.checking import repro as standalone
    from tfparity.suite.language import loading

    known = loading.load()
    if cases:
        known = loading.load(cases)
    of = identity.identity(id)
    print(examples.script(of) if examples.speaks_of(of) else standalone.script(of, known), end="")
