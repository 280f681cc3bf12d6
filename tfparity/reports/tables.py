"""Runs become DataFrames: verdicts, divergences, speed, cold cost and break-even, and how machines differ.

Every table starts with a `run` column, so one run and several take the same way. Nothing here draws or formats,
and nothing here knows TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tfparity.suite.records.results import FAILING, SEVERITY, TIMING_VERDICTS, TWIN, VERDICTS, Check, Run, Timing, frame

from . import formats
from .looks import in_order

CELL = ["op", "dtype", "sample", "size", "device"]  # what is timed in every mode
PLACE = ["run", "device"]  # where something is timed
GROUP = ["op", "mode", "device", "aspect", "verdict", "kind", "known"]
GRAVITY = {verdict: rank for rank, verdict in enumerate(SEVERITY)}
CATEGORICAL = ("nan", "inf", "dtype", "shape", "structure")  # as wrong as can be, though no distance measures it
PROGRAMS = ("guide", "program", "rewrite")


@dataclass(frozen=True)
class Tables:
    """What the pictures and pages are made of.

    runs         one row a run: label, name, versions, complete, rows
    checks       all checks, with `run`, `family`, `failing` (unwaived), `known` (waived)
    verdicts     counts per run, family, mode and device: one column a verdict, `failing`, `known`, `total`
    failures     every failing check, waived or not, with the number of its `group`, worst first
    divergences  the groups: one op, mode, device, aspect, verdict and kind; worst first
    speed        warm timings with `speedup` (eager over this mode: above 1 is faster than eager)
    glance       speed per run, device and mode: counts of timing verdicts, geometric means
    curves       geometric mean of the speed-up per family ('' is all), mode and size
    lines        the same of each op alone
    cold         trace, compile and first call; the calls after which they are paid for
    hardware     the same cell in two places: time there over time at the first place
    machines     one row a fact, one column a run
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
    """All tables of one run or several; tables that have nothing to say are empty, never missing."""
    names = labels(runs)
    checks = judged(stack(names, [run.checks for run in runs], "checks"))
    failures = failing(checks)
    timings = stack(names, [run.timings for run in runs], "timings")
    timings = timings[~timings["mode"].astype(str).str.endswith(TWIN).to_numpy(dtype=bool)]
    warm = speed(timings)
    return Tables(
        runs=overview(runs, names),
        checks=checks,
        verdicts=verdicts(checks),
        failures=failures,
        divergences=divergences(failures, checks),
        speed=warm,
        glance=glance(warm),
        curves=pd.concat([curves(warm.assign(family="")), curves(warm)], ignore_index=True),
        lines=curves(warm, by=("family", "op")),
        cold=break_even(timings),
        hardware=hardware(warm),
        machines=machines(runs, names),
    )


# ------------------------------------------------------------------------------------------------ rows, together


def labels(runs: Sequence[Run]) -> list[str]:
    """A short unique name a run: its folder's, numbered where two folders are called the same."""
    names: list[str] = []
    for run in runs:
        name = formats.plain(run.name)
        short = name if len(name) <= 24 else name[:23] + "…"
        same = sum(1 for taken in names if taken == short or taken.startswith(f"{short} ("))
        names.append(f"{short} ({same + 1})" if same else short)
    return names


def stack(names: Sequence[str], tables: Sequence[pd.DataFrame], kind: str) -> pd.DataFrame:
    """The rows of all runs in one table, `run` first."""
    parts = [table.assign(run=name) for name, table in zip(names, tables, strict=True) if len(table)]
    whole = pd.concat(parts, ignore_index=True) if parts else frame(kind, []).assign(run="")
    for column, of in (Check if kind == "checks" else Timing).__annotations__.items():
        if column not in whole:
            whole[column] = "" if of == "str" else np.nan
    return whole[["run", *[column for column in whole if column != "run"]]]


def family(op: str) -> str:
    """The namespace an op is documented in: `tf.math`; `guide`, `program` and `rewrite` are their own."""
    parts = op.split(".")
    if parts[0] in PROGRAMS or len(parts) == 1:
        return parts[0]
    if len(parts) == 2 or not re.match(r"[a-z_]", parts[1]):  # tf.gather, tf.SparseTensor.from_dense
        return parts[0]
    return ".".join(parts[:2])


def families(ops: pd.Series) -> pd.Series:
    return ops.map({op: family(str(op)) for op in ops.unique()}).astype("object")


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
    """Checks with their family and whether they fail unwaived (`failing`) or under a waiver (`known`)."""
    fails = checks["verdict"].isin(FAILING).to_numpy(dtype=bool)
    waived = (checks["waiver"].fillna("").astype(str).str.strip() != "").to_numpy(dtype=bool)
    return checks.assign(family=families(checks["op"]), failing=fails & ~waived, known=fails & waived)


