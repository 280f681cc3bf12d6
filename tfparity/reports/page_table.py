"""A table as the report shows it: a title, a sentence above it, columns and rows.

Both templates render every `PageTable` in the same way, and `csv` gives what its CSV file holds. Knows no run and no
particular table: the tables are made in `page_tables`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Column:
    """The heading of a column; numbers are aligned to the right."""

    title: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell of a table; a plain string serves where nothing but the text is needed.

    value   the number that the text shows: the table is sorted by it, and the CSV file holds it; None: the text itself
    small   more text in small type: an interval
    hint    text that appears while the pointer is on the cell
    look    a class of the page's style sheet: `bad`, `t-faster`, ...
    swatch  a colour shown in front of the text
    bar     the length of a bar shown in place of text, in per cent
    """

    text: str
    value: Any = None
    small: str = ""
    hint: str = ""
    look: str = ""
    swatch: str = ""
    bar: float | None = None

    @property
    def sort(self) -> str:
        """The number by which the page sorts, "" where it sorts by the text."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return ""
        return "-1" if math.isnan(self.value) else f"{min(self.value, 1e305):.12g}"


@dataclass(frozen=True)
class Row:
    """The cells of a row, and a class of the style sheet for the whole row: `sum`, `zero`, `differs`."""

    cells: tuple[Cell, ...]
    look: str = ""


def row(*cells: str | Cell, look: str = "") -> Row:
    return Row(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells), look)


@dataclass(frozen=True)
class PageTable:
    """A table of the report.

    name        of its CSV file, without the ending
    section     the part of the page in which it stands, a name in `sections.SECTIONS`
    title       its heading, "" where the section's own heading is enough
    note        the sentence above it: what a reader needs in order to read the rows
    columns     headings; the first column holds what a row is about
    rows        all rows, the most important first
    most        how many rows the page shows
    brief       how many rows report.md shows; 0: the table is only in the page
    total       how many rows there are, where `rows` does not hold them all
    searchable  whether the page offers a search box and sorting by any column
    exact       what the CSV file holds instead of the rows shown, where it has more rows or more digits
    """

    name: str
    section: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    most: int = 500
    brief: int = 25
    total: int = 0
    searchable: bool = False
    exact: pd.DataFrame | None = None

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def left_out(self) -> int:
        """How many rows the page does not show."""
        return max(self.total, len(self.rows)) - len(self.rows[: self.most])

    @property
    def left_out_of_brief(self) -> int:
        return max(self.total, len(self.rows)) - len(self.rows[: self.brief])

    def csv(self) -> pd.DataFrame:
        """What the CSV file holds."""
        if self.exact is not None:
            return self.exact
        plain = [[cell.text if cell.value is None else cell.value for cell in each.cells] for each in self.rows]
        return pd.DataFrame(plain, columns=[column.title for column in self.columns])
