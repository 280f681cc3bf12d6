"""The script of a failing check: it needs TensorFlow and NumPy alone, and shows the difference."""

import ast
import contextlib
import io
import subprocess
import sys

import pytest

from conftest import OWN_CASES, tensorflow_is
from tfparity.suite.checking import repro
from tfparity.suite.language import case as cases
from tfparity.suite.language import loading
from tfparity.suite.records.identity import QueryError, identity


@pytest.fixture
def script(registry):
    """The script of an identity, of our own cases."""

    def of(text):
        known = loading.load([OWN_CASES / "sound.py", OWN_CASES / "unsound.py", OWN_CASES / "ops.py"])
        return repro.script(identity(text), known)

    return of


def imports(text):
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def shown(text):
    """What the script prints and its exit status, run in a namespace of its own."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as end:
        exec(compile(text, "show.py", "exec"), {"__name__": "__main__"})
    return printed.getvalue(), end.value.code


FAILING = {
    "eager": "program.own_wrong/float32/ordinary/eager@CPU:0#value:numpy",
    "graph": "program.own_parted/float32/ordinary/graph@CPU:0#value:eager",
    "graph-dynamic": "program.own_parted/float32/ordinary/graph-dynamic@CPU:0#value:eager",
    "unknown rank": "program.own_ranked/float32/ordinary/graph-dynamic@CPU:0#value:eager",
    "invalid under xla": "program.own_unfit/float32/mismatch-n/xla@CPU:0#error:eager",
    "xla": "program.own_parted/float32/ordinary/xla@CPU:0#value:eager",
    "savedmodel": "program.own_parted/float32/ordinary/savedmodel@CPU:0#value:eager",
    "gradient": "program.own_bent/float32/edge/graph@CPU:0#gradient:eager",
    "lanes": "program.own_lanes/float32/n17/eager@CPU:0#value:lanes",
    "sparse": "program.own_sparse/float32/ordinary/graph@CPU:0#value:eager",
    "ragged": "program.own_ragged/float32/ordinary/eager@CPU:0#value:numpy",
    "state": "program.own_state/float32/ordinary/graph@CPU:0#value:eager",
    "constant": "program.own_constant/float32/constant/graph@CPU:0#value:eager",
    "accepted": "program.own_lenient/float32/axis/eager@CPU:0#error:docs",
    "call": "tf.math.add_n/float32/ordinary/eager@CPU:0#value:numpy",
    "option": "tf.math.cumprod/float32/ordinary,exclusive=True/graph@CPU:0#value:numpy",
}


@pytest.mark.parametrize("of", FAILING)
def test_the_script_of_a_failing_check_shows_the_difference_with_tensorflow_and_numpy_alone(script, of):
    text = script(FAILING[of])
    assert imports(text) <= {"numpy", "tensorflow"} | sys.stdlib_module_names
    assert "tfparity" not in text.replace("prefix='tfparity-'", "")
    assert text.startswith(f"# {FAILING[of]}\n")
    printed, status = shown(text)
    assert status == 0, printed
    assert int(printed.splitlines()[-1].split()[0]) > 0
    assert "draw 0" in printed


@pytest.mark.parametrize(
    "of",
    [
        "program.own_square/float32/ordinary/xla@CPU:0#value:eager",
        "program.own_square/float32/long/graph@CPU:0#value:numpy",
        "program.own_next/int32/edge/eager@CPU:0#value:numpy",
        "program.own_total/float32/ordinary,keep=True/graph@CPU:0#gradient:eager",
    ],
)
def test_the_script_of_a_passing_check_shows_none(script, of):
    printed, status = shown(script(of))
    assert status == 1, printed
    assert printed.splitlines()[-1].startswith("0 of ")


def test_the_script_runs_in_a_process_that_cannot_see_tfparity(script, tmp_path):
    text = script(FAILING["graph"])
    (tmp_path / "show.py").write_text("import sys\nsys.modules['tfparity'] = None\n" + text)
    done = subprocess.run([sys.executable, "-I", "show.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "[0x" in done.stdout
    assert not done.stdout.splitlines()[-1].startswith("0 of ")


def test_inputs_are_written_bit_for_bit(script):
    """The same script gives the same inputs as the check had, to the last bit."""
    from tfparity.suite.inputs.samples import expand

    text = script("program.own_next/int32/edge/eager@CPU:0#value:numpy")
    wanted = [
        [array.tobytes().hex() for array in draw]
        for draw in {s.name: s for s in expand(cases.CASES["program.own_next"], "int32")}["edge"].tensors
    ]
    assert all(one in text for draw in wanted for one in draw)


def test_what_a_body_uses_of_its_file_travels_along(script):
    text = script(FAILING["graph"])
    assert "FACTOR = 1.5" in text
    assert "def scaled(x)" in text
    assert "@own" not in text


def test_an_unknown_sample_or_op_is_refused(script):
    with pytest.raises(QueryError, match="has no sample 'nowhere'"):
        script("program.own_wrong/float32/nowhere/eager@CPU:0#value:numpy")
    with pytest.raises(QueryError, match="no declared op"):
        script("program.own_none/float32/ordinary/eager@CPU:0#value:numpy")


@pytest.mark.skipif(not tensorflow_is("2.21") or sys.platform != "linux", reason="seen in 2.21; M_PERTURB is glibc's")
def test_uninitialised_memory_is_shown_beside_zero(tmp_path):
    text = repro.script(identity("tf.linalg.cholesky/float32/singular-0/eager@CPU:0#error:docs"), loading.load())
    (tmp_path / "show.py").write_text(text)
    done = subprocess.run([sys.executable, "show.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "[0x5a5a5a5a]  |  0.0 [0x00000000]" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 1 draws differ in some bit"
