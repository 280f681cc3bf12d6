"""Timings become DataFrames: speed-up over eager, cold cost and break-even, and the same cell in two places.

Every function takes the timings of all runs, with their `run` column. Nothing here draws or formats.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tfparity.reports.looks import in_order
from tfparity.reports.rows import CELL, PLACE, families
from tfparity.suite.records.results import TIMING_VERDICTS


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
    """The rows that have a speed-up over eager."""
    return rows[(rows["mode"] != "eager") & np.isfinite(rows["speedup"].astype("float64"))]


def glance(rows: pd.DataFrame) -> pd.DataFrame:
    """Per place and mode: the counts of timing verdicts, and the mean speed-ups over the ops."""
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
    """Sizes as they are where they are few, else rounded to powers of four, so that ops share sizes."""
    if sizes.nunique() <= 8:
        return sizes
    return (4.0 ** (np.log(sizes.clip(lower=1).astype("float64")) / np.log(4)).round()).astype("int64")


def curves(rows: pd.DataFrame, by: tuple[str, ...] = ("family",)) -> pd.DataFrame:
    """Geometric mean of the speed-up at each size.

    Every op counts once, however many samples it has. The interval is the geometric mean of the intervals' ends: it is
    wider than the interval of the mean, since it assumes that all ops err in the same direction.
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
    """Cold cost, and the number of calls after the first that win it back: cold / (eager warm - mode warm).

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
