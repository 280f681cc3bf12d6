"""The words of the reports: read from glossary.toml, linked from the page, and written as docs/glossary.md.

glossary.toml is the one place in which a word is defined. `python -m tfparity.reports.glossary FILE` writes the
Markdown page. Knows no run and no table.
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

NUMBERED = "-N"  # how a word ends that stands for several: `rank-N` for rank-0, rank-1, ...


@dataclass(frozen=True)
class Word:
    """One definition; `also` are other forms of the word."""

    word: str
    means: str
    example: str = ""
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        return "word-" + re.sub(r"[^a-z0-9]+", "-", self.word.lower()).strip("-")


@dataclass(frozen=True)
class Theme:
    """Words that belong together; `linked` if sentences link to them, `families` if they are families of samples."""

    title: str
    words: tuple[Word, ...]
    about: str = ""
    linked: bool = False
    families: bool = False


@lru_cache
def themes() -> tuple[Theme, ...]:
    """The glossary, in the order of its file."""
    found = tomllib.loads((Path(__file__).parent / "glossary.toml").read_text(encoding="utf-8"))["theme"]
    return tuple(
        Theme(**{name: v for name, v in theme.items() if name != "word"}, words=tuple(map(_word, theme["word"])))
        for theme in found
    )


def _word(entry: dict[str, Any]) -> Word:
    return Word(**{**entry, "also": tuple(entry.get("also", ()))})


@lru_cache
def forms() -> dict[str, Word]:
    """Every form of every word, in small letters."""
    return {form.lower(): w for theme in themes() for w in theme.words for form in (w.word, *w.also)}


def definition(text: str) -> Word | None:
    """The definition of a word as a report shows it."""
    return forms().get(text.strip().lower())


def family(sample: str) -> Word | None:
    """The definition of a sample's family: that of `rank-N` for `rank-0,axis=1`; None for names of a case file."""
    name = sample.partition(",")[0]
    words = [w for theme in themes() if theme.families for w in theme.words]
    exact = [w for w in words if w.word == name]
    stems = [w for w in words if w.word.endswith(NUMBERED) and name.startswith(w.word.removesuffix("N"))]
    return max(exact or stems, key=lambda w: len(w.word), default=None)


# ---------------------------------------------------------------------------------------------------------- links


def link(text: str, word: Word | None) -> Markup:
    """The text as a link to a definition within the page, or as plain text where there is none."""
    return Markup('<a href="#{}">{}</a>').format(word.anchor, text) if word else escape(text)


def linked(text: str) -> Markup:
    """One word or label; each part of `verdict, kind` on its own."""
    found = definition(text)
    if found or ", " not in text:
        return link(text, found)
    return Markup(", ").join(link(part, definition(part)) for part in text.split(", "))


def sample(name: str) -> Markup:
    """The name of a sample, linked to the definition of its family."""
    return link(name, family(name))


@lru_cache
def _in_prose() -> re.Pattern[str]:
    known = [form for theme in themes() if theme.linked for w in theme.words for form in (w.word, *w.also)]
    choice = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    return re.compile(rf"(?<![\w./-])({choice})(?![\w./-]|-\w)", re.IGNORECASE)


def prose(text: str) -> Markup:
    """A sentence in which the first occurrence of each word links to its definition."""
    out, at, seen = Markup(""), 0, set()
    for found in _in_prose().finditer(text):
        word = definition(found[0])
        if word in seen:
            continue
        seen.add(word)
        out += escape(text[at : found.start()]) + link(found[0], word)
        at = found.end()
    return out + escape(text[at:])


# ------------------------------------------------------------------------------------------------------- Markdown


def markdown() -> str:
    """docs/glossary.md."""
    lines = [
        "# Glossary",
        "",
        "Every word that a report of tfparity shows. Made from `tfparity/reports/glossary.toml` by",
        "`python -m tfparity.reports.glossary docs/glossary.md`; a test fails where the two disagree.",
    ]
    for theme in themes():
        lines += ["", f"## {theme.title}", ""]
        if theme.about:
            lines += [theme.about, ""]
        for word in theme.words:
            example = f" Example: `{word.example}`." if word.example else ""
            lines.append(f'- <a id="{word.anchor}"></a>**{word.word}**: {word.means}{example}')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
