"""TensorFlow's own examples, on made-up docstrings: each verdict of an example, and calls made again that differ, that
raise, that are random, and that cannot be made again."""

import numpy as np
import pytest
import tensorflow as tf

from tfparity.suite.checking import examples
from tfparity.suite.checking.examples.recording import Context, Plain
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.judging.outcome import Lost
from tfparity.suite.records.identity import QueryError, identity, parse
from tfparity.suite.running.modes import Clock

THERE = 7  # a global of this module, as an op's module has its own
seen = []


@pytest.fixture
def page(monkeypatch):
    """Runs a docstring: `page(text) -> {what follows op/dtype/: row}`; `ops` are made-up ones, called as `tf.NAME`."""

    def run(text, *queries, ops=(), lost=None, step=lambda doing, draw: None, **wanted):
        def op():
            pass

        op.__doc__ = text
        for function in ops:
            monkeypatch.setattr(tf, function.__name__, function, raising=False)
        known = {**examples.documented(), **{id(f): f"tf.{f.__name__}" for f in ops}}
        want = Wanted(queries=tuple(parse(q) for q in queries), **wanted)
        of_op = examples.Page("tf.op", op, known)
        rows = list(examples.rows_of(of_op, want, Context("CPU:0", lost or {}, Clock(), step)))
        return {row.id.split("/", 2)[2].replace("@CPU:0#docs", ""): row for row in rows}

    return run


def verdicts(rows):
    return {name: row.verdict for name, row in rows.items()}


# --- what an example prints ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdict", "kind"),
    [
        (">>> 1 + 1\n2", "identical", ""),
        (">>> x = 1", "identical", ""),
        (">>> tf.constant(1.5)\n<tf.Tensor: numpy=1.5001>", "close", ""),
        (">>> np.float64(os.path.sep == '/') + THERE\n8.", "close", ""),
        (">>> 1 + 1\n3", "differs", "value"),
        (">>> tf.constant(1.5)\n<tf.Tensor: shape=(), dtype=float32, numpy=1.6>", "differs", "value"),
        (">>> 1 / 0", "error-differs", "error-class"),
        (">>> 1 / 0\nTraceback (most recent call last):\n...\nZeroDivisionError: in other words", "identical", ""),
        (
            ">>> 1 / 0\nTraceback (most recent call last):\n...\nValueError: in other words",
            "error-differs",
            "error-class",
        ),
        (">>> 1 / 1\nTraceback (most recent call last):\n...\nZeroDivisionError: division by zero", "accepted", ""),
        (">>> raise tf.errors.UnimplementedError(None, None, 'no such kernel')\n1", "unsupported", ""),
        (">>> 1 / 0  # doctest: +SKIP", "unsupported", ""),
    ],
)
def test_an_example_is_judged_by_what_it_prints_and_raises(page, text, verdict, kind):
    row = page(text)["example-1/eager:docs"]
    assert (row.verdict, row.kind) == (verdict, kind)
    assert row.id == "tf.op/mixed/example-1/eager@CPU:0#docs:docs"


def test_a_failing_example_shows_its_source_what_it_gave_and_what_the_page_shows(page):
    assert page(">>> 1 + 1\n3")["example-1/eager:docs"].detail == ">>> 1 + 1\ngot      2\nexpected 3"


def test_examples_share_their_names_and_every_run_has_the_same_seed(page):
    text = ">>> x = tf.random.uniform([])\n>>> float(x) + np.random.rand()\n0"
    first, second = (page(text)["example-2/eager:docs"].detail for _ in range(2))
    assert "got" in first
    assert first == second


def test_a_docstring_without_examples_gives_no_row(page):
    assert page("Adds.\n\n```python\ntf.add(1, 2)\n```") == {}
    assert page(None) == {}


