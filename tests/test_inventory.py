"""What TensorFlow documents and registers, and how much of it is declared."""

import inspect
from pathlib import Path

import pytest

from tfparity import T, op, program
from tfparity.suite import coverage, inventory
from tfparity.suite.modes import resolve


@pytest.fixture(scope="module")
def documented():
    return inventory.documented()


@pytest.mark.parametrize(
    "name", ["tf_export.get_canonical_name_for_symbol", "kernels.get_all_registered_kernels", "ops.gradient_registry"]
)
def test_every_private_name_still_answers(name):
    assert inventory.private_api()[name], f"TensorFlow no longer has {name}: see tfparity/suite/inventory.py"


def test_no_other_module_reads_the_private_api():
    allowed = {
        "inventory.py",
        "machine.py",
    }  # machine asks two settings that nothing public tells; its test covers them
    found = {
        source.name
        for source in Path(inventory.__file__).parent.glob("*.py")
        if "tensorflow.python" in source.read_text()
    }
    assert found <= allowed


def test_the_documented_ops_are_hundreds_and_sorted(documented):
    names = [d.name for d in documented]
    assert 550 < len(names) < 900
    assert names == sorted(set(names))


@pytest.mark.parametrize(
    "name",
    [
        "tf.math.acosh",
        "tf.linalg.matmul",
        "tf.gather",
        "tf.nn.conv2d",
        "tf.strings.join",
        "tf.sparse.add",
        "tf.image.resize",
        "tf.random.stateless_normal",
        "tf.sets.union",
        "tf.reshape",
        "tf.while_loop",
    ],
)
def test_an_op_that_everybody_knows_is_documented_under_its_canonical_name(documented, name):
    assert name in {d.name for d in documented}


def test_an_alias_is_no_second_op(documented):
    acosh = next(d for d in documented if d.name == "tf.math.acosh")
    assert {"tf.acosh", "tf.math.acosh"} <= set(acosh.aliases)
    assert "tf.acosh" not in {d.name for d in documented}


def test_no_class_and_nothing_of_keras_or_compat_is_an_op(documented):
    for each in documented:
        assert ".keras." not in each.name
        assert ".compat." not in each.name
        found = resolve(each.name)
        assert callable(found)
        assert not inspect.isclass(found), each.name


def test_what_is_excluded_is_excluded_by_a_name_that_tensorflow_has(documented):
    names = {d.name for d in documented}
    for reason, group in inventory.NOT_OPS.items():
        assert reason
        for name in group:
            assert f"tf.{name}" not in names
            assert resolve(f"tf.{name}"), name


def test_kernels_are_told_with_their_dtypes():
    kernels = inventory.kernels("CPU")
    assert len(kernels) > 800
    assert {"float32", "float64"} <= kernels["Acosh"]


def test_gradients_tell_a_missing_one_from_none():
    gradients = inventory.gradients()
    assert len(gradients) > 300
    assert gradients["Acosh"]
    assert not gradients["AssignAdd"]


# --- coverage ------------------------------------------------------------------------------------------------------


def test_every_documented_op_is_covered_a_hole_or_undeclared(registry):
    op("tf.a", None, T())
    op("tf.b").unimplemented("why")
    op("tf.z", None, T())
    program("program.p", T())(lambda x: x)
    found = {row.op: (row.status, row.reason) for row in coverage.rows(["tf.a", "tf.b", "tf.c"], registry)}
    assert found["tf.a"] == ("covered", "")
    assert found["tf.b"] == ("hole", "why")
    assert found["tf.c"] == ("undeclared", "")
    assert found["tf.z"][0] == "foreign"
    assert "program.p" not in found
