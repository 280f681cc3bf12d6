"""A mode's outcomes against eager's, on the same device or, on another device, against the CPU's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tfparity.suite.checking.against import differing
from tfparity.suite.checking.planning import PlannedCheck
from tfparity.suite.checking.task import Task
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import reference, tolerance
from tfparity.suite.judging.judgement import Judgement
from tfparity.suite.judging.outcome import Outcome, Value, same_bits, uninitialised
from tfparity.suite.judging.verdicts import Expected
from tfparity.suite.language.dtypes import family, roundoff
from tfparity.suite.running.modes import EAGER, MODES


def judged(task: Task, sample: Sample, planned: PlannedCheck, got: list[Outcome]) -> Judgement:
    """Errors are compared as well as values."""
    device = "CPU:0" if planned.against == "cpu" else planned.device
    aspect = planned.executed
    base = task.outcome(sample, EAGER, device, aspect)
    with task.clock.phase("judge"):
        comparable = list(range(len(got))) if MODES[planned.mode].compiles else _written(got, base)
        if not comparable:
            return Judgement("unsupported", detail="nothing to compare with: eager gives uninitialised memory")
        unequal = [n for n in comparable if not same_bits(got[n], base[n])]
    factor = tolerance.factor(
        task.case.exact,
        task.case.error_factor,
        against=planned.against,
        aspect=planned.aspect,
        dtype=task.dtype,
        device=planned.device,
    )
    wants = {n: Expected(base[n]) for n in unequal}
    if values := differing.with_value(got, unequal):
        wants |= _trusted(task, sample, base, aspect, values)
    return differing.judged(task, got, {n: replace(e, factor=factor) for n, e in wants.items()}, len(comparable))


def _written(got: list[Outcome], base: list[Outcome]) -> list[int]:
    """The draws of a graph that can be compared with eager's: not a value that holds uninitialised memory, which has
    one pattern mostly and, once in a whole run, what was there before."""
    return [
        n
        for n, (g, b) in enumerate(zip(got, base, strict=True))
        if not (isinstance(g, Value) and isinstance(b, Value) and uninitialised(b))
    ]


def _trusted(task: Task, sample: Sample, base: list[Outcome], aspect: str, numbers: list[int]) -> dict[int, Expected]:
    """Eager's own outcomes of some draws as what another mode should give, with how far they may move: the reference's
    sensitivity where there is one of the same form, else that of eager on moved inputs."""
    known: dict[int, Expected] = {}
    if task.case.reference and aspect == "value":
        wants = task.reference(sample, numbers)
        for n in numbers:
            w, b = wants[n], base[n]
            if w is None or not isinstance(w.outcome, Value) or not isinstance(b, Value):
                continue
            if [a.shape for a in w.outcome.arrays] == [a.shape for a in b.arrays]:
                known[n] = Expected(b, w.spread, w.flushed, kept=w.outcome.arrays)
        if len(known) == len(numbers):
            return known
    if task.case.exact or not any(
        isinstance(o, Value) and any(family(a.dtype) in ("float", "complex") for a in o.arrays) for o in base
    ):
        return {n: known.get(n) or Expected(base[n]) for n in numbers}
    other = task.on_moved_inputs(sample, aspect)
    floor = _typical if aspect == "gradient" else lambda spread, outcome: spread
    return {n: known.get(n) or Expected(base[n], floor(_distance(base[n], other[n]), base[n])) for n in numbers}


def _typical(spread: tuple[np.ndarray | None, ...], outcome: Outcome) -> tuple[np.ndarray | None, ...]:
    """At least one roundoff of a typical element: the gradient of a linear op sums weights and does not move with the
    inputs, so its cancellations show in no distance."""
    if not isinstance(outcome, Value) or len(spread) != len(outcome.arrays):
        return spread
    found = []
    for s, a in zip(spread, outcome.arrays, strict=True):
        wide = {"float": np.float64, "complex": np.complex128}.get(family(a.dtype))
        size = np.abs(a.astype(wide)) if wide else np.zeros(0)
        size = size[np.isfinite(size) & (size > 0)]
        found.append(s if s is None or not size.size else np.maximum(s, roundoff(a.dtype) * float(np.median(size))))
    return tuple(found)


def _distance(a: Outcome, b: Outcome) -> tuple[np.ndarray | None, ...]:
    """Per array, how far two values of one form are apart; None of what has no distance."""
    if not (isinstance(a, Value) and isinstance(b, Value)) or len(a.arrays) != len(b.arrays):
        return ()
    found: list[np.ndarray | None] = []
    for x, y in zip(a.arrays, b.arrays, strict=True):
        if family(x.dtype) not in ("float", "complex") or x.shape != y.shape:
            found.append(np.zeros(x.shape) if family(x.dtype) in ("float", "complex") else None)
            continue
        wide = np.complex128 if family(x.dtype) == "complex" else np.float64
        found.append(reference.gap(x.astype(wide), y.astype(wide)))
    return tuple(found)
