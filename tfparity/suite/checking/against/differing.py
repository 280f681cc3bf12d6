"""The draws of a sample that are not what they should be to the bit, and the judgement of all from these few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tfparity.suite.checking.task import Task
from tfparity.suite.judging.judgement import IDENTICAL, Judgement, worst
from tfparity.suite.judging.outcome import Outcome, Value
from tfparity.suite.judging.verdicts import Expected, judge


def with_value(got: list[Outcome], numbers: Iterable[int]) -> list[int]:
    """Of these draws those that gave a value: of an error no distance is asked."""
    return [n for n in numbers if isinstance(got[n], Value)]


def judged(task: Task, got: list[Outcome], wants: Mapping[int, Expected], count: int) -> Judgement:
    """The judgement of `count` draws, of which only those in `wants` are not what they should be to the bit."""
    found = [IDENTICAL] if len(wants) < count else []
    if wants:
        numbers = list(wants)
        with task.clock.phase("judge"):
            j = judge([got[n] for n in numbers], list(wants.values()))
        found.append(replace(j, worst=j.worst and (numbers[j.worst[0]], *j.worst[1:])))
    return worst(found)
