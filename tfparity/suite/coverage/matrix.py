"""How much of what TensorFlow documents is declared, and how much of that a run has really reached.

The denominators are TensorFlow's own (`inventory`, asked in a process of its own); what is declared is read from the
cases, what ran from the rows of runs. Every hole is named, with its reason where one was declared.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfparity.suite.language import case as cases
from tfparity.suite.language import loading
from tfparity.suite.records import kernels
from tfparity.suite.records.results import Run, RunError, replace, saying

if TYPE_CHECKING:
    import pandas as pd

    from tfparity.suite.coverage.options import Option

STATUSES = ("covered", "hole", "undeclared", "beside", "lacking")
"""covered: declared to run; hole: declared, with the reason why not; undeclared: an error; beside: declared though it
is not counted; lacking: declared, and not in this TensorFlow."""

NAMESPACE, NUMPY, OPERATORS, METHODS = "ops", "tf.experimental.numpy", "operators of a tensor", "methods"
RAN = ("identical", "close", "ill-conditioned", "differs")
MODES = ("eager", "graph", "graph-dynamic", "xla")


@dataclass(frozen=True)
class Told:
    """What TensorFlow itself says: its version, the names of each area, what is no op and why, exclusions that exclude
    nothing, declared names that it lacks, the options of the declared ops, the `>>>` examples of each op, the kernels
    registered, and the documented ops above each raw op."""

    version: str
    areas: Mapping[str, Sequence[str]]
    excluded: Mapping[str, str] = field(default_factory=dict)
    stale: Sequence[str] = ()
    lacking: Sequence[str] = ()
    options: Sequence[Option] = ()
    examples: Mapping[str, int] = field(default_factory=dict)
    registered: frozenset[kernels.Pair] = frozenset()
    reachable: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One name of one area, and what became of it."""

    op: str
    area: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the matrix, of `coverage.csv`. Dtypes are those that gave a value in a run, by mode."""

    op: str
    area: str
    status: str
    reason: str
    kind: str
    options: int
    options_at_default: str
    examples: int
    examples_run: int
    eager: str
    graph: str
    graph_dynamic: str
    xla: str
    gradients: str
    devices: str


@dataclass(frozen=True)
class Evidence:
    """What the rows of runs say of one op: the dtypes that gave a value in each mode, and a gradient; the devices; how
    many of its examples ran."""

    dtypes: Mapping[str, tuple[str, ...]]
    gradients: tuple[str, ...]
    devices: tuple[str, ...]
    examples: int


NOTHING = Evidence({}, (), (), 0)


def rows(told: Told, declared: Mapping[str, cases.Case]) -> list[Row]:
    """What became of each name that TensorFlow has, and of each declared one beside them."""
    found = []
    for area, names in told.areas.items():
        for name in names:
            case = declared.get(name)
            status = "undeclared" if case is None else "hole" if case.missing else "covered"
            found.append(Row(name, area, status, case.missing if case else ""))
    known = {row.op for row in found}
    for name in declared:
        if name.startswith("tf.") and name not in known and not name.startswith("tf.raw_ops."):
            if name in told.lacking:
                found.append(Row(name, NAMESPACE, "lacking", "not in this version"))
            else:
                found.append(Row(name, NAMESPACE, "beside", told.excluded.get(name, "no function of an op namespace")))
    return found


def evidence(checks: pd.DataFrame) -> dict[str, Evidence]:
    """What the rows of runs say, by op."""
    ran = checks[checks["verdict"].isin(RAN)]
    values, docs = ran[ran["aspect"] == "value"], ran[ran["aspect"] == "docs"]
    derived = ran[ran["aspect"].isin(["gradient", "gradient2", "jvp"])]
    dtypes: dict[str, dict[str, set[str]]] = {}
    for op, mode, dtype in _distinct(values, "op", "mode", "dtype"):
        dtypes.setdefault(op, {}).setdefault(mode, set()).add(dtype)
    gradients = _sets(_distinct(derived, "op", "dtype"))
    examples = _sets(_distinct(docs[docs["against"] == "docs"], "op", "sample"))
    return {
        op: Evidence(
            {mode: tuple(sorted(found)) for mode, found in dtypes.get(op, {}).items()},
            tuple(sorted(gradients.get(op, ()))),
            tuple(sorted(devices)),
            len(examples.get(op, ())),
        )
        for op, devices in _sets(_distinct(ran, "op", "device")).items()
    }


def _distinct(table: pd.DataFrame, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in table[list(columns)].drop_duplicates().itertuples(index=False)]


def _sets(pairs: Iterable[tuple[str, ...]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key, item in pairs:
        found.setdefault(key, set()).add(item)
    return found


def matrix(
    found: Iterable[Row], told: Told, declared: Mapping[str, cases.Case], seen: Mapping[str, Evidence]
) -> list[Line]:
    """One line a name."""
    options: dict[str, list[Option]] = {}
    for option in told.options:
        options.setdefault(option.op, []).append(option)
    lines = []
    for row in found:
        its, ran = options.get(row.op, []), seen.get(row.op, NOTHING)
        modes = [" ".join(ran.dtypes.get(mode, ())) for mode in MODES]
        lines.append(
            Line(
                **asdict(row),
                kind=declared[row.op].kind if row.op in declared else "",
                options=len(its),
                options_at_default=" ".join(o.argument for o in its if not o.exercised),
                examples=told.examples.get(row.op, 0),
                examples_run=ran.examples,
                eager=modes[0],
                graph=modes[1],
                graph_dynamic=modes[2],
                xla=modes[3],
                gradients=" ".join(ran.gradients),
                devices=" ".join(ran.devices),
            )
        )
    return lines


# --- what is shown -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """A table of the page: numbers stand right, all else left."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]


