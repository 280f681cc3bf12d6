"""What the tables say of rows: counted by hand on rows small enough to count."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tfparity.reports import rows as rows_of_runs
from tfparity.reports import tables
from tfparity.suite.records.results import FAILING, SEVERITY, Timing

from .synthetic import check, meta, run, timings, waived

HERE = Path("one")


@pytest.mark.parametrize(
    ("op", "family"),
    [
        ("tf.math.acosh", "tf.math"),
        ("tf.gather", "tf"),
        ("tf.SparseTensor.from_dense", "tf"),
        ("tf.keras.layers.Dense", "tf.keras"),
        ("guide.custom_gradient", "guide"),
        ("program.mlp.step", "program"),
        ("rewrite.pow_half", "rewrite"),
        ("odd", "odd"),
    ],
)
def test_the_family_is_the_documented_namespace(op: str, family: str) -> None:
    assert rows_of_runs.family(op) == family


@pytest.mark.parametrize("verdict", FAILING)
def test_every_failing_verdict_fails_and_a_waiver_makes_it_known(verdict: str) -> None:
    made = tables.build([run(HERE, [check(verdict=verdict), waived(check(verdict=verdict, sample="other"))])])
    assert made.divergences["known"].tolist() == [False, True]
    assert made.verdicts[["failing", "known", "total"]].iloc[0].tolist() == [1, 1, 2]


def test_a_waiver_of_blanks_waives_nothing() -> None:
    made = tables.build([run(HERE, [waived(check(verdict="differs"), "  ")])])
    assert made.divergences["known"].tolist() == [False]


def test_many_samples_of_one_op_mode_and_kind_are_one_divergence_with_a_count() -> None:
    rows = [check(verdict="differs", kind="value", sample=f"s{n}", scaled_error=float(n)) for n in range(7)]
    rows += [
        check(sample="good"),
        check(verdict="differs", kind="nan"),
        check(verdict="differs", kind="value", mode="graph"),
    ]
    made = tables.build([run(HERE, rows)])
    groups = made.divergences.set_index(["mode", "kind"])
    assert len(groups) == 3
    assert groups.loc[("xla", "value"), ["checks", "of", "scaled_error"]].tolist() == [7, 9, 6.0]
    worst = made.failures[(made.failures["mode"] == "xla") & (made.failures["kind"] == "value")]
    assert worst["sample"].tolist() == [f"s{n}" for n in range(6, -1, -1)]


def test_the_worst_come_first_and_known_ones_last() -> None:
    rows = [
        waived(check("tf.a", "crash")),
        check("tf.b", "differs", kind="value", scaled_error=2.0),
        check("tf.c", "crash"),
        check("tf.d", "differs", kind="value", scaled_error=9.0),
        check("tf.e", "differs", kind="nan"),
    ]
    assert tables.build([run(HERE, rows)]).divergences["op"].tolist() == ["tf.c", "tf.e", "tf.d", "tf.b", "tf.a"]


def test_the_most_severe_verdict_comes_first_in_the_order_that_decides_verdicts() -> None:
    rows = [check(f"tf.{verdict}", verdict) for verdict in FAILING]
    found = tables.build([run(HERE, rows)]).divergences["verdict"].tolist()
    assert found == [verdict for verdict in SEVERITY if verdict in FAILING]


def test_a_run_that_did_not_make_a_check_is_told_from_one_that_passed_it() -> None:
    first = run(Path("a"), [check(verdict="differs")])
    passed, absent = run(Path("b"), [check()]), run(Path("c"), [check("tf.gather")])
    row = tables.build([first, passed, absent]).divergences.iloc[0]
    assert (row["in a"], row["in b"]) == (1, 0)
    assert math.isnan(row["in c"])


def timing(
    mode: str,
    seconds: float,
    ratio: float = 1.0,
    half: float = 0.0,
    phase: str = "warm",
    verdict: str = "equivalent",
    size: int = 8,
) -> Timing:
    return Timing(
        "tf.exp",
        "float32",
        "timed",
        size,
        mode,
        "CPU:0",
        phase,
        seconds,
        seconds * (1 - half),
        seconds * (1 + half),
        11,
        5,
        ratio,
        ratio * (1 - half),
        ratio * (1 + half),
        verdict,
    )


def test_break_even_is_cold_cost_over_what_a_warm_call_saves() -> None:
    rows = [
        timing("eager", 10e-6),
        timing("graph", 6e-6, 0.6, 0.01, verdict="faster"),
        timing("graph", 4e-3, phase="cold"),
        timing("xla", 20e-6, 2.0, 0.01, verdict="slower"),
        timing("xla", 0.1, phase="cold"),
    ]
    cold = tables.build([run(HERE, [], rows)]).cold.set_index("mode")
    assert cold.loc["graph", "calls"] == pytest.approx(1000)
    assert cold.loc["graph", "calls_low"] < 1000 < cold.loc["graph", "calls_high"]
    assert cold["pays"].to_dict() == {"graph": "yes", "xla": "never"}
    assert math.isinf(cold.loc["xla", "calls"])


def test_break_even_is_unresolved_where_the_interval_holds_eager() -> None:
    rows = [
        timing("eager", 10e-6),
        timing("graph", 9e-6, 0.9, 0.2, verdict="unresolved"),
        timing("graph", 4e-3, phase="cold"),
    ]
    assert tables.build([run(HERE, [], rows)]).cold["pays"].tolist() == ["unresolved"]


def test_the_speed_up_is_eager_over_the_mode_and_its_interval_turns_round() -> None:
    made = tables.build(
        [run(HERE, [], [timing("eager", 10e-6), timing("xla", 5e-6, 0.5, 0.1, verdict="faster")])]
    ).speed
    row = made[made["mode"] == "xla"].iloc[0]
    assert row["speedup_low"] == pytest.approx(1 / 0.55)
    assert row["speedup"] == pytest.approx(2)
    assert row["speedup_high"] == pytest.approx(1 / 0.45)


def test_every_op_counts_once_in_a_mean_however_many_samples_it_has() -> None:
    rows = [timing("xla", 1e-6, 0.25)] + [
        Timing(**{**vars(timing("xla", 1e-6, 1.0)), "op": "tf.sin", "sample": f"s{n}"}) for n in range(9)
    ]
    assert tables.build([run(HERE, [], rows)]).glance["speedup"].iloc[0] == pytest.approx(2)


def test_the_twin_is_noise_and_no_mode() -> None:
    made = tables.build([run(HERE, [], [timing("eager", 1e-5), timing("eager-twin", 1e-5), timing("graph", 1e-5)])])
    assert set(made.speed["mode"]) == {"eager", "graph"}


def test_hardware_compares_devices_within_a_run_and_runs_with_each_other() -> None:
    one = run(Path("a"), [], timings(ops=3) + timings(device="GPU:0", slow=0.5, ops=3))
    assert set(tables.build([one]).hardware["place"]) == {"GPU:0"}
    assert "numpy" not in set(tables.build([one]).hardware["mode"])
    two = tables.build([one, run(Path("b"), [], timings(slow=2.0, ops=3))]).hardware
    assert list(dict.fromkeys(two["place"])) == ["a GPU:0", "b CPU:0"]


def test_runs_called_the_same_are_told_apart() -> None:
    names = rows_of_runs.labels([run(Path("x") / "r"), run(Path("y") / "r"), run(Path("z") / ("long" * 20))])
    assert len(set(names)) == 3
    assert all(len(name) < 30 for name in names)


def test_facts_that_differ_between_machines_are_marked() -> None:
    other = meta(tensorflow="2.21.0")
    found = tables.build([run(Path("a")), run(Path("b"), about=other)]).machines.set_index("fact")["differs"]
    assert found["TensorFlow"]
    assert not found["Processor"]


def test_a_run_of_nothing_gives_tables_of_nothing() -> None:
    made = tables.build([run(HERE, about={})])
    assert all(table.empty for name, table in vars(made).items() if name not in ("runs", "machines"))
