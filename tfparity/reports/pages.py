"""Tables and pictures become pages: report.html, report.md, CSV files and the pictures themselves.

The page is one file that needs no network. Its size is bounded whatever the run: divergences are grouped, the text
shown of each is capped, and what is not shown is counted in the open. Foreign text is escaped by the templates; this
module only chooses what to show. It knows no drawing and no TensorFlow.
"""

from __future__ import annotations

import base64
import io
import math
import os
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader

from ..suite.results import FAILING, VERDICTS, Run, replace, saying
from . import formats, looks, pictures
from .tables import PLACE, Tables, build, facts, machine, shown, totals

GROUPS = 3_000  # divergences on the page; the rest are listed by op
EXAMPLES = 3  # checks shown of one divergence
DETAIL = 2_400  # characters shown of one check's detail
DETAILS = 2_500_000  # characters of detail on the page, the worst of every group first
SPEED_ROWS = 1_200  # op and size rows of the speed table on the page
COLD_ROWS = 500
HARDWARE_ROWS = 500
SHORT_ROWS = 25  # divergences in report.md
MARKDOWN_LIMIT = 60_000  # a pull request takes 65,536 characters


def write(runs: Sequence[Run], out: Path) -> Path:
    """Write the report of one run, or of several side by side, into `out`; returns the path of report.html."""
    if not runs:
        raise ValueError("no run to report on")
    tables = build(runs)
    out = Path(out)
    with saying(out, "write in"):
        (out / "pictures").mkdir(parents=True, exist_ok=True)
        drawn = []
        for each in pictures.draw_all(tables):
            image = io.BytesIO()
            pictures.save(each.figure, image)
            (out / "pictures" / f"{each.name}.png").write_bytes(image.getvalue())
            drawn.append({
                "name": each.name, "title": each.picture.title, "where": each.where, "caption": each.picture.caption,
                "section": each.picture.section, "data": base64.b64encode(image.getvalue()).decode("ascii"),
            })  # fmt: skip
        for name, table in csv_tables(tables).items():
            table.to_csv(out / f"{name}.csv", index=False, encoding="utf-8", errors="backslashreplace")
    data = content(runs, tables)
    replace(out / "report.md", markdown(data))
    replace(out / "report.html", ENVIRONMENT.get_template("report.html.j2").render(**data, pictures=drawn))
    return out / "report.html"


def csv_tables(tables: Tables) -> dict[str, pd.DataFrame]:
    """What stays exact and whole: every failing check, the counts, every warm timing."""
    failures = tables.failures.rename(columns={"group": "divergence"})
    front = ["run", "divergence", "id"]
    failures = failures[[*front, *[c for c in failures if c not in (*front, "failing", "seconds")]]]
    return {"divergences": failures, "verdicts": tables.verdicts, "speed": tables.speed}


# ---------------------------------------------------------------------------------------------------- what is said


def content(runs: Sequence[Run], tables: Tables) -> dict[str, Any]:
    """Everything both templates show, as plain values."""
    names = list(tables.runs["run"])
    shown_groups = divergences(tables, names)
    return {
        "headline": conclusion(tables),
        "warnings": warnings(runs, tables),
        "runs": [about(run, name) for run, name in zip(runs, names, strict=True)],
        "totals": counts(tables, names),
        "matrices": matrices(tables),
        "divergences": shown_groups,
        "short": short(shown_groups, tables),
        "known": known(tables),
        "glance": glance(tables),
        "speed": speed_rows(tables),
        "cold": cold_rows(tables),
        "hardware": hardware_rows(tables),
        "machines": machine_rows(tables, names),
        "noise": [noise(run, name) for run, name in zip(runs, names, strict=True)],
        "place": " and ".join(
            w for w, n in (("run", len(names)), ("device", tables.speed["device"].nunique())) if n > 1
        ),
        "colours": {
            "verdict": {**looks.VERDICTS, "failing": looks.FAILING, "known": looks.KNOWN},
            "mode": {mode: colour for mode, (colour, _) in looks.MODES.items()},
            "timing": looks.TIMING_VERDICTS,
        },
        "failing_words": FAILING,
    }


