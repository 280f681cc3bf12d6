"""What the page shows of verdicts: a bar per run, the matrix of families and modes, and the divergences.

The amount shown is bounded, and what is left out is counted. Gives plain values; knows DataFrames and no template.
"""

from __future__ import annotations

import math
import shlex
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from tfparity.reports import formats, looks
from tfparity.reports.tables import Tables, totals
from tfparity.suite.records.results import VERDICTS

GROUPS = 3_000  # divergences on the page; the rest are listed by op
SAMPLES = 5  # names of samples shown of one divergence
EXAMPLES = 3  # checks shown of one divergence
DETAIL = 2_400  # characters shown of one check's detail
DETAILS = 2_500_000  # characters of detail on the page; the worst check of every divergence comes first
SHORT_ROWS = 25  # divergences in report.md


def bars(tables: Tables, names: list[str]) -> list[dict[str, Any]]:
    """A bar per run: the share of each verdict."""
    out = []
    for name in names:
        checks = tables.checks[tables.checks["run"] == name]
        parts = [
            {
                "verdict": word,
                "count": formats.count(n),
                "width": round(100 * n / len(checks), 3),
                "colour": looks.verdict_colour(word),
            }
            for word, n in totals(checks).items()
            if n
        ]
        if parts:
            out.append({"name": name, "parts": parts})
    return out


def matrices(tables: Tables) -> list[dict[str, Any]]:
    """One matrix per run: a row per family of ops, a column per mode and device."""
    out = []
    for run, part in tables.verdicts.groupby("run", sort=False):
        several = part["device"].nunique() > 1
        columns = [
            {"mode": mode, "device": device if several else ""}
            for mode in looks.in_order(part["mode"])
            for device in sorted(part.loc[part["mode"] == mode, "device"].unique())
        ]
        devices = part["device"].iloc[0]
        by_key = {(r["family"], r["mode"], r["device"]): r for r in part.to_dict("records")}
        rows = []
        for family in sorted(part["family"].unique()):
            cells = [matrix_cell(by_key.get((family, c["mode"], c["device"] or devices))) for c in columns]
            rows.append({"family": family, "cells": cells})
        sums = []
        for column in columns:
            mine = part[(part["mode"] == column["mode"]) & (part["device"] == (column["device"] or devices))]
            sums.append(matrix_cell(mine.sum(numeric_only=True).to_dict()))
        out.append({"run": run, "columns": columns, "rows": rows, "sums": sums})
    return out


def matrix_cell(row: dict[Any, Any] | None) -> dict[str, Any] | None:
    """The counts and shares of one cell of the matrix; None where nothing was checked."""
    if row is None or not row["total"]:
        return None
    total, failing, waived, unsupported = (int(row[k]) for k in ("total", "failing", "known", "unsupported"))
    words = ", ".join(f"{int(row[v]):,} {v}" for v in VERDICTS if row.get(v))
    return {
        "total": formats.count(total),
        "failing": failing,
        "known": waived,
        "unsupported": unsupported,
        "words": words,
        "share": round(100 * failing / total, 2),
        "heat": round(math.sqrt(failing / total), 3),
        "parts": [
            (colour, round(100 * n / total, 2))
            for colour, n in (
                (looks.FAILING, failing),
                (looks.KNOWN, waived),
                (looks.VERDICTS["unsupported"], unsupported),
                (looks.VERDICTS["ill-conditioned"], int(row.get("ill-conditioned", 0))),
                (looks.VERDICTS["close"], int(row.get("close", 0))),
                (looks.VERDICTS["identical"], int(row.get("identical", 0))),
            )
            if n
        ],
    }


def error_words(scaled: float, ulp: float) -> tuple[str, float]:
    """The size of an error as text, and the number by which it is sorted."""
    if math.isfinite(scaled) and scaled > 0:
        return f"{formats.significant(scaled, 2) if scaled < 1e6 else f'{scaled:.1e}'}×", scaled
    if math.isinf(scaled):
        return "∞", 1e308
    if math.isfinite(ulp) and ulp > 0:
        return f"{formats.significant(ulp, 2) if ulp < 1e6 else f'{ulp:.1e}'} ulp", 0.0
    return formats.NONE, -1.0