def totals(checks: pd.DataFrame) -> dict[str, int]:
    """Checks per verdict in the contract's order; words this version does not know follow."""
    counts = checks["verdict"].value_counts()
    words = [*VERDICTS, *sorted(str(v) for v in set(counts.index) - set(VERDICTS))]
    return {word: int(counts.get(word, 0)) for word in words if word in VERDICTS or counts.get(word, 0)}


def verdicts(checks: pd.DataFrame) -> pd.DataFrame:
    """Counts per run, family, mode and device."""
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
    """Every failing check with the number of its divergence: 0 is the worst; within one, the worst check first."""
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
    """One row a divergence, worst first: how many checks show it, of how many that were made, in each run.

    `in RUN` is the number of failing checks there, NaN where that run checked nothing of the kind.
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
        looked = pd.MultiIndex.from_frame(table[where]).map(made_in[name].to_dict()).to_numpy(dtype="float64")
        fails = table["group"].map(fails_in.get(name, {})).astype("float64")
        table[f"in {name}"] = fails.fillna(0).where(np.nan_to_num(looked) > 0)
    return table[[*columns, *[f"in {name}" for name in names]]].sort_values("group", ignore_index=True)


# --------------------------------------------------------------------------------------------------------- speed


def speed(timings: pd.DataFrame) -> pd.DataFrame:
    """Warm timings with family and speed-up, ordered by op, size and mode."""
    rows = timings[(timings["phase"] == "warm") & (timings["seconds"] > 0)].copy()
    rows["family"] = families(rows["op"])
    with np.errstate(divide="ignore", invalid="ignore"):
        rows["speedup"] = 1 / rows["ratio"].where(rows["ratio"] > 0)
        rows["speedup_low"] = 1 / rows["ratio_high"].where(rows["ratio_high"] > 0)
        rows["speedup_high"] = 1 / rows["ratio_low"].where(rows["ratio_low"] > 0)
    order = {mode: rank for rank, mode in enumerate(in_order(rows["mode"]))}
    rows["_mode"] = rows["mode"].map(order)
    rows = rows.sort_values(["run", "op", "dtype", "sample", "device", "size", "_mode"], ignore_index=True)
    return rows.drop(columns="_mode")


def geometric(values: pd.Series) -> float:
    """The geometric mean of what is positive and finite; NaN of nothing."""
    good = values[np.isfinite(values) & (values > 0)]
    return float(np.exp(np.log(good).mean())) if len(good) else float("nan")


def geometric_by(rows: pd.DataFrame, keys: list[str], values: list[str]) -> pd.DataFrame:
    """The geometric mean of each column of `values` per group, as a table with the keys; vectorised."""
    logs = rows[keys].copy()
    for name in values:
        good = rows[name].astype("float64")
        logs[name] = np.log(good.where(np.isfinite(good) & (good > 0)))
    means = logs.groupby(keys, sort=False)[values].mean().reset_index()
    means[values] = np.exp(means[values])
    return means


def relative(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that say something about a mode beside eager."""
    return rows[(rows["mode"] != "eager") & np.isfinite(rows["speedup"].astype("float64"))]


def glance(rows: pd.DataFrame) -> pd.DataFrame:
    """Speed in a few lines: per place and mode the counts of timing verdicts, and mean speed-ups over ops."""
    columns = [*PLACE, "mode", "cells", "ops", *TIMING_VERDICTS, "speedup", "smallest", "largest"]
    rows = relative(rows)
    if rows.empty:
        return pd.DataFrame(columns=columns)
    by_op = lambda part: geometric(geometric_by(part, ["op"], ["speedup"])["speedup"])
    sizes = rows.groupby([*PLACE, "op"])["size"]
    ends = rows.assign(_least=sizes.transform("min"), _most=sizes.transform("max"))
    out = []
    for (run, device, mode), part in ends.groupby([*PLACE, "mode"], sort=False):
        words = part["verdict"].value_counts()
        several = part[part["_least"] < part["_most"]]
        out.append({
            "run": run, "device": device, "mode": mode, "cells": len(part), "ops": part["op"].nunique(),
            **{word: int(words.get(word, 0)) for word in TIMING_VERDICTS},
            "speedup": by_op(part),
            "smallest": by_op(several[several["size"] == several["_least"]]),
            "largest": by_op(several[several["size"] == several["_most"]]),
        })  # fmt: skip
    table = pd.DataFrame(out, columns=columns)
    order = {mode: rank for rank, mode in enumerate(in_order(table["mode"]))}
    return table.sort_values([*PLACE, "mode"], key=lambda c: c.map(order) if c.name == "mode" else c, ignore_index=True)


