"""The command: exit statuses of the contract, one line for each thing a user can mend, and what it writes."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tfparity import __version__, cli
from tfparity.suite.language import loading
from tfparity.suite.records import identity
from tfparity.suite.records.results import VERDICTS, Check, Recorder, read
from tfparity.suite.session import opening

COMMAND = [sys.executable, "-m", "tfparity"]


def one_line(stderr, *said):
    """Whether the command's last word on stderr is one line that says these things."""
    lines = [line for line in stderr.splitlines() if line.startswith("tfparity: ")]
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    for word in said:
        assert word in lines[0]
    return True


# --- exit statuses -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound():
    return Path(__file__).parent / "own_cases" / "sound.py"


@pytest.fixture(scope="module")
def unsound():
    return Path(__file__).parent / "own_cases" / "unsound.py"


def test_a_check_without_divergence_ends_with_status_0_and_a_folder_of_the_contract(command, sound, tmp_path):
    status, out, err = command("check", "program.own_*", "--cases", sound, "--out", "found", "--jobs", "1", "--costs")
    assert status == 0, out + err
    folder = tmp_path / "found"
    assert {"run.json", "checks.parquet", "timings.parquet", "report.html", "report.md"} <= {
        p.name for p in folder.iterdir()
    }
    meta = json.loads((folder / "run.json").read_text())
    assert {"tfparity", "tensorflow", "started", "finished", "command", "machine", "git", "totals"} <= set(meta)
    assert set(meta["totals"]) == set(VERDICTS)
    assert meta["tfparity"] == __version__
    run = read(folder)
    assert len(run.checks) == sum(meta["totals"].values()) > 20
    assert set(run.checks["op"]) == {"program.own_square", "program.own_total", "program.own_next"}
    assert not set(run.checks["verdict"]) & {"differs", "crash", "timeout", "accepted"}
    assert "harness share" in out


def test_a_divergence_ends_with_status_1_and_a_waiver_makes_it_0(command, unsound, tmp_path):
    asked = ("check", "program.own_parted/*/ordinary/graph#value", "--cases", unsound, "--jobs", "1")
    status, out, _ = command(*asked, "--out", "first")
    assert status == 1
    assert "program.own_parted/float32/ordinary/graph@CPU:0#value:eager" in out
    command.home.joinpath("waivers.toml").write_text(
        '[[waiver]]\nmatch = "program.own_parted/*/*/graph*#value"\n'
        'expect = "differs value"\nreason = "it is meant to"\n'
    )
    status, out, _ = command(*asked, "--out", "second")
    assert status == 0, out
    assert set(read(tmp_path / "second").checks["waiver"]) == {"it is meant to"}


def test_a_waiver_that_no_longer_says_the_truth_ends_with_status_1(command, sound):
    command.home.joinpath("waivers.toml").write_text(
        '[[waiver]]\nmatch = "program.own_square"\nexpect = "crash"\nreason = "once"\n'
    )
    status, out, _ = command("check", "program.own_square", "--cases", sound, "--jobs", "1")
    assert status == 1
    assert "covers no failing check any more" in out


@pytest.mark.parametrize(
    "more", [["program.own_total/float64"], ["program.own_total/*/nowhere"], ["program.own_total", "--dtypes", "int32"]]
)
def test_a_check_of_nothing_ends_with_status_2(command, sound, more):
    status, _, err = command("check", *more, "--cases", sound, "--jobs", "1")
    assert status == 2
    assert one_line(err, "nothing ran")


def test_run_checks_times_and_reports_and_ends_with_status_0_whatever_it_found(command, unsound, sound, tmp_path):
    status, out, err = command(
        "run",
        "program.own_square",
        "program.own_wrong/*/ordinary/eager",
        "--cases",
        sound,
        "--cases",
        unsound,
        "--out",
        "found",
        "--jobs",
        "1",
    )
    assert status == 0, out + err
    run = read(tmp_path / "found")
    assert "differs" in set(run.checks["verdict"])
    timed = run.timings[run.timings["op"] == "program.own_square"]
    assert {"eager", "graph", "xla"} <= set(timed["mode"])
    assert {"cold", "warm"} == set(timed["phase"])
    assert (run.timings["seconds"] > 0).all()
    assert list((tmp_path / "found" / "pictures").iterdir())


