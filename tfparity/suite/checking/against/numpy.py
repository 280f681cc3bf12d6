"""A mode's values against the case's NumPy reference."""

from __future__ import annotations

from dataclasses import replace

from tfparity.suite.checking.against import differing
from tfparity.suite.checking.planning import PlannedCheck
from tfparity.suite.checking.task import Task, reference_step
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import tolerance
from tfparity.suite.judging.judgement import Judgement
from tfparity.suite.judging.outcome import Outcome
from tfparity.suite.judging.verdicts import agrees


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
    factor = tolerance.factor(
        task.case.exact, task.case.error_factor, against="numpy", dtype=task.dtype, device=planned.device
    )
    wanted = {n: replace(w, factor=factor) for n in unequal if (w := sure[n]) is not None}
    return differing.judged(task, got, wanted, len(defined))
