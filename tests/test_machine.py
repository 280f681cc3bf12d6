"""The fingerprint: complete where the system tells, None where it does not, and never an exception."""

import json
import math
import os
import subprocess
import sys

import pytest

from tfparity.suite.records import machine

KEYS = {
    *("cpu", "cores", "memory", "os", "python", "numpy", "devices", "gpu", "driver", "onednn", "tf32"),
    *("intra_threads", "inter_threads", "xla_flags", "cpu_features", "load_before"),
}
FACTS = {
    "version": "2.21.0",
    "build": {"is_cuda_build": True},
    "devices": [
        {"name": "CPU:0", "type": "CPU", "description": "a CPU"},
        {"name": "GPU:0", "type": "GPU", "description": "a GPU (compute capability 9.0)"},
    ],
    "onednn": True,
    "tf32": False,
    "determinism": False,
    "intra_threads": 2,
    "inter_threads": 0,
}


@pytest.fixture
def proc(tmp_path):
    """A /proc of one's own."""
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "cpu").write_text(
        "some avg10=0.17 avg60=0.35 avg300=0.69 total=7066885\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"
    )
    (tmp_path / "stat").write_text("cpu  8661 0 3758 192773 494 0 67 300 0 0\ncpu0 1 2 3\n")
    (tmp_path / "driver" / "nvidia").mkdir(parents=True)
    (tmp_path / "driver" / "nvidia" / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12\n"
    )
    return tmp_path


def test_the_fingerprint_has_every_key_and_survives_json():
    found = machine.fingerprint()
    assert set(found) >= KEYS
    assert json.loads(json.dumps(found)) == found
    assert found["cpu"]
    assert found["cores"] >= 1
    assert found["memory"] > 2**20
    assert found["devices"] == []
    assert found["onednn"] is None, "without TensorFlow's answer nothing is claimed"


def test_the_fingerprint_takes_over_what_tensorflow_said():
    found = machine.fingerprint(FACTS)
    assert found["devices"] == FACTS["devices"]
    assert found["gpu"] == "a GPU (compute capability 9.0)"
    assert (found["onednn"], found["tf32"], found["intra_threads"], found["inter_threads"]) == (True, False, 2, 0)


def test_only_features_that_choose_kernels_are_kept():
    features = machine.processor()["features"]
    assert features == sorted(features)
    assert not {"fpu", "msr", "pae", "smep"} & set(features)


def test_a_feature_is_recorded_if_it_chooses_kernels():
    assert machine.records("avx512f")
    assert not machine.records("smep")
    assert not machine.records("misalignsse")


X86 = {
    *("sse4_2", "avx", "f16c", "avx2", "fma", "avx512f", "avx512_vnni", "avx512vnni", "avx512_bf16"),
    *("amx_tile", "amx_fp16"),
}


@pytest.mark.parametrize(
    ("limit", "off"),
    [
        ("SSE4_2", X86 - {"sse4_2"}),
        ("AVX", X86 - {"sse4_2", "avx", "f16c"}),
        ("AVX2", X86 - {"sse4_2", "avx", "f16c", "avx2", "fma"}),
        ("avx2", X86 - {"sse4_2", "avx", "f16c", "avx2", "fma"}),
        ("AVX512", {"avx512_vnni", "avx512vnni", "avx512_bf16", "amx_tile", "amx_fp16"}),
        ("AVX512_VNNI", {"avx512_bf16", "amx_tile", "amx_fp16"}),
        ("AVX512_BF16", {"amx_tile", "amx_fp16"}),
        ("AMX", {"amx_fp16"}),
        ("AMX_FP16", set()),
        ("NEON", set()),
        ("nonsense", set()),
    ],
)
def test_a_limit_on_xlas_instruction_set_switches_newer_features_off(limit, off):
    assert machine.enabled(X86, f"--xla_other=1 --xla_cpu_max_isa={limit} --xla_more=2") == X86 - off


