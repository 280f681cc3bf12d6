"""Processes that may die: a crash or a hang costs its own row, says what happened, and every other row is judged."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import tensorflow_is
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.judging.outcome import FILL, uninitialised, value
from tfparity.suite.records.identity import parse
from tfparity.suite.session.jobs import Job
from tfparity.suite.session.worker import fill_uninitialised_memory

TIMEOUT = 6.0


@pytest.fixture(scope="module")
def died(pool):
    """Runs one case in the pool: rows by what follows op/dtype/."""
    from conftest import OWN_CASES

    def run(name, *queries, modes=("eager", "numpy"), dtype="float32", timeout=TIMEOUT, file="deadly.py"):
        want = Wanted(modes, ("CPU:0",), tuple(parse(q) for q in queries))
        job = Job("check", name, dtype, want, timeout, files=(str(OWN_CASES / file),) if file else ())
        return {row.id.split("/", 2)[2]: row for done in pool.run([job]) for row in done.rows}

    return run


@pytest.fixture(scope="module")
def deadly(died):
    """Every way to die in eager mode; in a graph, where the trace is deep, only one of them."""
    queries = (
        "*/*/ordinary*/eager#value",
        "*/*/ordinary,how=hang/graph-dynamic#value",
        "*/*/ordinary,how=sound*/graph-dynamic#value",
    )
    return died("program.own_deadly", *queries, modes=("eager", "graph-dynamic", "numpy"))


@pytest.mark.parametrize(
    ("how", "verdict", "said"),
    [
        ("abort", "crash", "SIGABRT"),
        ("divide", "crash", "SIGFPE"),
        ("exit", "crash", "exit code 7"),
        ("hang", "timeout", "no answer within 6 s"),
    ],
)
def test_each_death_costs_its_own_row_and_is_named(deadly, how, verdict, said):
    row = deadly[f"ordinary,how={how}/eager@CPU:0#value:numpy"]
    assert row.verdict == verdict
    assert said in row.detail
    assert "draw 0" in row.detail


@pytest.mark.parametrize("against", ["numpy", "eager"])
def test_a_hang_while_a_graph_is_traced_is_a_hang_too(deadly, against):
    """The dump of so deep a stack is long; its first line says that it was the watchdog's."""
    assert deadly[f"ordinary,how=hang/graph-dynamic@CPU:0#value:{against}"].verdict == "timeout"


@pytest.mark.parametrize("how", ["sound", "sound-too"])
def test_every_other_check_is_judged(deadly, how):
    assert deadly[f"ordinary,how={how}/eager@CPU:0#value:numpy"].verdict == "identical"
    assert deadly[f"ordinary,how={how}/graph-dynamic@CPU:0#value:numpy"].verdict == "identical"
    assert deadly[f"ordinary,how={how}/graph-dynamic@CPU:0#value:eager"].verdict == "identical"
    assert len(deadly) == 6 + 3 * 2


def test_the_kernels_that_ran_before_a_death_are_reported(pool):
    from conftest import OWN_CASES

    want = Wanted(("eager",), ("CPU:0",), (parse("*/*/ordinary*/eager#value"),))
    job = Job("check", "program.own_deadly_after_dawsn", "float32", want, TIMEOUT, (str(OWN_CASES / "deadly.py"),))
    (done,) = pool.run([job])
    assert [row.verdict for row in done.rows] == ["identical", "crash"]
    assert ("Dawsn", "float32", "cpu") in {kernel.pair for kernel in done.ran}


def test_a_death_in_the_gradient_leaves_the_value(died):
    rows = died("program.own_deadly_gradient", "*/*/ordinary/graph", modes=("graph",))
    assert rows["ordinary/graph@CPU:0#value:eager"].verdict == "identical"
    assert rows["ordinary/graph@CPU:0#gradient:eager"].verdict == "crash"


@pytest.mark.skipif(sys.platform != "linux", reason="M_PERTURB is glibc's")
def test_uninitialised_memory_has_one_content():
    libc = ctypes.CDLL(None)
    fill_uninitialised_memory(filled=True)
    try:
        for size in (100, 1_000_000):  # from the heap, and mapped
            memory = ctypes.c_void_p()
            assert libc.posix_memalign(ctypes.byref(memory), ctypes.c_size_t(64), ctypes.c_size_t(size)) == 0
            assert ctypes.string_at(memory, size) == bytes([FILL]) * size
            libc.free(memory)
    finally:
        fill_uninitialised_memory(filled=False)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex128])
