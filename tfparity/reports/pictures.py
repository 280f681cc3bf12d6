"""Tables become pictures, one function each; a picture with nothing to show is skipped, never broken.

Adding a picture is one function under `@picture`: its parameters name the tables it takes (fields of `Tables`), and
`scope` says whether it is drawn once, per run, or per place (a run's device). Every picture is drawn 4.6 inches
wide, so that its text stays legible on a phone. Knows no page, no run and no pyplot state.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from . import formats
from .looks import FAILING, INK, MUTED, PAPER, RULE, in_order, mode_colour, mode_marker
from .tables import PLACE, Tables, geometric, geometric_by, relative

WIDTH = 4.6
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9.5, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.labelsize": 8.5, "axes.labelcolor": MUTED, "axes.edgecolor": RULE,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8, "axes.axisbelow": True,
    "axes.facecolor": PAPER, "figure.facecolor": PAPER, "text.color": INK, "xtick.color": MUTED,
    "ytick.color": MUTED, "xtick.labelsize": 8, "ytick.labelsize": 8, "xtick.major.size": 3, "ytick.major.size": 0,
    "xtick.minor.size": 0, "ytick.minor.size": 0, "legend.frameon": False, "legend.fontsize": 8.5, "text.usetex": False,
    "text.parse_math": False,
}  # fmt: skip
LABEL = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}  # words stay readable over lines


@dataclass(frozen=True)
class Picture:
    """How a picture is made: what it says, the tables it takes, and how often it is drawn."""

    name: str
    title: str
    caption: str
    scope: str  # all | run | place
    section: str  # the part of the page it belongs to
    takes: tuple[str, ...]
    draw: Callable[..., Figure | None]


@dataclass(frozen=True)
class Drawn:
    """A picture that was drawn: `name` is its file's, `where` the run or place it shows ('' when there is one)."""

    name: str
    where: str
    picture: Picture
    figure: Figure


PICTURES: dict[str, Picture] = {}


def picture(
    title: str, caption: str, *, scope: str = "place", section: str = "speed"
) -> Callable[..., Callable[..., Figure | None]]:
    """Register the decorated function under its own name."""

    def register(draw: Callable[..., Figure | None]) -> Callable[..., Figure | None]:
        name = draw.__name__.replace("_", "-")
        PICTURES[name] = Picture(name, title, caption, scope, section, tuple(inspect.signature(draw).parameters), draw)
        return draw

    return register


def draw_all(tables: Tables) -> Iterator[Drawn]:
    """Every picture that has something to show."""
    for each in PICTURES.values():
        frames = {name: getattr(tables, name) for name in each.takes}
        keys = {"all": [], "run": ["run"], "place": PLACE}[each.scope]
        first = frames[each.takes[0]]
        if first.empty:
            continue
        places = [()] if not keys else list(first[keys].drop_duplicates().itertuples(index=False, name=None))
        for place in places:
            mine = {name: _at(frame, keys, place) for name, frame in frames.items()}
            where = _title(keys, place, first) if len(places) > 1 else ""
            with mpl.rc_context(STYLE):
                figure = each.draw(**mine)
            if figure is not None:
                suffix = "-" + re.sub(r"[^A-Za-z0-9.]+", "-", where).strip("-") if where else ""
                yield Drawn(each.name + suffix, where, each, figure)


def save(figure: Figure, target: object, dots: int = 200) -> None:
    """Write the figure as PNG; the same figure gives the same bytes."""
    with mpl.rc_context(STYLE):
        FigureCanvasAgg(figure)
        figure.savefig(target, format="png", dpi=dots, metadata={"Software": None})  # type: ignore[arg-type]


def _at(frame: pd.DataFrame, keys: list[str], place: tuple[str, ...]) -> pd.DataFrame:
    for key, value in zip(keys, place, strict=True):
        frame = frame[frame[key] == value]
    return frame


def _title(keys: list[str], place: tuple[str, ...], first: pd.DataFrame) -> str:
    """What tells this place from the others: the run where there are several, the device likewise."""
    return " ".join(value for key, value in zip(keys, place, strict=True) if first[key].nunique() > 1)


# ------------------------------------------------------------------------------------------------------ the axes


def _figure(height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout="constrained")


