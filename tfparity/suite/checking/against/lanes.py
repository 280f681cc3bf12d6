"""An elementwise result in a longer tensor against the same element alone: vector lanes and their remainder agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tfparity.suite.checking.planning import PlannedCheck
from tfparity.suite.checking.task import Task
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import tolerance
from tfparity.suite.judging.arrays import agree, arrays
from tfparity.suite.judging.judgement import IDENTICAL, Judgement, worst
from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value
from tfparity.suite.judging.verdicts import Expected, judge
from tfparity.suite.language.dtypes import name_of


@dataclass(frozen=True)
class Differing:
    """One result of one draw that is not, to the bit, what its elements give alone: `index` are the elements of the
    draw that ran alone, `inside` and `alone` the result's values for them, (elements,)."""

    draw: int
    result: int
    index: np.ndarray
    inside: np.ndarray
    alone: np.ndarray


def judged(task: Task, sample: Sample, planned: PlannedCheck, got: list[Outcome]) -> Judgement:
    single = task.neighbour(sample, "alone")
    assert single is not None and sample.positions is not None and single.positions is not None
    alone = task.outcome(single, planned.mode, planned.device)
    where = {int(p): n for n, (p,) in enumerate(single.positions)}
    found: list[Judgement] = []
    unequal: list[Differing] = []
    with task.clock.phase("judge"):
        for number, (outcome, row) in enumerate(zip(got, sample.positions, strict=True)):
            known = [(k, where[int(p)]) for k, p in enumerate(row) if int(p) in where]
            if isinstance(outcome, Lost | Failure):
                return _refused(outcome, alone, [n for _, n in known])
            same, different = _compared(number, outcome, alone, known, len(row))
            found += [IDENTICAL] * same
            unequal += different
    wants = task.reference(sample, [d.draw for d in unequal]) if unequal and task.case.reference else None
    with task.clock.phase("judge"):
        found += [_judged(task, sample, planned.device, d, wants[d.draw] if wants else None) for d in unequal]
    return worst(found) if found else Judgement("ill-conditioned", detail="results do not align with the elements")


def _refused(outcome: Lost | Failure, alone: list[Outcome], numbers: list[int]) -> Judgement:
    """The judgement of a long tensor that gives no value."""
    if isinstance(outcome, Lost) or outcome.unsupported:
        return judge([outcome], [Expected(alone[0])])
    verdict = "identical" if any(isinstance(alone[n], Failure) for n in numbers) else "ill-conditioned"
    return Judgement(verdict, detail="the long tensor is refused as a whole")


def _compared(
    draw: int, outcome: Value, alone: list[Outcome], known: list[tuple[int, int]], length: int
) -> tuple[int, list[Differing]]:
    """How many results of a draw are what their elements give alone, and those that are not."""
    pairs = [
        (k, o)
        for k, n in known
        if isinstance(o := alone[n], Value)
        and len(o.arrays) == len(outcome.arrays)
        and all(a.shape == (1,) for a in o.arrays)
    ]
    if not pairs or any(a.shape != (length,) for a in outcome.arrays):
        return 0, []
    index = np.array([k for k, _ in pairs])
    same, different = 0, []
    for result, whole in enumerate(outcome.arrays):
        singles = np.concatenate([o.arrays[result] for _, o in pairs])
        if agree(whole[index], singles):
            same += 1
        else:
            different.append(Differing(draw, result, index, whole[index], singles))
    return same, different


def _judged(task: Task, sample: Sample, device: str, d: Differing, sure: Expected | None) -> Judgement:
    """The judgement of one differing result; `sure` is what the reference gives, None where it gives nothing."""
    assert sample.positions is not None
    spread = kept = flush = None
    if sure and sure.spread and isinstance(sure.outcome, Value):
        model, flushes = sure.outcome.arrays[d.result], sure.flushed[d.result] if sure.flushed else None
        if model.shape == sample.positions[d.draw].shape:
            kept, s = model[d.index], sure.spread[d.result]
            spread = None if s is None else s[d.index]
            flush = flushes[d.index] if flushes is not None and flushes.shape == model.shape else None
    factor = tolerance.factor(
        task.case.exact, task.case.error_factor, against="lanes", dtype=name_of(d.inside.dtype), device=device
    )
    j, at = arrays(d.inside, d.alone, spread, factor=factor, kept=kept, flushed=flush)
    return replace(j, worst=(d.draw, d.result, (int(d.index[at[0]]),)) if at else None)
