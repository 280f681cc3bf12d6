"""Outcomes against what the documentation promises of any op: invalid input is refused, valid input gives a value, a
value is wholly written, and what has a value has a gradient, or TensorFlow says that it has none."""

from __future__ import annotations

from tfparity.suite.checking.planning import PlannedCheck
from tfparity.suite.checking.task import Task
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging.judgement import Judgement
from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value, uninitialised
from tfparity.suite.judging.shown import bits, short

PLAINLY_VALID = ("ordinary", "scalar")
"""Families whose input no page could refuse, beside the longest of `lanes`."""


def judged(task: Task, sample: Sample, planned: PlannedCheck, got: list[Outcome]) -> Judgement:
    if planned.aspect == "gradient":  # of what has a value
        values = task.outcome(sample, planned.mode, planned.device)
        got = [
            g
            for g, v in zip(got, values, strict=True)
            if isinstance(v, Value) or (isinstance(v, Failure) and v.unsupported)
        ]
    return next((j for n, outcome in enumerate(got) if (j := _broken(outcome, sample, n))), Judgement("identical"))


def _broken(outcome: Outcome, sample: Sample, draw: int) -> Judgement | None:
    """Which promise one outcome breaks; None if none. What is unsupported is told too."""
    whole = (draw, -1, ())
    if isinstance(outcome, Lost):
        return Judgement(outcome.verdict, detail=outcome.detail, worst=whole)
    if isinstance(outcome, Failure) and not sample.invalid:
        if outcome.unsupported:
            return Judgement("unsupported", detail=outcome.words)
        if sample.family in PLAINLY_VALID or (sample.family == "lanes" and sample.length == 17):
            detail = f"valid input is refused: {outcome.words}"
            return Judgement("error-differs", "error-class", detail=detail, worst=whole)
    if isinstance(outcome, Value) and sample.must_fail:
        first = "; ".join(short(a) for a in outcome.arrays[:3])
        return Judgement("accepted", detail=f"invalid input is accepted and gives {first}", worst=whole)
    if isinstance(outcome, Value) and (place := uninitialised(outcome)):
        k, at = place
        detail = f"result {k} is uninitialised memory: {bits(outcome.arrays[k][at])}"
        return Judgement("differs", "value", detail=detail, worst=(draw, k, at))
    return None
