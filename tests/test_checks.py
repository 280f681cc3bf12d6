"""The checks themselves, on TensorFlow in this process: each is shown a fault that it must catch, and a sound case that
it must let pass."""

import subprocess
import sys

import numpy as np
import pytest

from tfparity import I, T, each, error, op, program, tf
from tfparity.suite.judging.outcome import FILL
from tfparity.suite.language.dtypes import DTYPES

EAGER_GRAPH = ("eager", "graph", "numpy")


def quiet(name, *inputs, **more):
    """A program that is traced as it stands."""
    return program(name, *inputs, autograph=False, **more)


# --- against NumPy -------------------------------------------------------------------------------------------------


def wrong(x):
    """Half as large again, or the other one: an error that no tolerance may cover."""
    x = np.asarray(x)
    if x.dtype == object:
        return np.array([v + b"!" for v in x.ravel()], object).reshape(x.shape)
    if x.dtype == bool:
        return ~x
    return x + np.ones((), x.dtype) if x.dtype.kind in "iu" else x * 1.5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exact", [False, True])
def test_a_wrong_reference_is_caught_in_every_dtype_and_a_right_one_is_not(judged, dtype, exact):
    case = op("tf.identity", wrong, T(), exact=exact)
    rows = judged(case, dtype, "*/*/n3/eager#value:numpy")
    assert rows["n3/eager@CPU:0#value:numpy"].verdict == "differs"
    case = op("tf.zeros_like", np.zeros_like, T(), exact=exact)
    if dtype != "string":
        rows = judged(case, dtype, "*/*/*/eager#value:numpy")
        assert {row.verdict for row in rows.values()} == {"identical"}


@pytest.mark.parametrize(("fault", "verdict"), [(0.0, "identical"), (1e-6, "close"), (1e-4, "differs")])
def test_the_tolerance_lies_between_rounding_and_a_wrong_digit(judged, fault, verdict):
    @quiet("program.scaled", T(domain=(1, 2), edges=False), reference=lambda x: x)
    def scaled(x):
        return x * tf.constant(1 + fault, x.dtype)

    assert judged(scaled, "float32", "*/*/n17/eager#value:numpy")["n17/eager@CPU:0#value:numpy"].verdict == verdict


def test_a_sound_op_is_judged_sound_in_every_mode(judged):
    case = op("tf.math.negative", np.negative, T())
    rows = judged(case, "float32")
    assert {row.verdict for row in rows.values()} <= {"identical", "close"}, [r.id for r in rows.values() if r.failing]
    assert {row.mode for row in rows.values()} == {"eager", "graph", "graph-dynamic", "xla"}
    assert {row.against for row in rows.values()} == {"numpy", "eager", "lanes"}
    assert {row.aspect for row in rows.values()} == {"value", "gradient"}


def test_a_failing_row_shows_both_values_with_their_bits_and_the_input(judged):
    case = op("tf.identity", lambda x: x + 1, T(domain=(1, 2), edges=False))
    detail = judged(case, "float32", "*/*/n1/eager#value:numpy")["n1/eager@CPU:0#value:numpy"].detail
    assert "got " in detail
    assert "expected " in detail
    assert "input " in detail
    assert detail.count("[0x") >= 3


# --- modes against eager -------------------------------------------------------------------------------------------


def test_a_program_whose_graph_differs_is_caught_in_every_mode_but_eager(judged):
    @quiet("program.parted", T(domain=(1, 2), edges=False))
    def parted(x):
        return x if tf.executing_eagerly() else x * 1.5

    rows = judged(parted, "float32", "*/*/edge/*#value:eager")
    assert {row.mode: (row.verdict, row.kind) for row in rows.values()} == dict.fromkeys(
        ("graph", "graph-dynamic", "xla"), ("differs", "value")
    )


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda x: tf.cast(x, tf.float64), "dtype"),
        (lambda x: x[:2], "shape"),
        (lambda x: [x, x], "structure"),
        (lambda x: x * float("nan"), "nan"),
        (lambda x: x / 0.0, "inf"),
    ],
)
def test_whatever_the_graph_changes_is_caught_by_its_kind(judged, change, kind):
    @quiet("program.parted", T(domain=(1, 2), edges=False))
    def parted(x):
        return x if tf.executing_eagerly() else change(x)

    row = judged(parted, "float32", "*/*/edge/graph#value:eager")["edge/graph@CPU:0#value:eager"]
    assert (row.verdict, row.kind) == ("differs", kind)


