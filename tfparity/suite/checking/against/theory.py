"""A result against the case's invariant: what holds of it by definition, whatever the draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfparity.suite.checking.planning import PlannedCheck
from tfparity.suite.checking.task import Task, plain
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import tolerance
from tfparity.suite.judging.arrays import arrays
from tfparity.suite.judging.judgement import Judgement, worst
from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value
from tfparity.suite.judging.shown import short
from tfparity.suite.judging.verdicts import Expected
from tfparity.suite.language.dtypes import family, roundoff

Pair = tuple[np.ndarray, np.ndarray]


def judged(task: Task, sample: Sample, planned: PlannedCheck, got: list[Outcome]) -> Judgement:
    """The invariant is asked of each draw that gave a value; a refusal counts unless the reference refuses too."""
    found: list[Judgement] = []
    for number, (outcome, draw) in enumerate(zip(got, sample.draws, strict=True)):
        if isinstance(outcome, Lost):
            return Judgement(outcome.verdict, detail=outcome.detail)
        if isinstance(outcome, Value):
            found += _held(task, planned, outcome, draw, number)
        elif not (task.case.reference and _open(task.reference(sample)[number])):
            found.append(_refused(outcome, number))
    return worst(found) if found else Judgement("identical", detail="every draw is refused, as it must or may be")


def _open(expected: Expected | None) -> bool:
    """Whether the reference refuses a draw too, or calls it undefined: then no invariant speaks of it."""
    return expected is None or isinstance(expected.outcome, Failure)


def _refused(outcome: Failure, draw: int) -> Judgement:
    if outcome.unsupported:
        return Judgement("unsupported", detail=outcome.words, worst=(draw, -1, ()))
    return Judgement("error-differs", "error-class", detail=outcome.words, worst=(draw, -1, ()))


def _held(task: Task, planned: PlannedCheck, outcome: Value, draw: Any, number: int) -> Iterator[Judgement]:
    """A judgement for each thing that the invariant says of one draw."""
    args, kwargs = draw
    assert task.case.invariant
    with np.errstate(all="ignore"):
        held = task.case.invariant(plain(outcome), *args, **kwargs)
    if isinstance(held, bool | np.bool_):
        values = "; ".join(short(a) for a in outcome.arrays[:4])
        yield (
            Judgement("identical")
            if held
            else Judgement(
                "differs", "value", detail=f"the invariant does not hold for {values}", worst=(number, -1, ())
            )
        )
        return
    unit = max((roundoff(a.dtype) for a in outcome.arrays if family(a.dtype) in ("float", "complex")), default=0.0)
    factor = tolerance.factor(
        task.case.exact, task.case.error_factor, against=planned.against, dtype=task.dtype, device=planned.device
    )
    for pair in held if isinstance(held, list) else [held]:
        yield _equal(pair, unit, factor, number)


def _equal(pair: Pair, unit: float, factor: float, draw: int) -> Judgement:
    """Whether the two sides of an invariant agree within what roundoff of their largest element allows."""
    left, right = (np.where(a == 0, np.zeros_like(a), a) for a in map(np.asarray, pair))  # no zero signs
    if left.shape != right.shape:
        return Judgement("differs", "shape", detail=f"the invariant compares shape {left.shape} with {right.shape}")
    scale = None
    if family(left.dtype) in ("float", "complex"):
        largest = float(np.max(np.abs(right.astype(np.complex128)), initial=0.0))
        scale = np.full(left.shape, unit * largest * max(1.0, left.size**0.5))
    j, at = arrays(left, right.astype(left.dtype), scale, factor=factor)
    return Judgement(
        j.verdict, j.kind, j.max_ulp, j.scaled_error, j.detail, worst=(draw, -1, tuple(at)) if at else None
    )
