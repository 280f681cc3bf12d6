"""How the time of `tfparity check` grows with the number of cases and of workers.

Claim: the time grows no faster than the number of cases, and more workers, up to one per core, take less of it. The
figures depend on the machine; the script prints them.

Cases are drawn at random from all declared ones; a larger set contains the smaller ones. Each measurement is a fresh
process whose plans are already in the cache. Ratios are to the first row.

    python benchmarks/scaling.py                   # 25, 50 and 100 cases
    python benchmarks/scaling.py 10 --workers 1
"""

import argparse
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
    parser = argparse.ArgumentParser(description="How the time of a check grows with cases and workers.")
    parser.add_argument("cases", metavar="CASES", type=int, nargs="*", default=list(SIZES), help="default: 25 50 100")
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS), help="default: 1 2")
    options = parser.parse_args()
    sizes = options.cases
    ops = [name for name, declared in sorted(loading.load().items()) if not declared.missing]
    random.Random(SEED).shuffle(ops)
    seconds(ops[: max(sizes)], max(options.workers))  # fills the cache of plans
    first = 0.0
    print("cases  workers  seconds  of first row")
    for size in sizes:
        for workers in options.workers:
            took = seconds(ops[:size], workers)
            first = first or took
            print(f"{size:5}  {workers:7}  {took:7.1f}  {took / first:12.2f}", flush=True)


if __name__ == "__main__":
    main()
