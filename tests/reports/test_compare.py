"""A comparison finds what was planted and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from tfparity.reports.compare import THRESHOLD, Comparison, compare
from tfparity.suite.records.results import FAILING, Timing

from .synthetic import check, checks, gpu_meta, meta, run, timings, waived

BASE, HEAD = Path("base"), Path("head")
FEW = 15


def verdicts(before: list[object], after: list[object]) -> Comparison:
    return compare(run(BASE, before), run(HEAD, after))  # type: ignore[arg-type]


def times(
    change: dict[tuple[str, str], float], seed: int = 1, slow: float = 1.0, about: dict[str, object] | None = None
) -> Comparison:
    return compare(
        run(BASE, [], timings(0, ops=FEW)), run(HEAD, [], timings(seed, slow=slow, ops=FEW, change=change), about)
    )


def test_the_same_run_needs_no_action() -> None:
    one = run(BASE, checks(ops=8), timings(ops=8))
    found = compare(one, replace(one, path=HEAD))
    assert not found.regressed
    assert str(found.text).splitlines()[0] == "no action needed"


@pytest.mark.parametrize("verdict", FAILING)
def test_a_check_that_newly_fails_is_a_regression(verdict: str) -> None:
    found = verdicts([check(), check(sample="other")], [check(verdict=verdict), check(sample="other")])
    assert found.regressed
    assert found.newly_failing["id"].tolist() == [check().id]
    assert str(found.text).splitlines()[0] == "please read: 1 newly failing check"


def test_a_failing_check_that_only_head_made_is_a_regression_too() -> None:
    found = verdicts([check()], [check(), check(sample="new", verdict="differs")])
    assert found.regressed
    assert len(found.appeared) == len(found.newly_failing) == 1


def test_a_waiver_that_went_away_is_a_regression_and_one_that_came_is_a_fix() -> None:
    bad = check(verdict="differs")
    assert verdicts([waived(bad)], [bad]).regressed
    found = verdicts([bad], [waived(bad)])
    assert not found.regressed
    assert len(found.fixed) == 1


def test_support_that_was_lost_is_a_regression() -> None:
    found = verdicts([check(verdict="close")], [check(verdict="unsupported")])
    assert found.regressed
    assert len(found.lost) == 1


def test_identical_and_close_are_both_agreement() -> None:
    found = verdicts([check(), check(sample="b", verdict="close")], [check(verdict="close"), check(sample="b")])
    assert found.verdict == "no action needed"
    assert found.changed.empty


def test_a_failure_that_fails_otherwise_is_a_change_and_no_regression() -> None:
    found = verdicts([check(verdict="differs")], [check(verdict="crash")])
    assert not found.regressed
    assert len(found.changed) == 1


def test_checks_that_vanished_are_never_passed_over() -> None:
    found = verdicts([check(), check(sample="gone")], [check()])
    assert found.verdict == "please read: 1 vanished check"
    assert found.vanished["id"].tolist() == [check(sample="gone").id]


def test_runs_with_nothing_in_common_are_not_called_fine() -> None:
    assert verdicts([check("tf.a")], []).verdict.startswith("please read: the runs have nothing in common")


def test_a_planted_regression_is_found_in_its_op_and_mode_alone() -> None:
    found = times({("tf.math.exp", "xla"): 1.3})
    assert found.regressed
    assert set(map(tuple, found.slower[["op", "mode"]].to_numpy())) == {("tf.math.exp", "xla")}
    assert len(found.slower) == 5
    assert found.faster.empty
    assert "5 slower" in found.verdict


@pytest.mark.parametrize("seed", range(2, 14))
def test_a_planted_a_a_comparison_finds_nothing(seed: int) -> None:
    found = times({}, seed)
    assert len(found.times) > 100
    assert not found.regressed
    assert found.faster.empty


def test_a_machine_twice_as_slow_is_no_regression() -> None:
    assert not times({}, slow=2.0, about=gpu_meta()).regressed


def test_a_change_below_the_threshold_is_not_called_however_precise() -> None:
    precise = lambda change, seed: timings(seed, noise=0.0005, ops=FEW, change=change)
    everything = {(t.op, "graph"): THRESHOLD - 0.01 for t in timings(ops=FEW)}
    found = compare(run(BASE, [], precise({}, 0)), run(HEAD, [], precise(everything, 1)))
    assert not found.regressed


def test_a_regression_of_a_whole_mode_does_not_hide_behind_its_size() -> None:
    found = times({(t.op, "graph"): 1.25 for t in timings(ops=FEW)})
    assert set(found.slower["mode"]) == {"graph"}
    assert len(found.slower) > 0.9 * FEW * 5


def test_eager_that_became_slower_is_seen_beside_numpy_and_not_as_a_faster_graph() -> None:
    found = times({("tf.math.exp", "eager"): 1.5})
    assert set(found.slower["mode"]) == {"eager"}
    assert found.faster.empty


def test_eager_that_became_faster_is_not_called_a_slower_graph() -> None:
    found = times({("tf.math.exp", "eager"): 0.6})
    assert not found.regressed
    assert set(found.faster["mode"]) == {"eager"}


def test_the_detectable_effect_is_stated() -> None:
    found = times({})
    assert 0.05 <= found.detectable[0] <= found.detectable[1]
    assert "a change of" in str(found.text)


def test_plain_times_are_compared_on_equal_machines_only_are_marked_and_never_gate() -> None:
    other = meta()
    other["machine"] = dict(other["machine"], cpu="another")
    slower = {(op, mode): 1.5 for op in {t.op for t in timings(ops=FEW)} for mode in ("eager", "graph", "xla", "numpy")}
    same = times(slower)
    assert not same.regressed
    assert (same.absolute["verdict"] == "slower").any()
    assert "absolute times, same machine (load does not cancel" in str(same.text)
    assert times(slower, about=other).absolute.empty


def test_intervals_that_are_open_or_missing_call_nothing() -> None:
    broken = [
        replace(t, ratio_low=0.0, ratio_high=float("inf"))
        for t in timings(1, ops=3, change={("tf.math.add", "xla"): 9.0})
    ]
    assert not compare(run(BASE, [], timings(ops=3)), run(HEAD, [], broken)).regressed


def test_an_unfinished_run_and_the_twin_are_told() -> None:
    found = compare(run(BASE, [check()], timings(ops=2)), run(HEAD, [check()], timings(ops=2), meta(finished=None)))
    assert "head did not finish" in str(found.text)
    assert "3 of 210 pairs" in str(found.text)


def test_the_text_prints_whatever_an_id_holds() -> None:
    found = verdicts([check(sample="[/red] [bold")], [check(sample="[/red] [bold", verdict="differs")])
    with Console(width=200).capture() as seen:
        Console(width=200).print(found.text)
    assert seen is not None
    assert "[/red] [bold" in str(found.text)


def test_the_tables_say_what_they_compared() -> None:
    found = times({})
    assert isinstance(found.times, pd.DataFrame)
    assert dict(zip(found.times["mode"], found.times["yardstick"], strict=True)) == {
        "eager": "numpy",
        "graph": "eager",
        "xla": "eager",
    }


def cells(seed: int, half: float = 0.04, number: int = 3_000) -> list[Timing]:
    """Ratios of 1 with intervals that cover it exactly as often as they claim, 95 times in a hundred."""
    noise = np.exp(np.random.default_rng(seed).normal(0, half / 1.96, number))
    one = next(t for t in timings(ops=1) if t.mode == "xla" and t.phase == "warm")
    return [
        replace(one, sample=f"s{n}", ratio=r, ratio_low=r * np.exp(-half), ratio_high=r * np.exp(half))
        for n, r in enumerate(noise.tolist())
    ]


@pytest.mark.parametrize("seed", [0, 10, 20])
def test_of_thousands_of_cells_some_intervals_miss_by_chance_and_none_is_called(seed: int) -> None:
    found = compare(run(BASE, [], cells(seed)), run(HEAD, [], cells(seed + 1)))
    missed = ((found.times["low"] > 1) | (found.times["high"] < 1)) & (abs(found.times["change"] - 1) > 0.05)
    assert missed.sum() > 3
    assert found.slower.empty
    assert found.faster.empty


def test_overlapping_intervals_are_never_called_however_far_the_estimates_lie_apart() -> None:
    one = next(t for t in timings(ops=1) if t.mode == "xla" and t.phase == "warm")
    base = replace(one, ratio=1.0, ratio_low=0.999, ratio_high=1.5)
    head = replace(one, ratio=1.49, ratio_low=1.489, ratio_high=1.4901)
    assert not compare(run(BASE, [], [base]), run(HEAD, [], [head])).regressed
