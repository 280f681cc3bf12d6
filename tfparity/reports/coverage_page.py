"""The coverage shown: tables in a terminal, a page of Markdown, CSV files. It must not know how it was measured."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfparity.suite.coverage.facts import NAMESPACE, Facts
from tfparity.suite.coverage.matrix import COUNTED, MODES, Coverage, Line
from tfparity.suite.records import kernels
from tfparity.suite.records.results import replace, saying

Hole = tuple[str, str]
"""What kind of hole it is, and its words."""


@dataclass(frozen=True)
class Table:
    """A table of the page: columns of numbers are aligned right, all others left."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]


def show(found: Coverage, out: Path | None) -> bool:
    """Print the coverage, write it into `out` if asked; whether nothing is undeclared and no exclusion is stale."""
    from rich.console import Console

    console = Console()
    for table in tables(found):
        console.print(_rich(table))
    for what, words in holes(found):
        console.print(f"{what}: {words}", highlight=False, markup=False, soft_wrap=True)
    if out:
        write(found, out)
    return found.complete


def tables(found: Coverage) -> list[Table]:
    """The tables of the page; those of what was reached need runs."""
    reached = [reached_table(found.lines), kernels_table(found.kernels)] if found.runs else []
    return [declared_table(found.lines), options_table(found.facts), *reached]


def holes(found: Coverage) -> list[Hole]:
    """Every hole of the page."""
    return named(found.lines, found.facts) + (unreached(found.lines) if found.runs else [])


# --- tables --------------------------------------------------------------------------------------------------------


def declared_table(lines: Sequence[Line]) -> Table:
    """How many names each area and namespace has, and how many of them are covered, holes and undeclared."""
    counts = [line for line in lines if line.status in COUNTED]
    ops = [line for line in counts if line.area == NAMESPACE]
    found = [_counted(s, [line for line in ops if _space(line.op) == s]) for s in sorted({_space(o.op) for o in ops})]
    found.append(_counted("all documented ops", ops))
    for area in dict.fromkeys(line.area for line in counts if line.area != NAMESPACE):
        found.append(_counted(area, [line for line in counts if line.area == area]))
    return Table("Declared", ("", "TensorFlow has", "covered", "declared holes", "undeclared"), tuple(found))


def _counted(label: str, lines: Sequence[Line]) -> tuple[str | int, ...]:
    return label, len(lines), *(sum(line.status == status for line in lines) for status in COUNTED)


def _space(op: str) -> str:
    """The namespace of an op: `tf.math`, or `tf`."""
    parts = op.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else "tf"


def options_table(known: Facts) -> Table:
    """How many options some sample gives another value than the default."""
    total = len(known.options)
    used = sum(option.exercised for option in known.options)
    return Table(
        "Options: arguments with a default that a result depends on",
        ("options", "given another value", "never"),
        ((total, used, total - used),),
    )


def reached_table(lines: Sequence[Line]) -> Table:
    """How many documented ops gave a value in some dtype, by mode, gave gradients, and how many examples ran."""
    ops = [line for line in lines if line.counted]
    return Table(
        "Reached by the runs",
        ("documented ops", "ran", "of"),
        (
            *((f"in {mode}", sum(bool(op.dtypes[mode]) for op in ops), len(ops)) for mode in MODES),
            ("with a gradient that was judged", sum(bool(op.gradients) for op in ops), len(ops)),
            *((f"(op, dtype) in {mode}", sum(len(op.dtypes[mode].split()) for op in ops), "") for mode in MODES),
            ("examples", sum(op.examples_run for op in ops), sum(op.examples for op in ops)),
        ),
    )


def kernels_table(covered: Sequence[kernels.Covered]) -> Table:
    """How many of the registered kernels below the documented ops ran, by place."""
    found = []
    for where in sorted({row.where for row in covered}):
        ran, registered = kernels.share(covered, where)
        found.append((where, ran, registered, f"{ran / registered:.1%}"))
    title = "Kernels: (raw op, dtype) pairs below the documented ops"
    return Table(title, ("where", "ran", "registered", ""), tuple(found))


# --- holes ---------------------------------------------------------------------------------------------------------


def named(lines: Sequence[Line], known: Facts) -> list[Hole]:
    """The holes of what is declared."""
    found = [("stale exclusion", f"{name}: it excludes nothing in this TensorFlow") for name in known.stale]
    for status, what in (("undeclared", "undeclared"), ("hole", "declared hole"), ("lacking", "lacking")):
        found += [(what, f"{line.op}: {line.reason}".removesuffix(": ")) for line in lines if line.status == status]
    found += [("always default", f"{line.op}: {line.options_at_default}") for line in lines if line.options_at_default]
    return found


def unreached(lines: Sequence[Line]) -> list[Hole]:
    """The covered ops that gave no value in the runs, in eager and in graph."""
    found = []
    for mode in ("eager", "graph"):
        ops = [x.op for x in lines if x.area == NAMESPACE and x.status == "covered" and not x.dtypes[mode]]
        found += [(f"no value in {mode}", f"{len(ops)} ops: {' '.join(ops)}")] if ops else []
    return found


# --- shown and written ---------------------------------------------------------------------------------------------


def _rich(table: Table) -> Any:
    from rich.table import Table as Shown

    shown = Shown(title=table.title, title_justify="left", title_style="bold", box=None, header_style="bold")
    for number, column in enumerate(table.columns):
        left = any(isinstance(row[number], str) for row in table.rows)
        shown.add_column(column, justify="left" if left else "right")
    for row in table.rows:
        shown.add_row(*map(str, row))
    return shown


def page(found: Coverage) -> str:
    """The coverage as Markdown."""
    parts = [f"# Coverage of TensorFlow {found.facts.version}\n"]
    for table in tables(found):
        parts.append(f"## {table.title}\n")
        parts.append(f"| {' | '.join(table.columns)} |\n|{' --- |' * len(table.columns)}")
        parts += [f"| {' | '.join(map(str, row))} |" for row in table.rows]
        parts.append("")
    parts.append("## Holes\n")
    parts += [f"- {what}: {words}" for what, words in holes(found)] or ["None."]
    return "\n".join(parts) + "\n"


def write(found: Coverage, out: Path) -> None:
    """Write `coverage.md` and its tables as CSV into a folder."""
    with saying(out, "write in"):
        out.mkdir(parents=True, exist_ok=True)
        _csv(out / "coverage.csv", [line.columns() for line in found.lines])
        _csv(out / "options.csv", [asdict(option) for option in found.facts.options])
        _csv(out / "kernels.csv", [asdict(covered) for covered in found.kernels])
    replace(out / "coverage.md", page(found))


def _csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """A table of rows with the same columns; no file where there is no row."""
    found = list(rows)
    if not found:
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(found[0])
        for row in found:
            writer.writerow([" ".join(item) if isinstance(item, tuple) else item for item in row.values()])
