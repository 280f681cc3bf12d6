"""One page from runs of several TensorFlow versions: docs/VERSIONS.md.

Claim: one declaration per op serves several versions; the page counts the verdicts of each version on the checks that
all of them ran, and names the ops whose checks fail in one version only.

    python benchmarks/versions.py RUN... > docs/VERSIONS.md     # the others are compared with the first run
"""

import argparse

import pandas as pd

from tfparity.suite.records.results import FAILING, VERDICTS, Run, read

MOST_NAMED = 25
"""Ops named in a cell; the rest are counted."""


def common_checks(runs: list[Run]) -> set[str]:
    """The identities for which every run has a row. The row of a refused dtype (sample `all`) is not a check."""
    return set.intersection(*(set(run.checks.loc[run.checks["sample"] != "all", "id"]) for run in runs))


def verdicts(runs: list[Run], common: set[str]) -> pd.DataFrame:
    """How many checks have each verdict; one column per version."""
    counts = {
        run.meta["tensorflow"]: run.checks.loc[run.checks["id"].isin(common), "verdict"].value_counts() for run in runs
    }
    return pd.DataFrame(counts).reindex(VERDICTS).fillna(0).astype(int)


def missing(run: Run) -> list[str]:
    """The declared ops that this version does not have."""
    words = run.checks.loc[run.checks["verdict"] == "unsupported", ["op", "detail"]]
    gone = words[words["detail"].str.contains(r"not in this version|has no attribute '\w+'$")]
    return sorted(set(gone["op"]) - set(run.checks.loc[run.checks["verdict"] != "unsupported", "op"]))


def changed(base: Run, other: Run, common: set[str]) -> tuple[list[str], list[str]]:
    """The ops with checks that fail in `other` only, and the ops with checks that fail in `base` only."""

    def failing(run: Run) -> pd.Series:
        rows = run.checks[run.checks["id"].isin(common)].set_index("id")
        return rows["verdict"].isin(FAILING)

    a, b = failing(base), failing(other)
    b = b.reindex(a.index)
    ops = base.checks.set_index("id")["op"]
    return sorted(set(ops[a.index[b & ~a]])), sorted(set(ops[a.index[a & ~b]]))


def named(ops: list[str]) -> str:
    shown = ", ".join(f"`{op}`" for op in ops[:MOST_NAMED])
    return f"{len(ops)}: {shown}{', …' if len(ops) > MOST_NAMED else ''}" if ops else "none"


def page(runs: list[Run]) -> str:
    """The Markdown page; the others are compared with the first run."""
    base, common = runs[0], common_checks(runs)
    table = verdicts(runs, common)
    lines = [
        "# Verdicts by version of TensorFlow",
        "",
        f"CI's slice of the suite on each version: {len(common):,} checks that all versions ran. Written by "
        "`benchmarks/versions.py`. The last five verdicts fail unless waived; the waivers are those of "
        f"{base.meta['tensorflow']}.",
        "",
        "| verdict | " + " | ".join(table.columns) + " |",
        "|---|" + "---:|" * len(table.columns),
        *(f"| {v} | " + " | ".join(f"{n:,}" for n in table.loc[v]) + " |" for v in table.index),
        "",
    ]
    for run in runs[1:]:
        only, gone = changed(base, run, common)
        lines += [
            f"## {run.meta['tensorflow']} against {base.meta['tensorflow']}",
            "",
            f"- ops not in this version: {named(missing(run))}",
            f"- ops with a check that fails in {run.meta['tensorflow']} only: {named(only)}",
            f"- ops with a check that fails in {base.meta['tensorflow']} only: {named(gone)}",
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare runs of several TensorFlow versions on one page.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="run folders; the others are compared with the first")
    print(page([read(path) for path in parser.parse_args().runs]))
