"""DataFrames become pictures, one function each; a picture with nothing to show is skipped.

Adding a picture is adding one function under `@picture`: its parameters name the DataFrames it takes (fields of
`Tables`), and `scope` says whether it is drawn once, once per run, or once per place (a device of a run). Every picture
is 4.6 inches wide, so that its text stays legible on a phone. Knows no page, no run and no pyplot state.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from tfparity.reports import formats
from tfparity.reports.axes import (
    LABEL,
    STYLE,
    draw_curve,
    factor_axis,
    figure_of,
    mode_legend,
    row_names,
    shortened,
    size_axis,
    strip,
)
from tfparity.reports.looks import FAILING, INK, MUTED, PAPER, RULE, in_order, mode_colour, mode_marker
from tfparity.reports.rows import PLACE
from tfparity.reports.tables import Tables
from tfparity.reports.times import geometric, geometric_by, relative


@dataclass(frozen=True)
class Picture:
    """How a picture is made: its title and caption, the DataFrames it takes, and how often it is drawn."""

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
    """The run where there are several, and the device where there are several: what distinguishes the place."""
    return " ".join(value for key, value in zip(keys, place, strict=True) if first[key].nunique() > 1)


@picture(
    "Share of checks that fail",
    "Failing checks in per cent of the checks made, waived ones not counted; a number in brackets counts the waived. "
    "Nothing was checked where the picture is hatched.",
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
    figure = figure_of(1.1 + 0.27 * len(rows))
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
    """One line per mode over faint lines of single ops, in one panel so that the modes can be compared."""
    means = curves[curves["family"] == ""]
    if means.empty:
        return None
    figure = figure_of(3.4)
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
        draw_curve(axes, means[means["mode"] == mode], mode)
    size_axis(axes, means["size"])
    low = min(float(lines["speedup"].quantile(0.01)), float(means["speedup_low"].fillna(means["speedup"]).min()))
    high = max(float(lines["speedup"].quantile(0.99)), float(means["speedup_high"].fillna(means["speedup"]).max()))
    factor_axis(axes, "y", low / 1.15, high * 1.15)
    axes.set_xlabel("elements in the largest input")
    mode_legend(figure, modes)
    return figure


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
    figure = figure_of(0.7 + 1.35 * rows)
    grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    modes = in_order(means["mode"])
    for axes, name in zip(grid.flat, chosen, strict=False):
        one = means[means["family"] == name]
        for mode in modes:
            draw_curve(axes, one[one["mode"] == mode], mode)
        axes.set_title(f"{name} ({int(one['ops'].max())})", fontsize=8.5)
        size_axis(axes, means["size"].drop_duplicates().sort_values().iloc[::2])
        factor_axis(axes, "y", float(means["speedup"].min()) / 1.15, float(means["speedup"].max()) * 1.15, marks=4)
    for axes in grid.flat[len(chosen) :]:
        axes.set_visible(False)
        grid[rows - 2, 1].tick_params(labelbottom=True)
    figure.supxlabel("elements in the largest input", fontsize=8.5, color=MUTED)
    mode_legend(figure, modes)
    return figure


@picture(
    "Dispatch: time per call at the smallest size",
    "One dot per op, at its smallest size (1,024 elements or fewer): what a call costs before it computes anything. "
    "The bar is the median.",
)
def dispatch(speed: pd.DataFrame) -> Figure | None:
    small = speed[speed["size"] <= 1024]
    small = small[small["size"] == small.groupby("op")["size"].transform("min")]
    return strip(geometric_by(small, ["mode", "op"], ["seconds"]), "seconds")


@picture(
    "Cold cost: trace, compile and first call",
    "One dot per op (geometric mean of its dtypes and sizes); the bar is the median.",
    section="cold",
)
def cold_cost(cold: pd.DataFrame) -> Figure | None:
    return strip(geometric_by(cold, ["mode", "op"], ["cold"]), "cold")


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
    figure = figure_of(2.9)
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
    mode_legend(figure, modes)
    return figure


@picture(
    "The largest speed-ups and slow-downs",
    "The largest resolved speed-ups and slow-downs of compiled modes, one row per op and mode at the size where it is "
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
    figure = figure_of(0.75 + 0.31 * len(both))
    axes = figure.add_subplot()
    names = []
    for row, (_, one) in enumerate(both.iterrows()):
        colour = mode_colour(one["mode"])
        axes.plot([1, one["speedup"]], [row, row], color=colour, linewidth=4, alpha=0.3, solid_capstyle="butt")
        axes.plot([one["speedup_low"], one["speedup_high"]], [row, row], color=colour, linewidth=1.6)
        axes.plot(one["speedup"], row, color=colour, marker=mode_marker(one["mode"]), markersize=5)
        names.append(f"{shortened(one['op'])}  {one['mode']}, {one['dtype']}, {formats.size(one['size'])}: "
                     f"{formats.times(one['speedup'], one['speedup_low'], one['speedup_high'])}")  # fmt: skip
    row_names(axes, names)
    if len(fast) and len(slow):
        axes.axhline(len(fast) - 0.75, color=RULE, linewidth=0.8)
    factor_axis(axes, "x", float(both["speedup_low"].min()) / 1.1, float(both["speedup_high"].max()) * 1.1, marks=7)
    axes.set_xlabel("speed-up over eager")
    mode_legend(figure, in_order(both["mode"]), lines=False)
    return figure


@picture(
    "Places compared: time per call",
    "One dot per op and mode, geometric mean over dtypes and sizes, in order; the thin line is the mean of "
    "the intervals. Right of 1× the op takes longer there than at the first place.",
    scope="all",
    section="machines",
)
def machine_comparison(hardware: pd.DataFrame) -> Figure | None:
    """One panel per place; the most extreme ops are named."""
    values = ["ratio", "ratio_low", "ratio_high"]
    numbers = hardware[values].astype("float64")
    good = hardware[((numbers > 0) & (numbers < np.inf)).all(axis=1)]
    if good.empty:
        return None
    per_op = geometric_by(good, ["base", "place", "op", "mode"], values)
    places = list(dict.fromkeys(per_op["place"]))[:6]
    figure = figure_of(0.6 + 2.75 * len(places))
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
                    f"{shortened(str(row.op), 26)} {row.mode} {formats.times(float(str(row.ratio)))}",
                    transform=axes.get_yaxis_transform(),
                    fontsize=7,
                    color=MUTED,
                    va="center",
                    ha="right" if side > 0 else "left",
                    bbox=LABEL,
                )
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        factor_axis(axes, "x", low, high, marks=7)
    grid.flat[-1].set_xlabel("time there over time at the first place")
    mode_legend(figure, in_order(per_op["mode"]), lines=False)
    return figure