def binned(sizes: pd.Series) -> pd.Series:
    """Sizes as they are where they are few, else to the nearest power of four, so that ops share their abscissae."""
    if sizes.nunique() <= 8:
        return sizes
    return (4.0 ** (np.log(sizes.clip(lower=1).astype("float64")) / np.log(4)).round()).astype("int64")


def curves(rows: pd.DataFrame, by: tuple[str, ...] = ("family",)) -> pd.DataFrame:
    """Geometric mean of the speed-up at each size.

    Every op counts once, however many samples it has. The interval is the geometric mean of the intervals' ends:
    wider than the mean's own would be, for it lets every op err the same way.
    """
    keys = [*PLACE, *by, "mode"]
    columns = [*keys, "size", "speedup", "speedup_low", "speedup_high", "ops"]
    rows = relative(rows)
    rows = rows[rows["size"] > 0]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    values = ["speedup", "speedup_low", "speedup_high"]
    logs = rows.assign(size=binned(rows["size"]))
    logs[values] = np.log(logs[values].where(np.isfinite(logs[values]) & (logs[values] > 0)).astype("float64"))
    per_op = logs.groupby([*dict.fromkeys([*keys, "op"]), "size"], sort=True)[values].mean().reset_index()
    means = per_op.groupby([*keys, "size"], sort=True)
    table = means[values].mean().join(means["op"].nunique().rename("ops")).reset_index()
    table[values] = np.exp(table[values])
    return table[columns]


