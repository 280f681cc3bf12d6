"""One run from beginning to end: cut short and continued, cut in shards, repeated; the rows are the same."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from rich.console import Console

import tfparity.suite
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.language import loading
from tfparity.suite.records.results import read
from tfparity.suite.session import plan_cache, session
from tfparity.suite.session.jobs import Scope, check_jobs, probe_job, refused_rows, time_jobs
from tfparity.suite.session.opening import choose_devices
from tfparity.suite.session.plan_cache import PlanCache
from tfparity.suite.session.request import Request, UsageError, select, shard
from tfparity.suite.session.session import costs
from tfparity.suite.timing import schedule

OWN = Path(__file__).parent / "own_cases"
COMMAND = [sys.executable, "-m", "tfparity"]


def rows_of(run):
    """What a run found, without how long it took."""
    return {
        row["id"]: (row["verdict"], row["kind"], str(row["max_ulp"]), row["detail"])
        for row in run.checks.to_dict("records")
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory, cache):
    """Runs requests over sound.py and gated.py in this process: `found(name, ...) -> rows by id`."""
    old = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(cache)
    base = tmp_path_factory.mktemp("runs")

    def run(name, **more):
        asked = Request(
            ("program.own_*",), jobs=1, files=(str(OWN / "sound.py"), str(OWN / "gated.py")), time=False, **more
        )
        return session.execute(asked, base / name, console=Console(quiet=True)).run

    yield run
    os.environ.pop("XDG_CACHE_HOME")
    if old is not None:
        os.environ["XDG_CACHE_HOME"] = old


@pytest.fixture(scope="module")
def whole(found):
    return found("whole")


def test_the_whole_holds_a_row_for_every_case_and_the_planted_fault(whole):
    assert {f"program.own_gated{n}" for n in range(6)} | {
        "program.own_square",
        "program.own_total",
        "program.own_next",
    } == set(whole.checks["op"])
    failing = whole.checks[whole.checks["verdict"] == "differs"]
    assert set(failing["op"]) == {"program.own_gated1"}
    assert set(failing["against"]) == {"numpy"}


def test_the_same_request_gives_the_same_verdicts_three_times(found, whole):
    assert rows_of(found("second")) == rows_of(found("third")) == rows_of(whole)


def test_shards_add_up_to_the_whole_and_do_not_overlap(found, whole):
    parts = [rows_of(found(f"shard{n}", shard=f"{n}/3")) for n in (1, 2, 3)]
    assert sum(map(len, parts)) == len(whole.checks)
    assert {k: v for part in parts for k, v in part.items()} == rows_of(whole)
    assert all(len(part) < len(whole.checks) for part in parts)


def test_a_run_says_what_it_cost_and_on_what(whole):
    assert {"total", "harness_share", "trace", "execute"} <= set(whole.meta["costs"])
    assert whole.meta["machine"]
    assert whole.complete


# --- ended in the middle -------------------------------------------------------------------------------------------


def lives(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def descendants(pid):
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_a_run_ended_in_its_middle_is_continued_to_the_same_rows(how, tmp_path, found, whole, child_environment):
    gate, out = tmp_path / "gate", tmp_path / "out"
    arguments = ["check", "program.own_gated*", "--cases", str(OWN / "gated.py"), "--jobs", "1"]
    environment = {**child_environment, "TFPARITY_TEST_GATE": str(gate)}
    log = tmp_path / "said.txt"
    with log.open("w") as said:
        child = subprocess.Popen(
            [*COMMAND, *arguments, "--timeout", "300", "--out", str(out)], env=environment, stdout=said, stderr=said
        )
    deadline = time.monotonic() + 240
    while (
        not (out / "journal.jsonl").exists() or b"check:program.own_gated2" not in (out / "journal.jsonl").read_bytes()
    ):
        assert child.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "the run never reached its middle"
        time.sleep(0.1)
    workers = descendants(child.pid)
    child.send_signal(how)
    assert child.wait(timeout=120) == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:
        assert "--resume" in log.read_text()
    deadline = time.monotonic() + 60
    while left := [p for p in workers if lives(p)]:
        assert time.monotonic() < deadline, f"processes outlive the run: {left}"
        time.sleep(0.1)
    middle = read(out)
    assert not middle.complete
    before = set(middle.checks["op"])
    assert {f"program.own_gated{n}" for n in range(3)} <= before
    assert "program.own_gated5" not in before
    gate.touch()
    again = subprocess.run(
        [*COMMAND, *arguments, "--resume", str(out)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert again.returncode == 1, again.stdout + again.stderr
    ended = read(out)
    assert ended.complete
    assert rows_of(ended) == {k: v for k, v in rows_of(whole).items() if k.startswith("program.own_gated")}


def test_shards_are_reported_side_by_side(found, whole, command, tmp_path):
    parts = [found(f"beside{n}", shard=f"{n}/2") for n in (1, 2)]
    status, out, err = command("report", *(str(p.path) for p in parts), "--out", tmp_path / "both")
    assert status == 0, out + err
    assert (tmp_path / "both" / "report.html").stat().st_size > 1000
    text = (tmp_path / "both" / "report.md").read_text()
    assert "program.own_gated1" in text
    assert "beside1" in text
    assert "beside2" in text


# --- parts, without TensorFlow -------------------------------------------------------------------------------------


def scope(request, dtypes):
    """What jobs are made from, with dtypes that no worker was asked for."""
    return Scope(request, select(request), dtypes, Wanted())


@pytest.mark.parametrize("text", ["", "1/1", "2/4", "4/4"])
def test_a_shard_reads_i_of_n(text):
    assert shard(text) == tuple(int(n) for n in (text or "1/1").split("/"))


@pytest.mark.parametrize("text", ["0/1", "2/1", "x", "1", "1/2/3", "-1/2", "1/x"])
def test_a_shard_that_reads_otherwise_is_refused(text):
    with pytest.raises(UsageError, match="I/N"):
        shard(text)


def test_every_job_is_in_exactly_one_shard(registry):
    requests = [Request(files=(str(OWN / "sound.py"),), shard=f"{n}/4") for n in range(1, 5)]
    dtypes = {f"program.own_{n}": dict.fromkeys(("float32", "int32", "int8"), "") for n in ("square", "total", "next")}
    jobs = [job.key for request in requests for job in check_jobs(scope(request, dtypes))]
    assert sorted(jobs) == sorted(f"check:{n}/{d}" for n, of_case in dtypes.items() for d in of_case)


def test_the_main_dtype_is_the_first_leading_one_that_a_case_runs_in_whatever_is_asked_for(registry):
    request = Request(files=(str(OWN / "sound.py"),), dtypes=("int*",))
    dtypes = {
        "program.own_square": {"float32": "", "int32": "", "int8": ""},
        "program.own_total": {"float32": "no kernel", "int8": "", "int32": ""},
        "program.own_next": {"int8": ""},
    }
    jobs = check_jobs(scope(request, dtypes))
    assert {(j.name.rpartition("_")[2], j.dtype): j.want.main for j in jobs} == {
        ("square", "int32"): False,
        ("square", "int8"): False,
        ("total", "int32"): True,
        ("total", "int8"): False,
        ("next", "int8"): True,
    }


def test_a_dtype_that_tensorflow_refuses_is_one_row_in_its_words(registry):
    request = Request(files=(str(OWN / "sound.py"),))
    dtypes = {"program.own_square": {"float32": "", "string": "no kernel for strings"}}
    rows = list(refused_rows(scope(request, dtypes)))
    assert [(row.dtype, row.verdict, row.detail) for row in rows] == [
        ("string", "unsupported", "no kernel for strings")
    ]


def test_a_dtype_that_only_xla_has_a_kernel_for_is_checked(pool):
    (done,) = pool.run([probe_job(loading.load()["tf.math.reciprocal"], timeout=30)])
    assert [dtype for dtype, refused in done.answer.items() if not refused and "int" in dtype] == [
        "int32",
        "int64",
        "int16",
        "int8",
    ]
    assert done.answer["uint8"].startswith("InvalidArgumentError")


@pytest.fixture
def remembering(tmp_path, monkeypatch):
    """A cache folder of the test's own, an engine of one file in a package, and a case in a file: (engine, case)."""
    monkeypatch.setattr(plan_cache.platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache"))
    source = tmp_path / "engine" / "room" / "module.py"
    source.parent.mkdir(parents=True)
    source.write_text("one")
    monkeypatch.setattr(plan_cache, "ENGINE", tmp_path / "engine")
    declared = tmp_path / "cases" / "ops" / "mine.py"
    declared.parent.mkdir(parents=True)
    declared.write_text("a case")
    cache = PlanCache("2.21.0")
    case = SimpleNamespace(name="tf.mine", file=str(declared))
    cache.put(case, {"float32": "", "string": "no kernel"})
    cache.save()
    return source, case


def test_the_dtypes_of_a_case_are_remembered_by_the_next_run(remembering):
    _, case = remembering
    assert PlanCache("2.21.0").get(case) == {"float32": "", "string": "no kernel"}


def test_dtypes_are_forgotten_when_tensorflow_the_case_or_any_module_of_the_engine_changes(remembering):
    source, case = remembering
    assert PlanCache("2.20.0").get(case) is None
    written = Path(case.file).read_text()
    Path(case.file).write_text("another case")
    assert PlanCache("2.21.0").get(case) is None
    Path(case.file).write_text(written)
    assert PlanCache("2.21.0").get(case)
    source.write_text("two")
    assert PlanCache("2.21.0").get(case) is None


def test_the_engine_that_dtypes_depend_on_is_every_package_of_the_suite():
    assert Path(tfparity.suite.__file__).parent == plan_cache.ENGINE


def test_what_failed_is_not_timed_and_the_rest_is(registry):
    request = Request(files=(str(OWN / "sound.py"),))
    dtypes = {n: {"float32": ""} for n in ("program.own_square", "program.own_total")}

    def modes_of(*failed):
        rows = [
            {"op": "program.own_square", "dtype": "float32", "mode": m, "verdict": v, "aspect": "value", "waiver": w}
            for m, v, w in failed
        ]
        return {j.name: j.want.modes for j in time_jobs(scope(request, dtypes), rows)}

    assert modes_of() == dict.fromkeys(dtypes, Wanted().modes)
    assert "xla" not in modes_of(("xla", "differs", ""))["program.own_square"]
    assert "xla" in modes_of(("xla", "differs", "known"))["program.own_square"]
    assert "xla" not in modes_of(("xla", "crash", "known"))["program.own_square"], (
        "a waived crash still kills the process"
    )
    assert "program.own_square" not in modes_of(("eager", "differs", ""))


def test_devices_are_chosen_by_pattern_and_an_unknown_one_is_refused():
    facts = {
        "devices": [
            {"name": "CPU:0", "type": "CPU"},
            {"name": "GPU:0", "type": "GPU"},
            {"name": "XLA_CPU:0", "type": "XLA_CPU"},
        ]
    }
    assert choose_devices(Request(), facts) == ("CPU:0", "GPU:0")
    assert choose_devices(Request(devices=("GPU:*",)), facts) == ("GPU:0",)
    with pytest.raises(UsageError, match="TensorFlow sees CPU:0, GPU:0"):
        choose_devices(Request(devices=("TPU:*",)), facts)


def test_the_harness_share_is_what_lies_outside_tensorflow():
    found = costs(Counter(trace=2.0, compile=3.0, execute=4.0, reference=0.5, total=10.0))
    assert found["harness_share"] == pytest.approx(0.1)
    assert found["other"] == pytest.approx(0.5)
    assert costs(Counter())["harness_share"] == 0


def test_only_a_request_for_everything_is_whole():
    assert Request().whole
    for part in (
        {"queries": ("tf.*",)},
        {"shard": "1/2"},
        {"dtypes": ("float32",)},
        {"modes": ("eager",)},
        {"check": False},
    ):
        assert not Request(**part).whole


def test_the_permanent_twin_is_eager_against_itself():
    assert schedule.twin_of("eager" + schedule.TWIN) == "eager"
    assert not schedule.twin_of("eager")
    assert session.twin([]) == {}
