"""The parts of the page, in order: a name that tables and pictures refer to, a heading, and the sentence below it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    name: str
    title: str
    note: str = ""


SECTIONS = (
    Section("verdicts", "Verdicts"),
    Section(
        "divergences",
        "Divergences",
        "A divergence is one op that fails in one mode, on one device, in one aspect, with one verdict and one kind. "
        "The worst stand first. A click on a row shows the input, both values with their bits, and the command that "
        "reproduces the failure. The error is the largest |got − expected| divided by what is allowed. “12 of 24” "
        "means: 12 of the 24 checks made of this op, mode and aspect fail.",
    ),
    Section(
        "speed",
        "Speed",
        "The speed-up is eager’s time divided by the mode’s time: 2× is twice as fast as eager, 0.5× half as fast. "
        "In a geometric mean every op counts once.",
    ),
    Section(
        "cold",
        "Cold cost and break-even",
        "A mode pays once for its trace and its compilation. The break-even is the number of calls after the first at "
        "which this cost is won back: the cold time divided by what each warm call saves against eager. It is “never” "
        "where the mode is slower than eager or equivalent.",
    ),
    Section("machines", "Machine"),
    Section("noise", "Noise and costs"),
)
