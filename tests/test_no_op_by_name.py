"""The suite knows no op by name: what is true of some ops stands in their declarations, or in data beside the cases."""

import ast
from pathlib import Path

import pytest

from tfparity.suite.running import inventory

SUITE = Path(inventory.__file__).parents[1]


@pytest.fixture(scope="module")
def names():
    """Every public name of every documented op."""
    return {alias for op in inventory.documented() for alias in (op.name, *op.aliases)}


def literals(source):
    """The string literals of a module, but for its docstrings, which are statements of their own."""
    tree = ast.parse(source)
    words = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
    ]


def ops_named(source, names):
    """The documented ops that a module names: `tf.gather`, `tf.gather:axis`, and `math.acosh` without `tf.`."""
    found = {literal.partition(":")[0].strip() for literal in literals(source)}
    return {name for name in found if name in names or ("." in name and f"tf.{name}" in names)}


def test_no_module_of_the_suite_names_a_documented_op(names):
    sources = sorted(SUITE.rglob("*.py"))
    assert len(sources) > 30
    found = {source.name: ops_named(source.read_text(encoding="utf-8"), names) for source in sources}
    assert {name: ops for name, ops in found.items() if ops} == {}


@pytest.mark.parametrize("planted", ["'tf.gather'", "{'tf.gather:axis': 1}", "['math.acosh']", "f(x='tf.acosh')"])
def test_a_name_would_be_seen(names, planted):
    assert ops_named(f"x = {planted}", names)


def test_docstrings_and_comments_may_name_ops(names):
    assert ops_named('"""tf.gather"""\n\n\ndef f():\n    "tf.gather"\n    # tf.gather\n', names) == set()
