"""Making a recorded call again: in eager, to find what of its arguments can be a tensor, then in the other modes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from tfparity.suite.checking import checks
from tfparity.suite.checking.examples.docstring import seed
from tfparity.suite.checking.examples.recording import Call, Context, Convertible, Plain
from tfparity.suite.checking.planning import PlannedCheck
from tfparity.suite.checking.task import Step, Task
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging.judgement import Judgement
from tfparity.suite.judging.outcome import Failure, Outcome, Value
from tfparity.suite.judging.verdicts import Expected, judge
from tfparity.suite.language.case import Case
from tfparity.suite.language.trees import RaggedValue, SparseValue, leaves, rebuild
from tfparity.suite.records.identity import Identity
from tfparity.suite.records.results import Check
from tfparity.suite.running import modes
from tfparity.suite.running.modes import EAGER, Execution

REPEATS = 7
"""How often a call is repeated in eager to see whether it is random without drawing from a seed of the process: a fair
coin falls the same way eight times in a row once in 128."""


@dataclass(frozen=True)
class Replay:
    """A call as a case that the modes can run.

    samples  they differ in how many Convertible arguments are tensors, the most first and none last
    random   whether eager gives another value at each call, so that only the form of its result can be judged
    reason   why the call cannot be made again, else empty
    """

    case: Case
    samples: tuple[Sample, ...]
    random: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Replayed:
    """What a call gave in a mode, the sample that gave it, and a note on arguments that are no tensors there."""

    sample: Sample
    outcome: Outcome
    note: str = ""


def replay(call: Call, asked: list[Identity], context: Context) -> Iterator[Check]:
    """The rows of one call that are asked for, on one device."""
    if died := context.lost.get(_step(call, EAGER, context)):
        yield from (checks.row(at, Judgement(died.verdict, detail=died.detail), 0.0) for at in asked)
        return
    made = prepare(call, context)
    for at in asked:
        if made.reason:
            yield checks.row(at, Judgement("unsupported", detail=f"not made again: {made.reason}"), 0.0)
            continue
        began = time.perf_counter()
        judgement = _judged(call, made, at, run(call, made, at.mode, context), context)
        yield checks.row(at, judgement, time.perf_counter() - began)


def _step(call: Call, mode: str, context: Context) -> Step:
    return call.sample, mode, context.device, "value"


def prepare(call: Call, context: Context) -> Replay:
    """Make the call again in eager: as it was, then with one more Convertible a tensor each time. Those stay tensors
    that leave the result what it is; the others are options."""
    if call.reason:
        return Replay(_case(call), (), reason=call.reason)
    plain = [leaf.plain for leaf in leaves(call.draw) if isinstance(leaf, Convertible)]
    case, every = _case(call), tuple(range(len(plain)))
    seed(1)  # so that whether a random draw is noticed does not depend on chance
    once = _eagerly(call, case, (), context)
    drawn = _next_random() != _first_random()
    moved_on = any(hasattr(argument, "assign") for argument in plain) and not _same(once, call.outcome)
    if moved_on and _same(_eagerly(call, case, every, context), call.outcome):
        return Replay(case, (_sample(call, every),))  # the values that variables had are tensors
    random = drawn or not _repeats(call, case, once, context)
    if random:
        if not _same(_form(once), _form(call.outcome)):
            gives = once.words if isinstance(once, Failure) else "something of another form"
            return Replay(case, (), reason=f"a second time eager gives {gives}")
        case = replace(case, canonical=lambda result: rebuild(result, _blank))
    chosen: tuple[int, ...] = ()
    for number in every:
        other = _eagerly(call, case, (*chosen, number), context)
        if _same(_form(other), _form(call.outcome)) if random else _same(other, call.outcome):
            chosen = (*chosen, number)
    fewer = [chosen[:count] for count in range(len(chosen), -1, -1)]
    return Replay(case, tuple(_sample(call, numbers) for numbers in fewer), random)


def _eagerly(call: Call, case: Case, chosen: tuple[int, ...], context: Context) -> Outcome:
    return _run(case, _sample(call, chosen), _step(call, EAGER, context), context)


def _run(case: Case, sample: Sample, at: Step, context: Context) -> Outcome:
    execution = Execution(case, sample, at[1], context.device, context.clock, step=lambda draw: context.step(at, draw))
    return modes.run(execution)[0]


def _repeats(call: Call, case: Case, once: Outcome, context: Context) -> bool:
    """Whether eager gives the same each time; every time it is called, since a call may change what later ones see."""
    outcomes = [once, *(_eagerly(call, case, (), context) for _ in range(REPEATS))]
    return all(_same(outcome, call.outcome) for outcome in outcomes)


def _next_random() -> float:
    """A random number: another one where something has drawn from the seed since."""
    import tensorflow as tf

    with tf.device("/device:CPU:0"):
        return float(tf.random.uniform([]))


@lru_cache(maxsize=1)
def _first_random() -> float:
    seed(1)
    return _next_random()


def run(call: Call, made: Replay, mode: str, context: Context) -> Replayed:
    """What the call gives in a mode.

    Where the mode refuses a Convertible as a tensor, the last of them goes back to what the example has, one after the
    other: lists come before tensors as data and after them as options (an axis, a shape), which XLA must know.
    """
    at = _step(call, mode, context)
    if at in context.lost:
        return Replayed(made.samples[-1], context.lost[at])
    note = ""
    for sample in made.samples:
        outcome = _run(made.case, sample, at, context)
        if not isinstance(outcome, Failure) or _same(outcome, call.outcome):
            break
        note = note or f"\nnot every list is a tensor, since then: {outcome.words}"
    every = sample is made.samples[0] or isinstance(outcome, Failure)
    return Replayed(sample, outcome, "" if every else note)


def _judged(call: Call, made: Replay, at: Identity, got: Replayed, context: Context) -> Judgement:
    """The outcome judged against what the call gave eagerly, with the tolerance of `checks`."""
    task = Task(made.case, at.dtype, {}, context.lost, context.clock, context.step)
    task.outcomes |= {step: [died] for step, died in context.lost.items() if step[0] == call.sample}
    task.outcomes[_step(call, EAGER, context)] = [task.canonical(call.outcome, got.sample)]
    task.outcomes[_step(call, at.mode, context)] = [task.canonical(got.outcome, got.sample)]
    found = checks.judgement(task, got.sample, PlannedCheck(call.sample, at.mode, at.device, "value", EAGER))
    only_form = "\neager gives another value at each call: only structure, dtypes and shapes are judged"
    detail = checks.explained(task, got.sample, found) + got.note + (only_form if made.random else "")
    return replace(found, detail=detail.strip())


def _case(call: Call) -> Case:
    def body(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = rebuild((args, kwargs), lambda leaf: leaf.value if isinstance(leaf, Plain) else leaf)
        return without_operation(call.function, *args, **kwargs)

    return Case(call.name, "documentation", None, lambda: (), "", 0, body=body)


def without_operation(function, *args, **kwargs):  # scripts quote it as it stands
    """The result, None where it is an Operation: what a graph gives where eager gives None."""
    import tensorflow as tf

    result = function(*args, **kwargs)
    return None if isinstance(result, tf.Operation) else result


def _sample(call: Call, chosen: tuple[int, ...]) -> Sample:
    """The call's arguments with the chosen Convertibles as tensors."""
    numbers = iter(range(10_000))

    def leaf(found: Any) -> Any:
        if not isinstance(found, Convertible):
            return found
        return found.array if next(numbers) in chosen else Plain(found.plain)

    return Sample(call.sample, (rebuild(call.draw, leaf),))


def _same(a: Outcome, b: Outcome) -> bool:
    if isinstance(a, Failure) and isinstance(b, Failure):
        return a.cls == b.cls
    return isinstance(a, Value) and isinstance(b, Value) and judge([a], [Expected(b)]).verdict in ("identical", "close")


def _form(outcome: Outcome) -> Outcome:
    """The outcome with zeros for values."""
    return replace(outcome, arrays=tuple(map(_blank, outcome.arrays))) if isinstance(outcome, Value) else outcome


def _blank(part: Any) -> Any:
    """Zeros of the same form; of a sparse or ragged value only what the dtype and the rank say."""
    if isinstance(part, SparseValue):
        return SparseValue(part.indices[:0], part.values[:0], np.zeros_like(part.dense_shape))
    if isinstance(part, RaggedValue):
        return RaggedValue(part.values[:0], tuple(splits[:0] for splits in part.splits))
    return np.zeros(part.shape, part.dtype)
