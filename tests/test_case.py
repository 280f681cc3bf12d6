"""The language of declarations, and loading files that speak it."""

import subprocess
import sys
import textwrap
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import tfparity
from tfparity import (
    DTYPE,
    B,
    I,
    Ragged,
    RaggedValue,
    S,
    Sparse,
    SparseValue,
    T,
    each,
    error,
    every,
    kind,
    op,
    program,
    sample,
)
from tfparity.suite.inputs.samples import expand
from tfparity.suite.language import case as cases
from tfparity.suite.language import loading
from tfparity.suite.language.case import CaseError
from tfparity.suite.language.loading import load
from tfparity.suite.language.trees import leaves, rebuild

pytestmark = pytest.mark.usefixtures("registry")


def declared(case):
    return list(case.samples())


def test_one_row_states_an_op():
    case = op("tf.math.acosh", np.arccosh, T(domain=(1, 9)))
    assert (case.name, case.reference, case.kind, case.status, case.is_program) == (
        "tf.math.acosh",
        np.arccosh,
        "other",
        "implemented",
        False,
    )
    assert declared(case)[0].args == (T(domain=(1, 9)),)
    assert case.file == __file__
    assert "tf.math.acosh" in cases.CASES


def test_a_declaration_stands_where_its_file_makes_it_though_a_neighbour_helps(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helping.py").write_text(
        "from tfparity import T, op\n\n\ndef declare(name):\n    return op(name, None, T())\n"
    )
    mine = tmp_path / "mine.py"
    mine.write_text("from helping import declare\n\ndeclare('tf.foo')\n")
    foo = load([mine])["tf.foo"]
    assert (foo.file, foo.line) == (str(mine), 3)

    twice = tmp_path / "twice.py"
    twice.write_text("from helping import declare\n\ndeclare('tf.bar')\ndeclare('tf.bar')\n")
    with pytest.raises(CaseError, match=r"twice.*twice\.py:3.*twice\.py:4"):
        load([twice])


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (T(), ("...",)),
        (T(""), ()),
        (T("m k"), ("m", "k")),
        (T(2, 3), (2, 3)),
        (T("b", 3), ("b", 3)),
        (T("2 n"), (2, "n")),
        (T("2*h"), ("2*h",)),
        (I("m", below="n"), ("m",)),
        (B("n"), ("n",)),
        (S("n"), ("n",)),
        (Sparse("m n"), ("m", "n")),
        (Ragged("r c"), ("r", "c")),
    ],
)
def test_shapes_are_names_numbers_or_any(made, shape):
    assert made.shape == shape
    assert made.any_shape == (shape == ("...",))


def test_a_factor_before_a_name_grows_with_the_name():
    case = op("tf.foo", None, T("n"), T("3*n"))
    (a, b), _ = next(s for s in expand(case, "float32") if s.name == "ordinary").draws[0]
    assert b.shape == (3 * a.shape[0],)


def test_each_takes_the_values_of_an_argument_in_turn_and_their_product():
    case = op("tf.foo", None, T("a b"), each(1, 2), axis=each(None, 0), keepdims=each(False, True), unit="x")
    found = declared(case)
    assert [(s.args[1], s.kwargs["axis"], s.kwargs["keepdims"]) for s in found] == list(
        product((1, 2), (None, 0), (False, True))
    )
    assert all(s.kwargs["unit"] == "x" for s in found)
    assert [s.name for s in found][:2] == ["1,axis=None,keepdims=False", "1,axis=None,keepdims=True"]
    assert len({s.name for s in found}) == 8


def test_every_is_each_for_one_part_of_a_generator():
    args = (T("a b"), each(T("n"), None))
    found = list(every(*args, axis=each(None, 0), unit="x", sizes={"n": 9}))
    assert found == declared(op("tf.foo", None, *args, axis=each(None, 0), unit="x", sizes={"n": 9}))
    assert [s.name for s in found] == ["n,axis=None", "n,axis=0", "None,axis=None", "None,axis=0"]


def test_each_may_vary_an_input_and_names_it_by_its_shape():
    assert [s.name for s in declared(op("tf.foo", None, each(T("n"), T("n m"))))] == ["n", "nxm"]


