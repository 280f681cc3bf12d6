"""The quick profile: what it reads, and that the choice is worth its seconds."""

import pytest

from tfparity.suite.inputs.samples import expand
from tfparity.suite.language import loading
from tfparity.suite.language.case import CaseError
from tfparity.suite.session import profiles
from tfparity.suite.session.profiles import Unit, choose, lines


def unit(op, sample="edge", seconds=1.0, failures=(), kernels=()):
    return Unit(op, "float32", sample, seconds, frozenset((f,) for f in failures), frozenset((k,) for k in kernels))


def names(chosen):
    return [f"{u.op}:{u.sample}" for u in chosen]


def test_every_case_comes_before_more_of_the_same_case():
    chosen = choose([unit("a", "n17", kernels="123456789"), unit("a"), unit("b", seconds=2)], budget=3.2)
    assert names(chosen) == ["a:n17", "b:edge"]


def test_what_was_seen_already_is_worth_nothing():
    first, same, other = unit("a", failures="x"), unit("a", "n3", failures="x"), unit("a", "n17", failures="y")
    assert names(choose([first, same, other], budget=10)) == ["a:edge", "a:n17"]


def test_the_cheaper_of_equal_worth_is_taken():
    assert names(choose([unit("a", "long", 5, "x"), unit("a", "n3", 1, "x")], budget=10)) == ["a:n3"]


def test_the_budget_is_kept():
    many = [unit(f"op{n}", seconds=1) for n in range(100)]
    chosen = choose(many, budget=10)
    assert 8 <= len(chosen) <= 10


def test_what_is_written_is_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "folder", lambda: tmp_path)
    text = lines([unit("tf.a", "n17"), unit("tf.a", "edge"), unit("tf.b", "ordinary,axis=0")])
    (tmp_path / "quick.txt").write_text("# made by hand\n\n" + "\n".join(text))
    assert profiles.quick() == {"tf.a": {"float32": ("edge", "n17")}, "tf.b": {"float32": ("ordinary,axis=0",)}}


@pytest.mark.parametrize("line", ["tf.a edge", "tf.a/float32", "/float32 edge"])
def test_a_line_that_cannot_be_read_is_named(tmp_path, monkeypatch, line):
    monkeypatch.setattr(profiles, "folder", lambda: tmp_path)
    (tmp_path / "quick.txt").write_text("# head\n" + line)
    with pytest.raises(CaseError, match=r"quick.txt:2: .*OP/DTYPE SAMPLE"):
        profiles.quick()


def test_the_committed_profile_names_samples_that_exist():
    declared = loading.load()
    stale = {
        f"{op}/{dtype} {sample}"
        for op, dtypes in profiles.quick().items()
        for dtype, samples in dtypes.items()
        for sample in set(samples) - ({s.name for s in expand(declared[op], dtype)} if op in declared else set())
    }
    assert not stale, "choose again: python benchmarks/quick.py RUN > cases/quick.txt"