# --- what a user can mend ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "program.own_sqare"], ["no declared op", "program.own_square"]),
        (["check", "a//b"], ["malformed query", "op/dtype/sample/mode@device#aspect:against"]),
        (["check", "--modes", "eager,quick"], ["unknown mode 'quick'", "graph-dynamic"]),
        (["check", "--dtypes", "float31"], ["no dtype matches float31", "float32"]),
        (["check", "--shard", "3/2"], ["--shard '3/2'", "I/N"]),
        (["check", "--shard", "x"], ["--shard 'x'"]),
        (["check", "--shard", "0/2"], ["--shard '0/2'"]),
        (["list", "nothing.like.it"], ["no declared op"]),
        (["repro", "program.own_square"], ["not a whole identity"]),
        (
            ["repro", "program.own_square/float32/nowhere/eager@CPU:0#value:numpy"],
            ["has no sample 'nowhere'", "ordinary"],
        ),
        (["repro", "program.own_none/float32/n3/eager@CPU:0#value:numpy"], ["no declared op"]),
    ],
)
def test_a_request_that_cannot_be_meant_is_one_line_on_stderr_and_status_2(command, sound, arguments, said):
    status, out, err = command(*arguments, "--cases", sound)
    assert status == 2
    assert out == ""
    assert one_line(err, *said)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1 / 0", "ZeroDivisionError"), ("x =", "SyntaxError"), ("x = 1", "declares no case"), (None, "no case file")],
)
@pytest.mark.parametrize("action", ["check", "list"])
def test_a_cases_file_that_cannot_be_loaded_is_one_line_and_status_2(command, tmp_path, text, said, action):
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    status, _, err = command(action, "--cases", "mine.py")
    assert status == 2
    assert one_line(err, said, "mine.py")


def test_a_ledger_that_cannot_be_read_is_one_line_and_status_2(command, sound):
    command.home.joinpath("waivers.toml").write_text("[[waiver]]\nmatch = 1")
    status, _, err = command("check", "--cases", sound)
    assert status == 2
    assert one_line(err, "waivers.toml")


def test_an_unknown_device_is_one_line_and_status_2(command, sound):
    status, _, err = command("check", "program.own_square", "--devices", "TPU:*", "--cases", sound, "--jobs", "1")
    assert status == 2
    assert one_line(err, "no device matches TPU:*", "CPU:0")


def test_an_unsupported_version_is_one_line_and_status_2(command, sound, monkeypatch):
    monkeypatch.setattr(opening, "OLDEST", opening.Version("99.1"))
    monkeypatch.setattr(opening, "NEWEST", opening.Version("99.2"))
    status, _, err = command("check", "program.own_square", "--cases", sound, "--jobs", "1")
    assert status == 2
    assert one_line(err, "is not supported", "99.1")


