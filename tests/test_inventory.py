"""What TensorFlow documents and registers."""

import inspect
from collections import Counter

import pytest
import tensorflow as tf

from tfparity.suite.running import inventory
from tfparity.suite.running.modes import resolve

of_2_21 = pytest.mark.skipif(not tf.__version__.startswith("2.21."), reason="the numbers of TensorFlow 2.21")


@pytest.fixture(scope="module")
def documented():
    return inventory.documented()


def test_the_documented_ops_are_hundreds_and_sorted(documented):
    names = [d.name for d in documented]
    assert 550 < len(names) < 900
    assert names == sorted(set(names))


@of_2_21
def test_tensorflow_2_21_documents_632_ops_under_740_names(documented):
    spaces = Counter(d.name.split(".")[1] if d.name.count(".") > 1 else "" for d in documented)
    assert len(documented) == 632
    assert sum(len(d.aliases) for d in documented) == 740
    assert spaces == {
        "math": 140, "": 110, "nn": 73, "image": 60, "linalg": 43, "signal": 34, "io": 33, "sparse": 30, "strings": 26,
        "random": 25, "debugging": 23, "quantization": 11, "ragged": 10, "bitwise": 6, "sets": 4,
        "audio": 2, "dtypes": 2,
    }  # fmt: skip


@of_2_21
def test_beside_them_are_numpys_functions_the_operators_and_the_methods():
    assert len(inventory.numpy_functions()) == 209
    assert len(inventory.operators()) == 34
    assert {"tf.Tensor.__add__", "tf.Tensor.__rmatmul__", "tf.Tensor.__getitem__"} <= set(inventory.operators())
    methods = set(inventory.methods())
    assert {"tf.Variable.assign_add", "tf.TensorArray.stack", "tf.random.Generator.normal"} <= methods
    assert not methods & {"tf.Variable.shape", "tf.Variable.SaveSliceInfo"}, "a property and a class are no methods"


@of_2_21
def test_the_examples_of_the_documented_ops_are_counted_as_doctest_counts_them():
    examples = inventory.examples()
    assert (len(examples), sum(examples.values())) == (277, 1570)
    assert examples["tf.argsort"] == 9
    assert "tf.audio.decode_wav" not in examples, "its docstring has none"


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


def test_an_exclusion_says_why_and_is_of_a_function_that_would_count(documented):
    out = inventory.excluded()
    assert out["tf.function"] == "decorator: it makes functions"
    assert out["tf.io.gfile.copy"] == "file-system call"
    assert not out.keys() & {d.name for d in documented}
    assert all(inventory.not_ops().values())
    for name in out:
        assert resolve(name), name


@of_2_21
def test_no_exclusion_is_stale():
    assert inventory.stale_exclusions() == []


@pytest.mark.parametrize("name", ["tf.no_such_function", "tf.debugging.enable_check_numerics", "tf.io.gone.*"])
def test_an_exclusion_that_excludes_nothing_is_stale(monkeypatch, name):
    entries = {**inventory.not_ops(), name: "planted"}
    monkeypatch.setattr(inventory, "not_ops", lambda: entries)
    assert inventory.stale_exclusions() == [name]
