"""A table of the report is one function, and the page, report.md and a CSV file show it."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd
import pytest

from tfparity.reports import page_tables, pages, tables
from tfparity.reports.page_table import Cell, Column, PageTable, row
from tfparity.reports.sections import SECTIONS
from tfparity.suite.records.results import Run

from .synthetic import check, run, timings


def slowest_ops(frames: tables.Tables, runs: list[Run]) -> PageTable:
    """A table that a newcomer adds: nothing but this function and its place in the list."""
    seconds = frames.speed.groupby("op")["seconds"].max().sort_values(ascending=False)
    return PageTable(
        name="slowest-ops",
        section="speed",
        title="The slowest ops",
        note="The longest warm call of each op.",
        columns=(Column("op"), Column("seconds", number=True)),
        rows=tuple(row(op, Cell(f"{value:.2g} s", value)) for op, value in seconds.items()),
        most=3,
        brief=2,
    )


def test_a_new_table_is_one_function_seen_in_the_page_in_markdown_and_as_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_tables, "PAGE_TABLES", [*page_tables.PAGE_TABLES, slowest_ops])
    target = pages.write([run(tmp_path / "r", [check()], timings(ops=6))], tmp_path / "out")
    page = html.unescape(re.sub(r"<a [^>]*>|</a>", "", target.read_text(encoding="utf-8")))
    markdown = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    for text in (page, markdown):
        assert "The slowest ops" in text
        assert "The longest warm call of each op." in text
    assert "3 further rows of this table are not shown here" in page
    assert "4 further rows: `slowest-ops.csv`" in markdown
    assert "| op | seconds |" in markdown
    written = pd.read_csv(tmp_path / "out" / "slowest-ops.csv")
    assert list(written.columns) == ["op", "seconds"]
    assert len(written) == 6
    assert written["seconds"].is_monotonic_decreasing
    shown = page[page.index("The slowest ops") :].partition("</table>")[0]
    assert f"<th>{written['op'][2]}</th>" in shown
    assert f"<th>{written['op'][3]}</th>" not in shown


def test_every_table_has_a_name_of_its_own_a_known_section_and_as_many_cells_as_columns(usual: Run, gpu: Run) -> None:
    for runs in ([usual], [usual, gpu], [run(Path("nothing"), about={})]):
        made = page_tables.filled(tables.build(runs), runs)
        assert len({table.name for table in made}) == len(made)
        for table in made:
            assert table.section in {section.name for section in SECTIONS}
            assert all(len(each.cells) == len(table.columns) for each in table.rows), table.name


def test_a_run_of_nothing_shows_no_table_but_the_facts_of_the_machine() -> None:
    nothing = [run(Path("nothing"), about={})]
    shown = [table.name for table in page_tables.filled(tables.build(nothing), nothing) if table.rows]
    assert shown == ["machines"]


def test_a_table_is_sorted_by_numbers_where_it_shows_numbers() -> None:
    assert Cell("1.5 ms", 0.0015).sort == "0.0015"
    assert Cell("never", float("inf")).sort == "1e+305"
    assert Cell("–", float("nan")).sort == "-1"
    assert Cell("float32").sort == ""