def test_classes_decorators_datasets_and_tapes_work_as_ever(page):
    text = """
    >>> v = tf.Variable([1., 2.])
    >>> isinstance(tf.constant(1), tf.Tensor) and callable(tf.add) and tf.float32.is_floating
    True
    >>> @tf.function
    ... def f(x):
    ...   return tf.cond(x > 0, lambda: tf.add(x, 1), lambda: x) if x is not None else x
    >>> int(f(tf.constant(1)))
    2
    >>> with tf.GradientTape() as tape:
    ...   y = tf.reduce_sum(tf.square(v))
    >>> tape.gradient(y, v).numpy()
    array([2., 4.], dtype=float32)
    >>> [int(x) for x in tf.data.Dataset.range(3).map(tf.square)]
    [0, 1, 4]
    >>> int(tf.experimental.numpy.add(1, 1))
    2
    """
    assert set(verdicts(page(text)).values()) == {"identical"}


# --- which calls are noted -----------------------------------------------------------------------------------------


def calls(rows):
    return [name.split("/")[0] for name in rows if name.endswith("/graph:eager")]


def test_each_eager_call_of_a_documented_op_is_a_row_in_graph_and_under_xla(page):
    rows = page(
        ">>> x = tf.constant([1., 2.])\n>>> tf.add(tf.math.abs(x), tf.abs(x)).numpy()\narray([2., 4.], dtype=float32)"
    )
    assert calls(rows) == [
        "example-1,tf.constant",
        "example-2,tf.math.abs",
        "example-2,tf.math.abs-2",
        "example-2,tf.math.add",
    ]
    assert rows["example-2,tf.math.abs-2/xla:eager"].id == "tf.op/mixed/example-2,tf.math.abs-2/xla@CPU:0#docs:eager"
    assert {row.verdict for row in rows.values()} <= {"identical", "close"}


def test_what_a_call_or_a_traced_function_calls_belongs_to_it(page):
    rows = page(
        """
    >>> tf.map_fn(lambda x: tf.add(x, 1), np.array([1, 2])).numpy()
    array([2, 3])
    >>> int(tf.function(lambda x: tf.add(x, 1))(1))
    2
    """
    )
    assert calls(rows) == ["example-1,tf.map_fn"]
    assert rows["example-1,tf.map_fn/graph:eager"].verdict == "identical"


# --- calls made again ----------------------------------------------------------------------------------------------


def rescaled(x):
    return x if tf.executing_eagerly() else x * 1.5


def raising(x):
    if not tf.executing_eagerly():
        raise ValueError("not in a graph")
    return x


def refusing(x):
    raise ValueError("nowhere")


def unfolded(x, options=None):
    """Another value where the graph knows x: no argument then."""
    known = not tf.executing_eagerly() and not (isinstance(x, tf.Tensor) and tf.get_static_value(x) is None)
    x = tf.convert_to_tensor(x)
    return tf.strings.join([x, x]) if known and x.dtype == tf.string else x + x if known else x


def shaped(x, shape):
    """Wants a list for its shape, and an argument for x."""
    if not isinstance(shape, list) and not tf.executing_eagerly():
        raise TypeError("shape must be a list")
    return tf.reshape(unfolded(x), shape)


def scattered(x):
    return tf.random.uniform([2] if tf.executing_eagerly() else [3])


def saturated(x):
    """Random, and the same nearly always."""
    return tf.minimum(tf.random.uniform([]) * 1e6, 1.0) * (1.0 if tf.executing_eagerly() else 2.0)


def made(x):
    return lambda: x


def test_a_call_that_gives_another_value_in_a_graph_differs(page):
    rows = page(">>> y = tf.rescaled(tf.constant([1., 2.]))", "*/*/*rescaled*", ops=[rescaled])
    assert verdicts(rows) == {
        "example-1,tf.rescaled/graph:eager": "differs",
        "example-1,tf.rescaled/xla:eager": "differs",
    }
    assert "got      3.0" in rows["example-1,tf.rescaled/xla:eager"].detail


def test_a_call_that_a_mode_refuses_is_not_counted_as_right(page):
    rows = page(">>> y = tf.raising(tf.constant([1., 2.]))", "*/*/*raising*", ops=[raising])
    assert set(verdicts(rows).values()) == {"error-differs"}
    assert "not in a graph" in rows["example-1,tf.raising/graph:eager"].detail