def test_an_uninitialised_result_is_known_by_its_bytes(dtype):
    array = np.zeros((2, 3), dtype)
    assert uninitialised(value([array, array])) is None
    hollow = array.copy()
    hollow[1, 2:] = np.frombuffer(bytes([FILL]) * array.itemsize, dtype)
    assert uninitialised(value([array, hollow])) == (1, (1, 2))
    assert uninitialised(value(hollow[1, 2])) == (0, ())


def test_bytes_that_may_be_a_number_by_chance_are_no_sign():
    assert uninitialised(value(np.full(3, FILL, np.int8))) is None
    assert uninitialised(value(np.array([b"ZZZZ"], object))) is None
    assert uninitialised(value(np.array(b"ZZZZ", object))) is None


def test_what_was_judged_before_a_death_is_not_run_again(died, pool):
    rows = died("program.own_noting", "*/*/ordinary*")
    assert {row.sample: row.verdict for row in rows.values()} == {
        "ordinary,how=sound": "identical",
        "ordinary,how=exit": "crash",
    }
    assert (Path(pool.scratch) / "calls").read_text().split() == ["sound", "exit"]


def test_a_reference_that_does_not_end_is_a_timeout_that_says_so(died):
    rows = died("program.own_endless_reference", "*/*/ordinary/eager", timeout=2.0)
    row = rows["ordinary/eager@CPU:0#value:numpy"]
    assert row.verdict == "timeout"
    assert row.detail.startswith("the reference: no answer within 2 s")


def test_an_invariant_that_raises_costs_its_own_row(died):
    rows = died("program.own_raising", "*/*/ordinary*", modes=("eager",))
    assert {row.sample: row.verdict for row in rows.values()} == {
        "ordinary,how=sound": "identical",
        "ordinary,how=raise": "crash",
        "ordinary,how=sound-too": "identical",
    }
    assert "ZeroDivisionError: the invariant of the case" in rows["ordinary,how=raise/eager@CPU:0#value:theory"].detail


def test_a_state_that_cannot_be_made_fails_its_rows(died):
    rows = died("program.own_bad_state", "*/*/ordinary*", modes=("eager",))
    assert [row.verdict for row in rows.values()] == ["error-differs"]
    assert "ZeroDivisionError" in next(iter(rows.values())).detail


def test_a_worker_that_died_is_replaced_and_the_next_job_runs(died):
    assert {row.verdict for row in died("program.own_deadly", "*/*/ordinary,how=exit/eager").values()} == {"crash"}
    assert {row.verdict for row in died("program.own_deadly", "*/*/ordinary,how=sound/eager").values()} == {"identical"}


# Real ones: these two rows of cases/ are known to kill TensorFlow 2.21 on a CPU.


@pytest.mark.skipif(not tensorflow_is("2.21"), reason="seen in TensorFlow 2.21")
def test_a_real_abort_of_tensorflow_is_a_crash_with_its_words(died):
    """One that every machine shows: whether a rank-1 convolution aborts depends on oneDNN; a CHECK does not."""
    rows = died(
        "tf.io.serialize_sparse",
        "*/float32/sparse-shape-0/eager",
        "*/float32/ordinary/eager#value:numpy",
        modes=("eager", "numpy"),
        file=None,
    )
    killed = rows["sparse-shape-0/eager@CPU:0#error:docs"]
    assert killed.verdict == "crash"
    assert "SIGABRT" in killed.detail
    assert rows["ordinary/eager@CPU:0#value:numpy"].verdict == "identical"


@pytest.mark.skipif(not tensorflow_is("2.21") or sys.platform != "linux", reason="seen in 2.21; M_PERTURB is glibc's")
def test_a_real_uninitialised_result_is_reported(died):
    rows = died("tf.linalg.cholesky", "*/float32/singular-0/eager#error", modes=("eager",), file=None)
    row = rows["singular-0/eager@CPU:0#error:docs"]
    assert (row.verdict, row.kind) == ("differs", "value")
    assert row.detail.startswith("result 0 is uninitialised memory: 1.5365")


@pytest.mark.skipif(not tensorflow_is("2.21"), reason="seen in TensorFlow 2.21")
def test_a_real_hang_of_a_program_that_xla_compiled_is_a_timeout(died):
    rows = died(
        "tf.math.igamma",
        "*/float32/edge/xla#value:eager",
        "*/float32/edge/graph#value:eager",
        modes=("graph", "xla"),
        file=None,
    )
    assert rows["edge/xla@CPU:0#value:eager"].verdict == "timeout"
    assert rows["edge/graph@CPU:0#value:eager"].verdict in ("identical", "close")
