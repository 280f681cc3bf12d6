"""Two runs compared: what changed in verdicts, and what changed in times beyond the noise.

Verdicts are compared check by check. Times are compared by each run's own ratio to eager, which cancels the machine;
eager itself is compared by its ratio to NumPy. Plain times are compared only on equal machines, are marked as such,
and never make a regression. Knows two runs, and no TensorFlow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from rich.text import Text

from tfparity.reports import formats
from tfparity.reports.facts import machine
from tfparity.reports.looks import in_order
from tfparity.reports.rows import CELL, labels, stack
from tfparity.reports.tables import TWIN, judged
from tfparity.reports.view_runs import twin_words
from tfparity.suite.records.results import FAILING, VERDICTS, Run

THRESHOLD = 1.05  # a smaller change is not worth the time to look into it
CONFIDENCE = 0.05  # probability of any false call in the whole comparison
INFLATION = 3.0  # the largest factor by which noise between runs may widen the intervals
AGREEING = ("identical", "close", "ill-conditioned")
SETTINGS = ("cpu", "cores", "memory", "gpu", "driver", "os", "python", "numpy", "onednn", "tf32", "determinism",
            "intra_threads", "inter_threads", "xla_flags", "cpu_features", "devices")  # fmt: skip
SHOWN = 20  # rows of one list in the text


@dataclass(frozen=True)
class Comparison:
    """What `compare` found. Tables hold one row a check or a timed cell.

    newly_failing  failing and unwaived in head, and not so in base (or not there): a regression
    lost           agreed in base, unsupported in head: a regression
    fixed          failing and unwaived in base, not so in head
    changed        any other change of verdict, waivers included
    appeared       checks that only head made; vanished: only base. Both may be a hole or a query.
    times          every cell timed in both, with `change` (head over base, above 1 is slower), its interval, `verdict`,
                   and `yardstick`: what the time is relative to
    absolute       plain times, only for equal machines; never a regression
    detectable     the change that half of the cells, and nine in ten, would have shown; NaN without times
    """

    base: str
    head: str
    newly_failing: pd.DataFrame
    lost: pd.DataFrame
    fixed: pd.DataFrame
    changed: pd.DataFrame
    appeared: pd.DataFrame
    vanished: pd.DataFrame
    times: pd.DataFrame
    absolute: pd.DataFrame
    checks: int  # made in both
    same_machine: bool
    detectable: tuple[float, float]
    notes: tuple[str, ...] = field(default=())

    @property
    def slower(self) -> pd.DataFrame:
        return self.times[self.times["verdict"] == "slower"]

    @property
    def faster(self) -> pd.DataFrame:
        return self.times[self.times["verdict"] == "faster"]

    @property
    def regressed(self) -> bool:
        """Whether something got worse: a check fails that did not, support was lost, or a mode is slower."""
        return bool(len(self.newly_failing) or len(self.lost) or len(self.slower))

    @property
    def verdict(self) -> str:
        """The one line on top."""
        if not self.checks and self.times.empty and not len(self.newly_failing):
            return "please read: the runs have nothing in common, nothing was compared"
        found = [
            (len(self.newly_failing), "newly failing check"),
            (len(self.lost), "check now unsupported", "checks now unsupported"),
            (len(self.slower), "slower", "slower"),
            (len(self.vanished), "vanished check"),
        ]
        words = [
            f"{n:,} {names[0] if n == 1 or len(names) == 1 else names[1]}{'s' if n != 1 and len(names) == 1 else ''}"
            for n, *names in found
            if n
        ]
        return f"please read: {', '.join(words)}" if words else "no action needed"

    @property
    def text(self) -> Text:
        """The comparison for a terminal; `str()` of it is plain text."""
        return _text(self)


def compare(base: Run, head: Run) -> Comparison:
    """Compare two runs; `head` is the newer one."""
    names = labels([base, head])
    verdicts = compare_verdicts(base, head)
    times = compare_times(
        base.timings, head.timings, same_numpy=machine(base).get("numpy") == machine(head).get("numpy")
    )
    same = same_machine(base, head)
    return Comparison(
        base=names[0], head=names[1], **verdicts, times=times,
        absolute=compare_absolute(base.timings, head.timings) if same else _no_times(),
        same_machine=same, detectable=_detectable(times), notes=tuple(_notes(base, head, names)),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ verdicts


def compare_verdicts(base: Run, head: Run) -> dict[str, Any]:
    """The verdict tables of a Comparison, worst first, and the number of checks made in both."""
    columns = ["id", "op", "mode", "verdict_base", "verdict", "kind", "scaled_error", "waiver_base", "waiver"]
    first, second = (judged(stack(["run"], [run.checks], "checks")) for run in (base, head))
    pair = first.merge(second, on="id", how="outer", suffixes=("_base", ""), indicator=True)
    for name in ("op", "mode"):
        pair[name] = pair[name].where(pair[name].notna(), pair[f"{name}_base"])
    both, new, gone = (pair["_merge"] == side for side in ("both", "right_only", "left_only"))
    fails, failed = (pair[name].eq(True) for name in ("failing", "failing_base"))
    if first.empty or second.empty:  # one run made no checks at all: there is nothing to compare with
        fails = fails & False
        new, gone = new & False, gone & False
    newly = fails & ~failed
    fixed = both & failed & ~fails
    agreed = pair["verdict_base"].isin(AGREEING)
    lost = both & agreed & (pair["verdict"] == "unsupported")
    changed = (
        both
        & ~newly
        & ~fixed
        & ~lost
        & (
            (pair["verdict"] != pair["verdict_base"]) & ~(agreed & pair["verdict"].isin(AGREEING))
            | (pair["waiver"].fillna("") != pair["waiver_base"].fillna(""))
        )
    )
    gravity = pair["verdict"].map({v: -rank for rank, v in enumerate(VERDICTS)}).fillna(0)
    order = pair.assign(_gravity=gravity).sort_values(["_gravity", "scaled_error", "id"], ascending=[True, False, True])
    take = lambda mask: order.loc[mask.reindex(order.index), columns].reset_index(drop=True)
    return {"newly_failing": take(newly), "lost": take(lost), "fixed": take(fixed), "changed": take(changed),
            "appeared": take(new), "vanished": take(gone), "checks": int(both.sum())}  # fmt: skip


# --------------------------------------------------------------------------------------------------------- times


TIMES = [*CELL, "mode", "yardstick", "base_ratio", "head_ratio", "change", "low", "high", "detectable", "verdict"]


def _no_times() -> pd.DataFrame:
    return pd.DataFrame(columns=TIMES).astype({"change": "float64", "detectable": "float64"})


def relative_rows(timings: pd.DataFrame) -> pd.DataFrame:
    """Each mode over eager; eager over NumPy, where NumPy was timed."""
    warm = timings[(timings["phase"] == "warm") & ~timings["mode"].astype(str).str.endswith(TWIN).to_numpy(dtype=bool)]
    keys = [*CELL, "mode"]
    modes = warm[~warm["mode"].isin(["eager", "numpy"])][[*keys, "ratio", "ratio_low", "ratio_high"]].assign(
        yardstick="eager"
    )
    host = warm[warm["mode"] == "numpy"]
    eager = host[[*CELL]].assign(
        mode="eager",
        ratio=1 / host["ratio"],
        ratio_low=1 / host["ratio_high"],
        ratio_high=1 / host["ratio_low"],
        yardstick="numpy",
    )
    rows = pd.concat([modes, eager], ignore_index=True)
    good = np.isfinite(rows["ratio"]) & (rows["ratio"] > 0) & (rows["ratio_low"] > 0) & np.isfinite(rows["ratio_high"])
    return rows[good]


def compare_times(base: pd.DataFrame, head: pd.DataFrame, *, same_numpy: bool = True) -> pd.DataFrame:
    """Every cell timed in both runs, the largest change first.

    A change is called when all three hold: it is above 5 %; the intervals of the two ratios do not overlap; and it
    is larger than the noise of this comparison, at a level at which one table in twenty has any false call. The third
    condition matters because among thousands of cells some intervals miss the true value by chance.
    A mode is not called slower because eager became faster: where NumPy was timed, the mode must be slower relative to
    NumPy too.
    """
    first, second = relative_rows(base), relative_rows(head)
    if not same_numpy:
        first, second = (rows[rows["yardstick"] != "numpy"] for rows in (first, second))
    pair = first.merge(second, on=[*CELL, "mode", "yardstick"], suffixes=("_base", "_head"))
    if pair.empty:
        return _no_times()
    table = _called(
        pair, "ratio_base", "ratio_head", "ratio_low_base", "ratio_low_head", "ratio_high_base", "ratio_high_head"
    )
    eager = table[table["mode"] == "eager"].set_index(CELL)[["change", "low", "high", "verdict"]]
    if len(eager):
        by_cell = table[CELL].merge(eager.add_suffix("_eager"), left_on=CELL, right_index=True, how="left")
        moved = by_cell["verdict_eager"].isin(["faster", "slower"]).to_numpy() & (table["mode"] != "eager").to_numpy()
        beside_numpy = table["change"].to_numpy() * by_cell["change_eager"].to_numpy()
        low, high = (table[end].to_numpy() * by_cell[f"{end}_eager"].to_numpy() for end in ("low", "high"))
        stands = ((table["verdict"] == "slower") & (low > 1) & (beside_numpy > THRESHOLD)) | (
            (table["verdict"] == "faster") & (high < 1) & (beside_numpy < 1 / THRESHOLD)
        )
        table.loc[moved & table["verdict"].isin(["faster", "slower"]).to_numpy() & ~stands.to_numpy(), "verdict"] = (
            "unresolved"
        )
    return _ordered(table)


def compare_absolute(base: pd.DataFrame, head: pd.DataFrame) -> pd.DataFrame:
    """Warm times of equal machines as measured, by the same rule; never a regression: load does not cancel."""
    keys = [*CELL, "mode"]
    first, second = (
        t[(t["phase"] == "warm") & (t["low"] > 0) & np.isfinite(t["high"]) & (t["seconds"] > 0)] for t in (base, head)
    )
    first, second = (t[~t["mode"].astype(str).str.endswith(TWIN).to_numpy(dtype=bool)] for t in (first, second))
    pair = first[[*keys, "seconds", "low", "high"]].merge(
        second[[*keys, "seconds", "low", "high"]], on=keys, suffixes=("_base", "_head")
    )
    if pair.empty:
        return _no_times()
    pair["yardstick"] = "absolute"
    return _ordered(_called(pair, "seconds_base", "seconds_head", "low_base", "low_head", "high_base", "high_head"))


def _called(
    pair: pd.DataFrame, base: str, head: str, low_base: str, low_head: str, high_base: str, high_head: str
) -> pd.DataFrame:
    """Change, interval, detectable change and verdict of each row."""
    table = pair[[*CELL, "mode", "yardstick"]].copy()
    table["base_ratio"], table["head_ratio"] = pair[base], pair[head]
    table["change"] = pair[head] / pair[base]
    table["low"], table["high"] = pair[low_head] / pair[high_base], pair[high_head] / pair[low_base]
    half = lambda low, high: np.maximum(np.log(pair[high] / pair[low]), 1e-3) / 2
    ours, theirs = half(low_base, high_base), half(low_head, high_head)
    deviation = np.sqrt(ours**2 + theirs**2) / NormalDist().inv_cdf(0.975)
    scores = np.log(table["change"]) / deviation
    spread = scores.groupby(table["mode"]).transform(
        lambda s: float(np.median(np.abs(s - s.median()))) * 1.4826 if len(s) > 4 else 1.0
    )
    level = NormalDist().inv_cdf(1 - CONFIDENCE / 2 / len(table))
    needed = level * deviation * spread.clip(1.0, INFLATION)
    table["detectable"] = np.exp(np.maximum(np.maximum(needed, ours + theirs), math.log(THRESHOLD)))
    size = np.abs(np.log(table["change"]))
    excludes_one = (table["low"] > 1) | (table["high"] < 1)
    called = excludes_one & (size > np.log(table["detectable"]) - 1e-12) & (size > math.log(THRESHOLD))
    within = (table["low"] >= 1 / THRESHOLD) & (table["high"] <= THRESHOLD)
    table["verdict"] = np.where(
        called, np.where(table["change"] > 1, "slower", "faster"), np.where(within, "equivalent", "unresolved")
    )
    return table


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    rank = table["verdict"].map({"slower": 0, "faster": 1}).fillna(2)
    far = -np.abs(np.log(table["change"]))
    return table.assign(_rank=rank, _far=far).sort_values(["_rank", "_far"], kind="stable", ignore_index=True)[TIMES]


def _detectable(times: pd.DataFrame) -> tuple[float, float]:
    if times.empty:
        return math.nan, math.nan
    return float(times["detectable"].quantile(0.5)) - 1, float(times["detectable"].quantile(0.9)) - 1


# ------------------------------------------------------------------------------------------------------ machines


def same_machine(base: Run, head: Run) -> bool:
    """Whether plain times may be compared: the processor is known, and all that changes times is equal."""
    first, second = machine(base), machine(head)
    return bool(first.get("cpu")) and all(first.get(key) == second.get(key) for key in SETTINGS)


def _notes(base: Run, head: Run, names: list[str]) -> list[str]:
    """What limits the comparison, a sentence each."""
    out = []
    for run, name in ((base, names[0]), (head, names[1])):
        if not run.complete:
            out.append(
                f"{name} did not finish: checks that it did not reach count as vanished or appeared, not as passed."
            )
        if run.checks.empty:
            out.append(f"{name} made no checks: verdicts are not compared.")
    if not base.timings.empty and not head.timings.empty:
        if machine(base).get("numpy") != machine(head).get("numpy"):
            out.append("NumPy differs between the runs: eager is not compared, only modes relative to it.")
        for run, name in ((base, names[0]), (head, names[1])):
            words = twin_words(run.meta.get("twin"))
            if words:
                out.append(f"{name}: {words}.")
    return out


# ---------------------------------------------------------------------------------------------------------- text


def percent(change: float) -> str:
    """A change of time: `+12 %`; above double or below half it is given as a factor."""
    if not math.isfinite(change) or change <= 0:
        return formats.NONE
    if not 0.5 <= change <= 2:
        return f"{formats.significant(change, 2)}×"
    return f"{100 * (change - 1):+.0f} %".replace("-", "−")


def _text(found: Comparison) -> Text:
    out = Text(no_wrap=True, overflow="ignore")
    out.append(
        found.verdict + "\n",
        style="bold red" if found.regressed else "bold yellow" if found.verdict.startswith("please") else "bold green",
    )
    called = found.times["verdict"].value_counts()
    counts = [f"{n:,} {name}" for n, name in (
        (len(found.newly_failing), "newly failing"), (len(found.lost), "now unsupported"), (len(found.fixed), "fixed"),
        (len(found.changed), "changed otherwise"), (len(found.appeared), "appeared"), (len(found.vanished), "vanished"),
    )]  # fmt: skip
    out.append(f"{found.base} → {found.head}\n")
    out.append(f"verdicts  {found.checks:,} checks in both: {', '.join(counts)}\n")
    if len(found.times):
        words = ", ".join(
            f"{int(called.get(word, 0)):,} {word}" for word in ("slower", "faster", "equivalent", "unresolved")
        )
        half, most = (formats.significant(100 * d, 2) for d in found.detectable)
        out.append(
            f"times     {len(found.times):,} cells in both, relative to eager (eager relative to numpy): {words}\n"
        )
        out.append(f"          a change of {half} % was detectable in half of the cells, of {most} % in nine of ten\n")
    for note in found.notes:
        out.append(f"note      {note}\n", style="dim")
    appeared = found.appeared[~found.appeared["id"].isin(found.newly_failing["id"])]
    for title, table in (
        ("newly failing", found.newly_failing),
        ("now unsupported", found.lost),
        ("fixed", found.fixed),
        ("changed otherwise", found.changed),
        ("appeared, not failing", appeared),
        ("vanished", found.vanished),
    ):
        _list(
            out,
            title,
            [
                f"{_word(r['verdict_base'], r['waiver_base'])} → {_word(r['verdict'], r['waiver'])}  "
                f"{formats.plain(r['id'])}"
                for r in table.head(SHOWN).to_dict("records")
            ],
            len(table),
            style="red" if title in ("newly failing", "now unsupported") else "",
        )
    for title, table in (("slower", found.slower), ("faster", found.faster)):
        _list(
            out,
            f"{title}: change of the time relative to eager, of eager's relative to numpy",
            [_cell(r) for r in table.head(SHOWN).to_dict("records")],
            len(table),
            style="red" if title == "slower" else "",
        )
    plain = found.absolute[found.absolute["verdict"].isin(["slower", "faster"])]
    if len(plain):
        count = lambda mode, word: int(((plain["mode"] == mode) & (plain["verdict"] == word)).sum())
        words = ", ".join(
            f"{mode} {count(mode, word):,} {word}"
            for mode in in_order(plain["mode"])
            for word in ("slower", "faster")
            if count(mode, word)
        )
        _list(out, f"absolute times, same machine (load does not cancel; no regression by itself): {words}",
              [_cell(r) for r in plain.head(SHOWN // 2).to_dict("records")], len(plain))  # fmt: skip
    out.rstrip()
    return out


def _word(verdict: Any, waiver: Any) -> str:
    if not isinstance(verdict, str):
        return formats.NONE
    return formats.plain(verdict) + (" (waived)" if verdict in FAILING and isinstance(waiver, str) and waiver else "")


def _cell(row: dict[Any, Any]) -> str:
    """One timed cell: the change, its interval, and where."""
    interval = f"{percent(row['low'])} to {percent(row['high'])}"
    where = f"{formats.plain(row['op'])}/{row['dtype']}/{row['sample']}/{row['mode']}@{row['device']}"
    return f"{percent(row['change']):>7}  {f'({interval})':<18}  {where}, {formats.size(row['size'])} elements"


def _list(out: Text, title: str, lines: list[str], total: int, style: str = "") -> None:
    if not lines:
        return
    out.append(f"\n{title}\n", style=f"bold {style}".strip())
    for line in lines:
        out.append(f"  {line}\n")
    if total > len(lines):
        out.append(f"  and {total - len(lines):,} more\n", style="dim")