def test_a_call_that_raises_must_raise_the_same_in_every_mode(page):
    text = ">>> tf.refusing([1.])\nTraceback (most recent call last):\n...\nValueError: nowhere"
    assert set(verdicts(page(text, ops=[refusing])).values()) == {"identical"}


@pytest.mark.parametrize(
    "x", ["tf.constant([1., 2.])", "np.array([1, 2])", "[1, 2]", "((1., 2.), (3., 4.))", "3.5", "[True, False]"]
)
def test_tensors_arrays_lists_and_where_there_are_none_numbers_are_arguments(page, x):
    rows = page(f">>> y = tf.unfolded({x})", "*/*/*unfolded*", ops=[unfolded])
    assert set(verdicts(rows).values()) == {"identical"}
    assert len(rows) == 2


def test_strings_are_arguments_in_a_graph(page):
    rows = page(">>> y = tf.unfolded(['a', 'b'])\n>>> z = tf.unfolded('a')", "*/*/*unfolded*/graph", ops=[unfolded])
    assert list(verdicts(rows).values()) == ["identical", "identical"]


def test_a_list_that_a_mode_wants_as_it_stands_is_an_option_and_the_row_says_so(page):
    rows = page(">>> y = tf.shaped([1., 2., 3., 4.], [2, 2])", "*/*/*shaped*", ops=[shaped])
    assert set(verdicts(rows).values()) == {"identical"}
    assert all(
        "not every list is a tensor, since then: TypeError: shape must be a list" in r.detail for r in rows.values()
    )


def test_of_a_random_call_only_the_form_is_judged(page):
    rows = page(
        ">>> x = tf.random.normal([3])\n>>> y = tf.scattered(1)\n>>> z = tf.saturated(1)", ops=[scattered, saturated]
    )
    for name in ("tf.random.normal", "tf.saturated"):
        number = 1 if name == "tf.random.normal" else 3
        row = rows[f"example-{number},{name}/xla:eager"]
        assert row.verdict == "identical"
        assert "only structure, dtypes and shapes" in row.detail
    assert (rows["example-2,tf.scattered/graph:eager"].verdict, rows["example-2,tf.scattered/graph:eager"].kind) == (
        "differs",
        "shape",
    )


def test_a_variable_is_an_argument_with_the_value_it_had(page):
    rows = page(
        ">>> v = tf.Variable([1., 2.])\n>>> y = tf.unfolded(v)\n>>> w = v.assign([3., 4.])", "*/*/*,*", ops=[unfolded]
    )
    assert set(verdicts(rows).values()) == {"identical"}
    assert not any("only structure" in row.detail for row in rows.values())


def test_a_list_that_the_example_changes_later_is_as_it_was(page):
    rows = page(">>> x = [1., 2.]\n>>> y = tf.unfolded(x)\n>>> x[0] = 5.", "*/*/*,*", ops=[unfolded])
    assert set(verdicts(rows).values()) == {"identical"}


def test_a_call_that_cannot_be_made_again_says_why(page):
    rows = page(
        ">>> f = tf.made(1)\n>>> once = iter([tf.constant(1)])\n>>> y = tf.consumed(once)", ops=[made, consumed]
    )
    assert rows["example-1,tf.made/graph:eager"].verdict == "unsupported"
    assert rows["example-1,tf.made/graph:eager"].detail == "not made again: it gives a function, which is no tensor"
    assert rows["example-3,tf.consumed/xla:eager"].detail.startswith(
        "not made again: a second time eager gives StopIteration"
    )


def consumed(iterator):
    return next(iterator)


def test_sparse_and_ragged_tensors_are_arguments_too(page):
    text = """
    >>> x = tf.sparse.to_dense(tf.SparseTensor([[0, 1]], [2.], [1, 3]))
    >>> y = tf.ragged.stack([tf.ragged.constant([[1], [2, 3]]), tf.ragged.constant([[4]])])
    """
    rows = page(text, "*/*/*to_dense*", "*/*/*stack*/graph")
    assert list(verdicts(rows).values()) == ["identical"] * 3


# --- queries, deaths, scripts --------------------------------------------------------------------------------------


