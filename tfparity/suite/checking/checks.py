"""The checks of one task: all samples in every mode on every device, judged into rows.

The walk is case -> samples -> modes -> outcomes -> judgements -> rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tfparity.suite.checking.against import docs, eager, lanes, numpy, theory
from tfparity.suite.checking.planning import PlannedCheck, Wanted, plan
from tfparity.suite.checking.task import Step, Task
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.inputs.samples import expand
from tfparity.suite.judging.judgement import Judgement
from tfparity.suite.judging.outcome import Lost, Outcome
from tfparity.suite.judging.shown import bits, short
from tfparity.suite.language.case import Case
from tfparity.suite.records.identity import Identity
from tfparity.suite.records.results import Check
from tfparity.suite.running.modes import Clock

AGAINST: dict[str, Callable[[Task, Sample, PlannedCheck, list[Outcome]], Judgement]] = {
    "numpy": numpy.judged,
    "eager": eager.judged,
    "cpu": eager.judged,
    "docs": docs.judged,
    "lanes": lanes.judged,
    "theory": theory.judged,
}
"""What an outcome may be judged against, as the last part of an identity names it."""

SHOWN_TENSORS, SHOWN_VALUES = 6, 12
"""How much of a draw a row shows: tensors, and values of each."""


def run(
    case: Case,
    dtype: str,
    want: Wanted,
    lost: Mapping[Step, Lost],
    clock: Clock,
    step: Callable[[Step, int], None],
    kept: Collection[str] = (),
) -> Iterator[Check]:
    """The rows of one task, as they are judged, without those of the identities `kept`."""
    samples = expand(case, dtype)
    task = Task(case, dtype, {s.name: s for s in samples}, lost, clock, step, want.main)
    for planned in plan(case, samples, want):
        identity = Identity(case.name, dtype, **vars(planned))
        if not want.row(identity) or str(identity) in kept:
            continue
        sample = task.samples[planned.sample]
        judged = judgement(task, sample, planned)
        at = (planned.sample, planned.mode, planned.device, planned.executed)
        yield row(identity, replace(judged, detail=explained(task, sample, judged)), task.seconds.get(at, 0.0))


def row(at: Identity, judged: Judgement, seconds: float) -> Check:
    """A judgement as a row of `checks.parquet`."""
    return Check(
        str(at),
        **vars(at),
        verdict=judged.verdict,
        kind=judged.kind,
        max_ulp=judged.max_ulp,
        scaled_error=judged.scaled_error,
        detail=judged.detail,
        seconds=seconds,
    )


def judgement(task: Task, sample: Sample, planned: PlannedCheck) -> Judgement:
    """The judgement; what the case itself raises, in its invariant or canonical form, costs this row alone."""
    try:
        got = task.outcome(sample, planned.mode, planned.device, planned.executed)
        return AGAINST[planned.against](task, sample, planned, got)
    except Exception as error:
        return Judgement("crash", detail=f"the case itself raises {type(error).__name__}: {error}")


def explained(task: Task, sample: Sample, j: Judgement) -> str:
    """What a reader needs: the difference, then the input that showed it."""
    if not j.detail or j.worst is None:
        return j.detail
    draw, result, index = j.worst
    shown = [_shown(leaf, index, sample) for leaf in sample.tensors[draw][:SHOWN_TENSORS]]
    where = f"draw {draw} of {len(sample.draws)}" + (f", element {list(index)}" if index else "")
    constants = (
        f"\nconstants {[np.asarray(c).item() for c in sample.constants]}, result {result}" if sample.constants else ""
    )
    return f"{j.detail}\n{where}; input {'  ,  '.join(shown)}{constants}"


def _shown(leaf: Any, index: tuple[int, ...], sample: Sample) -> str:
    """A tensor of a draw in a few words: of an elementwise sample the element at `index` alone."""
    array = np.asarray(getattr(leaf, "values", leaf))
    inside = len(index) == array.ndim and all(i < n for i, n in zip(index, array.shape, strict=True))
    if index and sample.one_tensor and inside:
        return bits(array[index])
    return short(array, SHOWN_VALUES)
