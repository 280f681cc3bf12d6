"""What the page shows of times: speed at a glance and cell by cell, cold cost, and places compared.

Tables are cut to what a page can carry, and say so. Plain values only; knows tables, and no template.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tfparity.reports import formats, looks
from tfparity.reports.rows import PLACE
from tfparity.reports.tables import Tables

SPEED_ROWS = 1_200  # op and size rows of the speed table on the page
COLD_ROWS = 500
HARDWARE_ROWS = 500


def glance(tables: Tables) -> list[dict[str, Any]]:
    """Speed-ups over eager by mode, in a few lines."""
    several = [key for key in PLACE if tables.speed[key].nunique() > 1]
    return [
        {**{str(key): value for key, value in row.items()}, "place": " ".join(str(row[key]) for key in several),
         **{key: formats.times(row[key]) for key in ("speedup", "smallest", "largest")}}
        for row in tables.glance.to_dict("records")
    ]  # fmt: skip


def timed_words(row: Any) -> dict[str, Any]:
    """One cell of the speed table: the speed-up with the digits it earns, its interval, its verdict."""
    value, low, high = (float(row[k]) for k in ("speedup", "speedup_low", "speedup_high"))
    return {
        "text": formats.times(value, low, high),
        "interval": formats.interval(low, high),
        "verdict": row["verdict"] if row["verdict"] in looks.TIMING_VERDICTS else "unresolved",
        "sort": value if math.isfinite(value) else -1,
        "seconds": formats.seconds(row["seconds"], row["low"], row["high"]),
    }


def speed_rows(tables: Tables) -> dict[str, Any]:
    """One row a cell, one column a mode; the cells with the widest difference to eager come first when cut."""
    rows = tables.speed
    modes = [mode for mode in looks.in_order(rows["mode"]) if mode != "eager"]
    keys = [*PLACE, "op", "dtype", "sample", "size"]
    out: dict[tuple[Any, ...], dict[str, Any]] = {}
    extent: dict[tuple[Any, ...], float] = {}
    for row in rows.to_dict("records"):
        key = tuple(row[k] for k in keys)
        cell = out.setdefault(key, {**{k: row[k] for k in keys}, "modes": {}, "eager": formats.NONE, "eager_sort": -1})
        if row["mode"] == "eager":
            cell["eager"], cell["eager_sort"] = formats.seconds(row["seconds"], row["low"], row["high"]), row["seconds"]
        else:
            cell["modes"][row["mode"]] = timed_words(row)
            if row["speedup"] > 0 and row["mode"] != "numpy":
                extent[key] = max(extent.get(key, 0.0), abs(math.log(row["speedup"])))
    order = list(out)
    if len(order) > SPEED_ROWS:
        chosen = set(sorted(order, key=lambda key: -extent.get(key, 0.0))[:SPEED_ROWS])
        order = [key for key in order if key in chosen]
    return {
        "rows": [
            {
                **out[key],
                "size_text": formats.size(out[key]["size"]),
                "cells": [out[key]["modes"].get(m) for m in modes],
            }
            for key in order
        ],
        "modes": modes,
        "left": len(out) - len(order),
        "total": len(out),
        "several": {key: rows[key].nunique() > 1 for key in (*PLACE, "dtype", "sample")},
    }


def cold_rows(tables: Tables) -> dict[str, Any]:
    """Cold cost and break-even: a line a mode, and the table of cells."""
    rows = tables.cold
    lines = []
    for (run, device, mode), part in rows.groupby([*PLACE, "mode"], sort=False):
        paid = part[part["pays"] == "yes"]
        lines.append(
            {
                "place": " ".join(v for v, k in ((str(run), "run"), (str(device), "device")) if rows[k].nunique() > 1),
                "mode": mode,
                "cells": len(part),
                "cold": formats.seconds(float(part["cold"].median())),
                "yes": len(paid),
                "never": int((part["pays"] == "never").sum()),
                "unresolved": int((part["pays"] == "unresolved").sum()),
                "calls": formats.calls(float(paid["calls"].median())) if len(paid) else formats.NONE,
            }
        )
    out = []
    for row in rows.sort_values(["calls", "cold"], kind="stable").head(COLD_ROWS).to_dict("records"):
        unresolved = row["pays"] == "unresolved"
        least = row["calls_low"] if unresolved and math.isfinite(row["calls_low"]) else math.nan
        out.append(
            {
                **{k: row[k] for k in (*PLACE, "op", "dtype", "size", "mode", "pays")},
                "size_text": formats.size(row["size"]),
                "cold": formats.seconds(row["cold"], row["cold_low"], row["cold_high"]),
                "cold_sort": row["cold"],
                "eager": formats.seconds(row["eager"]),
                "eager_sort": row["eager"],
                "warm": formats.seconds(row["warm"]),
                "warm_sort": row["warm"],
                "calls": (f"unresolved, ≥ {formats.calls(least)}" if least == least else "unresolved")
                if unresolved
                else formats.calls(row["calls"]),
                "calls_sort": row["calls"] if row["pays"] == "yes" else 1e300 if unresolved else 1e305,
            }
        )
    return {
        "lines": lines,
        "rows": out,
        "left": len(rows) - len(out),
        "several": {key: rows[key].nunique() > 1 for key in PLACE},
        "place": any(line["place"] for line in lines),
    }


def hardware_rows(tables: Tables) -> dict[str, Any]:
    """Cells timed in several places, a column a place; the most different first when cut."""
    rows = tables.hardware
    if rows.empty:
        return {"rows": [], "places": [], "left": 0, "base": ""}
    places = list(dict.fromkeys(rows["place"]))
    keys = ["op", "dtype", "sample", "size", "mode"]
    ratio = rows["ratio"].astype("float64")
    far = rows.assign(_far=np.nan_to_num(np.abs(np.log(ratio.where(ratio > 0)))))
    cells: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in far.sort_values("_far", ascending=False, kind="stable").to_dict("records"):
        key = tuple(row[k] for k in keys)
        cell = cells.setdefault(
            key,
            {
                **{k: row[k] for k in keys},
                "size_text": formats.size(row["size"]),
                "in": {},
                "base": formats.seconds(row["base_seconds"]),
                "base_sort": row["base_seconds"],
            },
        )
        low, high = row["ratio_low"], row["ratio_high"]
        cell["in"][row["place"]] = {
            "text": formats.times(row["ratio"], low, high),
            "interval": formats.interval(low, high),
            "sort": row["ratio"],
            "verdict": "faster" if high < 1 else "slower" if low > 1 else "unresolved",
        }
    first = list(cells.values())[:HARDWARE_ROWS]
    return {
        "rows": [{**cell, "cells": [cell["in"].get(place) for place in places]} for cell in first],
        "places": places,
        "left": len(cells) - len(first),
        "base": rows["base"].iloc[0],
    }