def break_even(timings: pd.DataFrame) -> pd.DataFrame:
    """Cold cost, and the calls after the first that win it back: cold over (eager warm - mode warm).

    `pays` is yes (the ratio's interval lies below 1), never (it does not, and the mode is slower or equivalent) or
    unresolved; `calls` is infinite for never.
    `calls_low` and `calls_high` follow from the interval of the warm ratio and of the cold time.
    """
    keys = ["run", *CELL, "mode"]
    columns = [*keys, "family", "cold", "cold_low", "cold_high", "eager", "warm", "ratio", "pays", "calls",
               "calls_low", "calls_high"]  # fmt: skip
    compiled = timings[~timings["mode"].isin(["eager", "numpy"]) & (timings["seconds"] > 0)]
    cold = compiled[compiled["phase"] == "cold"]
    if cold.empty:
        return pd.DataFrame(columns=columns)
    cold = cold[[*keys, "seconds", "low", "high"]].rename(
        columns={"seconds": "cold", "low": "cold_low", "high": "cold_high"}
    )
    warm = compiled[compiled["phase"] == "warm"]
    warm = warm[[*keys, "seconds", "ratio", "ratio_low", "ratio_high", "verdict"]].rename(columns={"seconds": "warm"})
    eager = timings[(timings["mode"] == "eager") & (timings["phase"] == "warm")]
    eager = eager[["run", *CELL, "seconds"]].rename(columns={"seconds": "eager"})
    table = cold.merge(warm, on=keys, how="left").merge(eager, on=["run", *CELL], how="left")
    table["eager"] = table["eager"].fillna(table["warm"] / table["ratio"])
    saved = lambda ratio: (table["eager"] * (1 - ratio)).where(lambda s: ~(s <= 0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["calls"] = table["cold"] / saved(table["ratio"])
        table["calls_low"] = table["cold_low"].fillna(table["cold"]) / saved(table["ratio_low"])
        table["calls_high"] = table["cold_high"].fillna(table["cold"]) / saved(table["ratio_high"])
    table["pays"] = table["verdict"].map({"slower": "never", "equivalent": "never"}).fillna("unresolved")
    table.loc[table["ratio_high"] < 1, "pays"] = "yes"
    table.loc[(table["pays"] == "yes") & ~np.isfinite(table["calls"]), "pays"] = "unresolved"
    table.loc[table["pays"] == "never", ["calls", "calls_low", "calls_high"]] = np.inf
    table["family"] = families(table["op"])
    order = {mode: rank for rank, mode in enumerate(in_order(table["mode"]))}
    return table.sort_values(keys, key=lambda c: c.map(order) if c.name == "mode" else c, ignore_index=True)[columns]


# ------------------------------------------------------------------------------------------------------ machines


def hardware(rows: pd.DataFrame) -> pd.DataFrame:
    """The same op, dtype, sample, size and mode in two places (a run's device): time there over time at the first.

    Plain times, not ratios to eager: here the machine is what is compared.
    """
    keys = ["op", "dtype", "sample", "size", "mode"]
    columns = ["base", "place", "family", *keys, "base_seconds", "seconds", "ratio", "ratio_low", "ratio_high"]
    places = [(str(run), str(device)) for run, device in rows[PLACE].drop_duplicates().itertuples(index=False)]
    if len(places) < 2:
        return pd.DataFrame(columns=columns)
    runs = list(dict.fromkeys(run for run, _ in places))
    places.sort(key=lambda place: (runs.index(place[0]), not place[1].startswith("CPU"), place[1]))
    title = lambda place: place[1] if len(runs) == 1 else f"{place[0]} {place[1]}"
    at = lambda place: rows[(rows["run"] == place[0]) & (rows["device"] == place[1])]
    base = at(places[0])[["family", *keys, "seconds", "low", "high"]]
    out = []
    for place in places[1:]:
        there = at(place)[[*keys, "seconds", "low", "high"]]
        if place[0] == places[0][0]:
            there = there[there["mode"] != "numpy"]  # NumPy runs on the host whatever the device
        both = base.merge(there, on=keys, suffixes=("_base", ""))
        both = both.assign(
            base=title(places[0]), place=title(place), base_seconds=both["seconds_base"],
            ratio=both["seconds"] / both["seconds_base"],
            ratio_low=both["low"] / both["high_base"], ratio_high=both["high"] / both["low_base"],
        )  # fmt: skip
        out.append(both[columns])
    return pd.concat(out, ignore_index=True) if out else pd.DataFrame(columns=columns)


def shown(value: Any) -> str:
    """A fact of run.json as text."""
    if value is None or value == "" or value == []:
        return formats.NONE
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return formats.significant(value, 3)
    if isinstance(value, dict):
        return ", ".join(f"{formats.plain(k)} {shown(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(shown(v) for v in value)
    return formats.plain(value)


def devices(machine: dict[str, Any]) -> str:
    """The devices in words: `CPU:0, GPU:0 (NVIDIA ...)`."""
    listed = machine.get("devices")
    words = []
    for device in listed if isinstance(listed, list) else []:
        if not isinstance(device, dict):
            words.append(formats.plain(device))
            continue
        about = device.get("description")
        words.append(
            formats.plain(device.get("name") or device.get("type") or "?")
            + (f" ({formats.plain(about)})" if about else "")
        )
    return ", ".join(words) or formats.NONE


FACTS = {                                          # run.json's machine: key -> what a reader calls it
    "cpu": "Processor", "cores": "Cores", "memory": "Memory", "gpu": "GPU", "driver": "GPU driver", "os": "System",
    "python": "Python", "numpy": "NumPy", "onednn": "oneDNN", "tf32": "TF32", "determinism": "Determinism",
    "intra_threads": "Threads within an op", "inter_threads": "Threads between ops", "xla_flags": "XLA flags",
    "cpu_features": "CPU features",
}  # fmt: skip
LOADS = ("load_before", "load_after")


def machine(run: Run) -> dict[str, Any]:
    """The machine of a run, {} where run.json has none."""
    found = run.meta.get("machine")
    return found if isinstance(found, dict) else {}


def facts(run: Run) -> dict[str, str]:
    """What identifies and configures the machine, in words; what run.json does not say is a dash."""
    about = machine(run)
    out = {"TensorFlow": shown(run.meta.get("tensorflow")), "tfparity": shown(run.meta.get("tfparity")),
           "Devices": devices(about)}  # fmt: skip
    for key, title in FACTS.items():
        if key in about or key not in ("determinism", "gpu", "driver"):
            out[title] = formats.memory(about[key]) if key == "memory" and about.get(key) else shown(about.get(key))
    for key in about:
        if key not in FACTS and key not in LOADS and key != "devices":
            out[formats.plain(key)] = shown(about[key])
    return out


def machines(runs: Sequence[Run], names: Sequence[str]) -> pd.DataFrame:
    """One row a fact, one column a run; `differs` says whether the runs disagree."""
    each = [facts(run) for run in runs]
    titles = list(dict.fromkeys(title for known in each for title in known))
    table = pd.DataFrame({"fact": titles})
    for name, known in zip(names, each, strict=True):
        table[name] = [known.get(title, formats.NONE) for title in titles]
    table["differs"] = [len({known.get(title, formats.NONE) for known in each}) > 1 for title in titles]
    return table
