"""Chooses the quick profile from a full run: the samples that found most per second.

Claim: in 300 seconds of worker time, which is two and a half minutes on two cores, every case runs, and the chosen
samples reach more kernels and more families of failures per second than a full run does. The figures go to stderr.

    python benchmarks/quick.py RUN > cases/quick.txt
    python benchmarks/quick.py RUN --seconds 600 > quick.txt
"""

import argparse
import sys
from collections import defaultdict

import pandas as pd

from tfparity.suite.language import loading
from tfparity.suite.records.results import FAILING, read
from tfparity.suite.running import inventory
from tfparity.suite.session import profiles

CRASH = 1.0
"""Seconds that a crash costs: a new worker, its first kernels, and the work that the crashed one had done."""


def declares(op: str, dtype: str) -> bool:
    """Whether the present cases still run the op in this dtype."""
    declared = loading.load().get(op)
    return declared is not None and dtype in (declared.dtypes or (dtype,))


def units(checks: pd.DataFrame, kernels: pd.DataFrame) -> list[profiles.Unit]:
    """What each sample cost and reached. A step that gave several rows is counted once; samples that timed out are left
    out. A kernel is credited to every documented op whose code reaches it, in the kernel's dtype."""
    reached: dict[str, set[str]] = defaultdict(set)
    for raw, ops in inventory.reachable().items():
        for op in ops:
            reached[op].add(raw)
    ran: dict[tuple[str, str], set[str]] = defaultdict(set)
    for raw, dtype, where in kernels[["op", "dtype", "where"]].itertuples(index=False):
        ran[raw, dtype].add(where)
    checks = checks[(checks["sample"] != "all") & (checks["aspect"] != "docs")]
    checks = checks.assign(step=checks["aspect"].where(checks["aspect"] == "gradient", "value"))
    paid = checks.drop_duplicates(["op", "dtype", "sample", "mode", "device", "step"])
    seconds = paid["seconds"].where(paid["verdict"] != "crash", CRASH)
    cost = seconds.groupby([paid["op"], paid["dtype"], paid["sample"]]).sum()
    failing = checks[checks["verdict"].isin(FAILING)]
    hung = set(map(tuple, failing[failing["verdict"] == "timeout"][["op", "dtype", "sample"]].itertuples(index=False)))
    families: dict[tuple[str, str, str], set[tuple[str, ...]]] = defaultdict(set)
    for row in failing.itertuples():
        families[row.op, row.dtype, row.sample].add((row.op, row.mode, row.aspect, row.verdict, row.kind))
    return [
        profiles.Unit(
            *key,
            seconds,
            frozenset(families[key]),
            frozenset((raw, key[1], where) for raw in reached[key[0]] for where in ran[raw, key[1]]),
        )
        for key, seconds in cost.items()
        if key not in hung and declares(key[0], key[1])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose the quick profile from a full run.")
    parser.add_argument("run", metavar="RUN", help="the folder of a run of every case")
    parser.add_argument("--seconds", type=float, default=300.0, help="worker time of the profile (default: 300)")
    options = parser.parse_args()
    run, budget = read(options.run), options.seconds
    every = units(run.checks, run.kernels)
    chosen = profiles.choose(every, budget)
    print("# The quick profile: OP/DTYPE SAMPLE... Written by benchmarks/quick.py from a run of every case in")
    print(f"# TensorFlow {run.meta['tensorflow']}, for {budget:g} s of worker time.")
    print("\n".join(profiles.lines(chosen)))
    for name, of in (("of every sample", every), ("chosen", chosen)):
        seconds = sum(u.seconds for u in of)
        failures = len(set().union(*(u.failures for u in of)))
        kernels = len(set().union(*(u.kernels for u in of)))
        cases = len({u.op for u in of})
        print(
            f"{name}: {len(of)} samples, {cases} cases, {kernels} kernels, {failures} families of failures, "
            f"{seconds:.0f} s: {kernels / seconds:.2f} kernels and {failures / seconds:.2f} failures per second",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
