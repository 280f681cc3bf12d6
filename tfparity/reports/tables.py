"""Runs become DataFrames: `build` makes all of them, and the counts of verdicts and the divergences are made here.

Every DataFrame has a `run` column, so that one run and several runs take the same path. Nothing here draws or formats,
and nothing here knows TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tfparity.reports import times
from tfparity.reports.facts import machines
from tfparity.reports.looks import in_order
from tfparity.reports.rows import families, labels, stack
from tfparity.suite.records.results import FAILING, SEVERITY, TWIN, VERDICTS, Run

GROUP = ["op", "mode", "device", "aspect", "verdict", "kind", "known"]
GRAVITY = {verdict: rank for rank, verdict in enumerate(SEVERITY)}
CATEGORICAL = ("nan", "inf", "dtype", "shape", "structure")  # no distance measures these: they rank as infinite errors


@dataclass(frozen=True)
class Tables:
    """The DataFrames that pictures and pages are made from.

    runs         one row per run: its label, folder, TensorFlow version, whether it is complete, how many rows it has
    checks       all checks, with `run`, `family` (of the op), `failing` (not waived) and `known` (failing, waived)
    verdicts     counts per run, family, mode and device: one column per verdict, `failing`, `known`, `total`
    failures     every failing check, waived or not, with the number of its divergence (`group`), worst first
    divergences  one row per op, mode, device, aspect, verdict and kind that fails, worst first
    speed        warm timings with `speedup` (eager's time over this mode's: above 1 is faster than eager)
    glance       per run, device and mode: counts of timing verdicts, geometric means of the speed-up
    curves       geometric mean of the speed-up per family ('' is all families), mode and size
    lines        the same for each op
    cold         time to trace, compile and call once, and the number of calls that win it back
    hardware     the same cell in two places: time there over time at the first place
    machines     one row per fact, one column per run
    """

    runs: pd.DataFrame
    checks: pd.DataFrame
    verdicts: pd.DataFrame
    failures: pd.DataFrame
    divergences: pd.DataFrame
    speed: pd.DataFrame
    glance: pd.DataFrame
    curves: pd.DataFrame
    lines: pd.DataFrame
    cold: pd.DataFrame
    hardware: pd.DataFrame
    machines: pd.DataFrame


def build(runs: Sequence[Run]) -> Tables:
    """All DataFrames of one run or several; one with nothing to show is empty, never missing."""
    names = labels(runs)
    checks = judged(stack(names, [run.checks for run in runs], "checks"))
    failures = failing(checks)
    timings = stack(names, [run.timings for run in runs], "timings")
    timings = timings[~timings["mode"].astype(str).str.endswith(TWIN).to_numpy(dtype=bool)]
    warm = times.speed(timings)
    return Tables(
        runs=overview(runs, names),
        checks=checks,
        verdicts=verdicts(checks),
        failures=failures,
        divergences=divergences(failures, checks),
        speed=warm,
        glance=times.glance(warm),
        curves=pd.concat([times.curves(warm.assign(family="")), times.curves(warm)], ignore_index=True),
        lines=times.curves(warm, by=("family", "op")),
        cold=times.break_even(timings),
        hardware=times.hardware(warm),
        machines=machines(runs, names),
    )


def overview(runs: Sequence[Run], names: Sequence[str]) -> pd.DataFrame:
    rows = [
        {
            "run": name,
            "folder": run.name,
            "tensorflow": run.meta.get("tensorflow"),
            "complete": run.complete,
            "checks": len(run.checks),
            "timings": len(run.timings),
        }
        for run, name in zip(runs, names, strict=True)
    ]
    return pd.DataFrame(rows, columns=["run", "folder", "tensorflow", "complete", "checks", "timings"])


# ------------------------------------------------------------------------------------------------------ verdicts


def judged(checks: pd.DataFrame) -> pd.DataFrame:
    """Checks with their op's family, and whether they fail without a waiver (`failing`) or under one (`known`)."""
    fails = checks["verdict"].isin(FAILING).to_numpy(dtype=bool)
    waived = (checks["waiver"].fillna("").astype(str).str.strip() != "").to_numpy(dtype=bool)
    return checks.assign(family=families(checks["op"]), failing=fails & ~waived, known=fails & waived)


