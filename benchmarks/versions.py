"""One page from runs of several TensorFlow versions: python benchmarks/versions.py RUN... > VERSIONS.md

The verdicts of each version on the checks that all of them were asked, and which ops part from the newest release.
"""

import sys

import pandas as pd

from tfparity.suite.records.results import FAILING, VERDICTS, Run, read

MOST_NAMED = 25
"""Ops named in a cell; the rest are counted."""


def asked_of_all(runs: list[Run]) -> set[str]:
    """The identities for which every run has a row: the planning rows of a refused dtype are no checks."""
    return set.intersection(*(set(run.checks.loc[run.checks["sample"] != "all", "id"]) for run in runs))


def verdicts(runs: list[Run], common: set[str]) -> pd.DataFrame:
    """Rows by verdict, a column a version."""
    counts = {
        run.meta["tensorflow"]: run.checks.loc[run.checks["id"].isin(common), "verdict"].value_counts() for run in runs
    }
    return pd.DataFrame(counts).reindex(VERDICTS).fillna(0).astype(int)


def missing(run: Run) -> list[str]:
    """The declared ops that this version does not have."""
    words = run.checks.loc[run.checks["verdict"] == "unsupported", ["op", "detail"]]
    gone = words[words["detail"].str.contains(r"not in this version|has no attribute '\w+'$")]
    return sorted(set(gone["op"]) - set(run.checks.loc[run.checks["verdict"] != "unsupported", "op"]))


def turned(base: Run, other: Run, common: set[str]) -> tuple[list[str], list[str]]:
    """The ops with checks that fail in `other` only, and those with checks that fail in `base` only."""

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
    """The Markdown page; the first run is the one that the others are held against."""
    base, common = runs[0], asked_of_all(runs)
    table = verdicts(runs, common)
    lines = [
        "# Verdicts by version of TensorFlow",
        "",
        f"The slice of CI on each version; {len(common):,} checks that all were asked. Written by "
        "`benchmarks/versions.py`; the last five verdicts fail unless waived, and the waivers are those of "
        f"{base.meta['tensorflow']}.",
        "",
        "| verdict | " + " | ".join(table.columns) + " |",
        "|---|" + "---:|" * len(table.columns),
        *(f"| {v} | " + " | ".join(f"{n:,}" for n in table.loc[v]) + " |" for v in table.index),
        "",
    ]
    for run in runs[1:]:
        only, gone = turned(base, run, common)
        lines += [
            f"## {run.meta['tensorflow']} against {base.meta['tensorflow']}",
            "",
            f"- ops not in this version: {named(missing(run))}",
            f"- ops that fail a check here and not there: {named(only)}",
            f"- ops that fail a check there and not here: {named(gone)}",
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page([read(path) for path in sys.argv[1:]]))
