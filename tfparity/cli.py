"""The command `tfparity`. Each command parses what it is given, calls the room that does it, and says the end in words.

Heavy modules are imported by the command that needs them, so that `list` answers in a fraction of a second.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tfparity.suite.records import identity

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
Profile = Annotated[
    str, typer.Option("--profile", help="full, or quick: what finds most a second, in minutes; fewer times")
]
Costs = Annotated[bool, typer.Option("--costs", help="print where the time went, and the harness's own share")]

ALL_MODES = "eager,graph,graph-dynamic,xla,numpy"


def main() -> None:
    """Run the command; an error that a user can mend is one line on stderr and exit status 2."""
    from tfparity.suite.language.case import CaseError
    from tfparity.suite.records.results import RunError
    from tfparity.suite.records.waivers import WaiverError

    try:
        app(standalone_mode=True)
    except (identity.QueryError, CaseError, RunError, WaiverError, _usage_error()) as error:
        print(f"tfparity: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(141)
    except KeyboardInterrupt:
        print("tfparity: interrupted", file=sys.stderr)
        sys.exit(130)


def _usage_error() -> type[Exception]:
    if "tfparity.suite.session.session" in sys.modules:
        return sys.modules["tfparity.suite.session.session"].UsageError
    return ValueError


def _folder(prefix: str = "") -> Path:
    return Path("runs") / (prefix + datetime.now().strftime("%Y-%m-%d-%H%M%S"))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _finish(found: Any, folder: Path, costs: bool) -> None:
    from rich.console import Console

    from tfparity.reports import pages, summary

    console = Console()
    page = pages.write([found.run], folder)
    console.print(summary.render(found.run, page))
    for op, words in list(found.run.meta.get("unchecked", {}).items())[:8]:
        console.print(f"not checked in any dtype: {op}: {words}", markup=False, highlight=False, soft_wrap=True)
    for problem in found.problems:
        console.print(f"ledger: {problem}", style="red", markup=False)
    if costs:
        told = found.run.meta.get("costs", {})
        for phase, seconds in told.items():
            if phase != "harness_share":
                console.print(f"{phase:>12} {seconds:9.1f} s", highlight=False)
        console.print(f"harness share of worker time: {told.get('harness_share', 0):.1%}", highlight=False)
    if found.interrupted:
        console.print(f"interrupted; continue with --resume {folder}")
        raise typer.Exit(130)


SESSIONS = {
    "run": "Check, then time what passed, then report.",
    "check": "Conformance only. Exit status 1 on an unwaived failure, 2 when nothing ran.",
    "bench": "Timing only.",
}
"""The commands that make a run; they share their options and differ in what they do and what ends well."""


def _session(action: str) -> Callable[..., None]:
    """The command of one action."""

    def command(
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
        from rich.console import Console

        from tfparity.suite.session import session

        request = session.Request(
            tuple(queries or ()),
            _list(modes),
            _list(devices),
            _list(dtypes),
            jobs,
            shard,
            timeout,
            tuple(cases or ()),
            profile,
            check=action != "bench",
            time=action != "check",
            command="tfparity " + shlex.join(sys.argv[1:]),
        )
        folder = resume or out or _folder()
        found = session.execute(request, folder, resume=resume is not None, console=Console(stderr=True))
        _finish(found, folder, costs)
        checks = found.run.checks
        ran = {
            "run": len(checks),
            "check": (checks["verdict"] != "unsupported").sum(),
            "bench": len(found.run.timings),
        }
        if not ran[action]:
            words = "no check was left by the queries, dtypes, modes and shard given"
            print(f"tfparity: nothing ran: {words}", file=sys.stderr)
            raise typer.Exit(2)
        if action == "check" and (found.failing or found.problems):
            raise typer.Exit(1)

    return command


for _action, _help in SESSIONS.items():
    app.command(_action, help=_help)(_session(_action))


@app.command()
def report(runs: Annotated[list[Path], typer.Argument(metavar="RUN...")], out: Out = None) -> None:
    """Write HTML, Markdown, CSV and pictures from one run or several."""
    from tfparity.reports import pages
    from tfparity.suite.records.results import read

    folder = out or (runs[0] if len(runs) == 1 else _folder("report-"))
    print(pages.write([read(path) for path in runs], folder))


@app.command()
def compare(base: Path, head: Path) -> None:
    """What changed between two runs, in verdicts and times. Exit status 1 on a regression."""
    from rich.console import Console

    from tfparity.reports.compare import compare as compared
    from tfparity.suite.records.results import read

    found = compared(read(base), read(head))
    Console().print(found.text, soft_wrap=True)
    if found.regressed:
        raise typer.Exit(1)


@app.command("list")
def list_cases(
    queries: Queries = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON list")] = False,
    cases: Cases = None,
) -> None:
    """The declared cases, one a row: op, file, kind, status, reference. TensorFlow is not imported."""
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


@app.command()
def coverage(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="runs that tell what was reached")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="also write coverage.md, its tables, and with runs LIMITS.md here")
    ] = None,
    limits: Annotated[
        Path | None, typer.Option("--limits", help="a LIMITS.md: what the runs say against it (exit status 1)")
    ] = None,
) -> None:
    """Ops, options, kernels, dtypes, gradients, examples: covered, declared holes, undeclared ones (exit status 1)."""
    from tfparity.reports import coverage_page
    from tfparity.reports import limits as limited
    from tfparity.suite.coverage import matrix
    from tfparity.suite.records.results import RunError, read, replace

    if limits and not runs:
        raise RunError("--limits needs a run to hold the page against: tfparity coverage RUN --limits LIMITS.md")
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


@app.command()
def repro(id: Annotated[str, typer.Argument(metavar="ID", help=identity.FORM)], cases: Cases = None) -> None:
    """Print a standalone script, TensorFlow and NumPy only, that shows the outcome of a check."""
    from tfparity.suite.checking import examples
    from tfparity.suite.checking import repro as standalone
    from tfparity.suite.language import loading

    known = loading.load()
    if cases:
        known = loading.load(cases)
    of = identity.identity(id)
    print(examples.script(of) if examples.speaks_of(of) else standalone.script(of, known), end="")