def divergences(tables: Tables, names: list[str]) -> dict[str, Any]:
    """The divergences, worst first, with as much detail as the bounds of the page allow."""
    groups = tables.divergences.head(GROUPS)
    rows = tables.failures[tables.failures["group"] < len(groups)]
    rows = rows.assign(place=rows.groupby("group").cumcount())
    budget = DETAILS
    examples: dict[int, list[dict[str, Any]]] = {number: [] for number in groups["group"]}
    several = len(names) > 1
    for example in rows[rows["place"] < EXAMPLES].sort_values(["place", "group"], kind="stable").to_dict("records"):
        if budget <= 0 and example["place"]:
            continue  # every divergence keeps its worst check, whatever the page holds
        text, left = formats.cut(
            formats.plain(str(example["detail"])[: DETAIL * 2]).rstrip(), DETAIL if budget > 0 else 0
        )
        left += max(0, len(str(example["detail"])) - DETAIL * 2)
        budget -= len(text) + len(example["id"])
        examples[example["group"]].append(
            {
                "run": example["run"] if several else "",
                "repro": f"tfparity repro {shlex.quote(formats.plain(example['id']))}",
                "detail": text,
                "left": left,
            }
        )
    names_of_samples = sample_names(rows)
    out = []
    for row in groups.to_dict("records"):
        samples = names_of_samples[row["group"]]
        error, weight = error_words(float(row["scaled_error"]), float(row["max_ulp"]))
        out.append(
            {
                **{
                    key: row[key]
                    for key in (
                        "family",
                        "op",
                        "mode",
                        "device",
                        "aspect",
                        "verdict",
                        "kind",
                        "known",
                        "dtypes",
                        "against",
                    )
                },
                "error": error,
                "weight": weight,
                "gravity": row["group"],
                "waiver": formats.plain(row["waiver"]),
                "checks": int(row["checks"]),
                "of": int(row["of"]),
                "samples": samples[:SAMPLES],
                "more_samples": max(len(samples) - SAMPLES, 0),
                "examples": examples[row["group"]],
                "more": int(row["checks"]) - len(examples[row["group"]]),
                "in": [formats.NONE if np.isnan(n) else formats.count(n) for n in (row[f"in {name}"] for name in names)]
                if several
                else [],
            }
        )
    rest = tables.divergences.iloc[len(groups) :]
    return {
        "rows": out,
        "names": names if several else [],
        "failing": int((~tables.divergences["known"].astype(bool)).sum()),
        "known": int(tables.divergences["known"].astype(bool).sum()),
        "rest": by_op(rest),
        "rest_count": len(rest),
        "one_device": tables.checks["device"].nunique() == 1,
    }


def sample_names(failures: pd.DataFrame) -> dict[int, list[str]]:
    """By divergence the names of the samples that show it, without their options."""
    names = failures["sample"].astype(str).str.split(",").str[0]
    return {group: sorted(set(mine)) for group, mine in names.groupby(failures["group"])}


def by_op(groups: pd.DataFrame) -> list[str]:
    """The number of divergences per op, `tf.math.acosh ×3`: a short form of a list too long to show."""
    return [f"{op}" + (f" ×{n}" if n > 1 else "") for op, n in sorted(Counter(groups["op"]).items())]


def short(shown_groups: dict[str, Any], tables: Tables) -> dict[str, Any]:
    """The divergences of report.md: the worst as a table, the others as a number per op."""
    unwaived = [row for row in shown_groups["rows"] if not row["known"]]
    first = unwaived[:SHORT_ROWS]
    left = tables.divergences[~tables.divergences["known"].astype(bool)].iloc[len(first) :]
    gravest = tables.failures.drop_duplicates("group").set_index("group")
    worst, details = gravest["id"], gravest["detail"]
    rows = [
        {
            **{k: row[k] for k in ("op", "verdict", "kind", "error")},
            "mode": row["mode"] if shown_groups["one_device"] else f"{row['mode']} {row['device']}",
            "checks": f"{row['checks']:,} of {row['of']:,}",
            "worst": worst[row["gravity"]],
            "why": " / ".join(why(details.get(row["gravity"], ""))),
        }
        for row in first
    ]
    return {"rows": rows, "rest": by_op(left), "more": len(left)}


def known(tables: Tables) -> dict[str, Any] | None:
    groups = tables.divergences[tables.divergences["known"].astype(bool)]
    return {"count": len(groups), "ops": by_op(groups)} if len(groups) else None


def why(detail: Any, width: int = 160) -> list[str]:
    """The lines of a check's detail that hold the value that the op gave, and the expected one."""
    lines = [" ".join(line.split()) for line in str(detail).splitlines() if line.strip()]
    found = [line for line in lines if line.startswith(("got", "expected"))] or lines[:1]
    return [line if len(line) <= width else line[: width - 1] + "…" for line in found[:2]]