def test_a_kind_is_filled_in_once():
    reduction = kind("reduction")
    assert reduction("tf.foo", np.sum, T("a")).kind == "reduction"
    assert reduction("tf.bar", np.sum, T("a")).kind == "reduction"


def test_the_line_of_a_row_is_the_authors_even_through_kind():
    line = kind("reduction")("tf.foo", np.sum, T("a")).line
    assert 'kind("reduction")("tf.foo"' in Path(__file__).read_text().splitlines()[line - 1]


def test_a_generator_declares_samples_whose_arguments_do_not_vary_independently():
    @op("tf.nn.conv2d", None)
    def conv2d():
        for stride, padding in ((1, "SAME"), (2, "VALID")):
            yield sample(T(2, 7, 7, 3), T(3, 3, 3, 4), strides=stride, padding=padding)

    assert [s.name for s in declared(conv2d)] == ["strides=1,padding=SAME", "strides=2,padding=VALID"]
    assert cases.CASES["tf.nn.conv2d"] is conv2d


def test_error_inputs_become_samples_that_must_fail():
    case = op(
        "tf.foo",
        None,
        T("n"),
        axis=0,
        errors=[error("out of range", axis=99), error("empty", np.zeros((0,), np.float32))],
    )
    found = {s.name: s for s in expand(case, "float32")}
    assert found["outofrange"].must_fail
    assert found["outofrange"].invalid
    assert found["outofrange"].draws[0][1] == {"axis": 99}
    assert found["empty"].draws[0][0][0].shape == (0,)


def test_a_hole_is_declared_with_its_reason():
    case = op("tf.foo").unimplemented("nothing to compute")
    assert (case.status, case.missing) == ("unimplemented", "nothing to compute")
    assert cases.CASES["tf.foo"].status == "unimplemented"


def test_a_missing_reference_is_declared_with_its_reason_and_still_runs():
    case = op("tf.foo", None, T()).no_reference("only hardware knows")
    assert (case.status, case.reason) == ("implemented", "only hardware knows")


def test_an_op_declared_twice_is_refused_with_both_places():
    op("tf.foo", None, T())
    with pytest.raises(CaseError, match=r"tf\.foo is declared twice: .*test_case\.py:\d+ and .*test_case\.py:\d+"):
        op("tf.foo", None, T())


def test_a_program_is_a_case_whose_call_is_the_function():
    @program("program.double", T(), reference=lambda x: 2 * x)
    def double(x):
        return x + x

    assert double.is_program
    assert double.autograph
    assert double.body(4) == 8


def test_leaves_and_rebuild_walk_lists_tuples_and_dicts():
    tree = ([1, (2,)], {"a": 3, "b": [4]})
    assert list(leaves(tree)) == [1, 2, 3, 4]
    assert rebuild(tree, lambda n: n * 10) == ([10, (20,)], {"a": 30, "b": [40]})


def test_a_sparse_value_knows_its_dense_form():
    value = SparseValue(np.array([[0, 1], [1, 0]]), np.array([5, 7]), np.array([2, 2]))
    assert value.dense().tolist() == [[0, 5], [7, 0]]


def test_a_ragged_value_is_made_of_rows_and_gives_them_back():
    value = RaggedValue.of([np.array([1, 2]), np.array([], int), np.array([3])])
    assert [row.tolist() for row in value.rows()] == [[1, 2], [], [3]]
    assert value.splits[0].tolist() == [0, 2, 2, 3]


def test_an_option_may_stand_for_the_dtype():
    found = expand(op("tf.cast", None, T("n"), DTYPE), "float16")
    assert found[0].draws[0][0][1] == np.float16


# --- loading -------------------------------------------------------------------------------------------------------


def written(tmp_path, text, name="mine.py"):
    path = tmp_path / name
    path.write_text(textwrap.dedent(text))
    return path


