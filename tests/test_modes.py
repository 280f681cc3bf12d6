"""A mode is one entry of MODES: what it saves, promises, differentiates and times follows from its fields alone."""

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
import typer

from tfparity import T, cli, op, program, tf
from tfparity.suite.checking import repro
from tfparity.suite.checking.planning import Wanted, plan
from tfparity.suite.inputs.sample import ERRORS, VALUES
from tfparity.suite.inputs.samples import expand
from tfparity.suite.records.identity import identity
from tfparity.suite.running import modes, preparing
from tfparity.suite.running.modes import DEFAULT_MODES, MODES, Mode
from tfparity.suite.timing import case_timing

pytestmark = pytest.mark.usefixtures("registry")


def test_the_modes_of_a_run_that_names_none():
    assert DEFAULT_MODES == ("eager", "graph", "graph-dynamic", "xla", "numpy")


def test_the_help_of_the_command_which_imports_no_mode_names_them_all():
    assert tuple(cli.ALL_MODES.split(",")) == DEFAULT_MODES
    (option,) = (p for p in typer.main.get_command(cli.app).commands["check"].params if p.name == "modes")
    assert all(mode in option.help for mode in (*MODES, modes.NUMPY))


@pytest.fixture
def again(monkeypatch):
    """A mode without code of its own: a graph in which every input is doubled."""

    def doubled(program, specs):
        return preparing.graph(replace(program, function=lambda *t: program.function(*(2 * x for x in t))), specs)

    monkeypatch.setitem(MODES, "graph-again", Mode(doubled))
    return "graph-again"


def test_a_new_entry_is_planned_run_differentiated_timed_and_written_as_a_script(again, judged, registry):
    case = op("tf.math.square", np.square, T("n", edges=False))
    rows = judged(case, "float32", f"*/*/ordinary/{again}", modes=("eager", again, "numpy"))
    assert {key.partition("#")[2]: row.verdict for key, row in rows.items()} == {
        "value:numpy": "differs",
        "value:eager": "differs",
        "gradient:eager": "differs",
    }
    assert again in case_timing.timed_modes()
    text = repro.script(identity(f"tf.math.square/float32/ordinary/{again}@CPU:0#value:eager"), registry)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit, match="0"):
        exec(compile(text, "show.py", "exec"), {"__name__": "__main__"})
    assert "1 of 1 draws differ" in printed.getvalue()


def test_every_family_has_its_place_in_the_tables_of_what_runs_where():
    from tfparity.suite.checking.planning import INVALID, MAIN, OTHER

    assert set(MAIN) == set(VALUES)
    assert set(OTHER) <= set(VALUES)
    assert set(INVALID) <= set(ERRORS)


def test_a_dynamic_compiled_mode_plans_what_xla_does():
    case = op("tf.math.square", np.square, T("n m"))
    planned = list(plan(case, expand(case, "float32"), Wanted(modes=("xla", "xla-dynamic", "numpy"))))
    by_mode = {mode: [(p.sample, p.aspect, p.against) for p in planned if p.mode == mode] for mode in MODES}
    assert by_mode["xla-dynamic"] == by_mode["xla"] != []


@pytest.mark.parametrize("mode", ["savedmodel", "xla-dynamic"])
def test_a_case_with_variables_and_a_table_runs_in_it_and_is_differentiated(mode, judged):
    def state():
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2]), tf.constant([10.0, 20.0]))
        return {"factor": tf.Variable(2.0), "table": tf.lookup.StaticHashTable(pairs, -1.0)}

    @program("program.with_state", T("n", edges=False), state=state, autograph=False)
    def with_state(held, x):
        held["factor"].assign(3.0)
        looked_up = held["table"].lookup(tf.constant(2)) if mode == "savedmodel" else 20.0
        return x * held["factor"] + looked_up

    rows = judged(with_state, "float32", f"*/*/ordinary/{mode}", modes=("eager", mode))
    assert {row.aspect: row.verdict for row in rows.values()} == {"value": "identical", "gradient": "identical"}


@pytest.mark.parametrize("mode", ["graph", "savedmodel"])
def test_a_shape_that_inference_promises_and_the_result_does_not_have_is_seen(mode, judged):
    @program("program.promises", T(3, edges=False), autograph=False)
    def promises(x):
        y = tf.numpy_function(lambda a: a[:2], [x], tf.float32)
        if not tf.executing_eagerly():
            y.set_shape([3])
        return y

    rows = judged(promises, "float32", f"*/*/ordinary/{mode}#value:eager", modes=("eager", mode))
    (row,) = rows.values()
    assert (row.verdict, row.kind) == ("differs", "shape")
    assert "promised float32(3,) but gave float32(2,)" in row.detail


def test_a_saved_script_keeps_autograph(registry):
    @program("program.looped", T("n", edges=False))
    def looped(x):
        total = tf.constant(0.0)
        for value in x:
            total += value
        return total

    text = repro.script(identity("program.looped/float32/ordinary/savedmodel@CPU:0#value:eager"), registry)
    assert "autograph=True" in text


def test_a_dynamic_mode_is_timed_with_the_shapes_it_is_checked_with():
    case = op("tf.math.square", np.square, T("n", edges=False))
    sample = expand(case, "float32")[0]
    tensors = [modes.tensor(leaf) for leaf in sample.tensors[0]]
    seen = []
    entry = replace(MODES["xla-dynamic"], prepare=lambda made, specs: seen.extend(specs) or made.function)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODES, "xla-dynamic", entry)
        case_timing.prepared(case, sample, "xla-dynamic", tensors)
    assert [spec.shape.as_list() for spec in seen] == [[None]]
