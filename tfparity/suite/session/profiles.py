"""The quick profile: the samples that a pull request has time for, chosen from what a run of every case recorded.

The choice is data, `cases/quick.txt`, one line for a case in a dtype: `tf.math.acosh/float32 edge n17`.
`benchmarks/quick.py` makes it from a run: every case once, then the samples that add the most kernels and past failures
per second. This module knows no run and starts nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from tfparity.suite.language.case import CaseError
from tfparity.suite.language.loading import folder

Choice = dict[str, dict[str, tuple[str, ...]]]
"""op -> dtype -> samples."""

KERNEL, FAILURE, CASE = 1.0, 2.0, 100.0
"""What a sample gains for each kernel, each family of past failures and each case that no chosen sample has yet. A pull
request must neither add nor lose a failure; a case that is not run at all can hide anything."""

START, LEAST = 0.05, 0.001
"""Seconds that one more task costs beside its samples (drawing them, sending them to a worker, collecting rows), and
seconds that a sample costs at least."""


def quick() -> Choice:
    """The quick profile of the cases that come with tfparity. Raises CaseError for a line that cannot be read."""
    path = folder() / "quick.txt"
    found: Choice = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), 1):
        if not line.strip() or line.startswith("#"):
            continue
        task, *samples = line.split()
        op, slash, dtype = task.partition("/")
        if not (slash and op and dtype and samples):
            raise CaseError(f"{path}:{number}: {line!r} should read OP/DTYPE SAMPLE...; benchmarks/quick.py writes it")
        found.setdefault(op, {})[dtype] = tuple(samples)
    return found


@dataclass(frozen=True)
class Unit:
    """A sample of a case in a dtype, in every mode: the seconds it costs, and the failures and kernels a run of it
    showed."""

    op: str
    dtype: str
    sample: str
    seconds: float
    failures: frozenset[tuple[str, ...]] = frozenset()
    kernels: frozenset[tuple[str, ...]] = frozenset()


def choose(units: Iterable[Unit], budget: float) -> list[Unit]:
    """The units that gain most per second, each for what those before it lack, until `budget` seconds are spent.

    The greedy rule of weighted set cover (Chvatal 1979): within 1 - 1/e of the best cover. A unit's worth only falls as
    others are taken, so a unit on top of the heap whose worth has not fallen since it was computed is the best of all.
    """
    failures: set[tuple[str, ...]] = set()
    kernels: set[tuple[str, ...]] = set()
    ops: set[str] = set()
    tasks: set[tuple[str, str]] = set()

    def worth(unit: Unit) -> float:
        gain = FAILURE * len(unit.failures - failures) + KERNEL * len(unit.kernels - kernels)
        return (gain + CASE * (unit.op not in ops)) / cost(unit)

    def cost(unit: Unit) -> float:
        return max(unit.seconds, LEAST) + START * ((unit.op, unit.dtype) not in tasks)

    listed = list(units)
    heap = [(-worth(unit), number) for number, unit in enumerate(listed)]
    heapq.heapify(heap)
    chosen: list[Unit] = []
    while heap:
        _, number = heapq.heappop(heap)
        unit = listed[number]
        now = worth(unit)
        if heap and -heap[0][0] > now:
            heapq.heappush(heap, (-now, number))
            continue
        if now <= 0:
            break
        if cost(unit) > budget:
            continue
        budget -= cost(unit)
        chosen.append(unit)
        failures |= unit.failures
        kernels |= unit.kernels
        ops.add(unit.op)
        tasks.add((unit.op, unit.dtype))
    return chosen


def lines(chosen: Iterable[Unit]) -> list[str]:
    """The chosen units as the lines of `quick.txt`, sorted."""
    samples: dict[str, list[str]] = {}
    for unit in chosen:
        samples.setdefault(f"{unit.op}/{unit.dtype}", []).append(unit.sample)
    return [f"{task} {' '.join(sorted(names))}" for task, names in sorted(samples.items())]
