"""What a report must say, whatever the run; and that nothing in a run can break out of it."""

from __future__ import annotations

import html
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from tfparity.reports import pages, view_verdicts
from tfparity.suite.records.results import FAILING, Run, read

from .synthetic import NASTY, check, many, meta, run, store, timings, waived

VOID = {"meta", "img", "input", "br", "link", "hr"}


class Page(HTMLParser):
    """The page as a browser's parser sees it: its tags, its text, and whether every tag closes where it should."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)


def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def written(tmp_path: Path, *runs: Run) -> tuple[str, str]:
    """The text of report.html and of report.md."""
    target = pages.write(list(runs), tmp_path / "out")
    return html.unescape(target.read_text(encoding="utf-8")), (target.parent / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("verdict", FAILING)
def test_an_unwaived_failing_check_is_always_in_the_page_and_the_markdown(tmp_path: Path, verdict: str) -> None:
    bad = check("tf.math.planted", verdict, sample="here")
    for text in written(tmp_path, run(tmp_path / "r", [bad, *[check(sample=f"s{n}") for n in range(50)]])):
        assert bad.id in text
        assert "1 divergence needs attention (1 check)" in text


def test_a_waived_check_is_shown_as_known_with_its_reason_and_raises_no_alarm(tmp_path: Path) -> None:
    known = waived(check("tf.math.planted", "differs"), "reason <7>")
    page_text, markdown = written(tmp_path, run(tmp_path / "r", [known]))
    for text in (page_text, markdown):
        assert "o divergence needs attention in 1 check, 1 is known (waived, 1 check)" in text
        assert "tf.math.planted" in text
    assert "waived: reason <7>" in page_text


def test_the_command_that_reproduces_is_quoted_for_the_shell(tmp_path: Path) -> None:
    page_text, _ = written(tmp_path, run(tmp_path / "r", [check(verdict="differs", sample="it's")]))
    assert """tfparity repro 'tf.math.acosh/float32/it'"'"'s/xla@CPU:0#value:numpy'""" in page_text


def test_the_page_needs_no_network_and_runs_no_script_but_its_own(report: Path) -> None:
    found = page(report)
    assert not found.open
    tags = [tag for tag, _ in found.tags]
    assert tags.count("script") == 1
    assert not {"iframe", "object", "embed", "link", "base", "form"} & set(tags)
    for tag, attributes in found.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href"):
                assert (value or "").startswith(("data:image/png;base64,", "#")), value
    assert not re.search(r"url\(|@import", (report / "report.html").read_text(encoding="utf-8"))


def test_foreign_text_arrives_as_text(report: Path) -> None:
    words = "".join(page(report).words)
    assert NASTY["html"] in words
    assert "世界 🜲" in words
    assert r"\u202eevil" in words
    assert r"\x1b[31m" in words
    assert not re.search("[\x00\x1b\u202e]", words)


def test_text_left_out_is_counted_in_the_open_and_whole_in_the_csv(report: Path) -> None:
    words = "".join(page(report).words)
    assert (
        f"{len(NASTY['huge']) - view_verdicts.DETAIL:,} characters of this detail are not shown" in words
        or re.search(r"[\d,]+ characters of this detail are not shown", words)
    )
    table = pd.read_csv(report / "divergences.csv")
    assert table["detail"].astype(str).str.len().max() == len(NASTY["huge"])


def test_the_csv_files_hold_every_failing_check_count_and_warm_timing(report: Path, usual: Run) -> None:
    failing = usual.checks[usual.checks["verdict"].isin(FAILING)]
    assert sorted(pd.read_csv(report / "divergences.csv")["id"]) == sorted(failing["id"])
    assert pd.read_csv(report / "verdicts.csv")["total"].sum() == len(usual.checks)
    assert len(pd.read_csv(report / "speed.csv")) == (usual.timings["phase"] == "warm").sum()


def test_every_divergence_has_its_own_row(report: Path, usual: Run) -> None:
    rows = [attributes for tag, attributes in page(report).tags if attributes.get("class") == "div"]
    keys = usual.checks[usual.checks["verdict"].isin(FAILING)]
    keys = keys.assign(known=keys["waiver"] != "")[
        ["op", "mode", "aspect", "verdict", "kind", "known"]
    ].drop_duplicates()
    assert rows
    assert len(rows) == len(keys)


def test_markdown_tables_stay_tables_whatever_an_id_holds(report: Path) -> None:
    text = (report / "report.md").read_text(encoding="utf-8")
    widths = {}
    for block in re.split(r"\n\s*\n", text):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in rows}
        widths[block[:30]] = counts
        assert len(counts) <= 1, block
    assert sum(map(bool, widths.values())) >= 3
    assert "<script" not in text


def test_an_unfinished_run_says_so_on_top(two: Path) -> None:
    for name in ("report.html", "report.md"):
        text = (two / name).read_text(encoding="utf-8")
        assert "Run gpu did not finish" in text
    assert (two / "report.html").read_text(encoding="utf-8").index("did not finish") < (two / "report.html").read_text(
        encoding="utf-8"
    ).index("<nav")


def test_several_runs_stand_side_by_side(two: Path) -> None:
    found = page(two)
    words = " ".join("".join(found.words).split())
    assert not found.open
    assert "AMD EPYC 7B13" in words
    assert "Intel Xeon Platinum 8481C" in words
    assert "a_fact_of_the_future" in words
    assert "gpu GPU:0 over usual CPU:0" in words or (two / "pictures" / "machine-comparison.png").exists()


def test_totals_that_disagree_with_the_rows_are_not_passed_over(tmp_path: Path) -> None:
    page_text, _ = written(tmp_path, run(tmp_path / "r", [check()], about=meta(totals={"identical": 2})))
    assert "run.json counts other identical than the rows hold" in page_text
    page_text, _ = written(tmp_path, run(tmp_path / "r", [check()], about=meta(totals={"identical": 1, "close": 0})))
    assert "run.json counts other" not in page_text


def test_the_false_rate_of_the_twin_stands_in_every_report(report: Path) -> None:
    for name in ("report.html", "report.md"):
        text = (report / name).read_text(encoding="utf-8").replace("\u00a0", " ")
        assert "3 of 210 pairs (1.4 %)" in text
        assert "1.0004 (0.9980 to 1.0030)" in text


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"machine": None, "totals": 3, "costs": [], "twin": "no", "started": 5, "finished": "never"},
        {
            "machine": {"devices": "CPU", "memory": "much", "load_before": None, "load_after": ["x"]},
            "twin": {"pairs": None},
        },
        {
            "machine": {"devices": [{}, "GPU:0", None]},
            "git": {"commit": "0123456789abcdef", "dirty": True},
            "waiver_problems": ["tf.x: <expired>"],
        },
    ],
)
def test_any_part_of_run_json_may_be_missing_or_strange(tmp_path: Path, about: dict[str, object]) -> None:
    target = pages.write([run(tmp_path / "r", [check(verdict="differs")], timings(ops=2), about)], tmp_path / "out")
    assert not page(target.parent).open


def test_runs_of_checks_alone_of_timings_alone_and_of_nothing_are_reported(tmp_path: Path) -> None:
    for name, rows in {"checks": ([check()], []), "times": ([], timings(ops=3)), "nothing": ([], [])}.items():
        target = pages.write([run(tmp_path / name, *rows)], tmp_path / f"{name}-out")
        found = page(target.parent)
        ids = {attributes.get("id") for tag, attributes in found.tags if tag == "section"}
        assert not found.open
        assert ("verdicts" in ids) == (name == "checks")
        assert ("speed" in ids) == (name == "times")
        assert "nothing was checked" in "".join(found.words).lower() or name == "checks"


def test_sixty_thousand_checks_with_two_thousand_divergences_stay_small_and_complete(tmp_path: Path) -> None:
    begun = time.monotonic()
    target = pages.write([run(tmp_path / "big", many(54_000, 2_000))], tmp_path / "out")
    assert time.monotonic() - begun < 120
    text = target.read_text(encoding="utf-8")
    assert len(text) < 8_000_000
    assert text.count('class="div"') == 2_000
    assert "check of this divergence not shown" in text or "checks of this divergence not shown" in text
    markdown = (target.parent / "report.md").read_text(encoding="utf-8")
    assert len(markdown) < 65_536
    for number in range(2_000):
        assert f"tf.math.bad{number}/" in text
        assert f"tf.math.bad{number}" in markdown


def test_what_read_gives_is_what_write_takes(tmp_path: Path, usual: Run) -> None:
    made = store(run(tmp_path / "stored", [check(verdict="differs"), check(sample="two")], timings(ops=2)))
    assert "1 divergence needs attention" in pages.write([read(made)], made).read_text(encoding="utf-8")


def test_no_run_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run"):
        pages.write([], tmp_path)
