"""Run folders: what was appended is read back, whatever ended the process, and nothing foreign is taken for a run."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, fields

import numpy as np
import pytest

from tfparity.suite.records import results
from tfparity.suite.records.results import JOURNAL, VERDICTS, Check, Recorder, RunError, Timing, frame, read

META = {"tfparity": "0.1.0", "started": "2026-01-01T00:00:00+00:00"}


def check(number, verdict="identical", detail=""):
    return Check(
        f"tf.foo/float32/s{number}/eager@CPU:0#value:numpy",
        "tf.foo",
        "float32",
        f"s{number}",
        "eager",
        "CPU:0",
        "value",
        "numpy",
        verdict,
        detail=detail,
        max_ulp=float(number),
    )


def timing(mode="graph", size=100):
    return Timing(
        "tf.foo", "float32", "timed", size, mode, "CPU:0", "warm", 1e-6, 9e-7, 2e-6, 10, 5, 1.0, 0.9, 1.1, "equivalent"
    )


def recorded(path, rows, done="check:tf.foo/float32"):
    recorder = Recorder(path, META)
    for row in rows:
        recorder.append("checks", [row], done=f"{done}{row.sample}")
    os.close(recorder.journal)
    return path


# --- a run that ended well -----------------------------------------------------------------------------------------


def test_rows_come_back_as_they_went_in(tmp_path):
    recorder = Recorder(tmp_path / "run", META)
    rows = [check(0), check(1, "differs", "got 1\nexpected 2 – ∞ \x00"), check(2, "crash")]
    recorder.append("checks", rows)
    recorder.append("timings", [timing()])
    recorder.close(finished="2026-01-01T00:01:00+00:00")
    run = read(tmp_path / "run")
    assert run.complete
    back = [Check(**row) for row in run.checks.to_dict("records")]
    assert [asdict(b) | {"scaled_error": 0} for b in back] == [asdict(r) | {"scaled_error": 0} for r in rows]
    assert np.isnan(back[0].scaled_error)
    assert Timing(**run.timings.to_dict("records")[0]).seconds == 1e-6
    assert run.meta["totals"] == {**dict.fromkeys(VERDICTS, 0), "identical": 1, "differs": 1, "crash": 1}


def test_a_finished_run_is_parquet_without_journal(tmp_path):
    Recorder(tmp_path / "run", META).close(finished="now")
    found = sorted(p.name for p in (tmp_path / "run").iterdir())
    assert found == ["checks.parquet", "kernels.parquet", "run.json", "timings.parquet"]


def test_an_empty_table_has_the_columns_of_the_contract():
    assert list(frame("checks", []).columns) == [
        "id",
        "op",
        "dtype",
        "sample",
        "mode",
        "device",
        "aspect",
        "against",
        "verdict",
        "kind",
        "max_ulp",
        "scaled_error",
        "detail",
        "waiver",
        "seconds",
    ]
    assert list(frame("timings", []).columns) == [f.name for f in fields(Timing)]


def test_of_rows_with_one_key_the_last_counts():
    table = frame("checks", [check(1, "crash"), check(2), check(1, "identical")])
    assert dict(zip(table["sample"], table["verdict"], strict=True)) == {"s1": "identical", "s2": "identical"}


def test_a_waived_failure_does_not_fail():
    assert check(0, "differs").failing
    assert not Check(**{**asdict(check(0, "differs")), "waiver": "known"}).failing
    assert not check(0, "ill-conditioned").failing


# --- a run that was cut short --------------------------------------------------------------------------------------


def test_a_journal_torn_at_any_byte_gives_every_row_before_the_tear(tmp_path):
    rows = [check(n, "differs" if n % 2 else "identical", "é – two\nlines") for n in range(4)]
    whole = (recorded(tmp_path / "run", rows) / JOURNAL).read_bytes()
    ends = [end + 1 for end, byte in enumerate(whole) if byte == ord("\n")]
    assert len(ends) == 2 * len(rows)
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "run.json").write_bytes((tmp_path / "run" / "run.json").read_bytes())
    kinds = [json.loads(line)["table"] for line in whole.splitlines()]
    for cut in range(len(whole) + 1):
        before = kinds[: sum(end <= cut + 1 for end in ends)]  # a line that lacks but its newline is whole
        rows_before = before.count("checks")
        (torn / JOURNAL).write_bytes(whole[:cut])
        found = results._journal(torn / JOURNAL)
        assert [kind for kind, _ in found] == before, cut
        if cut % 97 == 0:
            run = read(torn)
            assert not run.complete
            assert list(run.checks["sample"]) == [row.sample for row in rows[:rows_before]], cut
            assert len(run.meta["done"]) == before.count("done")


def test_a_run_torn_in_the_middle_of_a_line_is_continued_and_loses_only_that_line(tmp_path):
    path = recorded(tmp_path / "run", [check(0), check(1)])
    journal = path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-30])
    recorder = Recorder(path, META, resume=True)
    recorder.append("checks", [check(2)])
    os.close(recorder.journal)
    assert list(read(path).checks["sample"]) == ["s0", "s1", "s2"]
    assert "check:tf.foo/float32s1" not in read(path).meta["done"]


def test_rows_survive_a_process_that_is_killed_while_writing(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from pathlib import Path
from test_results import META, check
from tfparity.suite.records.results import Recorder
recorder = Recorder(Path({str(tmp_path / "run")!r}), META)
number = 0
while True:
    recorder.append("checks", [check(number)])
    print(number, flush=True)
    number += 1
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    said = [int(child.stdout.readline()) for _ in range(20)]
    child.send_signal(signal.SIGKILL)
    said += [int(line) for line in child.stdout.read().splitlines() if line.strip()]
    child.wait()
    child.stdout.close()
    samples = list(read(tmp_path / "run").checks["sample"])
    assert samples[: len(said)] == [f"s{n}" for n in said]


def test_a_run_interrupted_twice_ends_as_if_it_had_never_been(tmp_path):
    path = recorded(tmp_path / "run", [check(0)])
    recorder = Recorder(path, META, resume=True)
    assert recorder.meta["done"] == ["check:tf.foo/float32s0"]
    recorder.append("checks", [check(1)], done="b")
    recorder.close(finished=None)
    assert not read(path).complete
    recorder = Recorder(path, META, resume=True)
    assert set(recorder.meta["done"]) == {"check:tf.foo/float32s0", "b"}
    recorder.append("checks", [check(2)], done="c")
    recorder.close(finished="now")
    run = read(path)
    assert run.complete
    assert list(run.checks["sample"]) == ["s0", "s1", "s2"]
    assert run.meta["started"] == META["started"]


def test_a_kill_between_the_parquet_files_and_the_journal_counts_no_row_twice(tmp_path):
    recorder = Recorder(tmp_path / "run", META)
    recorder.append("checks", [check(0), check(1)])
    kept = (tmp_path / "run" / JOURNAL).read_bytes()
    recorder.close(finished="now")
    (tmp_path / "run" / JOURNAL).write_bytes(kept)
    assert list(read(tmp_path / "run").checks["sample"]) == ["s0", "s1"]


# --- what is no run, or not ours -----------------------------------------------------------------------------------


def test_a_run_is_not_overwritten(tmp_path):
    path = recorded(tmp_path / "run", [check(0)])
    with pytest.raises(RunError, match=r"already holds a run.*--resume"):
        Recorder(path, META)
    assert len(read(path).checks) == 1


def test_a_folder_with_other_things_in_it_is_not_written_to(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="not empty"):
        Recorder(tmp_path, META)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (None, "does not exist"),
        ({}, "has no run.json"),
        ({"run.json": "{"}, "cannot be read"),
        ({"run.json": "[]"}, "another program"),
        ({"run.json": '{"name": "x"}'}, "another program"),
        ({"run.json": '{"tfparity": "0.1.0"}', "checks.parquet": "PAR1 garbage"}, "checks.parquet is damaged"),
        ({"run.json": '{"tfparity": "0.1.0"}', "timings.parquet": ""}, "timings.parquet is damaged"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path, files, said):
    path = tmp_path / "run"
    if files is not None:
        path.mkdir()
        for name, text in files.items():
            (path / name).write_text(text)
    with pytest.raises(RunError, match=said) as refused:
        read(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(RunError):
        Recorder(path, META, resume=True)


def test_a_table_of_another_version_is_refused(tmp_path):
    recorder = Recorder(tmp_path / "run", META)
    recorder.append("checks", [check(0)])
    recorder.close(finished="now")
    target = tmp_path / "run" / "checks.parquet"
    frame("checks", [check(0)]).drop(columns="verdict").to_parquet(target)
    with pytest.raises(RunError, match="lacks the columns verdict"):
        read(tmp_path / "run")


# --- disks ---------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_in_one_line_and_what_was_written_stays(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path / "run", META)
    recorder.append("checks", [check(0)], done="a")

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(results.os, "write", full)
        with pytest.raises(RunError, match="No space left on device; free some space and use --resume") as said:
            recorder.append("checks", [check(1)], done="b")
    assert "\n" not in str(said.value)
    os.close(recorder.journal)
    run = read(tmp_path / "run")
    assert list(run.checks["sample"]) == ["s0"]
    assert run.meta["done"] == ["a"]


def test_a_disk_that_fills_in_the_middle_of_a_row_loses_only_that_row(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path / "run", META)
    recorder.append("checks", [check(0)])
    write, room = os.write, [40]

    def almost_full(descriptor, data):
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: room.pop()])

    with monkeypatch.context() as patch:
        patch.setattr(results.os, "write", almost_full)
        with pytest.raises(RunError, match="No space left"):
            recorder.append("checks", [check(1)])
    os.close(recorder.journal)
    assert list(read(tmp_path / "run").checks["sample"]) == ["s0"]
    again = Recorder(tmp_path / "run", META, resume=True)
    again.append("checks", [check(1)])
    again.close(finished="now")
    assert list(read(tmp_path / "run").checks["sample"]) == ["s0", "s1"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_device_that_is_full_is_said_in_one_line(tmp_path):
    recorder = Recorder(tmp_path / "run", META)
    os.close(recorder.journal)
    recorder.journal = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(RunError, match="No space left on device"):
        recorder.append("checks", [check(0)])
    os.close(recorder.journal)


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="choose another folder with --out") as said:
        Recorder(tmp_path / "file" / "run", META)
    assert "\n" not in str(said.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said_in_one_line(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RunError, match="Permission denied"):
            Recorder(tmp_path / "run", META)
    finally:
        tmp_path.chmod(0o700)