def test_a_graph_that_fails_where_eager_does_not_is_caught(judged):
    @quiet("program.refuses", T())
    def refuses(x):
        if not tf.executing_eagerly():
            raise TypeError("not in a graph")
        return x

    row = judged(refuses, "float32", "*/*/edge/graph#value:eager")["edge/graph@CPU:0#value:eager"]
    assert (row.verdict, row.kind) == ("error-differs", "error-class")
    assert "not in a graph" in row.detail


def test_one_element_in_a_long_tensor_is_enough(judged):
    @quiet("program.one", T(domain=(1, 2), edges=False))
    def one(x):
        return x if tf.executing_eagerly() else x + tf.cast(tf.range(tf.size(x)) == 11, x.dtype)

    rows = judged(one, "float32", "*/*/n1/xla#value:eager", "*/*/edge/xla#value:eager")
    assert rows["n1/xla@CPU:0#value:eager"].verdict == "identical"
    assert rows["edge/xla@CPU:0#value:eager"].verdict == "differs"
    assert "element [11]" in rows["edge/xla@CPU:0#value:eager"].detail


def test_unknown_dimensions_are_a_mode_of_their_own(judged):
    @quiet("program.static", T(domain=(1, 2), edges=False))
    def static(x):
        return x if x.shape.rank is not None and x.shape.is_fully_defined() else x * 2.0

    rows = judged(static, "float32", "*/*/edge/graph*#value:eager")
    assert rows["edge/graph@CPU:0#value:eager"].verdict == "identical"
    assert rows["edge/graph-dynamic@CPU:0#value:eager"].verdict == "differs"


def test_an_unknown_rank_is_tried_too(judged):
    @quiet("program.ranked", T(domain=(1, 2), edges=False))
    def ranked(x):
        return x * 2.0 if x.shape.rank is None else x

    assert (
        judged(ranked, "float32", "*/*/edge/graph-dynamic#value:eager")["edge/graph-dynamic@CPU:0#value:eager"].verdict
        == "differs"
    )


def test_what_unknown_dimensions_refuse_is_reported_though_an_unknown_rank_would_not(judged):
    @quiet("program.sized", T(domain=(1, 2), edges=False))
    def sized(x):
        if x.shape.rank is not None and not x.shape.is_fully_defined():
            raise ValueError("sizes, please")
        return x

    rows = judged(sized, "float32", "*/*/edge/graph-dynamic#value:eager")
    assert rows["edge/graph-dynamic@CPU:0#value:eager"].verdict == "error-differs"


def test_invalid_input_that_only_an_unknown_rank_accepts_is_reported(judged):
    @quiet("program.lax", T("n", edges=False))
    def lax(x):
        if x.shape.rank is not None and x.shape.rank != 1:
            raise ValueError("a vector, please")
        return x

    rows = judged(lax, "float32", "*/*/rank-0/graph-dynamic#error:eager")
    assert rows["rank-0/graph-dynamic@CPU:0#error:eager"].verdict == "error-differs"


def test_an_op_that_cannot_do_without_a_rank_need_not(judged):
    @quiet("program.needs_rank", T(domain=(1, 2), edges=False))
    def needs_rank(x):
        return x + float(x.shape.rank)

    rows = judged(needs_rank, "float32", "*/*/edge/graph-dynamic#value:eager")
    assert rows["edge/graph-dynamic@CPU:0#value:eager"].verdict == "identical"


def test_further_options_take_turns_with_unknown_dimensions_and_an_unknown_rank(judged):
    @quiet("program.turns", T("n", edges=False), seen=each("a", "b", "c"))
    def turns(x, seen):
        return x * 2.0 if x.shape.rank is None else x

    rows = judged(turns, "float32", "*/*/ordinary*/graph-dynamic#value:eager")
    assert [row.verdict for row in rows.values()] == ["differs", "differs", "identical"]