def totals(checks: pd.DataFrame) -> dict[str, int]:
    """How many checks had each verdict, in the contract's order; verdicts that this version does not know come last."""
    counts = checks["verdict"].value_counts()
    words = [*VERDICTS, *sorted(str(v) for v in set(counts.index) - set(VERDICTS))]
    return {word: int(counts.get(word, 0)) for word in words if word in VERDICTS or counts.get(word, 0)}


def verdicts(checks: pd.DataFrame) -> pd.DataFrame:
    """How many checks had each verdict, per run, family, mode and device."""
    keys = ["run", "family", "mode", "device"]
    columns = [*keys, *totals(checks), "failing", "known", "total"]
    if checks.empty:
        return pd.DataFrame(columns=columns)
    table = checks.groupby([*keys, "verdict"], sort=False).size().unstack(fill_value=0)
    table = table.reindex(columns=list(totals(checks)), fill_value=0)
    sums = checks.groupby(keys, sort=False).agg(
        failing=("failing", "sum"), known=("known", "sum"), total=("id", "size")
    )
    table = table.join(sums).reset_index()
    order = {mode: rank for rank, mode in enumerate(in_order(table["mode"]))}
    table = table.sort_values(keys, key=lambda c: c.map(order) if c.name == "mode" else c, ignore_index=True)
    return table[columns].astype(dict.fromkeys(columns[4:], "int64"))


def failing(checks: pd.DataFrame) -> pd.DataFrame:
    """Every failing check with the number of its divergence (0 is the worst), the worst check of each first."""
    rows = checks[checks["failing"] | checks["known"]].copy()
    if rows.empty:
        return rows.assign(group=pd.Series(dtype="int64"))
    rows["kind"] = rows["kind"].fillna("").astype(str)
    error = rows["scaled_error"].astype("float64")
    rows["_error"] = error.fillna(rows["kind"].isin(CATEGORICAL).map({True: np.inf, False: -1.0}))
    rows["_gravity"] = rows["verdict"].map(GRAVITY).fillna(len(SEVERITY))
    by = rows.groupby(GROUP, sort=False)
    rows["_worst"], rows["_size"] = by["_error"].transform("max"), by["id"].transform("size")
    rows = rows.sort_values(
        ["known", "_gravity", "_worst", "_size", *GROUP[:6], "_error", "id"],
        ascending=[True, True, False, False, *[True] * 6, False, True],
        kind="stable",
        ignore_index=True,
    )
    rows["group"] = rows.groupby(GROUP, sort=False).ngroup()
    return rows.drop(columns=["_error", "_gravity", "_worst", "_size"])


def divergences(failures: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """One row per divergence, worst first: how many checks failed in this way (`checks`) of how many made (`of`).

    `in RUN` is the number of failing checks in that run; NaN where the run made no check of this op, mode and aspect.
    """
    names = list(dict.fromkeys(checks["run"]))
    columns = ["group", "family", *GROUP, "checks", "of", "dtypes", "against", "scaled_error", "max_ulp", "waiver"]
    if failures.empty:
        return pd.DataFrame(columns=[*columns, *[f"in {name}" for name in names]])
    listing = lambda values: ", ".join(sorted({str(v) for v in values}))
    table = (
        failures.groupby(["group", "family", *GROUP], sort=True)
        .agg(
            checks=("id", "size"),
            dtypes=("dtype", listing),
            against=("against", listing),
            scaled_error=("scaled_error", "max"),
            max_ulp=("max_ulp", "max"),
            waiver=("waiver", "first"),
        )
        .reset_index()
    )
    where = ["op", "mode", "device", "aspect"]
    made = checks.groupby(where, sort=False).size().rename("of").reset_index()
    table = table.merge(made, on=where, how="left")
    made_in = checks.groupby([*where, "run"], sort=False).size().unstack()
    fails_in = failures.groupby(["group", "run"], sort=False).size().unstack()
    for name in names:
        made_there = pd.MultiIndex.from_frame(table[where]).map(made_in[name].to_dict()).to_numpy(dtype="float64")
        fails = table["group"].map(fails_in.get(name, {})).astype("float64")
        table[f"in {name}"] = fails.fillna(0).where(np.nan_to_num(made_there) > 0)
    return table[[*columns, *[f"in {name}" for name in names]]].sort_values("group", ignore_index=True)
