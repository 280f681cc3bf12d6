"""Names of checks and queries over them."""

import pytest

from tfparity.suite.records.identity import Identity, QueryError, identity, parse, select, wanted, word

WHOLE = "tf.math.acosh/float32/edge/xla@CPU:0#value:numpy"
PARTS = {
    "op": "tf.math.acosh",
    "dtype": "float32",
    "sample": "edge",
    "mode": "xla",
    "device": "CPU:0",
    "aspect": "value",
    "against": "numpy",
}
OPS = ["tf.math.acosh", "tf.math.asinh", "tf.linalg.matmul", "tf.gather", "guide.matmul"]


def test_an_identity_reads_back_as_it_was_written():
    assert str(identity(WHOLE)) == WHOLE
    assert identity(WHOLE) == Identity(**PARTS)


@pytest.mark.parametrize(
    "query",
    [
        WHOLE,
        "tf.math.acosh",
        "tf.math.*",
        "*",
        "tf.math.acos?",
        "tf.math.*/float*",
        "tf.math.acosh/float32/e*/x??",
        "*/*/*/xla",
        "*/*/*/*@CPU:*",
        "*/*/*/*#value",
        "*/*/*/*#*:numpy",
        "*/*/*/xla@*#value:n*",
        " tf.math.acosh ",
    ],
)
def test_a_query_matches_by_parts_and_trailing_parts_may_be_left_out(query):
    assert parse(query).matches(**PARTS)


@pytest.mark.parametrize(
    "query",
    [
        "tf.math.acos",
        "tf.math.?",
        "tf.math.*/float64",
        "*/*/*/graph",
        "*/*/*/*@GPU:*",
        "*/*/*/*#gradient",
        "*/*/*/*#*:eager",
        "acosh",
        "tf.math",
        "TF.MATH.ACOSH",
    ],
)
def test_a_query_that_names_another_part_does_not_match(query):
    assert not parse(query).matches(**PARTS)


def test_a_part_that_is_not_given_is_not_asked():
    assert parse("tf.math.acosh/float64").matches(op="tf.math.acosh")
    assert not parse("tf.math.acosh/float64").matches(op="tf.math.acosh", dtype="float32")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "tf.math.acosh/",
        "tf.math.acosh//edge",
        "a/b/c/d/e",
        "a/b/c/d@",
        "a/b/c/d#",
        "a/b/c/d#value:",
        "a b/float32",
        "tf.math.acosh@CPU:0",
        "tf.math.acosh#value",
        "a/b/c/d#value:numpy@CPU:0",
        "a/b/c/d@CPU:0#value:numpy:eager",
    ],
)
def test_a_malformed_query_is_refused_with_the_form_it_should_have(text):
    with pytest.raises(QueryError, match="op/dtype/sample/mode@device#aspect:against") as refused:
        parse(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["tf.math.acosh", "a/b/c/d", WHOLE.replace("@CPU:0", ""), WHOLE.replace(":numpy", ""), ""]
)
def test_what_lacks_a_part_is_no_whole_identity(text):
    with pytest.raises(QueryError, match="not a whole identity"):
        identity(text)


@pytest.mark.parametrize("name", ["ordinary,axis=[0,1]", "a.b", "x[!y]", "a+b", "(1)", "^$", "a|b", "\\d"])
def test_brackets_and_other_signs_stand_for_themselves(name):
    query = parse(f"tf.foo/float32/{name}")
    assert query.matches(sample=name)
    assert not query.matches(sample=name + "x")
    assert not query.matches(sample="0")


def test_a_dot_is_no_wildcard():
    assert not parse("tf.math.acosh").matches(op="tfxmathxacosh")


def test_selecting_keeps_the_order_of_declaration():
    assert select([parse("tf.gather"), parse("tf.math.*")], OPS) == ["tf.math.acosh", "tf.math.asinh", "tf.gather"]
    assert select([], OPS) == OPS


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("tf.math.acosch", "tf.math.acosh"),
        ("tf.acosh", "tf.math.acosh"),
        ("matmul", "tf.linalg.matmul"),
        ("tf.gathr", "tf.gather"),
    ],
)
def test_an_unknown_op_is_answered_with_the_nearest_names(asked, near):
    with pytest.raises(QueryError, match=f"no declared op matches '{asked}'.*{near}"):
        select([parse(asked)], OPS)


def test_one_unknown_op_among_known_ones_is_still_an_error():
    with pytest.raises(QueryError, match="frobnicate"):
        select([parse("tf.math.acosh"), parse("tf.frobnicate")], OPS)


def test_no_query_wants_everything_and_a_query_wants_only_its_own():
    assert wanted([], **PARTS)
    assert wanted([parse("tf.gather"), parse("*/float32")], **PARTS)
    assert not wanted([parse("tf.gather"), parse("*/int*")], **PARTS)


@pytest.mark.parametrize(
    "value", ["a/b", "x@y", "p#q:r", "what?*", "two words", "tab\tnew\nline", "'quoted'", ("a", 1), "x" * 90]
)
def test_a_word_may_stand_in_an_identity(value):
    assert 0 < len(word(value)) <= 40
    made = f"tf.foo/float32/{word(value)}/eager@CPU:0#value:numpy"
    assert identity(made).sample == word(value)
    assert not set("*?") & set(word(value))
