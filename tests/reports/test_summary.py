"""The closing summary says the worst first and prints whatever a row holds."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tfparity.reports import formats, summary
from tfparity.suite.records.results import Run

from .synthetic import check, run, timings, waived


def printed(made: Run, report: Path | None = None) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(summary.render(made, report))
    return console.export_text()


def test_a_failing_check_stands_in_the_summary_with_its_identity(usual: Run) -> None:
    text = printed(run(Path("r"), [check(verdict="differs", kind="value", scaled_error=7.0), check(sample="ok")]))
    assert f"'{check().id}'" in text
    assert "1 divergence needs attention" in text.replace("\n", " ")


def test_it_counts_verdicts_in_their_own_words_and_names_extremes(usual: Run) -> None:
    text = printed(usual)
    assert "2,871 identical" in text
    assert "1 timeout" in text
    assert "faster" in text
    assert "slower" in text
    assert "3 of 210 pairs" in text


def test_markup_in_rows_is_text() -> None:
    assert "[/red]" in printed(run(Path("r"), [check(verdict="crash", sample="[/red]")]))


def test_nothing_and_waived_and_timed_runs_have_a_summary() -> None:
    assert "nothing was checked" in printed(run(Path("r"), about={})).lower()
    assert "1 is known" in printed(run(Path("r"), [waived(check(verdict="differs"))]))
    assert "cells timed" in printed(run(Path("r"), [], timings(ops=2)))


def test_where_the_report_is_comes_last(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("")
    assert printed(run(tmp_path, [check()])).strip().endswith("report.html")


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (2.134, 2.11, 2.15, "2.13"),
        (2.134, 1.8, 2.4, "2.1"),
        (153.0, 130.0, 170.0, "150"),
        (0.04567, 0.0456, 0.0457, "0.0457"),
        (9.996, 9.99, 10.0, "10.0"),
        (float("nan"), 0.0, 1.0, "–"),
        (float("inf"), 0.0, 1.0, "∞"),
    ],
)
def test_digits_are_trimmed_to_the_precision_earned(value: float, low: float, high: float, text: str) -> None:
    assert formats.trimmed(value, low, high) == text


def test_a_share_never_rounds_something_to_nothing() -> None:
    assert formats.share(1, 100_000) == "<0.1\u00a0%"
    assert formats.share(99_999, 100_000) == ">99.9\u00a0%"
    assert formats.share(0, 10) == "0\u00a0%"
    assert formats.calls(float("inf")) == "never"