def declared_table(lines: Sequence[Line]) -> Table:
    """How many names each area and namespace has, and what became of them."""

    def counted(label: str, here: Sequence[Line]) -> tuple[str | int, ...]:
        count = {s: sum(line.status == s for line in here) for s in STATUSES}
        return label, len(here), count["covered"], count["hole"], count["undeclared"]

    counts = [line for line in lines if line.status in ("covered", "hole", "undeclared")]
    ops = [line for line in counts if line.area == NAMESPACE]
    spaces = sorted({_space(line.op) for line in ops})
    found = [counted(space, [line for line in ops if _space(line.op) == space]) for space in spaces]
    found.append(counted("all documented ops", ops))
    for area in dict.fromkeys(line.area for line in counts if line.area != NAMESPACE):
        found.append(counted(area, [line for line in counts if line.area == area]))
    return Table("Declared", ("", "TensorFlow has", "covered", "declared holes", "undeclared"), tuple(found))


def _space(op: str) -> str:
    parts = op.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else "tf"


def options_table(told: Told) -> Table:
    total = len(told.options)
    used = sum(option.exercised for option in told.options)
    return Table(
        "Options: arguments with a default that a result depends on",
        ("options", "given another value", "never"),
        ((total, used, total - used),),
    )


def reached_table(lines: Sequence[Line]) -> Table:
    """How many documented ops gave a value in some dtype, by mode, gave gradients, and how many examples ran."""
    ops = [line for line in lines if line.area == NAMESPACE and line.status in ("covered", "hole", "undeclared")]
    modes = [(f"in {m}", sum(bool(getattr(line, m.replace("-", "_"))) for line in ops), len(ops)) for m in MODES]
    pairs = [
        (f"(op, dtype) in {m}", sum(len(getattr(line, m.replace("-", "_")).split()) for line in ops), "") for m in MODES
    ]
    return Table(
        "Reached by the runs",
        ("documented ops", "ran", "of"),
        (
            *modes,
            ("with a gradient that was judged", sum(bool(line.gradients) for line in ops), len(ops)),
            *pairs,
            ("examples", sum(line.examples_run for line in ops), sum(line.examples for line in ops)),
        ),
    )


def kernels_table(covered: Sequence[kernels.Covered]) -> Table:
    """How many of the registered kernels below the documented ops ran, by place."""
    places = sorted({row.where for row in covered})
    found = []
    for where in places:
        ran, registered = kernels.share(covered, where)
        found.append((where, ran, registered, f"{ran / registered:.1%}"))
    return Table(
        "Kernels: (raw op, dtype) pairs below the documented ops", ("where", "ran", "registered", ""), tuple(found)
    )


def named(lines: Sequence[Line], told: Told) -> list[tuple[str, str]]:
    """Every hole, as (what it is, its words)."""
    found = [("stale exclusion", f"{name}: it excludes nothing in this TensorFlow") for name in told.stale]
    for status, said in (("undeclared", "undeclared"), ("hole", "declared hole"), ("lacking", "lacking")):
        found += [(said, f"{line.op}: {line.reason}".removesuffix(": ")) for line in lines if line.status == status]
    found += [("always default", f"{line.op}: {line.options_at_default}") for line in lines if line.options_at_default]
    return found