def test_a_file_of_ones_own_is_added_to_those_loaded(tmp_path):
    first = written(tmp_path, "from tfparity import *\nop('tf.foo', None, T())", "first.py")
    second = written(tmp_path, "from tfparity import *\nop('tf.bar', None, T())", "second.py")
    assert list(load([first])) == ["tf.foo"]
    assert list(load([second])) == ["tf.foo", "tf.bar"]
    assert load([first])["tf.foo"].file == str(first)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1 / 0", r"mine\.py cannot be loaded: ZeroDivisionError: .*mine\.py:1"),
        ("import does_not_exist", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("x = 1", "declares no case"),
        ("from tfparity import *\nop('tf.a', None, T())\nop('tf.a', None, T())", "declared twice"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_in_one_line(tmp_path, text, said):
    with pytest.raises(CaseError, match=said):
        load([written(tmp_path, text)])


def test_a_file_that_fails_half_way_declares_nothing(tmp_path):
    with pytest.raises(CaseError):
        load([written(tmp_path, "from tfparity import *\nop('tf.half', None, T())\nraise RuntimeError('no')")])
    assert "tf.half" not in cases.CASES


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CaseError, match=r"no case file .*nowhere\.py"):
        load([tmp_path / "nowhere.py"])


def test_declaring_and_drawing_import_no_tensorflow(tmp_path):
    file = written(
        tmp_path,
        """
        import numpy as np
        from tfparity import T, op, program, tf
        op("tf.math.acosh", np.arccosh, T(), call=lambda f, x: tf.identity(f(x)))
        @program("program.mine", T("n"))
        def mine(x):
            return tf.reduce_sum(x)
        """,
    )
    script = (
        f"""
import sys
from tfparity.suite.inputs import samples
from tfparity.suite.language import case, loading
loading.load()
loading.load([{str(file)!r}])
"""
        + """
assert case.CASES["program.mine"].body
assert samples.expand(case.CASES["program.mine"], "float32")
assert not [m for m in sys.modules if m.split(".")[0] in ("tensorflow", "keras")], "TensorFlow was imported"
"""
    )
    # an op that the project declares too is refused, so here only the file counts
    script = script.replace("loading.load()\n", "", 1)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_cases_that_come_with_tfparity_load_without_tensorflow():
    script = """
import sys
from tfparity.suite.language import case, loading
assert len(loading.load()) > 20
assert not [m for m in sys.modules if m.split(".")[0] in ("tensorflow", "keras")], "TensorFlow was imported"
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


# --- what arguments mean ---------------------------------------------------------------------------------------------


def test_a_short_name_of_a_table_is_a_full_name():
    assert (tfparity.Tensor, tfparity.Bool, tfparity.String, tfparity.Index) == (T, B, S, I)


def test_seeds_and_axes_are_options_by_the_names_that_the_language_lists():
    case = op("tf.foo", None, T("n"), axis=0)
    assert [place for place in ("seed", "seed2", "axis", "maxlength", 0) if case.is_seed(place)] == ["seed", "seed2"]
    assert [place for place in ("axis", "axes", "seed", "axis1", "maxlength", 0) if case.is_axis(place)] == [
        "axis",
        "axes",
    ]


def test_a_case_whose_axes_have_other_names_says_which_they_are():
    case = op("tf.foo", None, T("n"), 0, axis1=0, axis_options=("axis1", 1))
    assert [place for place in ("axis", "axis1", 0, 1) if case.is_axis(place)] == ["axis1", 1]


# --- the folder of cases ---------------------------------------------------------------------------------------------


def test_case_files_are_found_in_the_folders_below_and_use_what_references_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "folder", lambda: tmp_path)
    for folder in ("ops", "references"):
        (tmp_path / folder).mkdir()
    written(tmp_path / "references", "from tfparity import op\ndef declare(name):\n    return op(name)\n", "making.py")
    mine = written(tmp_path / "ops", "from ..references.making import declare\ndeclare('tf.foo')\n")
    written(tmp_path / "ops", "raise RuntimeError('not a case file')", "_draft.py")
    top = written(tmp_path, "from tfparity import op\nop('tf.bar')\n", "top.py")

    assert loading.case_files() == [mine, top]
    assert {name: (case.file, case.line) for name, case in load().items()} == {
        "tf.foo": (str(mine), 2),
        "tf.bar": (str(top), 2),
    }


def test_no_case_file_imports_another_one():
    importing = [
        path.name
        for path in loading.case_files()
        for line in path.read_text().splitlines()
        if line.startswith("from .") and not line.startswith("from ..references")
    ]
    assert len(loading.case_files()) > 30
    assert importing == []
