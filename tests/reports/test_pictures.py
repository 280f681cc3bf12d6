"""Every picture is drawn when there is something to show, and only then."""

from __future__ import annotations

import io
from dataclasses import fields
from pathlib import Path

import pytest

from tfparity.reports import axes, looks, pictures, tables
from tfparity.suite.records.results import VERDICTS, Run

from .synthetic import check, run, timings


def drawn(*runs: Run) -> dict[str, pictures.Drawn]:
    return {each.name: each for each in pictures.draw_all(tables.build(runs))}


def test_a_run_with_everything_has_every_picture_but_the_comparison(usual: Run) -> None:
    assert set(drawn(usual)) == set(pictures.PICTURES) - {"machine-comparison"}


def test_two_devices_are_drawn_apart_and_compared(gpu: Run) -> None:
    names = set(drawn(gpu))
    assert {"speed-by-size-CPU-0", "speed-by-size-GPU-0", "machine-comparison", "verdict-matrix"} <= names


def test_nothing_to_show_is_no_picture() -> None:
    assert not drawn(run(Path("empty"), about={}))
    assert set(drawn(run(Path("checked"), [check()]))) == {"verdict-matrix"}
    assert "verdict-matrix" not in drawn(run(Path("timed"), [], timings(ops=2)))


def test_one_timed_cell_and_odd_words_do_not_break_a_picture() -> None:
    rows = [t for t in timings(ops=1) if t.size == 64]
    strange = [
        type(t)(**{**vars(t), "mode": "quantum", "op": "tf.math.$x_y$", "size": 0}) for t in rows if t.mode == "xla"
    ]
    for each in drawn(run(Path("odd"), [check(verdict="flabbergasted", mode="quantum")], rows + strange)).values():
        pictures.save(each.figure, io.BytesIO())


def test_every_picture_takes_tables_that_exist_and_is_as_wide_as_a_phone_can_show(usual: Run) -> None:
    known = {f.name for f in fields(tables.Tables)}
    assert pictures.PICTURES
    assert all(set(each.takes) <= known and each.title and each.caption for each in pictures.PICTURES.values())
    assert {each.figure.get_figwidth() for each in drawn(usual).values()} == {axes.WIDTH}


def test_the_same_run_gives_the_same_picture(usual: Run) -> None:
    images = []
    for _ in range(2):
        target = io.BytesIO()
        pictures.save(drawn(usual)["dispatch"].figure, target)
        images.append(target.getvalue())
    assert images[0] == images[1]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_a_colour_of_its_own(verdict: str) -> None:
    assert list(looks.VERDICTS.values()).count(looks.VERDICTS[verdict]) == 1
