"""Tables and pictures become pages: report.html, report.md, CSV files and the pictures themselves.

The page is one file that needs no network, and its size is bounded whatever the run. Foreign text is escaped by the
templates. What is said stands in the views; this module only writes it. It knows no drawing and no TensorFlow.
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader

from tfparity.reports import formats, looks, pictures, view_runs, view_times, view_verdicts
from tfparity.reports.tables import Tables, build
from tfparity.suite.records.results import FAILING, Run, replace, saying

MARKDOWN_LIMIT = 60_000  # a pull request takes 65,536 characters


def write(runs: Sequence[Run], out: Path) -> Path:
    """Write the report of one run, or of several side by side, into `out`; returns the path of report.html."""
    if not runs:
        raise ValueError("no run to report on")
    tables = build(runs)
    out = Path(out)
    with saying(out, "write in"):
        (out / "pictures").mkdir(parents=True, exist_ok=True)
        drawn = []
        for each in pictures.draw_all(tables):
            image = io.BytesIO()
            pictures.save(each.figure, image)
            (out / "pictures" / f"{each.name}.png").write_bytes(image.getvalue())
            drawn.append({
                "name": each.name, "title": each.picture.title, "where": each.where, "caption": each.picture.caption,
                "section": each.picture.section, "data": base64.b64encode(image.getvalue()).decode("ascii"),
            })  # fmt: skip
        for name, table in csv_tables(tables).items():
            table.to_csv(out / f"{name}.csv", index=False, encoding="utf-8", errors="backslashreplace")
    data = content(runs, tables)
    replace(out / "report.md", markdown(data))
    replace(out / "report.html", ENVIRONMENT.get_template("report.html.j2").render(**data, pictures=drawn))
    return out / "report.html"


def csv_tables(tables: Tables) -> dict[str, pd.DataFrame]:
    """What stays exact and whole: every failing check, the counts, every warm timing, every cold cost."""
    failures = tables.failures.rename(columns={"group": "divergence"})
    front = ["run", "divergence", "id"]
    failures = failures[[*front, *[c for c in failures if c not in (*front, "failing", "seconds")]]]
    return {"divergences": failures, "verdicts": tables.verdicts, "speed": tables.speed, "cold": tables.cold}


def content(runs: Sequence[Run], tables: Tables) -> dict[str, Any]:
    """Everything both templates show, as plain values."""
    names = list(tables.runs["run"])
    shown_groups = view_verdicts.divergences(tables, names)
    return {
        "headline": view_runs.conclusion(tables),
        "warnings": view_runs.warnings(runs, tables),
        "runs": [view_runs.about(run, name) for run, name in zip(runs, names, strict=True)],
        "totals": view_verdicts.counts(tables, names),
        "matrices": view_verdicts.matrices(tables),
        "divergences": shown_groups,
        "short": view_verdicts.short(shown_groups, tables),
        "known": view_verdicts.known(tables),
        "glance": view_times.glance(tables),
        "speed": view_times.speed_rows(tables),
        "cold": view_times.cold_rows(tables),
        "hardware": view_times.hardware_rows(tables),
        "machines": view_runs.machine_rows(tables, names),
        "noise": [view_runs.noise(run, name) for run, name in zip(runs, names, strict=True)],
        "place": " and ".join(
            w for w, n in (("run", len(names)), ("device", tables.speed["device"].nunique())) if n > 1
        ),
        "colours": {
            "verdict": {**looks.VERDICTS, "failing": looks.FAILING, "known": looks.KNOWN},
            "mode": {mode: colour for mode, (colour, _) in looks.MODES.items()},
            "timing": looks.TIMING_VERDICTS,
        },
        "failing_words": FAILING,
    }


def words(text: Any) -> str:
    """Foreign text as Markdown prose: markup is spelled out, lines are joined."""
    flat = " ".join(formats.plain(text).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", flat) if re.search(r"[\\`*\[\]|#~]|(?<!\w)_|_(?!\w)", flat) else flat


def code(text: Any) -> str:
    """Foreign text as Markdown code, in a table or out: as many backticks around as it takes."""
    flat = " ".join(formats.plain(text).split()).replace("|", "\\|")
    runs = [len(run) for run in re.findall("`+", flat)]
    fence = "`" * (max(runs, default=0) + 1)
    pad = " " if runs else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def markdown(data: dict[str, Any]) -> str:
    """report.md: runs of blank lines closed, and no longer than a pull request takes."""
    text = ENVIRONMENT.get_template("report.md.j2").render(**data)
    text = re.sub(r"\|\n\n+(?=\|)", "|\n", re.sub(r"\n{3,}", "\n\n", text)).strip() + "\n"
    if len(text) > MARKDOWN_LIMIT:
        kept = text[:MARKDOWN_LIMIT].rsplit("\n", 1)[0]
        fold = "\n\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
        text = f"{kept}{fold}\n\n**{len(text) - len(kept):,} characters more are in report.html.**\n"
    return text


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(os.fspath(Path(__file__).parent / "templates")),
        autoescape=lambda name: bool(name and ".html" in name),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(words=words, cell=words, code=code, plain=formats.plain)
    return made


ENVIRONMENT = environment()