@pytest.mark.parametrize("promise", [[99], [None, 3]])
def test_shape_inference_that_promises_a_wrong_shape_is_caught(judged, promise):
    @quiet("program.promises", T(domain=(1, 2), edges=False))
    def promises(x):
        y = tf.py_function(lambda v: v, [x], x.dtype)
        if not tf.executing_eagerly():
            y.set_shape(promise)
        return y

    row = judged(promises, "float32", "*/*/edge/graph#value:eager")["edge/graph@CPU:0#value:eager"]
    assert row.verdict in ("differs", "error-differs")
    assert "promised" in row.detail


def test_a_saved_model_is_compared_after_loading(judged):
    case = op("tf.math.negative", np.negative, T(edges=False))
    rows = judged(case, "float32", "*/*/edge/savedmodel", modes=("savedmodel", "numpy"))
    assert {row.verdict for row in rows.values()} == {"identical"}
    assert {row.against for row in rows.values()} == {"numpy", "eager", "lanes"}


def test_what_xla_cannot_compile_is_unsupported_in_tensorflows_words(judged):
    @quiet("program.uncompilable", T(edges=False))
    def uncompilable(x):
        return tf.py_function(lambda v: v, [x], x.dtype)

    row = judged(uncompilable, "float32", "*/*/edge/xla#value:eager")["edge/xla@CPU:0#value:eager"]
    assert row.verdict == "unsupported"
    assert row.detail


# --- gradients -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_a_gradient_that_differs_in_the_graph_is_caught(judged, scale):
    @quiet("program.bent", T(domain=(1, 2), edges=False))
    def bent(x):
        factor = 1.0 if tf.executing_eagerly() else scale

        @tf.custom_gradient
        def same(x):
            return tf.identity(x), lambda dy: dy * factor

        return same(x)

    rows = judged(bent, "float32", "*/*/edge/graph", "*/*/edge/xla")
    assert {row.verdict for row in rows.values() if row.aspect == "value"} <= {"identical"}
    gradients = {row.mode: row.verdict for row in rows.values() if row.aspect == "gradient"}
    assert gradients == dict.fromkeys(("graph", "xla"), "identical" if scale == 1 else "differs")


def test_a_gradient_missing_in_the_graph_is_caught(judged):
    @quiet("program.stopped", T(domain=(1, 2), edges=False))
    def stopped(x):
        return tf.identity(x) if tf.executing_eagerly() else tf.stop_gradient(x)

    assert judged(stopped, "float32", "*/*/edge/graph#gradient")["edge/graph@CPU:0#gradient:eager"].verdict == "differs"


def test_gradients_that_sum_to_zero_do_not_hide_a_fault(judged):
    """A fault in proportion to the mean of the incoming gradient would vanish under equal weights summed."""

    @quiet("program.centred", T(domain=(1, 2), edges=False))
    def centred(x):
        eager = tf.executing_eagerly()

        @tf.custom_gradient
        def same(x):
            return tf.identity(x), lambda dy: dy if eager else tf.reverse(dy, [0])

        return same(x)

    assert judged(centred, "float32", "*/*/edge/graph#gradient")["edge/graph@CPU:0#gradient:eager"].verdict == "differs"


# --- lanes, constants, devices -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["eager", "xla"])
def test_a_result_that_depends_on_the_length_of_the_tensor_is_caught(judged, mode):
    @quiet("program.vectorised", T(domain=(1, 2), edges=False))
    def vectorised(x):
        return x * tf.where(tf.size(x) >= 16, tf.constant(1.01, x.dtype), tf.constant(1.0, x.dtype))

    rows = judged(vectorised, "float32", f"*/*/*/{mode}#value:lanes")
    in_eager = {"n3": "identical", "n17": "differs"} if mode == "eager" else {}  # lengths are for eager
    assert {row.sample: row.verdict for row in rows.values()} == {"edge": "differs", **in_eager}
    assert "element" in rows[f"edge/{mode}@CPU:0#value:lanes"].detail


