"""The closing summary in the terminal: counts per verdict, the worst divergences, the largest speed-ups and slow-downs.

It fits one screen; the report holds the rest. Knows run folders and `rich`, and no TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tfparity.reports import formats
from tfparity.reports.facts import devices, machine, shown
from tfparity.reports.tables import Tables, build, totals
from tfparity.reports.times import relative
from tfparity.reports.view_runs import commit, conclusion, twin_words, warnings
from tfparity.reports.view_verdicts import why
from tfparity.suite.records.results import FAILING, VERDICTS, Run

WORST = 8  # divergences in the summary
EXTREMES = 4  # speed-ups, and as many slow-downs


def render(run: Run, report: Path | None = None) -> RenderableType:
    """The results of a run; `report` is the page that was written, by default the one in the run folder, if any."""
    tables = build([run])
    page = report or run.path / "report.html"
    parts: list[RenderableType] = [Text(""), heading(run)]
    parts += [Text(f"! {each}", style="yellow") for each in warnings([run], tables)]
    if len(tables.checks):
        parts.append(verdict_line(tables))
    if len(tables.divergences):
        parts.append(worst(tables))
    if len(relative(tables.speed)):
        parts += [
            extremes(tables),
            *(
                [Text(f"noise: {twin_words(run.meta.get('twin'))}", style="dim")]
                if twin_words(run.meta.get("twin"))
                else []
            ),
        ]
    bad = bool(len(tables.divergences)) and not tables.divergences["known"].astype(bool).all()
    said = conclusion(tables)
    parts.append(
        Text(said[0].upper() + said[1:], style="bold red" if bad else "bold green" if len(tables.checks) else "bold")
    )
    if page.exists():
        parts.append(Text(f"report: {page}", no_wrap=True, overflow="ignore"))
    return Group(*parts)


def heading(run: Run) -> Text:
    about = machine(run)
    words = [
        f"TensorFlow {shown(run.meta.get('tensorflow'))}",
        shown(about.get("cpu")),
        devices(about),
        f"oneDNN {shown(about.get('onednn'))}",
    ]
    code = commit(run.meta.get("git"))
    return Text(
        " · ".join([*(w for w in words if w != formats.NONE), *([f"commit {code}"] if code else [])]), style="dim"
    )


def verdict_line(tables: Tables) -> Text:
    """`2,871 identical · 1,739 close · …`, without the verdicts that no check had."""
    line = Text()
    for word, number in totals(tables.checks).items():
        if number:
            line.append(" · " if line else "")
            line.append(
                f"{number:,} {formats.plain(word)}",
                style="red" if word in FAILING else "" if word in VERDICTS else "yellow",
            )
    return line


def worst(tables: Tables) -> Group:
    """The worst divergences: what differed, and the command that reproduces it, in one line, to be copied."""
    fresh = tables.divergences[~tables.divergences["known"].astype(bool)]
    first = tables.failures.drop_duplicates("group").set_index("group")
    lines: list[RenderableType] = []
    for row in fresh.head(WORST).to_dict("records"):
        name = formats.plain(row["verdict"]) + (f", {formats.plain(row['kind'])}" if row["kind"] else "")
        said = Text(name, style="red")
        said.append(f"  {int(row['checks']):,} of {int(row['of']):,} checks of {formats.plain(row['op'])}", style="dim")
        lines.append(said)
        check = first.loc[row["group"]]
        lines += [
            Text(f"    {formats.plain(line)}", no_wrap=True, overflow="ellipsis") for line in why(check["detail"])
        ]
        command = f"    tfparity repro '{formats.plain(check['id'])}'"
        lines.append(Text(command, no_wrap=True, overflow="ignore"))
    if len(fresh) > WORST:
        lines.append(Text(f"and {len(fresh) - WORST:,} more, all in the report and in divergences.csv", style="dim"))
    return Group(*lines)


def extremes(tables: Tables) -> Table:
    """The largest resolved speed-ups and slow-downs of modes other than NumPy, one row an op and mode."""
    rows = relative(tables.speed)
    rows = rows[(rows["mode"] != "numpy") & rows["verdict"].isin(["faster", "slower"])]
    rows = rows.assign(_far=np.abs(np.log(rows["speedup"].astype("float64")))).sort_values(
        "_far", ascending=False, kind="stable"
    )
    rows = rows.drop_duplicates(["op", "mode", "verdict"])
    both = pd.concat([rows[rows["verdict"] == word].head(EXTREMES) for word in ("faster", "slower")])
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title, justify in (
        ("relative to eager", "left"),
        ("speed-up", "right"),
        ("interval", "right"),
        ("op", "left"),
        ("size", "right"),
    ):
        table.add_column(title, justify=justify, no_wrap=title != "op", overflow="fold")  # type: ignore[arg-type]
    for row in both.to_dict("records"):
        value, low, high = row["speedup"], row["speedup_low"], row["speedup_high"]
        table.add_row(
            Text(row["verdict"], style="green" if row["verdict"] == "faster" else "red"),
            formats.times(value, low, high),
            formats.interval(low, high),
            Text(f"{formats.plain(row['op'])} {row['mode']} {row['dtype']} {row['device']}"),
            formats.size(row["size"]),
        )
    if both.empty:
        table.add_row(Text("none resolved", style="dim"), "", "", "", "")
    return table