def test_only_the_rows_asked_for_are_run_and_given(page):
    text = ">>> x = tf.constant([1.])\n>>> y = tf.add(x, x)"
    assert list(page(text, "tf.op/mixed/example-2,*/graph")) == ["example-2,tf.math.add/graph:eager"]
    assert list(page(text, modes=("eager", "numpy"))) == ["example-1/eager:docs", "example-2/eager:docs"]
    assert page(text, "tf.op/float32") == {}


def test_every_step_is_announced_before_it_is_taken(page):
    steps = []
    page(">>> x = tf.constant([1.])", step=lambda doing, draw: steps.append(doing))
    assert steps[0] == ("example-1", "eager", "CPU:0", "docs")
    assert [doing[1] for doing in dict.fromkeys(steps)] == ["eager", "eager", "graph", "xla"]
    assert {doing[3] for doing in steps[1:]} == {"value"}


def test_an_example_in_which_the_process_died_is_not_run_again_and_costs_its_rows_alone(page):
    seen.clear()
    died = {("example-2", "eager", "CPU:0", "docs"): Lost("crash", "SIGABRT")}
    rows = page(">>> seen.append(1)\n>>> x = seen.append(2)\n>>> x\n>>> seen.append(4)", lost=died)
    assert seen == [1, 4]
    assert list(verdicts(rows).values()) == ["identical", "crash", "unsupported", "identical"]
    assert rows["example-2/eager:docs"].detail == "SIGABRT"


def test_a_call_in_which_the_process_died_is_not_made_again_in_that_mode(page):
    text = ">>> x = tf.add(tf.constant([1.]), 1.)"
    rows = page(text, "*/*/*add*", lost={("example-1,tf.math.add", "xla", "CPU:0", "value"): Lost("timeout", "30 s")})
    assert list(verdicts(rows).values()) == ["identical", "timeout"]
    rows = page(text, "*/*/*add*", lost={("example-1,tf.math.add", "eager", "CPU:0", "value"): Lost("crash", "SIGFPE")})
    assert list(verdicts(rows).values()) == ["crash", "crash"]


def test_a_documented_op_is_run_by_its_name():
    rows = examples.rows("tf.math.reduce_max", Wanted(), {}, Clock(), lambda step, draw: None)
    assert len([r for r in rows if r.mode == "eager"]) == tf.math.reduce_max.__doc__.count(">>> ") > 0
    assert {r.verdict for r in rows if r.mode == "eager"} <= {"identical", "close"}
    assert {r.op for r in rows} == {"tf.math.reduce_max"}
    assert {(r.aspect, r.dtype) for r in rows} == {("docs", "mixed")}


def test_a_row_is_reproduced_by_a_script(capfd):
    with pytest.raises(SystemExit, match="0"):
        exec(examples.script(identity("tf.ensure_shape/mixed/example-5,tf.ensure_shape/graph@CPU:0#docs:eager")), {})
    out = capfd.readouterr().out
    assert "ValueError: Shape must be rank 1 but is rank 2" in out
    assert "InvalidArgumentError" in out
    exec(examples.script(identity("tf.shape/mixed/example-3/eager@CPU:0#docs:docs")), {})
    shown, printed = capfd.readouterr().out.split("--- the page shows:")
    assert "shape=(3,)" in shown
    assert "shape=(3,)" in printed


def test_a_script_of_nothing_says_what_there_is():
    with pytest.raises(QueryError, match=r"its docstring has \d examples"):
        examples.script(identity("tf.sort/mixed/example-99/eager@CPU:0#docs:docs"))
    with pytest.raises(QueryError, match="its calls are"):
        examples.script(identity("tf.sort/mixed/example-99,tf.sort/xla@CPU:0#docs:eager"))


def test_an_argument_keeps_its_source_where_it_stays_plain():
    array = Plain(np.array([1, 2]))
    assert repr(array) == "np.array([1, 2], 'int64')"
    assert repr(Plain(tf.TensorShape([None, 2]))) == "tf.TensorShape([None, 2])"
    assert repr(Plain(tf.int32)) == "tf.int32"
