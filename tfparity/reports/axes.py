"""The axes, legends and repeated forms that the pictures share: a logarithmic axis of factors, sizes or seconds.

Knows colours and number formats, and no table.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from tfparity.reports import formats
from tfparity.reports.looks import INK, MUTED, PAPER, RULE, in_order, mode_colour, mode_marker

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
LABEL = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}  # keeps text readable over lines


def figure_of(height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout="constrained")


def factor_axis(axes: Axes, which: str, low: float, high: float, marks: int = 6) -> None:
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


def size_axis(axes: Axes, sizes: pd.Series) -> None:
    """A logarithmic axis of sizes, ticks at sizes that were measured, as many as fit."""
    axes.set_xscale("log")
    marks = sorted(set(sizes))
    while len(marks) > 6:
        marks = marks[::2]
    axes.xaxis.set_major_locator(FixedLocator(marks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formats.size(value)))


def seconds_axis(axes: Axes, low: float, high: float) -> None:
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
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: round_seconds(value)))
    axes.grid(True, axis="x", color=RULE, linewidth=0.6)


def round_seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
        if value * scale >= 0.999:
            return f"{value * scale:g} {unit}"
    return f"{value:g} s"


def mode_legend(figure: Figure, modes: list[str], *, lines: bool = True) -> None:
    handles = [
        mpl.lines.Line2D(
            [], [], color=mode_colour(m), marker=mode_marker(m), markersize=4.5, linewidth=1.8 if lines else 0
        )
        for m in modes
    ]
    figure.legend(
        handles, modes, loc="outside upper left", ncols=min(4, len(modes)), handlelength=1.6, columnspacing=1.3
    )


def row_names(axes: Axes, names: list[str]) -> None:
    """Names above their rows: long names of ops need the whole width."""
    for row, name in enumerate(names):
        axes.text(0, row - 0.24, name, transform=axes.get_yaxis_transform(), fontsize=7.8, va="bottom", bbox=LABEL)
    axes.set_yticks([])
    axes.set_ylim(len(names) - 0.4, -0.95)
    axes.spines["left"].set_visible(False)


def draw_curve(axes: Axes, one: pd.DataFrame, mode: str) -> None:
    one = one.sort_values("size")
    axes.fill_between(
        one["size"], one["speedup_low"], one["speedup_high"], color=mode_colour(mode), alpha=0.18, linewidth=0
    )
    axes.plot(
        one["size"], one["speedup"], color=mode_colour(mode), marker=mode_marker(mode), markersize=4.5, linewidth=1.8
    )


def strip(values: pd.DataFrame, column: str) -> Figure | None:
    """A row of dots per mode on an axis of time, with the median as text."""
    values = values[values[column] > 0]
    if values.empty:
        return None
    modes = in_order(values["mode"])
    figure = figure_of(0.6 + 0.62 * len(modes))
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
    seconds_axis(axes, float(values[column].min()), float(values[column].max()))
    axes.set_yticks([])
    axes.set_ylim(len(modes) - 0.5, -0.6)
    axes.spines["left"].set_visible(False)
    return figure


def shortened(op: str, most: int = 34) -> str:
    return op if len(op) <= most else op[: most - 1] + "…"