def conclusion(tables: Tables) -> str:
    """The one line a reader takes away."""
    groups = tables.divergences
    failing, waived = (groups[~groups["known"].astype(bool)], groups[groups["known"].astype(bool)])
    timed = tables.speed.groupby([*PLACE, "op", "dtype", "sample", "size"]).ngroups if len(tables.speed) else 0
    if tables.checks.empty:
        return (
            f"nothing was checked; {formats.plural(timed, 'cell')} timed"
            if timed
            else "nothing was checked and nothing timed"
        )
    tail = f", {len(waived):,} {'is' if len(waived) == 1 else 'are'} known (waived)" if len(waived) else ""
    checks = int(failing["checks"].sum())
    if checks:
        verb = "needs" if len(failing) == 1 else "need"
        return (
            f"{formats.plural(len(failing), 'divergence')} {verb} attention ({formats.plural(checks, 'check')}){tail}"
        )
    return f"no divergence needs attention in {formats.plural(len(tables.checks), 'check')}{tail}"


def warnings(runs: Sequence[Run], tables: Tables) -> list[str]:
    """What a reader must know before believing any figure below."""
    out = []
    for run, (_, row) in zip(runs, tables.runs.iterrows(), strict=True):
        name = f"Run {row['run']}" if len(runs) > 1 else "This run"
        if not run.complete:
            out.append(
                f"{name} did not finish: what follows is what it had recorded, {formats.plural(len(run.checks), 'check')} "
                f"and {formats.plural(len(run.timings), 'timing')}. Continue it with --resume."
            )
        said = run.meta.get("totals")
        if isinstance(said, dict) and run.complete:
            found = run.checks["verdict"].value_counts()
            wrong = [str(v) for v, n in said.items() if found.get(v, 0) != n] + [
                str(v) for v in found.index if v not in said
            ]
            if wrong:
                out.append(
                    f"{name}: run.json counts other {', '.join(sorted(set(wrong)))} than the rows hold; the rows are shown."
                )
        problems = run.meta.get("waiver_problems")
        for problem in problems if isinstance(problems, list) else []:
            out.append(f"{name}: waivers: {formats.plain(problem)}")
    strange = sorted(set(tables.checks["verdict"]) - set(VERDICTS))
    if strange:
        out.append(
            f"Verdicts this version of tfparity does not know: {', '.join(map(str, strange))}. They are counted, not judged."
        )
    return out


def about(run: Run, name: str) -> dict[str, Any]:
    """A run in a few facts, for the head of the page."""
    meta, known = run.meta, facts(run)
    begun, ended = meta.get("started"), meta.get("finished")
    lasted = ""
    try:
        lasted = formats.seconds(
            (datetime.fromisoformat(str(ended)) - datetime.fromisoformat(str(begun))).total_seconds()
        )
    except (ValueError, TypeError):
        pass
    when = formats.when(begun) if begun else "start not recorded"
    cores = known.get("Cores", formats.NONE)
    twin = twin_words(meta.get("twin"))
    return {
        "name": name, "tensorflow": known["TensorFlow"], "tfparity": known["tfparity"], "devices": known["Devices"],
        "cpu": known["Processor"] + (f", {cores} cores" if cores != formats.NONE else ""), "gpu": known.get("GPU", ""),
        "memory": known["Memory"], "onednn": known["oneDNN"], "tf32": known["TF32"],
        "when": f"{when}, {lasted}" if lasted else when, "lasted": lasted, "complete": run.complete,
        "command": formats.plain(meta.get("command") or ""), "git": commit(meta.get("git")), "twin": twin,
    }  # fmt: skip


def commit(git: Any) -> str:
    """The commit, short, and whether files differed from it."""
    if isinstance(git, dict):
        return formats.plain(git.get("commit") or "")[:12] + (" with local changes" if git.get("dirty") else "")
    return formats.plain(git or "")


