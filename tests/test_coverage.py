"""What the coverage counts: names, options and what runs reached, each with a hole planted in it."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.reports import synthetic
from tfparity import DTYPE, T, each, op, program, sample
from tfparity.reports import coverage_page
from tfparity.suite.coverage import matrix, options
from tfparity.suite.coverage.facts import METHODS, NAMESPACE, Facts
from tfparity.suite.coverage.options import Option, differs
from tfparity.suite.records import kernels
from tfparity.suite.running import inventory

VALUE = {"aspect": "value"}


def facts(*ops, **more):
    return Facts("2.21.0", {NAMESPACE: ops, METHODS: ("tf.Variable.assign",)}, **more)


def lines(registry, said, *checks):
    seen = matrix.evidence(synthetic.run(Path("run"), list(checks)).checks) if checks else {}
    return {x.op: x for x in matrix.matrix(matrix.rows(said, registry), said, registry, seen)}


# --- names ---------------------------------------------------------------------------------------------------------


def test_every_name_is_covered_a_hole_with_its_reason_or_undeclared(registry):
    op("tf.a", None, T())
    op("tf.b").unimplemented("why")
    op("tf.Variable.assign", None, T())
    found = lines(registry, facts("tf.a", "tf.b", "tf.c"))
    assert [(found[n].status, found[n].reason) for n in ("tf.a", "tf.b", "tf.c")] == [
        ("covered", ""),
        ("hole", "why"),
        ("undeclared", ""),
    ]
    assert found["tf.Variable.assign"].area == METHODS


def test_what_is_declared_beside_the_documented_ops_says_why_it_is_none(registry):
    op("tf.function", None, T())
    op("tf.gone", None, T())
    op("tf.a_class", None, T())
    op("tf.raw_ops.Abs", None, T())
    program("program.p", T())(lambda x: x)
    found = lines(registry, facts("tf.a", excluded={"tf.function": "decorator"}, lacking=["tf.gone"]))
    assert (found["tf.function"].status, found["tf.function"].reason) == ("beside", "decorator")
    assert (found["tf.gone"].status, found["tf.gone"].reason) == ("lacking", "not in this version")
    assert found["tf.a_class"].status == "beside"
    assert not found.keys() & {"program.p", "tf.raw_ops.Abs"}


def test_the_table_counts_by_namespace_and_in_all(registry):
    op("tf.math.a", None, T())
    op("tf.math.b").unimplemented("why")
    said = facts("tf.a", "tf.math.a", "tf.math.b", "tf.math.special.c")
    found = {row[0]: row[1:] for row in coverage_page.declared_table(list(lines(registry, said).values())).rows}
    assert found["tf"] == (1, 0, 0, 1)
    assert found["tf.math"] == (3, 1, 1, 1)
    assert found["all documented ops"] == (4, 1, 1, 2)
    assert found[METHODS] == (1, 0, 0, 1)


def test_every_hole_is_named_with_its_words(registry):
    op("tf.a", None, T())
    op("tf.b").unimplemented("why")
    said = facts("tf.a", "tf.b", "tf.c", stale=["tf.old"], options=[Option("tf.a", "axis", "0", False)])
    found = coverage_page.named(list(lines(registry, said).values()), said)
    assert ("undeclared", "tf.c") in found
    assert ("declared hole", "tf.b: why") in found
    assert ("always default", "tf.a: axis") in found
    assert any(what == "stale exclusion" and "tf.old" in words for what, words in found)


# --- what a run reached --------------------------------------------------------------------------------------------


def test_a_dtype_counts_in_a_mode_where_it_gave_a_value(registry):
    op("tf.a", None, T())
    found = lines(
        registry,
        facts("tf.a", examples={"tf.a": 3}),
        synthetic.check("tf.a", "identical", mode="eager", **VALUE),
        synthetic.check("tf.a", "differs", mode="eager", dtype="float64", **VALUE),
        synthetic.check("tf.a", "unsupported", mode="xla", **VALUE),
        synthetic.check("tf.a", "error-differs", mode="graph", **VALUE),
        synthetic.check("tf.a", "crash", mode="graph-dynamic", **VALUE),
        synthetic.check("tf.a", "close", mode="graph", dtype="bfloat16", aspect="gradient", against="eager"),
        synthetic.check("tf.a", "identical", sample="example-1", mode="eager", aspect="docs", against="docs"),
        synthetic.check("tf.a", "identical", sample="example-1,tf.a-1", mode="xla", aspect="docs", against="eager"),
    )["tf.a"]
    assert found.dtypes == {"eager": "float32 float64", "graph": "", "graph-dynamic": "", "xla": ""}
    assert found.gradients == "bfloat16"
    assert (found.examples, found.examples_run) == (3, 1)
    assert found.devices == "CPU:0"


def test_an_op_that_no_run_reached_is_named(registry):
    op("tf.a", None, T())
    op("tf.b", None, T())
    found = lines(registry, facts("tf.a", "tf.b"), synthetic.check("tf.a", "identical", mode="eager", **VALUE))
    assert coverage_page.unreached(list(found.values())) == [
        ("no value in eager", "1 ops: tf.b"),
        ("no value in graph", "2 ops: tf.a tf.b"),
    ]
    table = {row[0]: row[1:] for row in coverage_page.reached_table(list(found.values())).rows}
    assert table["in eager"] == (1, 2)
    assert table["in xla"] == (0, 2)


def test_the_share_of_kernels_is_of_those_registered():
    covered = [
        kernels.Covered("Abs", "cpu", ("float32",), ("int8", "int16")),
        kernels.Covered("Abs", "xla", (), ("int8",)),
    ]
    assert coverage_page.kernels_table(covered).rows == (("cpu", 1, 3, "33.3%"), ("xla", 0, 1, "0.0%"))


# --- options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "default", "other"),
    [
        (0, None, True),
        (None, None, False),
        (False, False, False),
        (True, False, True),
        ("SAME", "SAME", False),
        ([1, 1], [1, 1], False),
        ([1, 2], [1, 1], True),
        (1, 1.0, False),
        (DTYPE, "float32", True),
        (T(), 1.0, True),
        (np.ones(2), None, True),
    ],
)
def test_a_value_is_another_one_than_the_default(value, default, other):
    assert differs(value, default) is other


def exercised(case):
    return {option.argument: option.exercised for option in options.of(case)}


def test_an_option_counts_once_some_sample_leaves_its_default(registry):
    case = op("tf.math.reduce_sum", None, T("a b"), axis=each(None, 0), keepdims=False)
    assert exercised(case) == {"axis": True, "keepdims": False}


def test_a_positional_argument_counts_too(registry):
    assert exercised(op("tf.math.reduce_sum", None, T("a b"), 0)) == {"axis": True, "keepdims": False}


def test_every_sample_of_a_generator_counts(registry):
    @op("tf.math.cumsum", None)
    def case():
        yield sample(T("a b"))
        yield sample(T("a b"), reverse=True)

    assert exercised(case) == {"axis": False, "exclusive": False, "reverse": True}


def test_a_call_of_the_cases_own_is_watched_for_what_it_gives_the_op(registry):
    case = op("tf.math.cumsum", None, T("a b"), 1, call=lambda f, x, a: f(x + 1, reverse=a == 1))
    assert exercised(case) == {"axis": False, "exclusive": False, "reverse": True}


def test_a_default_that_is_a_function_is_shown_by_its_name(registry):
    found = {option.argument: option.default for option in options.of(op("tf.signal.stft", None, T("n")))}
    assert (found["window_fn"], found["pad_end"]) == ("hann_window", "False")


def test_what_is_given_in_a_call_that_fails_counts_all_the_same(registry):
    case = op("tf.math.cumsum", None, T("a b"), call=lambda f, x: f(x, axis=7))
    assert exercised(case)["axis"]


@pytest.fixture(scope="module")
def documented():
    return [op.name for op in inventory.documented()]


def test_arguments_that_no_result_depends_on_are_arguments_of_tensorflow_and_have_a_reason(documented):
    assert options.stale_entries(documented) == []
    assert len(options.without_effect()) > 30
    assert all(options.without_effect().values())
    assert {name.partition(":")[0] for name in options.without_effect() if ":" in name} <= set(documented)


@pytest.mark.parametrize("entry", ["no_such_argument", "tf.gather:no_such_argument"])
def test_an_entry_that_applies_to_no_argument_is_stale(monkeypatch, documented, entry):
    entries = {**options.without_effect(), entry: "planted"}
    monkeypatch.setattr(options, "without_effect", lambda: entries)
    assert options.stale_entries(documented) == [entry]


# --- written -------------------------------------------------------------------------------------------------------


def test_the_page_and_its_tables_are_written(registry, tmp_path, monkeypatch):
    op("tf.a", None, T())
    said = facts("tf.a", "tf.c", options=[Option("tf.a", "axis", "0", False)])
    monkeypatch.setattr(matrix, "facts", lambda: said)
    monkeypatch.setattr(matrix.loading, "load", lambda: registry)
    run = synthetic.run(tmp_path, [synthetic.check("tf.a", "identical", mode="eager", **VALUE)])
    assert coverage_page.show(matrix.measure([run]), tmp_path) is False, "tf.c is not declared"
    page = (tmp_path / "coverage.md").read_text()
    assert "| tf | 2 | 1 | 0 | 1 |" in page
    assert "- undeclared: tf.c" in page
    with (tmp_path / "coverage.csv").open() as file:
        found = {row["op"]: row for row in csv.DictReader(file)}
    assert (found["tf.a"]["eager"], found["tf.a"]["options_at_default"]) == ("float32", "axis")


@pytest.mark.parametrize(("stale", "good"), [((), True), (("tf.old",), False)])
def test_a_stale_exclusion_fails_it(registry, monkeypatch, stale, good):
    op("tf.a", None, T())
    monkeypatch.setattr(matrix, "facts", lambda: Facts("2.21.0", {NAMESPACE: ["tf.a"]}, stale=stale))
    monkeypatch.setattr(matrix.loading, "load", lambda: registry)
    assert coverage_page.show(matrix.measure([]), None) is good
