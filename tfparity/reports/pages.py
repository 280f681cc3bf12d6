"""Tables and pictures become files: report.html, report.md, a CSV file per table and the pictures.

The page is one file that needs no network, and its size is bounded whatever the run holds. The templates escape foreign
text. `page_tables`, `pictures` and the views decide what is shown; this module writes it, and knows no TensorFlow.
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader

from tfparity.reports import formats, glossary, looks, page_tables, pictures, view_runs, view_verdicts
from tfparity.reports.page_table import PageTable
from tfparity.reports.sections import SECTIONS
from tfparity.reports.tables import Tables, build
from tfparity.suite.records.results import Run, replace, saying

MARKDOWN_LIMIT = 60_000  # a pull request takes 65,536 characters


def write(runs: Sequence[Run], out: Path) -> Path:
    """Write the report of one run, or of several side by side, into `out`; returns the path of report.html."""
    if not runs:
        raise ValueError("no run to report on")
    frames = build(runs)
    shown = page_tables.filled(frames, runs)
    out = Path(out)
    with saying(out, "write in"):
        (out / "pictures").mkdir(parents=True, exist_ok=True)
        drawn = list(draw(frames, out / "pictures"))
        for name, table in csv_files(frames, shown).items():
            table.to_csv(out / name, index=False, encoding="utf-8", errors="backslashreplace")
    data = content(runs, frames, [table for table in shown if table.rows])
    replace(out / "report.md", markdown(data))
    page = ENVIRONMENT.get_template("report.html.j2")
    replace(out / "report.html", page.render(**data, sections=sections(data, drawn), glossary=glossary.themes()))
    return out / "report.html"


def draw(frames: Tables, folder: Path) -> Iterator[dict[str, str]]:
    """Every picture as a file, and as the text that the page holds of it."""
    for each in pictures.draw_all(frames):
        image = io.BytesIO()
        pictures.save(each.figure, image)
        (folder / f"{each.name}.png").write_bytes(image.getvalue())
        yield {
            "title": each.picture.title,
            "where": each.where,
            "caption": each.picture.caption,
            "section": each.picture.section,
            "data": base64.b64encode(image.getvalue()).decode("ascii"),
        }


def csv_files(frames: Tables, shown: Sequence[PageTable]) -> dict[str, pd.DataFrame]:
    """What is written exactly and in full: every failing check, and every table of the page."""
    failures = frames.failures.rename(columns={"group": "divergence"})
    front = ["run", "divergence", "id"]
    failures = failures[[*front, *[c for c in failures if c not in (*front, "failing", "seconds")]]]
    return {"divergences.csv": failures, **{table.file: table.csv() for table in shown}}


def sections(data: dict[str, Any], drawn: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The parts of the page that have something to show, each with its tables and pictures."""
    always = {"machines", "noise", *(["divergences"] if data["bars"] else [])}
    several = "s" if len(data["runs"]) > 1 else ""
    out = []
    for each in SECTIONS:
        tables = [table for table in data["tables"] if table.section == each.name]
        mine = [picture for picture in drawn if picture["section"] == each.name]
        if tables or mine or each.name in always:
            title = each.title + (several if each.name == "machines" else "")
            out.append({"name": each.name, "title": title, "note": each.note, "tables": tables, "pictures": mine})
    return out


def content(runs: Sequence[Run], frames: Tables, shown: Sequence[PageTable]) -> dict[str, Any]:
    """Everything that both templates show, as plain values."""
    names = list(frames.runs["run"])
    groups = view_verdicts.divergences(frames, names)
    return {
        "headline": view_runs.conclusion(frames),
        "warnings": view_runs.warnings(runs, frames),
        "runs": [view_runs.about(run, name) for run, name in zip(runs, names, strict=True)],
        "bars": view_verdicts.bars(frames, names),
        "matrices": view_verdicts.matrices(frames),
        "divergences": groups,
        "short": view_verdicts.short(groups, frames),
        "known": view_verdicts.known(frames),
        "noise": [view_runs.noise(run, name) for run, name in zip(runs, names, strict=True)],
        "tables": shown,
        "files": ["divergences.csv", *(table.file for table in shown)],
        "colours": {
            "verdict": {**looks.VERDICTS, "failing": looks.FAILING, "known": looks.KNOWN},
            "timing": looks.TIMING_VERDICTS,
        },
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


def meaning(text: str) -> str:
    """The definition of a word, "" where there is none."""
    found = glossary.definition(text)
    return found.means if found else ""


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
    made.filters.update(linked=glossary.linked, prose=glossary.prose, definition=meaning, sample=glossary.sample)
    return made


ENVIRONMENT = environment()
