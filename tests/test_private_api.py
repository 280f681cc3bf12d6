"""TensorFlow's private names: each still answers, and one module alone mentions them."""

import re
from pathlib import Path

import pytest
import tensorflow as tf

import tfparity
from tfparity.suite.running import private_api

PACKAGE = Path(tfparity.__file__).parent
HOME = Path(private_api.__file__)
PRIVATE = re.compile(
    r"tensorflow\.(python|core|compiler|tools|lite|dtensor|_)"
    r"|\b_?(pywrap|TFE_|api\.v2\b|tf_dispatchers|tf_fallback_dispatchers|tf_decorator|caching_device\b)"
    r"|\bdecorated_target\b|\btf_export\b|\bop_def_registry\b"
)


@pytest.mark.parametrize("name", list(private_api.NAMES))
def test_every_private_name_still_answers(name):
    assert private_api.private_api()[name], f"TensorFlow no longer has {private_api.NAMES[name]}: see {HOME}"


@pytest.mark.parametrize("place", [("math", "no_such_function"), ("no_such_module", "anything")])
def test_a_name_that_tensorflow_no_longer_has_is_said_and_its_answer_is_unknown(monkeypatch, place):
    monkeypatch.setitem(private_api.NAMES, "onednn", place)
    assert private_api.private_api()["onednn"] is False
    assert private_api.onednn() is None


def mentions(text):
    return bool(PRIVATE.search(text))


def test_no_other_module_mentions_a_private_name():
    sources = sorted(PACKAGE.rglob("*.py"))
    assert len(sources) > 50
    assert mentions(HOME.read_text(encoding="utf-8"))
    assert [str(source) for source in sources if mentions(source.read_text(encoding="utf-8"))] == [str(HOME)]


@pytest.mark.parametrize(
    "planted",
    [
        "from tensorflow.python.framework import ops",
        'importlib.import_module("tensorflow._api.v2")',
        "from tensorflow.tools.docs import tf_doctest_lib",
        'getattr(function, "_tf_dispatchers")',
        "pywrap_tfe.TFE_ClearScalarCache()",
        "scope._caching_device = None",
    ],
)
def test_a_private_name_would_be_seen(planted):
    assert mentions(planted)


def test_a_constant_does_not_depend_on_an_equal_one_before_it():
    for first, then in ((0.0, -0.0), (-0.0, 0.0)):
        private_api.forget_scalars()
        tf.constant(first)
        private_api.forget_scalars()
        assert str(tf.constant(then).numpy()) == str(then)
