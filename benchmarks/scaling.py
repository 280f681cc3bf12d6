"""How a check's time grows with ops and with workers: python benchmarks/scaling.py [CASES...]

Cases are drawn from all that are declared, the same ones in every arm, larger sets holding the smaller; arms run in
turn, each in a fresh process with its plan remembered. Ratios are to the first arm.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tfparity.suite.language import loading

SIZES = (25, 50, 100)
WORKERS = (1, 2)
SEED = 1


def seconds(ops: list[str], workers: int) -> float:
    """Wall time of one check of these ops, from start to summary."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "from tfparity.cli import main; main()", "check", *ops]
            + ["--jobs", str(workers), "--out", str(Path(folder) / "run")],
            check=False,
            capture_output=True,
        )
        return time.perf_counter() - began


def main() -> None:
    sizes = [int(a) for a in sys.argv[1:]] or list(SIZES)
    ops = [name for name, declared in sorted(loading.load().items()) if not declared.missing]
    random.Random(SEED).shuffle(ops)
    seconds(ops[: max(sizes)], max(WORKERS))  # plans are remembered from here on
    first = 0.0
    print("cases  workers  seconds  of the first")
    for size in sizes:
        for workers in WORKERS:
            took = seconds(ops[:size], workers)
            first = first or took
            print(f"{size:5}  {workers:7}  {took:7.1f}  {took / first:12.2f}", flush=True)


if __name__ == "__main__":
    main()
