"""Every word that a report can show is defined once, and the page links to the definition."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tfparity.reports import facts, glossary, looks, page_tables, rows, tables
from tfparity.suite.inputs.sample import ERRORS, VALUES, Sample
from tfparity.suite.records.results import FAILING, KINDS, TIMING_VERDICTS, VERDICTS, Run
from tfparity.suite.running.modes import DEFAULT_MODES, MODES

ROOT = Path(__file__).parents[2]
ASPECTS = ("value", "gradient", "error", "docs")
AGAINST = ("numpy", "eager", "cpu", "docs", "lanes", "theory")
WORDS = sorted({*VERDICTS, *FAILING, *KINDS, *TIMING_VERDICTS, *MODES, *DEFAULT_MODES, *looks.MODES, *ASPECTS, *AGAINST,
                *rows.PROGRAMS})  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_every_verdict_kind_mode_aspect_against_and_program_is_defined(word: str) -> None:
    assert glossary.definition(word)


def test_the_glossary_defines_each_form_once_and_has_an_anchor_for_each_word() -> None:
    words = [word for theme in glossary.themes() for word in theme.words]
    every_form = [form.lower() for word in words for form in (word.word, *word.also)]
    assert len(every_form) == len(set(every_form))
    assert len({word.anchor for word in words}) == len(words)
    assert all(word.means.endswith((".", "?")) for word in words)


def test_the_page_of_the_documentation_is_made_from_the_same_file() -> None:
    made = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert made == glossary.markdown(), "run: python -m tfparity.reports.glossary docs/glossary.md"


LABELS = {"alone": ("n1",), "lanes": ("n3", "n17"), "declared": ()}
"""How a family stands in an identity where that is not its name; what a case file declares has names of its own."""


@pytest.mark.parametrize("family", [*VALUES, *ERRORS])
def test_every_family_of_samples_is_defined(family: str) -> None:
    plain = LABELS[family] if family in LABELS else (Sample(family, ()).label, Sample(family, (), "0").label)
    assert not plain or any(glossary.family(label) for label in plain), plain


def test_a_name_of_a_sample_is_known_by_its_family() -> None:
    family = lambda name: getattr(glossary.family(name), "word", None)
    assert family("emptied-0,rows") == "emptied-N"
    assert family("empty") == "empty"
    assert family("empty-rows,axis=1") == "empty-N"
    assert family("empty-all,mxn") == "empty-all"
    assert family("sparse-beyond-0") == "sparse-beyond-N"
    assert family("a-name-of-the-case-file") is None


def test_the_page_defines_every_word_and_every_link_leads_to_a_definition(report: Path, two: Path) -> None:
    for folder in (report, two):
        text = (folder / "report.html").read_text(encoding="utf-8")
        targets = set(re.findall(r'id="(word-[^"]+)"', text))
        links = set(re.findall(r'href="#(word-[^"]+)"', text))
        assert targets == {word.anchor for theme in glossary.themes() for word in theme.words}
        assert links <= targets
        assert {"word-differs", "word-xla", "word-family", "word-speed-up", "word-break-even", "word-eager"} <= links


def test_every_phase_mode_and_verdict_of_a_report_links_to_its_definition(usual: Run) -> None:
    assert all(glossary.definition(phase) for phase in facts.costs(usual))
    shown = {t.name: t for t in page_tables.filled(tables.build([usual]), [usual])}
    assert all(glossary.definition(each.cells[0].text) for each in shown["glance"].rows)
    titles = {c.title for t in shown.values() for c in t.columns if not t.searchable}
    assert {"verdict", "mode", "faster", "slower", "equivalent", "unresolved", "pays", "never"} <= titles
    assert all(glossary.definition(word) for word in ("verdict", "mode", "faster", "pays", "never"))


def test_foreign_text_is_escaped_wherever_words_are_linked() -> None:
    nasty = "<script>eager</script> & xla"
    assert "<script>" not in glossary.prose(nasty)
    assert "<script>" not in glossary.linked(nasty)
    assert "<script>" not in glossary.sample(nasty)
    assert 'href="#word-eager"' in glossary.prose(nasty)


def test_a_sentence_links_a_word_once_and_no_part_of_another_word() -> None:
    assert glossary.prose("eager beside eager").count("<a") == 1
    assert "<a" not in glossary.prose("disclosed, the-checker, xla.txt")