def unreached(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """The covered ops that gave no value in the runs, in eager and in graph."""
    found = []
    for mode in ("eager", "graph"):
        ops = [x.op for x in lines if x.area == NAMESPACE and x.status == "covered" and not getattr(x, mode)]
        found += [(f"no value in {mode}", f"{len(ops)} ops: {' '.join(ops)}")] if ops else []
    return found


# --- asking, printing, writing -------------------------------------------------------------------------------------


def ask() -> Told:
    """What TensorFlow says of itself and of the declared cases. Imports TensorFlow."""
    import tensorflow as tf

    from tfparity.suite.coverage import options
    from tfparity.suite.running import inventory
    from tfparity.suite.running.modes import resolve

    declared = loading.load()
    areas = {
        NAMESPACE: [op.name for op in inventory.documented()],
        NUMPY: inventory.numpy_functions(),
        OPERATORS: inventory.operators(),
        METHODS: inventory.methods(),
    }
    lacking = []
    for name, case in declared.items():
        if name.startswith("tf.") and not case.is_program:
            try:
                resolve(name)
            except AttributeError:
                lacking.append(name)
    counted = [n for n in areas[NAMESPACE] if n in declared and not declared[n].missing]
    return Told(
        tf.__version__,
        areas,
        inventory.excluded(),
        [*inventory.stale_exclusions(), *options.stale_entries(areas[NAMESPACE])],
        lacking,
        [option for name in counted for option in options.of(declared[name])],
        inventory.examples(),
        frozenset(inventory.registered()),
        inventory.reachable(),
    )


def _quiet() -> None:
    """TensorFlow's own messages are not for the reader of a table."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _asked() -> Told:
    """What a process of its own says."""
    try:
        with multiprocessing.get_context("spawn").Pool(1, _quiet) as pool:
            return pool.apply(ask)
    except ImportError as error:
        raise RunError("TensorFlow is not installed: pip install 'tfparity[cpu]' (or [gpu], [nightly])") from error


def show(runs: Sequence[Run], out: Path | None) -> bool:
    """Print the coverage, write it into `out` if asked; whether nothing is undeclared and no exclusion is stale."""
    from rich.console import Console

    told = _asked()
    declared = loading.load()
    seen = evidence(_joined([run.checks for run in runs])) if runs else {}
    lines = matrix(rows(told, declared), told, declared, seen)
    tables = [declared_table(lines), options_table(told)]
    holes = named(lines, told)
    covered: list[kernels.Covered] = []
    if runs:
        tables.append(reached_table(lines))
        holes += unreached(lines)
        executed = {
            (op, dtype, where) for run in runs for op, dtype, where in _distinct(run.kernels, "op", "dtype", "where")
        }
        covered = kernels.coverage(executed, told.registered, set(told.reachable))
        tables.append(kernels_table(covered))
    console = Console()
    for table in tables:
        console.print(_rich(table))
    for what, words in holes:
        console.print(f"{what}: {words}", highlight=False, markup=False, soft_wrap=True)
    if out:
        _write(out, told, lines, tables, holes, covered)
    return not told.stale and not any(line.status == "undeclared" for line in lines)


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(tables, ignore_index=True)


def _rich(table: Table) -> Any:
    from rich.table import Table as Shown

    shown = Shown(title=table.title, title_justify="left", title_style="bold", box=None, header_style="bold")
    for number, column in enumerate(table.columns):
        left = any(isinstance(row[number], str) for row in table.rows)
        shown.add_column(column, justify="left" if left else "right")
    for row in table.rows:
        shown.add_row(*map(str, row))
    return shown


def page(told: Told, tables: Iterable[Table], holes: Iterable[tuple[str, str]]) -> str:
    """The coverage as Markdown."""
    parts = [f"# Coverage of TensorFlow {told.version}\n"]
    for table in tables:
        parts.append(f"## {table.title}\n")
        parts.append(f"| {' | '.join(table.columns)} |\n|{' --- |' * len(table.columns)}")
        parts += [f"| {' | '.join(map(str, row))} |" for row in table.rows]
        parts.append("")
    parts.append("## Holes\n")
    parts += [f"- {what}: {words}" for what, words in holes] or ["None."]
    return "\n".join(parts) + "\n"


def _write(
    out: Path,
    told: Told,
    lines: Sequence[Line],
    tables: Sequence[Table],
    holes: Sequence[tuple[str, str]],
    covered: Sequence[kernels.Covered],
) -> None:
    with saying(out, "write in"):
        out.mkdir(parents=True, exist_ok=True)
        _csv(out / "coverage.csv", lines)
        _csv(out / "options.csv", told.options)
        if covered:
            _csv(out / "kernels.csv", covered)
    replace(out / "coverage.md", page(told, tables, holes))


def _csv(path: Path, items: Sequence[Any]) -> None:
    if not items:
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [f.name for f in fields(items[0])]
        writer.writerow(names)
        for item in items:
            values = [getattr(item, name) for name in names]
            writer.writerow([" ".join(v) if isinstance(v, tuple) else v for v in values])
