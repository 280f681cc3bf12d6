"""How much of what TensorFlow documents is declared: covered, declared holes, undeclared holes.

The denominator is TensorFlow's own (`inventory`); nothing here is counted from declarations alone.
"""

from __future__ import annotations

import csv
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

from . import case as cases
from .results import RunError, saying


@dataclass(frozen=True)
class Row:
    """One documented op: `covered`, `hole` (declared, with its reason) or `undeclared`."""

    op: str
    status: str
    reason: str


def rows(documented: list[str], declared: dict[str, cases.Case]) -> list[Row]:
    """What became of each documented op; declared cases that are no program and not documented are `foreign`."""
    found = []
    for name in documented:
        case = declared.get(name)
        status = "undeclared" if case is None else "hole" if case.missing else "covered"
        found.append(Row(name, status, case.missing if case else ""))
    known = set(documented)
    found += [
        Row(n, "foreign", "declared, but this TensorFlow does not document it")
        for n, c in declared.items()
        if n.startswith("tf.") and n not in known and not c.is_program
    ]
    return found


def _ask() -> dict:
    from . import inventory

    return {
        "ops": [op.name for op in inventory.documented()],
        "kernels": len(inventory.kernels()),
        "gradients": sum(inventory.gradients().values()),
    }


def show(out: Path | None) -> bool:
    """Print the coverage by namespace, write `coverage.csv` if asked; whether nothing is undeclared."""
    from rich.console import Console
    from rich.table import Table

    declared = cases.load()
    try:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            told = pool.apply(_ask)
    except ImportError as error:
        raise RunError("TensorFlow is not installed: pip install 'tfparity[cpu]' (or [gpu], [nightly])") from error
    found = rows(told["ops"], declared)
    table = Table(box=None, header_style="bold")
    for column in ("namespace", "documented", "covered", "declared holes", "undeclared"):
        table.add_column(column, justify="left" if column == "namespace" else "right")
    spaces = sorted({r.op.rpartition(".")[0] for r in found})
    for space in [*spaces, ""]:
        here = [r for r in found if r.op.rpartition(".")[0] == space or not space]
        count = {s: sum(r.status == s for r in here) for s in ("covered", "hole", "undeclared", "foreign")}
        table.add_row(
            space or "all",
            str(len(here) - count["foreign"]),
            *(str(count[s]) for s in ("covered", "hole", "undeclared")),
        )
    console = Console()
    console.print(table)
    console.print(
        f"below: {told['kernels']} raw ops with a CPU kernel, {told['gradients']} with a gradient",
        highlight=False,
    )
    for status, said in (("hole", "declared hole"), ("foreign", "foreign")):
        for row in found:
            if row.status == status:
                console.print(f"{said}: {row.op}: {row.reason}", highlight=False, markup=False)
    undeclared = [r.op for r in found if r.status == "undeclared"]
    if undeclared:
        console.print(f"undeclared: {', '.join(undeclared)}", highlight=False)
    if out:
        with saying(out, "write in"):
            out.mkdir(parents=True, exist_ok=True)
            with (out / "coverage.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["op", "status", "reason"])
                writer.writerows((r.op, r.status, r.reason) for r in found)
    return not undeclared