def test_a_missing_tensorflow_is_one_line_and_status_2_and_list_does_not_need_it(tmp_path, child_environment):
    tmp_path.joinpath("sitecustomize.py").write_text("""
from importlib.machinery import PathFinder
found = PathFinder.find_spec
hidden = lambda cls, name, *more: None if name.split(".")[0] == "tensorflow" else found(name, *more)
PathFinder.find_spec = classmethod(hidden)
""")
    hidden = {**child_environment, "PYTHONPATH": str(tmp_path)}
    for arguments in (["check"], ["run"], ["bench"]):
        done = subprocess.run(
            [*COMMAND, *arguments, "--out", str(tmp_path / "out")],
            env=hidden,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 2
        assert one_line(done.stderr, "TensorFlow is not installed", "pip install")
        assert not (tmp_path / "out").exists()
    assert subprocess.run([*COMMAND, "list"], env=hidden, capture_output=True, timeout=120).returncode == 0


def test_a_tensorflow_that_cannot_be_imported_is_one_line_and_status_2(tmp_path, child_environment, sound):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise ImportError('libsomething.so: no such file')")
    done = subprocess.run(
        [*COMMAND, "check", "program.own_square", "--cases", str(sound), "--out", str(tmp_path / "out"), "--jobs", "1"],
        env={**child_environment, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    assert one_line(done.stderr, "TensorFlow does not start", "import tensorflow")


@pytest.mark.parametrize(
    "arguments",
    [["--out", "taken"], ["--resume", "taken"], ["--out", "file/run"], ["--resume", "nowhere"], ["--out", "run"]],
)
def test_a_folder_that_cannot_be_used_is_one_line_and_status_2(command, sound, tmp_path, arguments):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text('{"tfparity": "0.1.0"}')
    status, _, err = command("check", "program.own_square", "--cases", sound, *arguments)
    assert status == 2
    assert one_line(err, arguments[1])


@pytest.mark.parametrize("action", ["report", "compare"])
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no run.json"),
        ({"run.json": "{}"}, "another program"),
        ({"run.json": '{"tfparity": "1"}', "checks.parquet": "PAR1"}, "damaged"),
    ],
)
def test_a_folder_that_is_no_run_is_one_line_and_status_2(command, tmp_path, action, files, said):
    (tmp_path / "it").mkdir()
    for name, text in files.items():
        (tmp_path / "it" / name).write_text(text)
    status, _, err = command(action, "it", *(["it"] if action == "compare" else []))
    assert status == 2
    assert one_line(err, said)


# --- compare -------------------------------------------------------------------------------------------------------


def recorded(path, verdict):
    recorder = Recorder(
        path,
        {
            "tfparity": __version__,
            "tensorflow": "2.21.0",
            "started": "2026-01-01T00:00:00+00:00",
            "machine": {},
            "git": {},
            "command": "x",
        },
    )
    recorder.append(
        "checks",
        [
            Check(
                "tf.foo/float32/edge/xla@CPU:0#value:eager",
                "tf.foo",
                "float32",
                "edge",
                "xla",
                "CPU:0",
                "value",
                "eager",
                verdict,
            )
        ],
    )
    recorder.close(finished="2026-01-01T00:01:00+00:00")


@pytest.mark.parametrize(
    ("base", "head", "status"),
    [("identical", "identical", 0), ("identical", "differs", 1), ("differs", "identical", 0)],
)
def test_compare_ends_with_status_1_on_a_regression_only(command, tmp_path, base, head, status):
    recorded(tmp_path / "base", base)
    recorded(tmp_path / "head", head)
    found, out, err = command("compare", "base", "head")
    assert found == status, out + err
    assert ("tf.foo" in out) == (base != head)


# --- list and repro ------------------------------------------------------------------------------------------------


def test_list_gives_one_row_a_case_in_text_and_in_json(command, sound):
    status, out, _ = command("list", "--cases", sound)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "op",
        "program.own_square",
        "program.own_total",
        "program.own_next",
    ]
    status, out, _ = command("list", "program.own_t*", "--json", "--cases", sound)
    assert json.loads(out) == [
        {
            "op": "program.own_total",
            "file": "sound.py",
            "kind": "program",
            "status": "implemented",
            "reason": "",
            "reference": "lambda",
            "skips": {},
        }
    ]


