"""`pytest cases`: the same checks with the same verdicts as the command, and pytest's own ways with them.

Run over a house of its own: a copy of the package with a few small files of cases beside it, so that neither the
project's cases nor its ledger count here.
"""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import tfparity

FILE = '''
"""Cases of the house."""
from tfparity import T, program, tf

X = T("n", dtype="float32", domain=(1, 2), edges=False)


@program("program.house_sound", X, reference=lambda x: x * x, autograph=False, timed=True)
def sound(x):
    return x * x


@program("program.house_parted", X, autograph=False)
def parted(x):
    return x if tf.executing_eagerly() else x * 1.5


@program("program.house_known", X, reference=lambda x: x + 1, autograph=False)
def known(x):
    return x * 3.0


@program("program.house_uncompilable", X, autograph=False)
def uncompilable(x):
    return tf.py_function(lambda v: v, [x], x.dtype)
'''
LEDGER = '[[waiver]]\nmatch = "program.house_known/*/*/*#value:numpy"\nexpect = "differs"\nreason = "it is meant to"\n'
ORDINARY = "*/*/ordinary/*#value"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    home = tmp_path_factory.mktemp("house")
    shutil.copytree(
        Path(tfparity.__file__).parent, home / "tfparity", ignore=shutil.ignore_patterns("__pycache__", "cases")
    )
    (home / "cases").mkdir()
    (home / "cases" / "house.py").write_text(FILE)
    (home / "cases" / "waivers.toml").write_text(LEDGER)
    (home / "pytest.ini").write_text("[pytest]\n")
    return home


@pytest.fixture(scope="module")
def ran(house, tmp_path_factory):
    """Runs a module in the house: `ran("pytest", ...) -> finished process`."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(house),
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
        "COLUMNS": "200",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }

    def run(module, *arguments):
        return subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=house,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope="module")
def whole(ran):
    """One pytest session over all ordinary checks of the house, with its XML."""
    done = ran(
        "pytest", "cases", "--tfparity-query", ORDINARY, "--tfparity-jobs", "1", "--junitxml", "found.xml", "-rA"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def tests_of(whole, house):
    """Per test its element of the XML."""
    return {case.get("name"): case for case in ElementTree.parse(house / "found.xml").iter("testcase")}


def properties(case):
    return {p.get("name"): p.get("value") for p in case.iter("property")}


def test_verdict_for_verdict_it_says_what_the_command_says(ran, house, tests_of):
    done = ran("tfparity", "check", ORDINARY, "--out", "run", "--jobs", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    rows = tfparity_rows(house / "run")
    assert len(rows) > 15
    assert {name: properties(case)["verdict"] for name, case in tests_of.items()} == {
        i: verdict for i, (verdict, _) in rows.items()
    }
    for name, (verdict, waiver) in rows.items():
        failed, skipped = tests_of[name].find("failure"), tests_of[name].find("skipped")
        assert (failed is not None) == (verdict == "differs" and not waiver), name
        assert (skipped is not None) == (verdict == "unsupported" or bool(waiver)), name


def tfparity_rows(path):
    from tfparity.suite.records.results import read

    return {row["id"]: (row["verdict"], row["waiver"]) for row in read(path).checks.to_dict("records")}


def test_the_xml_carries_op_mode_and_dtype(tests_of):
    case = tests_of["program.house_parted/float32/ordinary/graph@CPU:0#value:eager"]
    assert {
        "op": "program.house_parted",
        "mode": "graph",
        "dtype": "float32",
        "device": "CPU:0",
        "verdict": "differs",
    }.items() <= properties(case).items()


def test_a_failing_test_shows_both_values_the_input_and_how_to_reproduce_it(tests_of):
    name = "program.house_parted/float32/ordinary/graph@CPU:0#value:eager"
    text = tests_of[name].find("failure").text
    assert f"differs value: {name}" in text
    assert f"tfparity repro '{name}'" in text
    for word in ("got ", "expected ", "input ", "[0x"):
        assert word in text
    assert "Traceback" not in text
    assert "plugin.py" not in text


def test_a_waived_test_is_expected_to_fail_for_its_reason_and_an_unsupported_one_is_skipped(tests_of):
    assert "it is meant to" in ElementTree.tostring(
        tests_of["program.house_known/float32/ordinary/graph@CPU:0#value:numpy"], "unicode"
    )
    assert tests_of["program.house_uncompilable/float32/ordinary/xla@CPU:0#value:eager"].find("skipped") is not None


def test_x_stops_at_the_first_and_lf_runs_only_what_failed(ran, whole):
    first = ran("pytest", "cases", "--tfparity-query", ORDINARY, "--tfparity-jobs", "1", "-x", "-p", "no:cacheprovider")
    assert first.returncode == 1
    assert "1 failed" in first.stdout
    again = ran("pytest", "cases", "--tfparity-query", ORDINARY, "--tfparity-jobs", "1", "--lf")
    assert again.returncode == 1
    assert "3 failed" in again.stdout
    assert "passed" not in again.stdout.splitlines()[-1]


def test_k_selects_and_a_passing_selection_passes(ran):
    done = ran("pytest", "cases", "-k", "house_sound and graph", "--tfparity-query", ORDINARY, "--tfparity-jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_it_runs_under_xdist(ran, whole):
    pytest.importorskip("xdist")
    done = ran("pytest", "cases", "-n", "1", "--tfparity-query", ORDINARY)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 failed" in done.stdout


def test_a_stale_waiver_fails_the_session(ran, house):
    ledger = house / "cases" / "waivers.toml"
    ledger.write_text(LEDGER + '[[waiver]]\nmatch = "program.house_sound"\nexpect = "crash"\nreason = "once"\n')
    try:
        done = ran("pytest", "cases", "--tfparity-query", "program.house_sound", "--tfparity-jobs", "1")
    finally:
        ledger.write_text(LEDGER)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "covers no failing check any more" in done.stdout


def test_a_query_that_cannot_be_meant_is_an_error_that_names_the_nearest(ran):
    done = ran("pytest", "cases", "--tfparity-query", "program.house_snd")
    assert done.returncode in (2, 4), "an interrupted collection, or a usage error"
    assert "program.house_sound" in done.stdout + done.stderr


def test_timing_is_pytest_benchmarks_with_our_samples(ran, house):
    done = ran(
        "pytest",
        "cases",
        "--tfparity-bench",
        "--tfparity-query",
        "program.house_sound",
        "-k",
        "/100/",
        "--tfparity-jobs",
        "1",
        "--benchmark-json",
        "bench.json",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {b["name"]: b for b in json.loads((house / "bench.json").read_text())["benchmarks"]}
    assert {f"program.house_sound/float32/100/{mode}" for mode in ("eager", "graph", "xla", "numpy")} == set(found)
    for each in found.values():
        assert each["group"] == "program.house_sound/float32/100"
        assert each["stats"]["rounds"] == len(each["stats"]["data"]) >= 1
        assert min(each["stats"]["data"]) > 0


def test_the_plugin_does_nothing_to_other_peoples_tests(tmp_path):
    (tmp_path / "test_mine.py").write_text("import sys\ndef test_mine():\n    assert 'tensorflow' not in sys.modules\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
