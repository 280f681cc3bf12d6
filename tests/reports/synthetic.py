"""Runs that never happened: some forty ops with checks and timings of a realistic make, and the nasty ones.

`run(path)` makes one; its parts (`checks`, `timings`, `meta`) are there to plant a fault in. Seeded, no TensorFlow.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfparity.suite.records.results import Check, Run, Timing, frame

NAMES = """tf.math.acosh tf.math.add tf.math.atan2 tf.math.bessel_i0 tf.math.cumsum tf.math.erf tf.math.exp
tf.math.lgamma tf.math.log1p tf.math.pow tf.math.reduce_logsumexp tf.math.reduce_mean tf.math.sigmoid
tf.math.tanh tf.math.top_k tf.linalg.cholesky tf.linalg.det tf.linalg.einsum tf.linalg.matmul tf.linalg.qr
tf.linalg.svd tf.nn.avg_pool2d tf.nn.conv2d tf.nn.gelu tf.nn.log_softmax tf.nn.max_pool2d tf.nn.softmax
tf.image.adjust_hue tf.image.resize tf.signal.fft tf.signal.stft tf.sparse.sparse_dense_matmul tf.strings.join
tf.strings.regex_replace tf.gather tf.reshape tf.scatter_nd tf.where tf.random.stateless_normal
guide.custom_gradient program.mlp_step rewrite.pow_half"""
OPS = tuple(NAMES.split())
MODES = ("eager", "graph", "graph-dynamic", "xla", "savedmodel")
SIZES = (1, 64, 4096, 262_144, 4_194_304)
NASTY = {
    "html": "<script>alert('x')</script><img src=x onerror=alert(1)> & \"quotes\" </pre></details>{{ 7*7 }}",
    "unicode": "expected 'Grüße, 世界 🜲' got '\u202eevil\u202c \x1b[31mred\x1b[0m nul\x00 bell\x07'",
    "markdown": "a | b `code` ```fence``` [link](javascript:x) <b>bold</b>\n# heading",
    "huge": "0123456789abcdef " * 40_000,
}
DETAIL = """input   x = {x!r}  (float32, 0x{bits:08x})
numpy   {want!r}  0x{a:08x}
{mode:<7} {got!r}  0x{b:08x}
distance {ulp} ulp, {error:.3g} times what is allowed, at index [3, 17] of shape (7, 64)"""


def identity(
    op: str, dtype: str, sample: str, mode: str, device: str, aspect: str = "value", against: str = "numpy"
) -> str:
    return f"{op}/{dtype}/{sample}/{mode}@{device}#{aspect}:{against}"


def check(
    op: str = "tf.math.acosh",
    verdict: str = "identical",
    *,
    dtype: str = "float32",
    sample: str = "edge",
    mode: str = "xla",
    device: str = "CPU:0",
    aspect: str = "value",
    against: str = "numpy",
    **more: Any,
) -> Check:
    name = identity(op, dtype, sample, mode, device, aspect, against)
    return Check(name, op, dtype, sample, mode, device, aspect, against, verdict, **more)


def detail(rng: np.random.Generator, mode: str, error: float) -> str:
    x, want = np.float32(rng.normal(1, 2)), np.float32(rng.normal())
    got = np.float32(want * (1 + 1e-6 * error))
    bits = lambda v: int(np.float32(v).view(np.uint32))
    ulp = abs(bits(got) - bits(want))
    return DETAIL.format(
        x=float(x),
        bits=bits(x),
        want=float(want),
        a=bits(want),
        mode=mode,
        got=float(got),
        b=bits(got),
        ulp=ulp,
        error=error,
    )


def checks(
    seed: int = 0, devices: tuple[str, ...] = ("CPU:0",), samples: int = 4, ops: int | None = None
) -> list[Check]:
    """Mostly agreeing; a few divergences of every verdict, a third of them waived."""
    rng, rows = np.random.default_rng(seed), []
    for rank, op in enumerate(OPS[:ops]):
        texts = op.startswith("tf.strings")
        for dtype in ("string",) if texts else ("float32", "float64", "bfloat16"):
            for number in range(samples):
                for device in devices:
                    for mode in MODES:
                        for aspect in ("value",) if texts else ("value", "gradient"):
                            at = {"dtype": dtype, "sample": f"s{number}", "mode": mode, "device": device,
                                  "aspect": aspect, "against": "numpy" if mode == "eager" else "eager"}  # fmt: skip
                            if texts and mode == "xla":
                                rows.append(
                                    check(
                                        op,
                                        "unsupported",
                                        detail="Detected unsupported operations when compiling: StringJoin",
                                        **at,
                                    )
                                )
                            elif rank % 6 == 0 and mode == "xla" and number % 2 == 0 and aspect == "value":
                                error = float(rng.lognormal(2, 1.5))
                                rows.append(
                                    check(
                                        op,
                                        "differs",
                                        kind="value",
                                        max_ulp=error * 3,
                                        scaled_error=error,
                                        detail=detail(rng, mode, error),
                                        waiver="XLA flushes subnormals to zero" if rank % 12 == 0 else "",
                                        **at,
                                    )
                                )
                            elif rank == 20 and dtype == "bfloat16":
                                rows.append(
                                    check(
                                        op,
                                        "error-differs",
                                        kind="error-class",
                                        detail="eager: no error\nnumpy: InvalidArgumentError: Input is not invertible",
                                        **at,
                                    )
                                )
                            else:
                                word = rng.choice(["identical", "close", "ill-conditioned"], p=[0.6, 0.37, 0.03])
                                rows.append(
                                    check(
                                        op,
                                        str(word),
                                        max_ulp=float(rng.integers(0, 3)),
                                        scaled_error=float(rng.uniform(0, 0.8)),
                                        **at,
                                    )
                                )
    return rows


def nasty() -> list[Check]:
    """What a report must survive: markup, controls, huge text, no numbers, words of another version."""
    rows = [
        check(f"tf.strings.{name}", "differs", kind="value", detail=text, mode="graph") for name, text in NASTY.items()
    ]
    rows += [
        check("tf.nn.conv2d", "crash", sample="stride-0", detail="the worker died with signal 11 (SIGSEGV)"),
        check("tf.linalg.svd", "timeout", sample="nan", detail="no answer within 60 s"),
        check(
            "tf.gather",
            "accepted",
            sample="out-of-range",
            aspect="error",
            against="eager",
            kind="error-class",
            detail="",
        ),
        check(
            "tf.math.erf",
            "differs",
            sample="<b>|`x`",
            kind="nan",
            scaled_error=math.inf,
            detail="got nan, expected 1.0",
        ),
        check("tf.math.erf", "flabbergasted", sample="future", detail="a verdict of a later version"),
    ]
    return rows


def timings(seed: int = 0, device: str = "CPU:0", slow: float = 1.0, noise: float = 0.03, ops: int | None = None,
            change: dict[tuple[str, str], float] | None = None) -> list[Timing]:  # fmt: skip
    """A machine with a dispatch cost and a throughput; `slow` scales it, `change` the time of one op in one mode."""
    rng = np.random.default_rng([seed, len(device), int(slow * 100)])
    made = np.random.default_rng(7)  # what the ops are like is the same in every run
    rows = []
    for op in OPS[:ops]:
        work, gain = float(made.lognormal(-20.5, 0.8)), float(made.uniform(0.7, 3.5))
        call = float(made.lognormal(0, 0.35))
        here = slow * math.exp(rng.normal(0, 0.25)) if slow != 1 else 1.0
        if op.startswith("tf.strings") or op.startswith("tf.sparse"):
            gain = 0.6
        for size in SIZES:
            ideal = {
                "eager": 9e-6 * call + work * size,
                "graph": 16e-6 * call**0.4 + work * size / min(gain, 1.4),
                "xla": 12e-6 * call**0.5 + work * size / gain,
                "numpy": 1.5e-6 * call**1.5 + work * size * 1.8,
            }
            at = {"op": op, "dtype": "float32", "sample": "large", "size": size, "device": device}
            eager = None
            for mode, seconds in ideal.items():
                if mode == "xla" and op.startswith("tf.strings"):
                    continue
                seconds *= here * (change or {}).get((op, mode), 1.0) * math.exp(rng.normal(0, noise / 4))
                eager = eager or seconds
                ratio, half = seconds / eager, noise * float(rng.uniform(0.5, 1.5))
                low, high = ratio / (1 + half), ratio * (1 + half)
                word = (
                    "faster"
                    if high < 0.98
                    else "slower"
                    if low > 1.02
                    else "equivalent"
                    if half < 0.03
                    else "unresolved"
                )
                if mode == "eager":
                    low = high = ratio = 1.0
                    word = "equivalent"
                rows.append(
                    Timing(
                        **at,
                        mode=mode,
                        phase="warm",
                        seconds=seconds,
                        low=seconds / (1 + half),
                        high=seconds * (1 + half),
                        rounds=40,
                        loops=max(1, int(1e-3 / seconds)),
                        ratio=ratio,
                        ratio_low=low,
                        ratio_high=high,
                        verdict=word,
                        flops=float(size),
                        bytes=8.0 * size,
                    )
                )
                if mode in ("graph", "xla"):
                    cold = float(made.lognormal(-4.2 if mode == "graph" else -2.2, 0.5)) * here
                    rows.append(Timing(**at, mode=mode, phase="cold", seconds=cold, low=cold * 0.9, high=cold * 1.15,
                                       rounds=3, loops=1, ratio=cold / eager, ratio_low=math.nan, ratio_high=math.nan,
                                       verdict="slower"))  # fmt: skip
    return rows


def meta(**more: Any) -> dict[str, Any]:
    return {
        "tfparity": "0.1.0",
        "tensorflow": "2.20.0",
        "started": "2026-03-01T09:12:00+00:00",
        "finished": "2026-03-01T09:31:42+00:00",
        "command": "tfparity run 'tf.math.*' --out <runs>/cpu",
        "git": "0123abc",
        "machine": {
            "cpu": "AMD EPYC 7B13",
            "cores": 8,
            "memory": 33_500_000_000,
            "os": "Linux 6.1",
            "python": "3.11.9",
            "numpy": "2.2.1",
            "devices": [{"name": "CPU:0", "type": "CPU", "description": ""}],
            "onednn": True,
            "tf32": False,
            "intra_threads": 8,
            "inter_threads": 2,
            "xla_flags": "",
            "cpu_features": ["avx2", "avx512f", "fma"],
            "load_before": [0.21, 0.3, 0.4],
            "load_after": [1.4, 1.1, 0.8],
        },
        "costs": {
            "plan": 1.2,
            "trace": 61.0,
            "compile": 240.5,
            "execute": 402.0,
            "reference": 120.0,
            "judge": 33.0,
            "other": 11.0,
            "harness_share": 0.19,
        },
        "twin": {"pairs": 210, "false_calls": 3, "ratio": 1.0004, "low": 0.998, "high": 1.003},
        **more,
    }


def gpu_meta(**more: Any) -> dict[str, Any]:
    base = meta()
    about = dict(
        base["machine"],
        cpu="Intel Xeon Platinum 8481C",
        cores=26,
        gpu="NVIDIA H100 80GB",
        driver="550.54",
        devices=[{"name": "CPU:0", "type": "CPU"}, {"name": "GPU:0", "type": "GPU", "description": "NVIDIA H100"}],
        a_fact_of_the_future={"nested": [1, 2]},
    )
    return dict(base, machine=about, **more)


def run(path: Path, check_rows: list[Check] | None = None, timing_rows: list[Timing] | None = None,
        about: dict[str, Any] | None = None) -> Run:  # fmt: skip
    """A run as `read` would give it; nothing is written but by `store`."""
    known = meta() if about is None else about
    return Run(
        path, known, frame("checks", check_rows or []), frame("timings", timing_rows or []), frame("kernels", [])
    )


def store(made: Run) -> Path:
    """The run as a folder that the command can read."""
    made.path.mkdir(parents=True, exist_ok=True)
    (made.path / "run.json").write_text(json.dumps(made.meta))
    made.checks.to_parquet(made.path / "checks.parquet", index=False)
    made.timings.to_parquet(made.path / "timings.parquet", index=False)
    return made.path


def many(number: int, failing: int) -> list[Check]:
    """A run as large as the largest: `number` checks, `failing` divergences of three checks each."""
    rows = [check(f"tf.math.op{i // 50}", sample=f"s{i % 50}") for i in range(number)]
    for i in range(failing):
        rng = np.random.default_rng(i)
        for n in range(3):
            rows.append(
                check(
                    f"tf.math.bad{i}",
                    "differs",
                    sample=f"s{n}",
                    kind="value",
                    scaled_error=float(i),
                    detail=detail(rng, "xla", i) * 3,
                )
            )
    return rows


def waived(row: Check, reason: str = "known since 2.19") -> Check:
    return replace(row, waiver=reason)