def test_list_says_what_is_not_implemented_and_why(command, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from tfparity import *\n"
        "op('tf.foo').unimplemented('because')\nop('tf.bar', None, T()).no_reference('nobody knows')"
    )
    _, out, _ = command("list", "--json", "--cases", "mine.py")
    assert [(row["op"], row["status"], row["reason"], row["reference"]) for row in json.loads(out)] == [
        ("tf.foo", "unimplemented", "because", ""),
        ("tf.bar", "implemented", "nobody knows", ""),
    ]


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_list_imports_no_tensorflow_and_takes_a_few_times_the_import_of_scipy(more, child_environment):
    """Of processor time, the best of several tries: other processes on the machine do not count. Measured 2.1 times;
    TensorFlow's import would be 10."""

    def spent(code):
        child = subprocess.Popen(
            [sys.executable, "-c", code], env=child_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = child.stdout.read(), child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        child.stderr.close()
        assert child.returncode == 0, err
        return usage.ru_utime + usage.ru_stime, out, err

    watched = (
        "import sys, atexit\natexit.register(lambda: print('tensorflow' in sys.modules, file=sys.stderr))\n"
        "from tfparity.cli import main\nsys.argv[1:] = " + repr(["list", *more]) + "\nmain()"
    )
    times = []
    for _ in range(4):
        seconds, out, err = spent(watched)
        assert err.split()[-1] == b"False", "TensorFlow was imported"
        assert len(json.loads(out) if more else out.splitlines()) > 20
        times.append(seconds / spent("import numpy, scipy.special, scipy.fft")[0])
        if times[-1] < 4:
            break
    assert min(times) < 4, times


def test_the_whole_list_is_of_the_cases_that_come_along(child_environment):
    out = subprocess.run(
        [*COMMAND, "list", "--json"], env=child_environment, capture_output=True, text=True, timeout=120, check=True
    ).stdout
    rows = json.loads(out)
    assert {row["status"] for row in rows} <= {"implemented", "unimplemented"}
    assert all(row["reason"] for row in rows if row["status"] == "unimplemented")
    assert {row["file"] for row in rows} <= {p.name for p in loading.case_files()}


def test_repro_prints_a_script(command, unsound):
    status, out, _ = command("repro", "program.own_parted/float32/ordinary/graph@CPU:0#value:eager", "--cases", unsound)
    assert status == 0
    assert "import tensorflow as tf" in out
    compile(out, "show.py", "exec")


# --- help ----------------------------------------------------------------------------------------------------------

COMMON = {"--modes", "--devices", "--dtypes", "--jobs", "--shard", "--resume", "--timeout", "--cases"}
OPTIONS = {
    "run": {*COMMON, "--out", "--profile", "--costs"},
    "check": {*COMMON, "--out", "--profile", "--costs"},
    "bench": {*COMMON, "--out", "--profile"},
    "report": {"--out"},
    "compare": set(),
    "coverage": {"--out", "--limits"},
    "list": {"--json", "--cases"},
    "repro": {"--cases"},
}


@pytest.fixture
def help_of(command, monkeypatch):
    """The help of a command as a terminal of 80 columns shows it, and the examples at its end."""
    monkeypatch.setenv("COLUMNS", "80")

    def shown(action):
        status, out, err = command(action, "--help")
        assert status == 0, err
        return out, [line.strip() for line in out.partition("Examples:\n")[2].splitlines()]

    return shown


def test_the_commands_are_those_whose_help_is_tested():
    assert set(typer.main.get_command(cli.app).commands) == set(OPTIONS)


@pytest.mark.parametrize("action", OPTIONS)
def test_the_help_of_a_command_names_exactly_its_options(help_of, action):
    out, _ = help_of(action)
    assert set(re.findall(r"^  (--\w+)", out, re.MULTILINE)) == {*OPTIONS[action], "--help"}
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("action", OPTIONS)
def test_the_help_of_a_command_ends_with_two_examples_that_parse(help_of, action):
    _, shown = help_of(action)
    assert len(shown) == 2
    for example in shown:
        program, name, *arguments = shlex.split(example.partition(" > ")[0])
        assert (program, name) == ("tfparity", action)
        typed = typer.main.get_command(cli.app).commands[action].make_context(action, arguments).params
        for query in typed.get("queries") or ():
            identity.parse(query)
        if action == "repro":
            identity.identity(typed["id"])


def test_bench_has_no_option_of_checking(command):
    status, _, err = command("bench", "--costs")
    assert status == 2
    assert "--costs" in err