def test_a_result_that_depends_on_the_place_in_the_tensor_is_caught(judged):
    @quiet("program.remainder", T(domain=(1, 2), edges=False))
    def remainder(x):
        return x + tf.cast(tf.range(tf.size(x)) >= 16, x.dtype)

    rows = judged(remainder, "float32", "*/*/*/eager#value:lanes")
    assert {row.sample: row.verdict for row in rows.values()} == {
        "edge": "differs",
        "n3": "identical",
        "n17": "differs",
    }


def test_a_constant_that_the_graph_rewrites_wrongly_is_caught(judged):
    @quiet("program.rewritten", T(domain=(1, 2), edges=False), T(domain=(1, 2), edges=False))
    def rewritten(x, y):
        known = None if tf.executing_eagerly() else tf.get_static_value(y)
        return x + y if known is None or known != 0.5 else x - y

    rows = judged(rewritten, "float32", "*/*/*/graph#value:eager")
    assert rows["constant/graph@CPU:0#value:eager"].verdict == "differs"
    assert "0.5" in rows["constant/graph@CPU:0#value:eager"].detail
    assert rows["edge/graph@CPU:0#value:eager"].verdict == "identical"


def test_a_second_device_is_judged_against_the_cpu():
    """Two logical devices on one CPU stand for a CPU and something else; the program's fault is on the second alone."""
    script = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tfparity import T, program
from tfparity.suite.checking import checks
from tfparity.suite.records.identity import parse
from tfparity.suite.running.modes import Clock
from tfparity.suite.checking.planning import Wanted

@program("program.sound", T(domain=(1, 2), edges=False), autograph=False)
def sound(x):
    return x + 1.0

@program("program.faulty", T(domain=(1, 2), edges=False), autograph=False)
def faulty(x):
    return x + (2.0 if "CPU:1" in (x + 0.0).device else 1.0)

for case in (sound, faulty):
    want = Wanted(("eager", "graph"), ("CPU:0", "CPU:1"), (parse("*/*/edge"),))
    for row in checks.run(case, "float32", want, {}, Clock(), lambda step, draw: None):
        print(row.id, row.verdict)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = dict(line.split() for line in done.stdout.splitlines())
    assert found["program.sound/float32/edge/eager@CPU:1#value:cpu"] == "identical"
    assert found["program.faulty/float32/edge/eager@CPU:1#value:cpu"] == "differs"
    assert found["program.sound/float32/edge/graph@CPU:1#value:eager"] == "identical"
    assert "program.sound/float32/edge/eager@CPU:0#value:cpu" not in found


# --- errors and documentation --------------------------------------------------------------------------------------


def test_an_index_out_of_range_that_is_accepted_is_caught(judged):
    @quiet("program.clips", T("n d"), I("m", below="n"))
    def clips(x, i):
        return tf.gather(x, tf.clip_by_value(i, 0, tf.shape(x)[0] - 1))

    rows = judged(clips, "float32", "*/*/beyond-1/eager", "*/*/negative-1/eager")
    assert {row.id.split("#")[1]: row.verdict for row in rows.values()} == {"error:docs": "accepted"}
    assert len(rows) == 2
    assert "accepted and gives" in rows["beyond-1/eager@CPU:0#error:docs"].detail


def test_an_index_out_of_range_that_is_refused_is_right(judged):
    case = op("tf.gather", lambda x, i: x[i], T("n d"), I("m", below="n"))
    rows = judged(case, "float32", "*/*/beyond-1/eager", "*/*/beyond-1/graph")
    assert {row.verdict for row in rows.values()} == {"identical"}


def test_shapes_that_cannot_be_broadcast_and_are_accepted_are_caught(judged):
    @quiet("program.cuts", T(), T())
    def cuts(x, y):
        n = tf.minimum(tf.size(x), tf.size(y))
        return tf.reshape(x, [-1])[:n] + tf.reshape(y, [-1])[:n]

    assert judged(cuts, "float32", "*/*/mismatch/eager")["mismatch/eager@CPU:0#error:docs"].verdict == "accepted"


