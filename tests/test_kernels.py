"""Which kernels ran: the log's lines, planted one by one; and what of the registered kernels that covers."""

import multiprocessing
import os
import subprocess
import sys
import tomllib

import pytest

from tfparity.suite.language import loading
from tfparity.suite.records.kernels import (
    LOG,
    Covered,
    Kernel,
    coverage,
    instantiated,
    lacking,
    quiet,
    share,
    stands_for,
)
from tfparity.suite.running import inventory

STAMP = "I0000 00:00:1795378624.498565   21798 "
MADE = STAMP + "op_kernel.cc:1715] Instantiating kernel for node: {{node %s}} = %s[%s](x)\n"
COMPILED = STAMP + "xla_compilation_device.cc:104] XlaCompilationDevice::Compute {{node %s}}\n"
ON_CPU = '_device="/job:localhost/replica:0/task:0/device:CPU:0"'
LEADING = {"MatMul": "T", "Cast": "SrcT", "GatherV2": "Tparams", "While": "T"}


def ran(text):
    return instantiated(text, LEADING)


def test_a_kernel_made_for_a_device_ran_there_with_its_dtypes():
    line = MADE % ("y", "GatherV2", f"Taxis=DT_INT32, Tindices=DT_INT64, Tparams=DT_DOUBLE, batch_dims=0, {ON_CPU}")
    assert ran(line) == {Kernel("GatherV2", "float64", "Taxis=int32,Tindices=int64,Tparams=float64", "cpu")}


def test_a_kernel_of_another_device_ran_on_that_device():
    line = MADE % ("y", "MatMul", "T=DT_HALF, " + ON_CPU.replace("CPU", "GPU"))
    assert ran(line) == {Kernel("MatMul", "float16", "T=float16", "gpu")}


def test_the_node_that_xla_says_it_compiles_ran_under_xla():
    text = MADE % ("y", "Cast", "DstT=DT_BFLOAT16, SrcT=DT_FLOAT, Truncate=false") + COMPILED % "y"
    assert ran(text) == {Kernel("Cast", "float32", "DstT=bfloat16,SrcT=float32", "xla")}


def test_what_no_device_has_a_kernel_for_is_asked_of_xla():
    words = "Could not find device for node: {{node C}} = Cast[DstT=DT_HALF, SrcT=DT_INT4, Truncate=false]\nAll kernels"
    assert lacking(words, LEADING) == ("Cast", "int4", "xla")
    assert lacking("Value for attr 'T' of half is not in the list of allowed values", LEADING) is None


def test_a_kernel_without_a_device_that_xla_says_nothing_of_was_folded_and_does_not_count():
    folded = MADE % ("y", "Cast", "DstT=DT_BFLOAT16, SrcT=DT_FLOAT") + COMPILED % "z"
    assert ran(folded) == set()


def test_a_node_of_an_inner_function_does_not_hide_the_outer_one():
    text = (
        MADE % ("loop", "While", "T=[DT_INT32, DT_FLOAT], body=body[T=DT_FLOAT]")
        + COMPILED % "loop"
        + MADE % ("inner", "MatMul", "T=DT_FLOAT")
        + COMPILED % "inner"
    )
    assert {k.op for k in ran(text)} == {"While", "MatMul"}


def test_an_op_without_a_type_attribute_has_no_dtype():
    assert ran(MADE % ("y", "LoopCond", ON_CPU)) == {Kernel("LoopCond", "", "", "cpu")}


@pytest.mark.parametrize(
    ("logged", "public"),
    [
        ("_MklMatMul", "MatMul"),
        ("_MklNativeFusedMatMul", "MatMul"),
        ("_FusedConv2D", "Conv2D"),
        ("_MklNativePadWithConv2D", "Conv2D"),
        ("_MklConv2DWithBias", "Conv2D"),
        ("_FusedBatchNormEx", "FusedBatchNormV3"),
        ("_MklFusedBatchNormV3", "FusedBatchNormV3"),
        ("_MklQuantizedConv2DWithBiasAndRelu", "QuantizedConv2DWithBiasAndRelu"),
        ("FusedBatchNormV3", "FusedBatchNormV3"),
        ("QuantizedConv2DWithBias", "QuantizedConv2DWithBias"),
        ("_Retval", "_Retval"),
    ],
)
def test_an_op_of_onednn_or_of_the_graph_optimizer_stands_for_the_public_one(logged, public):
    assert stands_for(logged) == public