def counts(tables: Tables, names: list[str]) -> dict[str, Any]:
    """Checks per verdict, a column a run; the bar's widths are shares of each run."""
    each = {name: tables.checks[tables.checks["run"] == name] for name in names}
    per_run = {name: totals(rows) for name, rows in each.items()}
    words = list(dict.fromkeys(word for known in per_run.values() for word in known))
    if tables.checks.empty:
        return {"rows": [], "bars": [], "failing": [], "known": [], "all": []}
    return {
        "rows": [
            {
                "verdict": word,
                "failing": word in FAILING,
                "known": word in VERDICTS,
                "colour": looks.verdict_colour(word),
                "counts": [formats.count(per_run[name].get(word, 0)) for name in names],
                "shares": [formats.share(per_run[name].get(word, 0), len(each[name])) for name in names],
                "zero": not any(per_run[name].get(word, 0) for name in names),
            }
            for word in words
        ],
        "bars": [
            {
                "name": name,
                "parts": [
                    {
                        "verdict": word,
                        "count": formats.count(n),
                        "width": round(100 * n / len(each[name]), 3),
                        "colour": looks.verdict_colour(word),
                    }
                    for word, n in per_run[name].items()
                    if n
                ],
            }
            for name in names
            if len(each[name])
        ],
        "failing": [formats.count(each[name]["failing"].sum()) for name in names],
        "known": [formats.count(each[name]["known"].sum()) for name in names],
        "all": [formats.count(len(each[name])) for name in names],
    }


def matrices(tables: Tables) -> list[dict[str, Any]]:
    """One matrix a run: families down, modes (on each device) across."""
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
    """What one cell of the matrix says; None where nothing was checked."""
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
    """How far off, and the number it is sorted by."""
    if math.isfinite(scaled) and scaled > 0:
        return f"{formats.significant(scaled, 2) if scaled < 1e6 else f'{scaled:.1e}'}×", scaled
    if math.isinf(scaled):
        return "∞", 1e308
    if math.isfinite(ulp) and ulp > 0:
        return f"{formats.significant(ulp, 2) if ulp < 1e6 else f'{ulp:.1e}'} ulp", 0.0
    return formats.NONE, -1.0


def divergences(tables: Tables, names: list[str]) -> dict[str, Any]:
    """The divergences as the page shows them, worst first, with as much detail as the page can carry."""
    groups = tables.divergences.head(GROUPS)
    rows = tables.failures[tables.failures["group"] < len(groups)]
    rows = rows.assign(place=rows.groupby("group").cumcount())
    budget, examples = DETAILS, {number: [] for number in groups["group"]}  # type: dict[int, list[dict[str, Any]]]
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
    out = []
    for row in groups.to_dict("records"):
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


def by_op(groups: pd.DataFrame) -> list[str]:
    """`tf.math.acosh ×3`: how a list too long to show is still named in full."""
    return [f"{op}" + (f" ×{n}" if n > 1 else "") for op, n in sorted(Counter(groups["op"]).items())]


def short(shown_groups: dict[str, Any], tables: Tables) -> dict[str, Any]:
    """The divergences of report.md: a table of the worst, the others by op."""
    unwaived = [row for row in shown_groups["rows"] if not row["known"]]
    first = [row for row in unwaived[:SHORT_ROWS]]
    left = tables.divergences[~tables.divergences["known"].astype(bool)].iloc[len(first) :]
    worst = tables.failures.drop_duplicates("group").set_index("group")["id"]
    rows = [
        {
            **{k: row[k] for k in ("op", "verdict", "kind", "error")},
            "mode": row["mode"] if shown_groups["one_device"] else f"{row['mode']} {row['device']}",
            "checks": f"{row['checks']:,} of {row['of']:,}",
            "worst": worst[row["gravity"]],
        }
        for row in first
    ]
    return {"rows": rows, "rest": by_op(left), "more": len(left)}


def known(tables: Tables) -> dict[str, Any] | None:
    groups = tables.divergences[tables.divergences["known"].astype(bool)]
    return {"count": len(groups), "ops": by_op(groups)} if len(groups) else None


# ------------------------------------------------------------------------------------------------------------ time


