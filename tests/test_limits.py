"""The page of limits: what it takes from a run, that it is read back as written, and what makes a line of it stale."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.reports import synthetic
from tfparity import cli
from tfparity.reports import coverage_page, limits
from tfparity.reports.limits import Limit
from tfparity.suite.coverage import matrix
from tfparity.suite.records.results import RunError

REFUSED = "InvalidArgumentError: Value for attr 'T' of {} is not in the list of allowed values: half, float, int32"
WORDS = "InvalidArgumentError: Value for attr 'T' of DTYPE is not in the list of allowed values: half, float, int32"
UNCOMPILED = (
    "InvalidArgumentError: Detected unsupported operations when trying to compile graph "
    "__inference_<lambda>_{}[_XlaMustCompile=true,config_proto={}] on XLA_CPU_JIT: PyFunc (No registered 'PyFunc' "
    "OpKernel for XLA_CPU_JIT devices compatible with node )\ndraw 0 of 1; input float32[4] [97.0]"
)


def row(detail="", verdict="unsupported", op="tf.a", **more):
    return synthetic.check(op, verdict, **{"mode": "eager", "sample": "ordinary", "detail": detail, **more})


def run(*rows, version="2.21.0"):
    return synthetic.run(Path("run"), list(rows), about=synthetic.meta() | {"tensorflow": version})


def page(*rows):
    return limits.page(limits.limits(run(*rows)), "2.21.0")


# --- from a run ----------------------------------------------------------------------------------------------------


def test_a_row_that_is_unsupported_is_a_limit_and_no_other_row_is():
    found = limits.limits(
        run(
            row(REFUSED.format("int8"), dtype="int8"),
            row(verdict="identical", dtype="int16"),
            row("boom", verdict="crash", dtype="uint8"),
        )
    )
    assert found == [Limit(WORDS, "eager@CPU:0", "tf.a", "int8")]


def test_invalid_input_is_no_limit_and_neither_is_what_had_nothing_to_compare_with():
    refused = REFUSED.format("int8")
    assert not limits.limits(run(row(refused, aspect="error"), row("nothing to compare with: " + refused)))


@pytest.mark.parametrize(("dtype", "own"), [("float64", "double"), ("complex64", "complex64"), ("float16", "half")])
def test_the_words_of_several_dtypes_are_the_same(dtype, own):
    assert limits.words(REFUSED.format(own), dtype) == WORDS


def test_the_words_of_two_runs_are_the_same():
    first, second = (limits.words(UNCOMPILED.format(*numbers), "float32") for numbers in ((33, 99), (4711, 5)))
    assert first == second
    assert first.endswith("on XLA_CPU_JIT: PyFunc (No registered 'PyFunc' OpKernel for XLA_CPU_JIT devices)")


def test_where_some_samples_work_those_that_do_not_are_named_by_their_options():
    found = limits.limits(
        run(
            row(verdict="identical", sample="ordinary,data_format=NHWC"),
            row("only NHWC", sample="ordinary,data_format=NCHW"),
            row("only NHWC", sample="edge,data_format=NCHW"),
            row(verdict="identical", sample="edge"),
            row("only NHWC", sample="empty-k"),
        )
    )
    assert [limit.samples for limit in found] == [("*,data_format=NCHW", "empty-k")]


def test_a_gradient_has_limits_of_its_own():
    found = limits.limits(
        run(row("no gradient", mode="xla", aspect="gradient", against="eager"), row(verdict="identical", mode="xla"))
    )
    assert found == [Limit("no gradient", "gradient xla@CPU:0", "tf.a", "float32")]


# --- the page ------------------------------------------------------------------------------------------------------


def test_ops_and_dtypes_with_the_same_words_share_a_line():
    refused = [
        row(REFUSED.format(dtype), op=op, dtype=dtype)
        for op in ("tf.a", "tf.math.b")
        for dtype in ("uint8", "complex64")
    ]
    text = page(*refused)
    assert text.startswith("# Limits of TensorFlow 2.21.0\n")
    assert f"## `{WORDS}`\n\n- eager@CPU:0, complex64 uint8: tf.a, tf.math.b\n" in text


def test_the_page_reads_back_as_what_it_was_written_from():
    made = run(
        row(REFUSED.format("int8"), dtype="int8"),
        row(UNCOMPILED.format(1, 2), mode="xla"),
        row("a `quoted` word", mode="xla", aspect="gradient", against="eager", op="guide.loop"),
        row("only NHWC", sample="edge,[1,2],data_format=NCHW", dtype="bfloat16", device="GPU:0"),
        row(verdict="close", dtype="bfloat16", device="GPU:0"),
    )
    found = limits.limits(made)
    assert len(found) == 4
    version, again = limits.parse(limits.page(found, "2.21.0"))
    assert version == "2.21.0"
    assert sorted(again) == found
    assert limits.stale(limits.page(found, "2.21.0"), made) == []


@pytest.mark.parametrize("text", ["", "# Something else\n", "# Limits of TensorFlow 2.21.0\n\n- no such line\n"])
def test_what_is_no_such_page_is_refused_in_one_line(text):
    with pytest.raises(RunError) as refused:
        limits.parse(text)
    assert "\n" not in str(refused.value)


# --- stale ---------------------------------------------------------------------------------------------------------


def test_a_line_is_stale_where_the_run_has_a_value():
    text = page(row(REFUSED.format("int8"), dtype="int8"), row(REFUSED.format("int16"), dtype="int16"))
    now = run(row(verdict="identical", dtype="int8"), row(REFUSED.format("int16"), dtype="int16"))
    assert limits.stale(text, now) == [f"no longer so: eager@CPU:0, int8: tf.a: {WORDS}"]


def test_a_line_is_stale_where_tensorflow_says_something_else():
    found = limits.stale(page(row("no kernel")), run(row("no device")))
    assert [problem.split(":")[0] for problem in found] == ["no longer so", "missing"]


def test_what_the_page_leaves_out_is_missing():
    found = limits.stale(page(row("no kernel")), run(row("no kernel"), row("no kernel", op="tf.b")))
    assert found == ["missing: eager@CPU:0, float32: tf.b: no kernel"]


def test_a_run_of_a_part_judges_that_part_only():
    text = page(row("no kernel"), row("no kernel", op="tf.b"), row("no kernel", mode="xla"))
    assert limits.stale(text, run(row("no kernel"))) == []


def test_a_line_about_some_samples_is_judged_by_those():
    refused = row("only NHWC", sample="ordinary,data_format=NCHW")
    other = row(verdict="identical", sample="ordinary,data_format=NHWC")
    text = page(refused, other)
    assert limits.stale(text, run(other)) == []
    assert limits.stale(text, run(row(verdict="identical", sample="edge,data_format=NCHW"), other))


def test_a_run_of_another_version_is_refused():
    with pytest.raises(RunError, match=r"of TensorFlow 2\.21\.0, the run of 2\.22\.0"):
        limits.stale(page(row("no kernel")), run(row("no kernel"), version="2.22.0"))


def test_a_check_that_two_runs_made_is_taken_from_the_last():
    both = limits.joined([run(row("no kernel")), run(row(verdict="identical"))])
    assert limits.limits(both) == []


# --- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch, tmp_path):
    """`tfparity coverage` of a run that is on disk, where nothing else is amiss."""
    monkeypatch.setattr(matrix, "measure", lambda runs: None)
    monkeypatch.setattr(coverage_page, "show", lambda found, out: True)

    def call(*rows, **options):
        folder = synthetic.store(synthetic.run(tmp_path / "run", list(rows), about=synthetic.meta()))
        return CliRunner().invoke(
            cli.app, ["coverage", str(folder), *(str(o) for pair in options.items() for o in pair)]
        )

    return call


def test_the_command_writes_the_page_and_holds_a_later_run_against_it(command, tmp_path):
    written = command(row("no kernel"), **{"--out": tmp_path})
    assert written.exit_code == 0
    assert "## `no kernel`" in (tmp_path / "LIMITS.md").read_text()
    assert command(row("no kernel"), **{"--limits": tmp_path / "LIMITS.md"}).exit_code == 0
    later = command(row(verdict="identical"), **{"--limits": tmp_path / "LIMITS.md"})
    assert later.exit_code == 1
    assert "limits: no longer so: eager@CPU:0, float32: tf.a: no kernel" in later.output


def test_the_command_needs_a_run_to_judge_a_page():
    asked = CliRunner().invoke(cli.app, ["coverage", "--limits", "LIMITS.md"])
    assert isinstance(asked.exception, RunError)
