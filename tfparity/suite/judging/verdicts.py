"""Outcomes become a verdict. Pure NumPy; knows neither ops nor modes.

First the forms are compared: value or error, structure, shapes, dtypes. Then arrays are compared element by element
(`arrays`): what is not equal to the bit is `close` when it lies within the tolerance (`tolerance`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfparity.suite.judging.arrays import agree, arrays
from tfparity.suite.judging.judgement import Judgement, worst
from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value
from tfparity.suite.judging.shown import describe
from tfparity.suite.language.dtypes import family, name_of


@dataclass(frozen=True)
class Expected:
    """What one draw should give: a Value whose arrays may be of higher precision than the outcome's, or a Failure.

    spread  per array, how far it moves with its inputs (S of the tolerance); None where it does not
    flushed per array, the reference on inputs whose subnormals are flushed to zero: as right as `outcome`
    exact   whether dtypes must match too: `outcome` is another result of TensorFlow, not a reference
    factor  multiplies the allowed error; 0 allows none
    kept    per array, the reference on the inputs as they are, where `outcome` is another result of TensorFlow: with
            `flushed` it shows which differences come from flushing alone (kind `subnormal`)
    measure returns this with `spread` and `flushed`; None where they are here. They take some six evaluations of the
            reference, and of 51,124 samples 43,581 agree in every mode without them
    """

    outcome: Outcome
    spread: tuple[np.ndarray | None, ...] = ()
    flushed: tuple[np.ndarray, ...] | None = None
    exact: bool = True
    factor: float = 1.0
    kept: tuple[np.ndarray, ...] | None = None
    measure: Callable[[], Expected] | None = None

    def measured(self) -> Expected:
        return self.measure() if self.measure else self

    def of_form(self, got: Outcome) -> Expected:
        """This, or what it should be on flushed inputs where only that has the shapes of `got`."""
        if not (isinstance(got, Value) and isinstance(self.outcome, Value) and self.flushed) or self.kept:
            return self
        shapes = [a.shape for a in got.arrays]
        if shapes == [a.shape for a in self.outcome.arrays]:
            return self if [a.shape for a in self.flushed] == shapes else replace(self, flushed=None)
        if shapes == [a.shape for a in self.flushed]:
            flushed = replace(self.outcome, arrays=self.flushed)
            return replace(self, outcome=flushed, spread=(None,) * len(shapes), flushed=None)
        return replace(self, flushed=None)


def judge(got: list[Outcome], expected: list[Expected]) -> Judgement:
    """The worst judgement over the draws of a sample.

    Draws whose results have one form are judged together, as one stacked array: judging takes time in every check.
    """
    expected = [e.of_form(g) for g, e in zip(got, expected, strict=True)]
    judgements: list[Judgement] = []
    stacks: dict[Any, list[int]] = {}
    for number, (g, e) in enumerate(zip(got, expected, strict=True)):
        by_form = _by_form(g, e)
        if by_form is not None:
            judgements.append(replace(by_form, worst=(number, -1, ())))
        else:
            assert isinstance(g, Value) and isinstance(e.outcome, Value)
            form = (
                tuple((a.shape, a.dtype) for a in g.arrays),
                tuple((a.shape, a.dtype) for a in e.outcome.arrays),
                e.flushed is None,
                e.kept is None,
                tuple(s is None for s in e.spread),
                e.factor,
            )
            stacks.setdefault(form, []).append(number)
    for numbers in stacks.values():
        judgements.append(_stacked(got, expected, numbers))
    return worst(judgements)


def agrees(got: Outcome, expected: Expected) -> bool:
    """Whether a value is the expected one, rounded to its dtype, to the bit: then no tolerance need be known."""
    want = expected.outcome
    if not (isinstance(got, Value) and isinstance(want, Value)) or _by_form(got, expected):
        return False
    with np.errstate(all="ignore"):
        return all(
            agree(g, w if g.dtype == w.dtype else w.astype(g.dtype))
            for g, w in zip(got.arrays, want.arrays, strict=True)
        )


def _stacked(got: list[Outcome], expected: list[Expected], numbers: list[int]) -> Judgement:
    """The judgement of the draws `numbers`, whose results have one form."""
    found = []
    gots: Any = [got[n] for n in numbers]
    wants: Any = [expected[n] for n in numbers]
    first = wants[0]
    for k in range(len(gots[0].arrays)):
        has_spread = bool(first.spread) and first.spread[k] is not None
        judgement, at = arrays(
            np.stack([g.arrays[k] for g in gots]),
            np.stack([w.outcome.arrays[k] for w in wants]),
            np.stack([np.asarray(w.spread[k]) for w in wants]) if has_spread else None,
            None if first.flushed is None else np.stack([w.flushed[k] for w in wants]),
            first.exact,
            first.factor,
            None if first.kept is None else np.stack([w.kept[k] for w in wants]),
        )
        found.append(replace(judgement, worst=None if at is None else (numbers[at[0]], k, tuple(at[1:]))))
    return worst(found) if found else Judgement("identical")


def _by_form(got: Outcome, expected: Expected) -> Judgement | None:
    """The judgement where a side is no value or the forms of two values differ; None where arrays must be compared."""
    want = expected.outcome
    if isinstance(got, Value) and isinstance(want, Value):
        return _by_structure(got, want, expected.exact) or _by_shapes(got, want, expected.exact)
    if isinstance(got, Lost):
        return Judgement(got.verdict, detail=got.detail)
    if isinstance(got, Failure) and got.unsupported:
        return Judgement("unsupported", detail=got.words)
    if isinstance(want, Lost):
        detail = f"got {describe(got)}\nbut the other side ended in a {want.verdict}"
        return Judgement("error-differs", "error-class", detail=detail)
    excluded = isinstance(want, Failure) and want.by_definition and isinstance(got, Value)  # no mode may compute it
    if isinstance(want, Failure) and want.unsupported and expected.exact and not excluded:
        return Judgement("unsupported", detail=f"nothing to compare with: {want.words}")
    if isinstance(got, Failure) and isinstance(want, Failure) and (got.cls == want.cls or not expected.exact):
        return Judgement("identical")
    kind = "error-class"
    if isinstance(got, Failure) and isinstance(want, Failure) and got.phase != want.phase:
        kind = "error-phase"
    return Judgement("error-differs", kind, detail=f"got      {describe(got)}\nexpected {describe(want)}")


def _by_structure(got: Value, want: Value, exact: bool) -> Judgement | None:
    if got.structure != want.structure and (exact or _leaves(got.structure) != _leaves(want.structure)):
        broken = "promised" in got.structure
        detail = f"got structure {got.structure}, expected {want.structure}"
        return Judgement("differs", "shape" if broken else "structure", detail=detail)
    if len(got.arrays) != len(want.arrays):
        return Judgement("differs", "structure", detail=f"got {len(got.arrays)} arrays, expected {len(want.arrays)}")
    return None


def _by_shapes(got: Value, want: Value, exact: bool) -> Judgement | None:
    for number, (g, w) in enumerate(zip(got.arrays, want.arrays, strict=True)):
        if g.shape != w.shape:
            return Judgement("differs", "shape", detail=f"result {number}: got shape {g.shape}, expected {w.shape}")
        if g.dtype != w.dtype and (exact or family(g.dtype) != family(w.dtype)):
            detail = f"result {number}: got {name_of(g.dtype)}, expected {name_of(w.dtype)}"
            return Judgement("differs", "dtype", detail=detail)
    return None


def _leaves(structure: str) -> str:
    """The leaves of a structure without their nesting: a reference need not nest as TensorFlow does."""
    return " ".join(structure.replace("(", " ").replace(")", " ").split())
