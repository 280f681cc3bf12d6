"""What the tests share: a registry of their own, checks run in this process, and one pool of worker processes."""

import contextlib
import os
import sys
from pathlib import Path

import pytest

from tfparity.suite.language import case as cases
from tfparity.suite.language import loading
from tfparity.suite.language.trees import RaggedValue, SparseValue

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

OWN_CASES = Path(__file__).parent / "own_cases"


@pytest.fixture
def registry(monkeypatch):
    """An empty registry of cases; what a test declares or loads is forgotten after it."""
    ours = {name: module for name, module in sys.modules.items() if name.startswith(loading.PACKAGE)}
    for name in ours:
        del sys.modules[name]
    monkeypatch.setattr(cases, "CASES", {})
    yield cases.CASES
    for name in [n for n in sys.modules if n.startswith(loading.PACKAGE)]:
        del sys.modules[name]
    sys.modules.update(ours)


def tensorflow_is(*versions):
    """Whether the installed TensorFlow is of one of these versions, `2.21`; without importing it."""
    from importlib.metadata import PackageNotFoundError, version

    for package in ("tensorflow-cpu", "tensorflow", "tf-nightly"):
        try:
            return version(package).startswith(versions)
        except PackageNotFoundError:
            continue
    return False


@pytest.fixture
def own_cases():
    """The folder of case files that only these tests use."""
    return OWN_CASES


@pytest.fixture
def judged(registry):
    """Runs a case in this process: `judged(case, "float32", "*/*/n17/graph") -> {what follows op/dtype/: row}`."""
    from tfparity.suite.checking import checks
    from tfparity.suite.checking.planning import Wanted
    from tfparity.suite.records.identity import parse
    from tfparity.suite.running.modes import Clock

    def run(case, dtype="float32", *queries, **wanted):
        want = Wanted(queries=tuple(parse(q) for q in queries), **wanted)
        rows = list(checks.run(case, dtype, want, {}, Clock(), lambda step, draw: None))
        assert rows, f"no check matched {queries}"
        return {row.id.split("/", 2)[2]: row for row in rows}

    return run


@pytest.fixture(scope="session")
def pool():
    """One worker process that may die, kept for the session: its fork server imports TensorFlow once."""
    from tfparity.suite.session.pool import Pool

    with Pool(1) as workers:
        yield workers


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache folder of the session's own, so that no test reads the dtypes that another run remembered."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def command(registry, cache, monkeypatch, capfd, tmp_path):
    """The command in this process, over no cases but those of `--cases` and with a ledger that a test may write:
    `command("check", "--cases", file) -> (exit status, stdout, stderr)`."""
    from tfparity import cli

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(loading, "folder", lambda: home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        cases.CASES.clear()
        for name in [n for n in sys.modules if n.startswith(loading.PACKAGE)]:
            del sys.modules[name]
        monkeypatch.setattr(sys, "argv", ["tfparity", *map(str, arguments)])
        capfd.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        return status, *capfd.readouterr()

    run.home = home
    return run


@pytest.fixture
def child_environment(cache):
    """The environment of a child process: quiet, with the session's cache."""
    return {**os.environ, "XDG_CACHE_HOME": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "200"}


def same_tree(a, b):
    """Whether two draws hold the same arrays bit for bit."""
    if isinstance(a, SparseValue | RaggedValue):
        return type(a) is type(b) and all(
            same_tree(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
        )
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same_tree(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_tree(a[k], b[k]) for k in a)
    with contextlib.suppress(AttributeError):
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and (a.tolist() == b.tolist() if a.dtype.kind == "O" else a.tobytes() == b.tobytes())
        )
    return a == b
