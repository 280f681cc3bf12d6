"""A verdict with its figures, and which of several judgements a row shows. Knows nothing of how one is reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfparity.suite.records.results import SEVERITY


@dataclass(frozen=True)
class Judgement:
    """A verdict on one draw or on several. `worst` is (draw, array, index) of the element that `detail` shows."""

    verdict: str
    kind: str = ""
    max_ulp: float = float("nan")
    scaled_error: float = float("nan")
    detail: str = ""
    worst: tuple[int, int, tuple[int, ...]] | None = None


IDENTICAL = Judgement("identical", max_ulp=0.0, scaled_error=0.0)


def worst(judgements: list[Judgement]) -> Judgement:
    """The judgement that a row shows: the most severe verdict, and of equal verdicts the one with the largest scaled
    error. Its figures are the largest of all judgements.

    `unsupported` is shown only where no draw agrees: a draw that was judged says more than one that was not.
    """
    if not judgements:
        return Judgement("unsupported", detail="nothing to judge")
    found = min(judgements, key=lambda j: (SEVERITY.index(j.verdict), -np.nan_to_num(j.scaled_error)))
    if found.verdict == "unsupported" and any(j.verdict in ("identical", "close") for j in judgements):
        found = min((j for j in judgements if j.verdict != "unsupported"), key=lambda j: SEVERITY.index(j.verdict))
    if found.verdict in ("error-differs", "accepted", "crash", "timeout"):
        return found  # an error is shown without the figures of another draw

    def largest(name: str) -> float:
        figures = [getattr(j, name) for j in judgements if not np.isnan(getattr(j, name))]
        return max(figures, default=float("nan"))

    return Judgement(found.verdict, found.kind, largest("max_ulp"), largest("scaled_error"), found.detail, found.worst)