def test_an_error_input_of_the_declaration_that_is_accepted_is_caught(judged):
    @quiet("program.lenient", T("n"), axis=0, errors=[error("axis", axis=7)])
    def lenient(x, axis):
        return tf.reduce_sum(x, axis=0)

    assert judged(lenient, "float32", "*/*/axis/eager")["axis/eager@CPU:0#error:docs"].verdict == "accepted"


def test_an_error_of_another_class_in_the_graph_is_caught(judged):
    @quiet("program.classes", T("n"), axis=0, errors=[error("axis", axis=7)])
    def classes(x, axis):
        if axis == 7:
            raise (ValueError if tf.executing_eagerly() else TypeError)("no such axis")
        return x

    rows = judged(classes, "float32", "*/*/axis")
    assert rows["axis/eager@CPU:0#error:docs"].verdict == "identical"
    assert rows["axis/graph@CPU:0#error:eager"].verdict == "error-differs"


def test_valid_input_that_is_refused_is_caught_even_without_reference(judged):
    @quiet("program.refuses", T("n"))
    def refuses(x):
        raise ValueError("never")

    row = judged(refuses, "float32", "*/*/ordinary/eager")["ordinary/eager@CPU:0#value:docs"]
    assert row.verdict == "error-differs"
    assert "valid input is refused" in row.detail


# --- invariants ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("invariant", "verdict"),
    [
        (lambda y, x: True, "identical"),
        (lambda y, x: False, "differs"),
        (lambda y, x: (y, x), "identical"),
        (lambda y, x: (y, 2 * x), "differs"),
        (lambda y, x: [(y, x), (y, x + 1)], "differs"),
        (lambda y, x: (y, x[:1]), "differs"),
        (lambda y, x: (y, x * (1 + 1e-7)), "close"),
    ],
)
def test_an_invariant_that_does_not_hold_is_caught(judged, invariant, verdict):
    case = op("tf.identity", None, T("n", domain=(1, 2), edges=False), invariant=invariant)
    row = judged(case, "float32", "*/*/ordinary/eager#value:theory")["ordinary/eager@CPU:0#value:theory"]
    assert row.verdict in (("identical", "close") if verdict == "close" else (verdict,))


def test_a_canonical_form_forgives_only_what_it_takes_away(judged):
    @quiet("program.signed", T("n", domain=(1, 2), edges=False), reference=lambda x: x, canonical=np.abs)
    def signed(x):
        return x if tf.executing_eagerly() else -x

    rows = judged(signed, "float32", "*/*/ordinary/*#value")
    assert {row.verdict for row in rows.values()} == {"identical"}

    @quiet("program.scaled", T("n", domain=(1, 2), edges=False), reference=lambda x: x, canonical=np.abs)
    def scaled(x):
        return -1.5 * x

    assert (
        judged(scaled, "float32", "*/*/ordinary/eager#value:numpy")["ordinary/eager@CPU:0#value:numpy"].verdict
        == "differs"
    )


def test_state_is_made_anew_for_every_mode(judged):
    @quiet("program.counts", T("n", edges=False), state=lambda: tf.Variable(0.0))
    def counts(held, x):
        held.assign_add(1.0)
        return x * 0.0 + held

    rows = judged(counts, "float32", "*/*/ordinary/*#value:eager")
    assert {row.verdict for row in rows.values()} == {"identical"}


def test_every_planned_row_is_given_and_no_other(judged):
    from tfparity.suite.checking.planning import Wanted, plan
    from tfparity.suite.inputs.samples import expand

    case = op("tf.math.add", np.add, T(), T())
    planned = [
        f"{p.sample}/{p.mode}@{p.device}#{p.aspect}:{p.against}"
        for p in plan(case, expand(case, "int32"), Wanted(EAGER_GRAPH))
    ]
    assert list(judged(case, "int32", modes=EAGER_GRAPH)) == planned
    assert len(set(planned)) == len(planned) > 10


