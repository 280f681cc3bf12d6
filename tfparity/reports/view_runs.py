"""What the page and the terminal show of the runs themselves: the conclusion, warnings, the machine and the noise.

Gives plain values; knows DataFrames and run.json, and neither templates nor pictures.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tfparity.reports import formats
from tfparity.reports.facts import facts, harness_share, machine, number, shown
from tfparity.reports.rows import PLACE
from tfparity.reports.tables import Tables
from tfparity.suite.records.results import VERDICTS, Run


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
    checks = int(failing["checks"].sum())
    known = formats.plural(int(waived["checks"].sum()), "check")
    tail = f", {len(waived):,} {'is' if len(waived) == 1 else 'are'} known (waived, {known})" if len(waived) else ""
    if checks:
        verb = "needs" if len(failing) == 1 else "need"
        return (
            f"{formats.plural(len(failing), 'divergence')} {verb} attention ({formats.plural(checks, 'check')}){tail}"
        )
    return f"no divergence needs attention in {formats.plural(len(tables.checks), 'check')}{tail}"


def warnings(runs: Sequence[Run], tables: Tables) -> list[str]:
    """What limits the results below: an unfinished run, counts that disagree, problems of the waivers."""
    out = []
    for run, (_, row) in zip(runs, tables.runs.iterrows(), strict=True):
        name = f"Run {row['run']}" if len(runs) > 1 else "This run"
        if not run.complete:
            out.append(
                f"{name} did not finish. The report shows what it had recorded: "
                f"{formats.plural(len(run.checks), 'check')} and "
                f"{formats.plural(len(run.timings), 'timing')}. Continue it with --resume."
            )
        said = run.meta.get("totals")
        if isinstance(said, dict) and run.complete:
            found = run.checks["verdict"].value_counts()
            wrong = [str(v) for v, n in said.items() if found.get(v, 0) != n] + [
                str(v) for v in found.index if v not in said
            ]
            if wrong:
                out.append(
                    f"{name}: run.json counts other {', '.join(sorted(set(wrong)))} than the rows hold; "
                    "the rows are shown."
                )
        problems = run.meta.get("waiver_problems")
        for problem in problems if isinstance(problems, list) else []:
            out.append(f"{name}: waivers: {formats.plain(problem)}")
    strange = sorted(set(tables.checks["verdict"]) - set(VERDICTS))
    if strange:
        out.append(
            f"Verdicts this version of tfparity does not know: {', '.join(map(formats.plain, strange))}. "
            "They are counted, not judged."
        )
    return out


def about(run: Run, name: str) -> dict[str, Any]:
    """A run in a few facts, for the head of the page."""
    meta, known = run.meta, facts(run)
    begun, ended = meta.get("started"), meta.get("finished")
    lasted = ""
    with contextlib.suppress(ValueError, TypeError):
        lasted = formats.seconds(
            (datetime.fromisoformat(str(ended)) - datetime.fromisoformat(str(begun))).total_seconds()
        )
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


def twin_words(twin: Any) -> str:
    """What the A/A twin (eager timed against itself) showed, in a sentence; '' where the run has none."""
    if not isinstance(twin, dict):
        return ""
    pairs, calls = number(twin.get("pairs")), number(twin.get("false_calls"))
    ratio, low, high = (number(twin.get(k)) for k in ("ratio", "low", "high"))
    out = []
    if pairs > 0 and calls >= 0:
        out.append(
            f"eager timed against itself was called faster or slower in {formats.count(calls)} "
            f"of {formats.count(pairs)} pairs ({formats.share(calls, pairs)})"
        )
    if math.isfinite(ratio):
        span = f" ({low:.4f} to {high:.4f})" if math.isfinite(low) and math.isfinite(high) else ""
        out.append(f"mean ratio {ratio:.4f}{span}; the true ratio is 1")
    return "; ".join(out)


def noise(run: Run, name: str) -> dict[str, Any]:
    """How busy the machine was, what the A/A twin showed, and what the suite itself cost."""
    about_it, harness = machine(run), harness_share(run)
    load = lambda key: (
        ", ".join(f"{number(v):.2f}" for v in about_it[key])
        if isinstance(about_it.get(key), list | tuple)
        else shown(about_it.get(key))
    )
    return {
        "name": name,
        "load_before": load("load_before"),
        "load_after": load("load_after"),
        "twin": twin_words(run.meta.get("twin")),
        "harness": formats.share(100 * harness, 100) if math.isfinite(harness) else "",
    }