def _factors(axes: Axes, which: str, low: float, high: float, marks: int = 6) -> None:
    """A logarithmic axis of factors: ticks at round factors, labelled `0.5×`, `2×`; one is drawn as a line."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    low, high = min(low, 0.8), max(high, 1.25)
    (axes.set_ylim if which == "y" else axes.set_xlim)(low, high)
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**e for e in range(-9, 10) for m in steps if low <= m * 10.0**e <= high]
        if len(ticks) <= marks:
            break
    if len(ticks) > marks:
        ticks = ticks[:: -(-len(ticks) // marks)]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    (axes.axhline if which == "y" else axes.axvline)(1, color=INK, linewidth=0.9, zorder=1.5)
    axes.grid(True, axis=which, color=RULE, linewidth=0.6)  # type: ignore[arg-type]


def _sizes(axes: Axes, sizes: pd.Series) -> None:
    """A logarithmic axis of sizes, ticks at sizes that were measured, as many as fit."""
    axes.set_xscale("log")
    marks = sorted(set(sizes))
    while len(marks) > 6:
        marks = marks[::2]
    axes.xaxis.set_major_locator(FixedLocator(marks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formats.size(value)))


def _seconds(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis of time."""
    axes.set_xscale("log")
    axes.set_xlim(low / 1.4, high * 1.4)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**e for e in range(-9, 5) for m in steps if low / 1.4 <= m * 10.0**e <= high * 1.4]
        if len(ticks) <= 7:
            break
    axes.xaxis.set_major_locator(FixedLocator(ticks[:: max(1, -(-len(ticks) // 7))]))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _round_seconds(value)))
    axes.grid(True, axis="x", color=RULE, linewidth=0.6)


def _round_seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
        if value * scale >= 0.999:
            return f"{value * scale:g} {unit}"
    return f"{value:g} s"


def _legend(figure: Figure, modes: list[str], *, lines: bool = True) -> None:
    handles = [
        mpl.lines.Line2D(
            [], [], color=mode_colour(m), marker=mode_marker(m), markersize=4.5, linewidth=1.8 if lines else 0
        )
        for m in modes
    ]
    figure.legend(
        handles, modes, loc="outside upper left", ncols=min(4, len(modes)), handlelength=1.6, columnspacing=1.3
    )


def _names(axes: Axes, names: list[str]) -> None:
    """Names above their rows, not beside: long op names need the whole width."""
    for row, name in enumerate(names):
        axes.text(0, row - 0.24, name, transform=axes.get_yaxis_transform(), fontsize=7.8, va="bottom", bbox=LABEL)
    axes.set_yticks([])
    axes.set_ylim(len(names) - 0.4, -0.95)
    axes.spines["left"].set_visible(False)


# ------------------------------------------------------------------------------------------------------ pictures


@picture(
    "Share of checks that fail",
    "Each cell: failing checks in per cent of those made, waived ones not counted; a figure in brackets is waived. "
    "A hatched cell was not checked.",
    scope="run", section="verdicts",
)  # fmt: skip
def verdict_matrix(verdicts: pd.DataFrame) -> Figure | None:
    """Families by mode as a heat-map."""
    if verdicts.empty:
        return None
    several = verdicts["device"].nunique() > 1
    columns = [
        (m, d)
        for m in in_order(verdicts["mode"])
        for d in sorted(verdicts.loc[verdicts["mode"] == m, "device"].unique())
    ]
    rows = sorted(verdicts["family"].unique())
    figure = _figure(1.1 + 0.27 * len(rows))
    axes = figure.add_subplot()
    share = np.full((len(rows), len(columns)), np.nan)
    for _, cell in verdicts.iterrows():
        y, x = rows.index(cell["family"]), columns.index((cell["mode"], cell["device"]))
        share[y, x] = cell["failing"] / cell["total"]
        note = formats.share(cell["failing"], cell["total"]).replace(formats.SPACE, "") if cell["failing"] else ""
        note += f" ({int(cell['known'])})" if cell["known"] else ""
        strong = share[y, x] > 0.3
        axes.text(x, y, note, ha="center", va="center", fontsize=7, color=PAPER if strong else INK)
    heat = LinearSegmentedColormap.from_list("failing", ["#f1f4f6", "#f6c9ab", FAILING, "#6b0f1a"])
    axes.imshow(np.sqrt(share), cmap=heat, vmin=0, vmax=1, aspect="auto")
    axes.patch.set(hatch="////", edgecolor=RULE)
    axes.set_xticks(
        range(len(columns)),
        [f"{m}\n{d}" if several else m for m, d in columns],
        rotation=40 if len(columns) > 4 else 0,
        ha="left" if len(columns) > 4 else "center",
        rotation_mode="anchor",
    )
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labelcolor=INK, top=False, labeltop=True, labelbottom=False)
    axes.set_xticks(np.arange(-0.5, len(columns)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(rows)), minor=True)
    axes.grid(True, which="minor", color=PAPER, linewidth=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


@picture(
    "Speed-up over eager against size",
    "Thick: geometric mean over all ops, each counted once; the band is the geometric mean of their intervals. "
    "Thin: single ops. Above 1× the mode is faster than eager.",
)
def speed_by_size(curves: pd.DataFrame, lines: pd.DataFrame) -> Figure | None:
    """One panel a mode would hide the comparison; one line a mode over faint op lines shows both."""
    means = curves[curves["family"] == ""]
    if means.empty:
        return None
    figure = _figure(3.4)
    axes = figure.add_subplot()
    modes = in_order(means["mode"])
    thin = max(0.06, min(0.25, 12 / max(1, lines.groupby(["op", "mode"]).ngroups)))
    for mode in modes:
        ops = [
            one[["size", "speedup"]].to_numpy(dtype=float)
            for _, one in lines[lines["mode"] == mode].groupby(["family", "op"])
        ]
        axes.add_collection(LineCollection(ops, colors=mode_colour(mode), alpha=thin, linewidths=0.7), autolim=False)
    for mode in modes:
        _curve(axes, means[means["mode"] == mode], mode)
    _sizes(axes, means["size"])
    low = min(float(lines["speedup"].quantile(0.01)), float(means["speedup_low"].fillna(means["speedup"]).min()))
    high = max(float(lines["speedup"].quantile(0.99)), float(means["speedup_high"].fillna(means["speedup"]).max()))
    _factors(axes, "y", low / 1.15, high * 1.15)
    axes.set_xlabel("elements in the largest input")
    _legend(figure, modes)
    return figure


def _curve(axes: Axes, one: pd.DataFrame, mode: str) -> None:
    one = one.sort_values("size")
    axes.fill_between(
        one["size"], one["speedup_low"], one["speedup_high"], color=mode_colour(mode), alpha=0.18, linewidth=0
    )
    axes.plot(
        one["size"], one["speedup"], color=mode_colour(mode), marker=mode_marker(mode), markersize=4.5, linewidth=1.8
    )


@picture(
    "Speed-up over eager by family",
    "Geometric mean over the ops of a family (their number in brackets), with the mean of their intervals; "
    "the families with most ops, all on the same axes.",
)
def speed_by_family(curves: pd.DataFrame) -> Figure | None:
    """Small multiples, at most ten families."""
    means = curves[curves["family"] != ""]
    largest = means.groupby("family")["ops"].max().sort_values(ascending=False, kind="stable").index[:10]
    chosen = sorted(largest)
    if len(chosen) < 2:
        return None
    means = means[means["family"].isin(chosen)]
    rows = -(-len(chosen) // 2)
    figure = _figure(0.7 + 1.35 * rows)
    grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    modes = in_order(means["mode"])
    for axes, name in zip(grid.flat, chosen, strict=False):
        one = means[means["family"] == name]
        for mode in modes:
            _curve(axes, one[one["mode"] == mode], mode)
        axes.set_title(f"{name} ({int(one['ops'].max())})", fontsize=8.5)
        _sizes(axes, means["size"].drop_duplicates().sort_values().iloc[::2])
        _factors(axes, "y", float(means["speedup"].min()) / 1.15, float(means["speedup"].max()) * 1.15, marks=4)
    for axes in grid.flat[len(chosen) :]:
        axes.set_visible(False)
        grid[rows - 2, 1].tick_params(labelbottom=True)
    figure.supxlabel("elements in the largest input", fontsize=8.5, color=MUTED)
    _legend(figure, modes)
    return figure


@picture(
    "Dispatch: time per call at the smallest size",
    "One dot an op, at its smallest size (1,024 elements or fewer): what a call costs before it computes anything. "
    "The bar is the median.",
)
def dispatch(speed: pd.DataFrame) -> Figure | None:
    small = speed[speed["size"] <= 1024]
    small = small[small["size"] == small.groupby("op")["size"].transform("min")]
    return _strip(geometric_by(small, ["mode", "op"], ["seconds"]), "seconds")


@picture(
    "Cold cost: trace, compile and first call",
    "One dot an op (geometric mean of its dtypes and sizes); the bar is the median.",
    section="cold",
)
def cold_cost(cold: pd.DataFrame) -> Figure | None:
    return _strip(geometric_by(cold, ["mode", "op"], ["cold"]), "cold")


def _strip(values: pd.DataFrame, column: str) -> Figure | None:
    """A row of dots per mode on an axis of time, with the median in words."""
    values = values[values[column] > 0]
    if values.empty:
        return None
    modes = in_order(values["mode"])
    figure = _figure(0.6 + 0.62 * len(modes))
    axes = figure.add_subplot()
    for row, mode in enumerate(modes):
        dots = values.loc[values["mode"] == mode, column].sort_values().to_numpy()
        jitter = 0.16 * (np.arange(len(dots)) * 0.618 % 1 - 0.5)
        axes.scatter(dots, row + 0.12 + jitter, s=13, color=mode_colour(mode), alpha=0.5, linewidth=0)
        middle = float(np.median(dots))
        axes.plot([middle, middle], [row - 0.1, row + 0.34], color=INK, linewidth=1.8, solid_capstyle="butt")
        low, high = (float(np.quantile(dots, q)) for q in (0.25, 0.75))
        said = f"median {formats.seconds(middle)}"
        if len(dots) > 3:
            said += f", middle half {formats.seconds(low)} to {formats.seconds(high)}"
        axes.text(
            0,
            row - 0.16,
            mode,
            transform=axes.get_yaxis_transform(),
            fontsize=8.5,
            weight="bold",
            color=mode_colour(mode),
            va="bottom",
        )
        axes.text(
            1,
            row - 0.16,
            said,
            transform=axes.get_yaxis_transform(),
            fontsize=7.5,
            color=MUTED,
            ha="right",
            va="bottom",
        )
    _seconds(axes, float(values[column].min()), float(values[column].max()))
    axes.set_yticks([])
    axes.set_ylim(len(modes) - 0.5, -0.6)
    axes.spines["left"].set_visible(False)
    return figure


@picture(
    "Break-even: share of cells that have paid for their trace",
    "After so many calls the mode has won back its cold cost; a cell is one op at one size. The line ends at the share "
    "that ever pays: the others are slower than eager, equivalent, or unresolved.",
    section="cold",
)
def break_even(cold: pd.DataFrame) -> Figure | None:
    timed = cold[cold["pays"].isin(["yes", "never", "unresolved"])]
    paid = timed[timed["pays"] == "yes"]
    if paid.empty:
        return None
    figure = _figure(2.9)
    axes = figure.add_subplot()
    modes = in_order(timed["mode"])
    right = float(paid["calls"].max()) * 3
    left = min(float(paid["calls"].min()) / 2, 10.0)
    for mode in modes:
        all_of, points = (timed["mode"] == mode).sum(), paid.loc[paid["mode"] == mode, "calls"].sort_values()
        x = [left, *points, right]
        y = [0, *(np.arange(1, len(points) + 1) / all_of * 100), len(points) / all_of * 100]
        axes.step(x, y, where="post", color=mode_colour(mode), linewidth=1.8)
        axes.plot([right], [y[-1]], color=mode_colour(mode), marker=mode_marker(mode), markersize=5, clip_on=False)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(0, 100)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formats.size(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.grid(True, color=RULE, linewidth=0.6)
    axes.set_xlabel("calls after the first")
    _legend(figure, modes)
    return figure


@picture(
    "The fastest and the slowest beside eager",
    "The largest resolved speed-ups and slow-downs of compiled modes, one row an op and mode at the size where it is "
    "most extreme, with its interval.",
)
def extremes(speed: pd.DataFrame) -> Figure | None:
    rows = relative(speed)
    rows = rows[(rows["mode"] != "numpy") & rows["verdict"].isin(["faster", "slower"])]
    rows = rows.assign(_far=np.abs(np.log(rows["speedup"].astype("float64"))))
    rows = rows.sort_values("_far", ascending=False, kind="stable").drop_duplicates(["op", "mode", "verdict"])
    fast = rows[rows["verdict"] == "faster"].head(8)
    slow = rows[rows["verdict"] == "slower"].head(8).iloc[::-1]
    both = pd.concat([fast, slow])
    if both.empty:
        return None
    figure = _figure(0.75 + 0.31 * len(both))
    axes = figure.add_subplot()
    names = []
    for row, (_, one) in enumerate(both.iterrows()):
        colour = mode_colour(one["mode"])
        axes.plot([1, one["speedup"]], [row, row], color=colour, linewidth=4, alpha=0.3, solid_capstyle="butt")
        axes.plot([one["speedup_low"], one["speedup_high"]], [row, row], color=colour, linewidth=1.6)
        axes.plot(one["speedup"], row, color=colour, marker=mode_marker(one["mode"]), markersize=5)
        names.append(f"{_short(one['op'])}  {one['mode']}, {one['dtype']}, {formats.size(one['size'])}: "
                     f"{formats.times(one['speedup'], one['speedup_low'], one['speedup_high'])}")  # fmt: skip
    _names(axes, names)
    if len(fast) and len(slow):
        axes.axhline(len(fast) - 0.75, color=RULE, linewidth=0.8)
    _factors(axes, "x", float(both["speedup_low"].min()) / 1.1, float(both["speedup_high"].max()) * 1.1, marks=7)
    axes.set_xlabel("speed-up over eager")
    _legend(figure, in_order(both["mode"]), lines=False)
    return figure


def _short(op: str, most: int = 34) -> str:
    return op if len(op) <= most else op[: most - 1] + "…"


@picture(
    "Places compared: time per call",
    "One dot an op and mode, geometric mean over dtypes and sizes, in order; the thin line is the mean of "
    "the intervals. Right of 1× the op takes longer there than at the first place.",
    scope="all",
    section="machines",
)
def machine_comparison(hardware: pd.DataFrame) -> Figure | None:
    """A panel a place; the most extreme ops are named."""
    values = ["ratio", "ratio_low", "ratio_high"]
    numbers = hardware[values].astype("float64")
    good = hardware[((numbers > 0) & (numbers < np.inf)).all(axis=1)]
    if good.empty:
        return None
    per_op = geometric_by(good, ["base", "place", "op", "mode"], values)
    places = list(dict.fromkeys(per_op["place"]))[:6]
    figure = _figure(0.6 + 2.75 * len(places))
    grid = figure.subplots(len(places), 1, sharex=True, squeeze=False)
    low, high = float(per_op["ratio_low"].quantile(0.005)) / 1.2, float(per_op["ratio_high"].quantile(0.995)) * 1.2
    for axes, place in zip(grid.flat, places, strict=True):
        one = per_op[per_op["place"] == place].sort_values("ratio", ignore_index=True)
        for mode in in_order(one["mode"]):
            mine = one[one["mode"] == mode]
            axes.hlines(
                mine.index, mine["ratio_low"], mine["ratio_high"], color=mode_colour(mode), alpha=0.35, linewidth=0.9
            )
            axes.scatter(
                mine["ratio"], mine.index, s=11, color=mode_colour(mode), marker=mode_marker(mode), linewidth=0
            )
        mean = geometric(one["ratio"])
        axes.set_title(f"{place} over {one['base'].iloc[0]}: {formats.times(mean)} on average", fontsize=9)
        step = max(len(one) / 17, 1.0)
        for at, rows, side in ((0, one.head(3), 1), (len(one) - 1, one.tail(3).iloc[::-1], -1)):
            for n, row in enumerate(rows.itertuples()):
                axes.text(
                    0.98 if side > 0 else 0.02,
                    at + side * n * step,
                    f"{_short(str(row.op), 26)} {row.mode} {formats.times(float(str(row.ratio)))}",
                    transform=axes.get_yaxis_transform(),
                    fontsize=7,
                    color=MUTED,
                    va="center",
                    ha="right" if side > 0 else "left",
                    bbox=LABEL,
                )
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _factors(axes, "x", low, high, marks=7)
    grid.flat[-1].set_xlabel("time there over time at the first place")
    _legend(figure, in_order(per_op["mode"]), lines=False)
    return figure