def test_options_and_shapes_run_in_every_mode_in_the_main_dtype_and_in_eager_in_the_other_leading_ones():
    from tfparity.suite.checking.planning import Wanted, plan
    from tfparity.suite.inputs.samples import expand

    case = op("tf.reduce_sum", np.sum, T("n m"), axis=each(0, 1))

    def samples_of(mode, dtype, main):
        return {p.sample for p in plan(case, expand(case, dtype), Wanted(main=main)) if p.mode == mode}

    everything = samples_of("eager", "float32", main=True)
    assert {"ordinary,axis=0", "edge,axis=1", "long,axis=0", "empty-n,axis=0", "rank-0,axis=0"} <= everything
    for_eager = {"column-0,axis=0", "shallow-0,axis=0", "empty-n,axis=1", "empty-m,axis=1"}
    assert samples_of("xla", "float32", main=True) == everything - for_eager - {"long,axis=0", "tensor-axis,axis=0"}
    # graphs run eager's kernels: edge values of one option will do, and of other sizes the empty ones
    in_graphs = everything - for_eager - {"edge,axis=1"}
    # and of other options XLA's trace, which knows the sizes
    assert samples_of("graph", "float32", main=True) == in_graphs - {"ones,axis=0", "long,axis=0", "ordinary,axis=1"}
    # and what is refused for its rank is refused where the rank is known
    refused = {"scalar-0,axis=0", "deeper-0,axis=0", "emptied-0,axis=0", "tensor-axis,axis=0"} | {
        f"option-axis-{name},axis=0" for name in ("below", "beyond")
    }
    assert refused <= in_graphs
    assert samples_of("graph-dynamic", "float32", main=True) == in_graphs - refused
    # invalid input is for the main dtype
    of_ranks = {f"{name}-0,axis=0" for name in ("column", "shallow", "rank")}
    assert samples_of("eager", "int32", main=False) == everything - refused - of_ranks
    # and planted edge values, which are many draws, outside of it for eager and XLA
    assert samples_of("xla", "int32", main=False) == {"ordinary,axis=0", "edge,axis=0"}
    for mode in ("graph", "graph-dynamic"):
        assert samples_of(mode, "int32", main=False) == {"ordinary,axis=0"}


def test_a_gradient_that_is_left_out_is_not_planned():
    from tfparity.suite.checking.planning import Wanted, plan
    from tfparity.suite.inputs.samples import expand

    def aspects(**more):
        case = op("tf.reduce_mean", np.mean, T("n"), **more)
        return {p.aspect for p in plan(case, expand(case, "float32"), Wanted())}

    assert aspects() - aspects(skips={"gradient": "why"}) == {"gradient"}


def test_what_a_graph_rewrites_runs_in_a_graph_of_known_sizes_in_every_option():
    from tfparity.suite.checking.planning import Wanted, plan
    from tfparity.suite.inputs.samples import expand

    def in_graphs(rewrites):
        case = op("tf.reduce_prod", np.prod, T("n m"), axis=each(0, 1), rewrites=rewrites)
        return {p.sample for p in plan(case, expand(case, "float32"), Wanted()) if p.mode == "graph"}

    assert in_graphs(True) - in_graphs(False) == {"ordinary,axis=1"}


def test_a_graph_is_not_compared_with_uninitialised_memory(judged):
    def call(f, x):
        hollow = tf.fill(tf.shape(x), np.uint32(0x01010101 * FILL))
        return tf.bitcast(hollow, tf.float32) if tf.executing_eagerly() else f(x)

    rows = judged(op("tf.identity", None, T("n"), call=call), "float32", "*/*/ordinary/*#value:eager")
    found = {row.mode: row.verdict for row in rows.values()}
    assert found == {"graph": "unsupported", "graph-dynamic": "unsupported", "xla": "differs"}
    assert "eager gives uninitialised memory" in rows["ordinary/graph@CPU:0#value:eager"].detail