def glance(tables: Tables) -> list[dict[str, Any]]:
    """Speed-ups over eager by mode, in a few lines."""
    several = [key for key in PLACE if tables.speed[key].nunique() > 1]
    return [
        {**row, "place": " ".join(str(row[key]) for key in several),
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
    far = rows.assign(_far=np.abs(np.log(rows["ratio"].where(rows["ratio"] > 0).astype("float64"))).fillna(0))
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


def machine_rows(tables: Tables, names: list[str]) -> list[dict[str, Any]]:
    return [
        {"fact": row["fact"], "values": [row[name] for name in names], "differs": bool(row["differs"])}
        for row in tables.machines.to_dict("records")
    ]


# ----------------------------------------------------------------------------------------------------------- noise


def number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def twin_words(twin: Any) -> str:
    """The A/A twin in a sentence; '' where the run has none."""
    if not isinstance(twin, dict):
        return ""
    pairs, calls = number(twin.get("pairs")), number(twin.get("false_calls"))
    ratio, low, high = (number(twin.get(k)) for k in ("ratio", "low", "high"))
    out = []
    if pairs > 0 and calls >= 0:
        out.append(
            f"eager timed against itself was called faster or slower in {formats.count(calls)} of {formats.count(pairs)} pairs ({formats.share(calls, pairs)})"
        )
    if math.isfinite(ratio):
        span = f" ({low:.4f} to {high:.4f})" if math.isfinite(low) and math.isfinite(high) else ""
        out.append(f"mean ratio {ratio:.4f}{span}, where 1 is the truth")
    return "; ".join(out)


def noise(run: Run, name: str) -> dict[str, Any]:
    """Load, twin and costs of a run."""
    about_it, costs = machine(run), run.meta.get("costs")
    costs = costs if isinstance(costs, dict) else {}
    phases = {
        str(k): number(v) for k, v in costs.items() if k not in ("harness_share", "total") and math.isfinite(number(v))
    }
    whole = sum(phases.values())
    load = lambda key: (
        ", ".join(f"{number(v):.2f}" for v in about_it[key])
        if isinstance(about_it.get(key), list | tuple)
        else shown(about_it.get(key))
    )
    harness = number(costs.get("harness_share"))
    return {
        "name": name,
        "load_before": load("load_before"),
        "load_after": load("load_after"),
        "twin": twin_words(run.meta.get("twin")),
        "costs": [
            {
                "phase": formats.plain(k),
                "time": formats.seconds(v) if v else "0 s",
                "sort": v,
                "share": formats.share(v, whole),
                "width": round(100 * v / whole, 1) if whole > 0 else 0,
            }
            for k, v in phases.items()
        ],
        "harness": formats.share(100 * harness, 100) if math.isfinite(harness) else "",
    }


# ------------------------------------------------------------------------------------------------------- templates


def words(text: Any) -> str:
    """Foreign text as Markdown prose: markup is spelled out, lines are joined."""
    flat = " ".join(formats.plain(text).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", flat) if re.search(r"[\\`*\[\]|#~]|(?<!\w)_|_(?!\w)", flat) else flat


def code(text: Any) -> str:
    """Foreign text as Markdown code, in a table or out: as many backticks around as it takes."""
    flat = " ".join(formats.plain(text).split()).replace("|", "\\|")
    runs = [len(run) for run in re.findall("`+", flat)]
    fence = "`" * (max(runs, default=0) + 1)
    pad = " " if runs else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def markdown(data: dict[str, Any]) -> str:
    """report.md: runs of blank lines closed, and no longer than a pull request takes."""
    text = ENVIRONMENT.get_template("report.md.j2").render(**data)
    text = re.sub(r"\|\n\n+(?=\|)", "|\n", re.sub(r"\n{3,}", "\n\n", text)).strip() + "\n"
    if len(text) > MARKDOWN_LIMIT:
        kept = text[:MARKDOWN_LIMIT].rsplit("\n", 1)[0]
        fold = "\n\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
        text = f"{kept}{fold}\n\n**{len(text) - len(kept):,} characters more are in report.html.**\n"
    return text


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(os.fspath(Path(__file__).parent / "templates")),
        autoescape=lambda name: bool(name and ".html" in name),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(words=words, cell=words, code=code, plain=formats.plain)
    return made


ENVIRONMENT = environment()