def test_without_a_limit_xla_may_use_what_the_cpu_has():
    assert machine.enabled(X86, "") == machine.enabled(X86, "--xla_backend_optimization_level=0") == X86


def test_of_two_limits_on_xlas_instruction_set_the_last_counts():
    assert "avx512f" in machine.enabled(X86, "--xla_cpu_max_isa=AVX2 --xla_cpu_max_isa=AVX512")


def test_a_limit_of_arm_switches_newer_vectors_off():
    arm = {"asimd", "sve", "sve2"}
    assert machine.enabled(arm, "--xla_cpu_max_isa=NEON") == {"asimd"}
    assert machine.enabled(arm, "--xla_cpu_max_isa=SVE") == {"asimd", "sve"}
    assert machine.enabled(arm, "--xla_cpu_max_isa=AVX2") == arm


def test_the_xla_flags_are_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
    assert machine.fingerprint()["xla_flags"] == "--xla_backend_optimization_level=0"


def test_importing_and_asking_the_machine_leaves_tensorflow_alone():
    script = (
        "import sys; from tfparity.suite.records import machine; machine.fingerprint(); machine.noise(); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=120).returncode == 0


# Counters


def test_pressure_and_steal_are_read_in_seconds(proc):
    assert machine.pressure(proc) == pytest.approx(7.066885)
    assert machine.steal(proc) == pytest.approx(300 / os.sysconf("SC_CLK_TCK"))


def test_what_happened_meanwhile_is_a_difference(proc):
    before = machine.noise(proc)
    (proc / "pressure" / "cpu").write_text("some avg10=0 avg60=0 avg300=0 total=8066885\n")
    (proc / "stat").write_text("cpu  8661 0 3758 192773 494 0 67 400 0 0\n")
    during = machine.noise(proc).since(before)
    assert during.pressure == pytest.approx(1.0)
    assert during.steal == pytest.approx(100 / os.sysconf("SC_CLK_TCK"))
    assert during.seconds >= 0
    assert during.switches >= 0


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "cpu 1 2\n", "some avg10=0.00\n"])
def test_missing_or_strange_files_are_unknown_not_errors(tmp_path, content):
    if content is not None:
        (tmp_path / "pressure").mkdir()
        (tmp_path / "pressure" / "cpu").write_text(content)
        (tmp_path / "stat").write_text(content)
    assert math.isnan(machine.pressure(tmp_path))
    assert math.isnan(machine.steal(tmp_path))
    machine.noise(tmp_path)


def test_the_driver_is_found_in_the_kernels_words(proc):
    machine.driver.cache_clear()
    assert machine.driver(proc) == "535.104.05"


def test_a_system_without_load_averages_gives_none(monkeypatch):
    monkeypatch.delattr(os, "getloadavg")
    assert machine.load() is None


def test_a_system_without_affinity_counts_all_cores(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert machine.cores() == os.cpu_count()


def test_a_command_that_is_missing_or_fails_is_none():
    assert machine.output_of("tfparity-no-such-command") is None
    assert machine.output_of(sys.executable, "-c", "raise SystemExit(3)") is None


# Git


@pytest.fixture
def checkout(tmp_path):
    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    if machine.output_of("git", "--version") is None:
        pytest.skip("no git here")
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    return tmp_path, git


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(checkout):
    folder, git = checkout
    assert machine.git_state(folder) is None, "no commit yet"
    git("commit", "-qm", "first")
    state = machine.git_state(folder)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (folder / "new").write_text("an output of the run itself")
    assert machine.git_state(folder) == state, "what git does not track changes nothing"
    (folder / "file").write_text("two")
    assert machine.git_state(folder) == {**state, "dirty": True}


def test_outside_a_checkout_there_is_no_state(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert machine.git_state(tmp_path) is None
    assert machine.git_state(tmp_path / "missing") is None
