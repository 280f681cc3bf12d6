"""Numbers and foreign text as a reader should see them: as many digits as the precision supports, units, escapes.

Pure functions of plain values; knows no table and no page.
"""

from __future__ import annotations

import math
import unicodedata
from datetime import datetime
from typing import Any

NONE = "–"
SPACE = "\u00a0"  # keeps a number and its unit on one line


def significant(value: float, digits: int) -> str:
    """`value` to so many significant digits, never in exponent notation below a million million."""
    if not math.isfinite(value):
        return NONE if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    if abs(value) >= 1e12 or abs(value) < 1e-9:
        return f"{value:.{max(digits - 1, 0)}e}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    places = digits - 1 - math.floor(math.log10(abs(rounded))) if rounded else places
    return f"{rounded:,.{max(places, 0)}f}"


def trimmed(value: float, low: float = math.nan, high: float = math.nan, most: int = 3) -> str:
    """`value` with the digits that its interval supports: the last one shown is of the order of the half-width.

    A value without an interval gets two digits.
    """
    half = abs(high - low) / 2
    if not math.isfinite(value) or value == 0 or not math.isfinite(half):
        return significant(value, 2)
    if half == 0:
        return significant(value, most)
    earned = math.floor(math.log10(abs(value))) - math.floor(math.log10(half)) + 1
    return significant(value, min(max(earned, 1), most))


def seconds(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """A duration with its unit: `12.3 µs`."""
    if not math.isfinite(value):
        return NONE
    if value >= 120:
        return f"{significant(value / 60, 2 if value < 6000 else 3)}{SPACE}min"
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1:
            return f"{trimmed(value * scale, low * scale, high * scale)}{SPACE}{unit}"
    return f"{trimmed(value * 1e9, low * 1e9, high * 1e9)}{SPACE}ns" if value > 0 else f"0{SPACE}s"


def times(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """A factor: `2.1×`."""
    return f"{trimmed(value, low, high)}×" if math.isfinite(value) else NONE


def interval(low: float, high: float, unit: str = "×") -> str:
    """An interval, with as many digits as distinguish its ends: `1.93–2.28×`, `0.9–11×`."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NONE
    gap = abs(high - low) or abs(high) or 1.0
    places = min(max(-math.floor(math.log10(gap / 2.5)), 0), 6)
    return f"{low:,.{places}f}–{high:,.{places}f}{unit}"


def count(value: Any) -> str:
    return f"{int(value):,}"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(value: float) -> str:
    """A number of elements, short: `64`, `4,096`, `262 k`, `1.05 M`."""
    if value < 10_000:
        return f"{int(value):,}"
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g}{SPACE}{unit}"
    return NONE


def memory(value: Any) -> str:
    try:
        return f"{float(value) / 2**30:.3g}{SPACE}GiB"
    except (TypeError, ValueError):
        return NONE


def calls(value: float) -> str:
    """A number of calls, to the two digits that matter; ∞ is `never`."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "never"
    return str(max(math.ceil(value), 1)) if value < 100 else significant(value, 2)


def share(part: float, whole: float) -> str:
    """A share in per cent; what is above 0 is never shown as 0 %, what is below 100 never as 100 %."""
    if not whole:
        return NONE
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return f"<0.1{SPACE}%"
    if 99.9 < percent < 100:
        return f">99.9{SPACE}%"
    return f"{percent:.{0 if percent in (0, 100) or percent >= 10 else 1}f}{SPACE}%"


def when(text: Any) -> str:
    """An ISO time in readable form, or the text itself where it is no ISO time."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return plain(text)
    return f"{moment:%Y-%m-%d %H:%M}" + (f" {moment.tzname()}" if moment.tzinfo else "")


def plain(text: Any) -> str:
    """Foreign text made safe to show: control, format and surrogate characters are spelled out as escapes."""
    return "".join(
        c
        if c in "\n\t" or c.isprintable() or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
        else c.encode("unicode_escape", "backslashreplace").decode("ascii")
        for c in ("" if text is None else str(text)).replace("\r\n", "\n")
    )


def cut(text: str, most: int) -> tuple[str, int]:
    """The first `most` characters, and how many were left out."""
    return (text, 0) if len(text) <= most else (text[:most], len(text) - most)
