"""Colours and markers of modes and verdicts, shared by the pictures and the pages so that both say the same.

The palette is Okabe and Ito's, whose colours differ under every common colour blindness. Knows no data.
"""

from __future__ import annotations

INK, MUTED, RULE, PAPER = "#1f2328", "#66707a", "#d9dde1", "#ffffff"

MODES: dict[str, tuple[str, str]] = {  # mode -> colour, marker: two modes never differ in colour alone
    "eager": ("#4d4d4d", "o"),
    "graph": ("#0072b2", "s"),
    "graph-dynamic": ("#56b4e9", "D"),
    "xla": ("#d55e00", "^"),
    "xla-dynamic": ("#e69f00", "v"),
    "savedmodel": ("#009e73", "P"),
    "numpy": ("#b0578d", "X"),
}

VERDICTS: dict[str, str] = {
    "identical": "#2f5d8a",
    "close": "#8fb3d4",
    "ill-conditioned": "#b5a6cc",
    "unsupported": "#c8cacc",
    "differs": "#c4420c",
    "error-differs": "#e5813f",
    "accepted": "#a3326c",
    "crash": "#6b0f1a",
    "timeout": "#7d5a00",
}
FAILING, KNOWN = "#c4420c", "#d9a514"  # a failing check, and one that a waiver covers

TIMING_VERDICTS: dict[str, str] = {
    "faster": "#00619a",
    "slower": "#b83b06",
    "equivalent": "#4a545e",
    "unresolved": "#7a848d",
}


def mode_colour(mode: str) -> str:
    return MODES.get(mode, ("#8c6d46", "*"))[0]


def mode_marker(mode: str) -> str:
    return MODES.get(mode, ("#8c6d46", "*"))[1]


def verdict_colour(verdict: str) -> str:
    return VERDICTS.get(verdict, "#000000")


def in_order(modes: object) -> list[str]:
    """Modes in the order every table and picture shows them; modes not known here come last."""
    known = list(MODES)
    return sorted({str(m) for m in modes}, key=lambda m: (known.index(m) if m in known else len(known), m))  # type: ignore[attr-defined]
