"""The tables of the report, one function each.

Adding a table is adding one function here and its name to PAGE_TABLES: the page, report.md and a CSV file show what it
returns. A table without rows is not shown. The special views of verdicts (the matrix, the divergences) stand in
`view_verdicts`. Knows DataFrames and run.json, and no template.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tfparity.reports import facts, formats, looks
from tfparity.reports.page_table import Cell, Column, PageTable, row
from tfparity.reports.rows import PLACE
from tfparity.reports.tables import Tables, totals
from tfparity.suite.records.results import Run

SPEED_ROWS = 1_200  # op and size rows of the speed table on the page


def verdicts(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """Checks per verdict, a column per run."""
    each = [tables.checks[tables.checks["run"] == name] for name in tables.runs["run"]]
    counts = [totals(checks) for checks in each]
    words = list(dict.fromkeys(word for known in counts for word in known)) if len(tables.checks) else []

    def numbers(values: Iterable[int], *, share: bool = False, look: str = "") -> list[Cell]:
        out = []
        for value, checks in zip(values, each, strict=True):
            out.append(Cell(formats.count(value), int(value), look=look if value else ""))
            out.append(Cell(formats.share(value, len(checks)) if share else ""))
        return out

    rows = [
        row(
            Cell(word, swatch=looks.verdict_colour(word)),
            *numbers((known.get(word, 0) for known in counts), share=True),
            look="" if any(known.get(word, 0) for known in counts) else "zero",
        )
        for word in words
    ]
    if rows:
        rows += [
            row("all checks", *numbers(map(len, each)), look="sum"),
            row("failing, not waived", *numbers((int(checks["failing"].sum()) for checks in each), look="bad")),
            row("failing, waived (known)", *numbers(int(checks["known"].sum()) for checks in each)),
        ]
    names = list(tables.runs["run"]) if len(runs) > 1 else ["checks"]
    return PageTable(
        name="verdicts",
        section="verdicts",
        title="All checks",
        note="",
        columns=(Column("verdict"), *(c for name in names for c in (Column(name, True), Column("share", True)))),
        rows=tuple(rows),
        exact=tables.verdicts,
    )


def glance(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """The speed-up of each mode in a few lines."""
    place = several(tables.speed, PLACE)
    rows = [
        row(
            *([place_of(each, place)] if place else []),
            mode_cell(each["mode"]),
            number(each["ops"]),
            *(Cell(formats.times(each[key]), each[key]) for key in ("smallest", "largest", "speedup")),
            *(number(each[word]) for word in looks.TIMING_VERDICTS),
        )
        for each in tables.glance.to_dict("records")
    ]
    return PageTable(
        name="glance",
        section="speed",
        title="Speed-up over eager by mode",
        note="The geometric mean over the ops, at the smallest size, at the largest size and over all sizes; then how "
        "many cells are faster or slower than eager, equivalent, or unresolved.",
        columns=(
            *([Column("place")] if place else []),
            Column("mode"),
            *(Column(t, True) for t in ("ops", "smallest size", "largest size", "all sizes", *looks.TIMING_VERDICTS)),
        ),
        rows=tuple(rows),
    )


def speed(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """One row per timed cell, a column per mode; where rows are left out, those nearest to eager are."""
    timed = tables.speed
    modes = [mode for mode in looks.in_order(timed["mode"]) if mode != "eager"]
    keys = [*PLACE, "op", "dtype", "sample", "size"]
    shown = ["op", *several(timed, [*PLACE, "dtype", "sample"])]
    cells: dict[tuple[Any, ...], dict[str, dict[Any, Any]]] = {}
    for each in timed.to_dict("records"):
        cells.setdefault(tuple(each[key] for key in keys), {})[each["mode"]] = each
    order = list(cells)
    if len(order) > SPEED_ROWS:
        chosen = set(sorted(order, key=lambda key: -furthest_from_eager(cells[key]))[:SPEED_ROWS])
        order = [key for key in order if key in chosen]
    rows = [
        row(
            *(str(dict(zip(keys, key, strict=True))[column]) for column in shown),
            size_cell(key[-1]),
            time_cell(cells[key].get("eager")),
            *(speed_up_cell(cells[key].get(mode)) for mode in modes),
        )
        for key in order
    ]
    return PageTable(
        name="speed",
        section="speed",
        title="Every op and size",
        note="Eager’s time, and each mode’s speed-up over eager with its interval. Blue is faster, orange is slower, "
        "italic is unresolved."
        + (" The cells in which a compiled mode is furthest from eager are shown." if len(cells) > len(order) else ""),
        columns=(
            *map(Column, shown),
            Column("size", True),
            Column("eager", True),
            *(Column(mode, True) for mode in modes),
        ),
        rows=tuple(rows),
        most=SPEED_ROWS,
        brief=0,
        total=len(cells),
        searchable=True,
        exact=tables.speed,
    )


def cold_by_mode(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """Cold cost and break-even in one line per mode."""
    place = several(tables.cold, PLACE)
    rows = []
    for (run, device, mode), part in tables.cold.groupby([*PLACE, "mode"], sort=False):
        paid = part[part["pays"] == "yes"]
        median, calls = float(part["cold"].median()), float(paid["calls"].median()) if len(paid) else math.nan
        rows.append(
            row(
                *([place_of({"run": run, "device": device}, place)] if place else []),
                mode_cell(str(mode)),
                Cell(formats.seconds(median), median),
                number(len(part)),
                *(number((part["pays"] == word).sum()) for word in ("yes", "never", "unresolved")),
                Cell(formats.calls(calls), calls),
            )
        )
    titles = ("median cold", "cells", "pays", "never", "unresolved", "median calls, where it pays")
    return PageTable(
        name="cold-by-mode",
        section="cold",
        title="Break-even by mode",
        note="The median cold cost; in how many cells the mode wins it back, never does, or the interval is too wide "
        "to say; and the median break-even of the cells in which it does.",
        columns=(
            *([Column("place")] if place else []),
            Column("mode"),
            *(Column(title, True) for title in titles),
        ),
        rows=tuple(rows),
    )


def cold(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """One row per cell and mode, the earliest break-even first."""
    shown = ["op", *several(tables.cold, PLACE)]
    rows = [
        row(
            *(str(each[column]) for column in shown),
            each["dtype"],
            size_cell(each["size"]),
            each["mode"],
            Cell(formats.seconds(each["cold"], each["cold_low"], each["cold_high"]), each["cold"]),
            Cell(formats.seconds(each["eager"]), each["eager"]),
            Cell(formats.seconds(each["warm"]), each["warm"]),
            calls_cell(each),
        )
        for each in tables.cold.sort_values(["calls", "cold"], kind="stable").head(500).to_dict("records")
    ]
    return PageTable(
        name="cold",
        section="cold",
        title="Break-even of every op and size",
        note="Seconds of the cold call, of a warm call in eager and of a warm call in the mode, and the calls after "
        "which the cold cost is won back.",
        columns=(
            *map(Column, shown),
            Column("dtype"),
            Column("size", True),
            Column("mode"),
            *(Column(title, True) for title in ("cold", "eager", "warm", "break-even calls")),
        ),
        rows=tuple(rows),
        brief=0,
        total=len(tables.cold),
        searchable=True,
        exact=tables.cold,
    )


def machines(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """One row per fact, a column per run."""
    names = list(tables.runs["run"])
    rows = [
        row(each["fact"], *(each[name] for name in names), look="differs" if each["differs"] else "")
        for each in tables.machines.to_dict("records")
    ]
    return PageTable(
        name="machines",
        section="machines",
        title="",
        note="Facts in which the runs differ are marked." if len(names) > 1 else "",
        columns=(Column("fact"), *(map(Column, names) if len(names) > 1 else [Column("value")])),
        rows=tuple(rows),
        brief=0,
    )


def hardware(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """Cells timed in several places, a column per place; the cells that differ most first."""
    timed = tables.hardware
    places, base = list(dict.fromkeys(timed["place"])), str(timed["base"].iloc[0]) if len(timed) else ""
    keys = ["op", "dtype", "sample", "size", "mode"]
    ratio = timed["ratio"].astype("float64")
    far = timed.assign(_far=np.nan_to_num(np.abs(np.log(ratio.where(ratio > 0)))))
    cells: dict[tuple[Any, ...], dict[str, dict[Any, Any]]] = {}
    for each in far.sort_values("_far", ascending=False, kind="stable").to_dict("records"):
        cells.setdefault(tuple(each[key] for key in keys), {})[each["place"]] = each
    rows = []
    for (op, dtype, _, size, mode), here in list(cells.items())[:500]:
        seconds = next(iter(here.values()))["base_seconds"]
        rows.append(
            row(
                op,
                dtype,
                size_cell(size),
                mode,
                Cell(formats.seconds(seconds), seconds),
                *(ratio_cell(here.get(place)) for place in places),
            )
        )
    return PageTable(
        name="hardware",
        section="machines",
        title=f"Time at each place divided by the time at {base}",
        note=f"Warm times as measured, not relative to eager; the cells that differ most stand first. Below 1× the "
        f"place takes less time than {base}.",
        columns=(
            Column("op"),
            Column("dtype"),
            Column("size", True),
            Column("mode"),
            *(Column(place, True) for place in (base, *places)),
        ),
        rows=tuple(rows),
        brief=0,
        total=len(cells),
        searchable=True,
        exact=timed,
    )


def costs(tables: Tables, runs: Sequence[Run]) -> PageTable:
    """What the run itself spent its time on, a row per run and phase."""
    rows = []
    for name, run in zip(tables.runs["run"], runs, strict=True):
        spent = facts.costs(run)
        whole = sum(spent.values())
        for phase, seconds in spent.items():
            rows.append(
                row(
                    *([name] if len(runs) > 1 else []),
                    formats.plain(phase),
                    Cell(formats.seconds(seconds) if seconds else "0 s", seconds),
                    Cell(formats.share(seconds, whole)),
                    Cell("", bar=round(100 * seconds / whole, 1) if whole > 0 else 0),
                )
            )
    return PageTable(
        name="costs",
        section="noise",
        title="What the run spent its time on",
        note="Seconds of all workers together.",
        columns=(
            *([Column("run")] if len(runs) > 1 else []),
            Column("phase"),
            Column("time", True),
            Column("share", True),
            Column(""),
        ),
        rows=tuple(rows),
        brief=0,
    )


PAGE_TABLES: list[Callable[[Tables, Sequence[Run]], PageTable]] = [
    verdicts,
    glance,
    speed,
    cold_by_mode,
    cold,
    machines,
    hardware,
    costs,
]


# --------------------------------------------------------------------------------------------------------- cells


def several(frame: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """Those of the columns that hold more than one value: the others need not be shown."""
    return [key for key in keys if frame[key].nunique() > 1]


def place_of(each: Mapping[Any, Any], keys: Sequence[str]) -> str:
    return " ".join(str(each[key]) for key in keys)


def mode_cell(mode: str) -> Cell:
    return Cell(mode, swatch=looks.mode_colour(mode))


def number(value: Any) -> Cell:
    return Cell(formats.count(value), int(value))


def size_cell(size: int) -> Cell:
    return Cell(formats.size(size), int(size))


def time_cell(each: Mapping[Any, Any] | None) -> Cell:
    """Seconds with the digits that their interval earns."""
    if each is None:
        return Cell(formats.NONE, math.nan)
    return Cell(formats.seconds(each["seconds"], each["low"], each["high"]), each["seconds"])


def speed_up_cell(each: Mapping[Any, Any] | None) -> Cell:
    """A speed-up with its interval, coloured by its verdict."""
    if each is None:
        return Cell(formats.NONE, math.nan)
    value, low, high = (float(each[key]) for key in ("speedup", "speedup_low", "speedup_high"))
    verdict = each["verdict"] if each["verdict"] in looks.TIMING_VERDICTS else "unresolved"
    return Cell(
        formats.times(value, low, high),
        value,
        small=formats.interval(low, high),
        hint=f"{verdict}, {time_cell(each).text}",
        look=f"t-{verdict}",
    )


def ratio_cell(each: Mapping[Any, Any] | None) -> Cell:
    """The time at one place over the time at another, coloured where the interval excludes 1."""
    if each is None:
        return Cell(formats.NONE, math.nan)
    low, high = each["ratio_low"], each["ratio_high"]
    verdict = "faster" if high < 1 else "slower" if low > 1 else "unresolved"
    return Cell(
        formats.times(each["ratio"], low, high),
        each["ratio"],
        small=formats.interval(low, high),
        hint=verdict,
        look=f"t-{verdict}",
    )


def calls_cell(each: Mapping[Any, Any]) -> Cell:
    """The break-even of a cell: a number of calls, `never`, or that the interval is too wide to say."""
    if each["pays"] != "unresolved":
        return Cell(formats.calls(each["calls"]), each["calls"], look="" if each["pays"] == "yes" else "t-unresolved")
    least = each["calls_low"]
    text = f"unresolved, ≥ {formats.calls(least)}" if math.isfinite(least) else "unresolved"
    return Cell(text, 1e300, look="t-unresolved")


def furthest_from_eager(modes: Mapping[str, Mapping[Any, Any]]) -> float:
    """How far the compiled modes of a cell are from eager, as the logarithm of a factor."""
    compiled = [each["speedup"] for mode, each in modes.items() if mode not in ("eager", "numpy")]
    return max((abs(math.log(value)) for value in compiled if value > 0), default=0.0)


def filled(tables: Tables, runs: Sequence[Run]) -> list[PageTable]:
    """Every table of a report, those without rows included."""
    return [make(tables, runs) for make in PAGE_TABLES]