def test_a_graph_is_not_asked_for_a_further_option_that_eager_has_no_kernel_for(judged):
    asked = []

    def call(f, x, axis):
        asked.append((tf.executing_eagerly(), axis))
        if axis == 1:
            raise tf.errors.UnimplementedError(None, None, "Could not find device for node")
        return f(x, axis)

    case = op("tf.reduce_sum", np.sum, T("n m"), axis=each(0, 1), call=call)
    rows = judged(case, "float32", "*/*/ordinary*", modes=EAGER_GRAPH)
    assert {r.verdict for r in rows.values() if r.sample == "ordinary,axis=1"} == {"unsupported"}
    assert {axis for eager, axis in asked if not eager} == {0}


def test_what_has_a_value_and_no_gradient_but_an_error_is_refused(judged):
    @tf.custom_gradient
    def without(x):
        def gradient(up):
            raise tf.errors.InvalidArgumentError(None, None, "no such shape")

        return x + 1, gradient

    def refuses(f, x):
        raise tf.errors.InvalidArgumentError(None, None, "the op itself")

    cases = {
        "error-differs": op("tf.identity", None, T("n"), call=lambda f, x: without(x)),
        "identical": op("tf.abs", None, T("n"), call=refuses),
        "unsupported": op("tf.floor", None, T("n"), call=lambda f, x: tf.unique(x)[0]),
    }
    for verdict, case in cases.items():
        rows = judged(case, "float32", "*/*/ordinary/eager#gradient", modes=EAGER_GRAPH)
        assert rows["ordinary/eager@CPU:0#gradient:docs"].verdict == verdict


def test_sixteen_bits_leave_the_length_no_room(judged):
    def call(f, x):
        return tf.where(tf.size(x) > 1, x * (1 + 2**-7), x)

    case = op("tf.identity", lambda x: x * (1 + 2**-7), T(within=(1, 2)), call=call, error_factor=64)
    rows = judged(case, "bfloat16", "*/*/edge/eager")
    assert rows["edge/eager@CPU:0#value:numpy"].verdict == "identical"
    assert rows["edge/eager@CPU:0#value:lanes"].verdict == "differs"


def test_what_disagrees_is_asked_of_xla_without_a_rank_too(judged):
    """tf.linalg.matmul uses MatMul, which XLA refuses, where the rank is known, and otherwise BatchMatMul."""
    case = op("tf.linalg.matmul", None, T("m k"), T("k n"))
    rows = judged(case, "float32", "*/*/mismatch-k/xla#error", "*/*/rank-0/xla#error", modes=("eager", "xla"))
    assert "got      a value" in rows["mismatch-k/xla@CPU:0#error:eager"].detail
    assert "got      a value" not in rows["rank-0/xla@CPU:0#error:eager"].detail


def test_an_invariant_says_nothing_of_input_that_the_reference_refuses(judged):
    def refuses(x):
        raise ValueError("documented")

    def fails(f, x):
        return tf.ensure_shape(x, [99])

    case = op("tf.identity", refuses, T("n", edges=False), call=fails, invariant=lambda result, x: False)
    row = judged(case, "float32", "*/*/ordinary/eager#value:theory")["ordinary/eager@CPU:0#value:theory"]
    assert row.verdict == "identical"


def test_a_complex_gradient_that_a_mode_conjugates_is_caught(judged):
    @tf.custom_gradient
    def square(x):
        return x * x, lambda up: up * tf.math.conj(2 * x) if tf.executing_eagerly() else up * 2 * x

    case = op("tf.math.square", None, T("n", domain=(1, 2)), call=lambda f, x: square(x))
    rows = judged(case, "complex64", "*/*/ordinary/graph#gradient:eager")
    assert rows["ordinary/graph@CPU:0#gradient:eager"].verdict == "differs"


def test_samples_that_share_a_trace_share_what_it_captured(judged):
    @program("program.kept", T("n"), state=lambda: tf.queue.FIFOQueue(3, ["float32"]), autograph=False)
    def kept(queue, x):
        queue.enqueue(tf.reduce_sum(x))
        return queue.dequeue() - tf.reduce_sum(x)

    rows = judged(kept, "float32", "*/*/*/graph#value:eager")
    assert {rows[f"{sample}/graph@CPU:0#value:eager"].verdict for sample in ("ordinary", "edge")} == {"identical"}