def test_a_crash_message_keeps_the_lines_that_are_not_of_the_kernels():
    fatal = "F0000 tensor_shape.cc:362] Check failed: d < dims()"
    assert quiet(MADE % ("y", "MatMul", ON_CPU) + fatal + "\n" + COMPILED % "y") == fatal


# --- coverage ------------------------------------------------------------------------------------------------------


def test_coverage_names_what_ran_and_what_is_missing_per_op_and_place():
    registered = {("A", "float32", "cpu"), ("A", "int32", "cpu"), ("A", "float32", "xla"), ("B", "bool", "cpu")}
    rows = coverage({("A", "float32", "cpu"), ("C", "bool", "cpu")}, registered, {"A"})
    assert rows == [Covered("A", "cpu", ("float32",), ("int32",)), Covered("A", "xla", (), ("float32",))]
    assert share(rows, "cpu") == (1, 2)
    assert share(rows, "xla") == (0, 1)


def test_a_kernel_that_takes_any_dtype_ran_if_its_op_ran_there():
    registered = {("A", "", "cpu"), ("A", "", "xla")}
    assert [r.missing for r in coverage({("A", "string", "cpu")}, registered, {"A"})] == [(), ("",)]


# --- what TensorFlow reports ---------------------------------------------------------------------------------------

PROGRAM = """
import tensorflow as tf
x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
tf.matmul(x, x)
tf.function(lambda x: tf.cast(tf.exp(x), tf.int64), jit_compile=True)(x)
"""


@pytest.fixture(scope="module")
def log():
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={**os.environ, **LOG}, capture_output=True, check=True)
    return done.stderr.decode()


@pytest.fixture(scope="module")
def registries():
    """Asked in a process of its own, like every question about the registries."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_registries)


def _registries():
    return inventory.leading_types(), inventory.registered(), inventory.reachable()


def test_this_tensorflow_logs_what_it_runs(log, registries):
    pairs = {kernel.pair for kernel in instantiated(log, registries[0])}
    assert {("MatMul", "float32", "cpu"), ("Exp", "float32", "xla"), ("Cast", "float32", "xla")} <= pairs
    assert ("Exp", "float32", "cpu") not in pairs


def test_what_runs_is_registered(log, registries):
    ours = {k.pair for k in instantiated(log, registries[0]) if k.op in ("MatMul", "Exp", "Cast")}
    assert len(ours) >= 3
    assert all(pair in registries[1] or (pair[0], "", pair[2]) in registries[1] for pair in ours)


def test_the_kernels_under_the_documented_ops_are_thousands(registries):
    _, registered, reachable = registries
    assert 400 < len(reachable) < 600
    for where in ("cpu", "xla"):
        assert 2500 < share(coverage(set(), registered, reachable), where)[1] < 4000


def test_a_documented_op_reaches_the_raw_ops_it_is_made_of(registries):
    reachable = registries[2]
    assert "tf.linalg.matmul" in reachable["MatMul"]
    assert "tf.nn.softplus" in reachable["Softplus"] or "tf.math.softplus" in reachable["Softplus"]
    assert "ReluGrad" not in reachable


# --- the raw cases -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def skipped():
    return tomllib.loads((loading.folder() / "raw" / "skipped.toml").read_text())["skipped"]


def test_every_raw_op_with_a_cpu_kernel_is_reached_declared_or_skipped(registries, skipped):
    _, registered, reachable = registries
    kernels = {op for op, _, where in registered if where == "cpu"}
    declared = {name.removeprefix("tf.raw_ops.") for name in loading.load() if name.startswith("tf.raw_ops.")}
    names = {name for group in skipped for name in group["ops"].split()}
    assert len(declared) > 150
    assert kernels - set(reachable) - declared - names == set(), "raw ops that nobody has looked at"
    assert declared & names == set(), "declared, and skipped all the same"


def test_a_skipped_op_is_skipped_once_and_for_a_reason(skipped):
    names = [name for group in skipped for name in group["ops"].split()]
    assert len(names) == len(set(names)) > 500
    assert all(len(group["reason"].split()) > 2 for group in skipped)
