"""A mode's values against the case's NumPy reference."""

from __future__ import annotations

from tfparity.suite.checking.against import differing
from tfparity.suite.checking.planning import PlannedCheck
from tfparity.suite.checking.task import Task, reference_step
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging.judge import Judgement, agrees
from tfparity.suite.judging.outcome import Outcome


def judged(task: Task, sample: Sample, planned: PlannedCheck, got: list[Outcome]) -> Judgement:
    """Draws that the reference calls undefined are left out; how far it can be trusted is measured where it differs."""
    if lost := task.lost.get(reference_step(sample)):
        return Judgement(lost.verdict, detail=f"the reference: {lost.detail}")
    wants = task.reference(sample)
    with task.clock.phase("judge"):
        defined = [n for n, want in enumerate(wants) if want is not None]
        if not defined:
            return Judgement("ill-conditioned", detail="the reference calls every draw undefined")
        unequal = [n for n in defined if not agrees(got[n], wants[n])]  # type: ignore[arg-type]
    sure = task.reference(sample, differing.with_value(got, unequal))
    return differing.judged(task, got, {n: w for n in unequal if (w := sure[n]) is not None}, len(defined))
