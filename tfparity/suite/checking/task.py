"""One task while it runs: a case in one dtype, its samples, and the outcomes that checks have asked for so far.

It runs inside a worker process that may die: it says to `step` what it is about to do, and is given the steps that an
earlier attempt died in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfparity.suite.checking import changes
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import reference
from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value, value
from tfparity.suite.judging.verdicts import Expected
from tfparity.suite.language.case import Case
from tfparity.suite.language.trees import RaggedValue, SparseValue
from tfparity.suite.running import modes
from tfparity.suite.running.modes import EAGER, MODES, Clock, Execution

Step = tuple[str, str, str, str]
"""(sample, mode, device, aspect): what a worker was doing when it died."""


@dataclass
class Task:
    """The state of one task: outcomes by step, filled as checks ask for them."""

    case: Case
    dtype: str
    samples: Mapping[str, Sample]
    lost: Mapping[Step, Lost]
    clock: Clock
    step: Callable[[Step, int], None]
    main: bool = True
    outcomes: dict[Step, list[Outcome]] = field(default_factory=dict)
    seconds: dict[Step, float] = field(default_factory=dict)
    references: dict[str, list[Expected | None]] = field(default_factory=dict)
    cache: modes.Cache = field(default_factory=modes.Cache)
    smooth: dict[str, Sample] = field(default_factory=dict)

    def outcome(self, sample: Sample, mode: str, device: str, aspect: str = "value") -> list[Outcome]:
        """What each draw of a sample gives."""
        step = (sample.name, mode, device, aspect)
        if step not in self.outcomes:
            if step in self.lost:
                self.outcomes[step] = [self.lost[step]] * len(sample.draws)
            elif MODES[mode].traces and not MODES[mode].compiles and self._no_kernel(sample, device):
                self.outcomes[step] = self.outcome(sample, EAGER, device, aspect)
            else:
                start = time.perf_counter()
                self.outcomes[step] = self._run(step, sample, self.cache)
                self.seconds[step] = time.perf_counter() - start
        return self.outcomes[step]

    def on_moved_inputs(self, sample: Sample, aspect: str) -> list[Outcome]:
        """What eager gives on the CPU where every floating input is moved a little."""
        step = (sample.name, "moved", "", aspect)
        if step not in self.outcomes:
            self.outcomes[step] = self._run(step, sample, modes.Cache())
        return self.outcomes[step]

    def _run(self, step: Step, sample: Sample, cache: modes.Cache) -> list[Outcome]:
        _, mode, device, aspect = step
        given = sample if aspect == "value" else self._smoothed(sample)
        if mode == "moved":
            given, mode, device = changes.moved(given), EAGER, "CPU:0"
        execution = Execution(
            self.case, given, mode, device, self.clock, aspect, lambda draw: self.step(step, draw), cache
        )
        found = modes.run(execution, self.main)
        return [self.canonical(o, sample) for o in found] if aspect == "value" else found

    def _no_kernel(self, sample: Sample, device: str) -> bool:
        """Whether a graph need not be asked: eager, whose kernels it runs, has none for these further options (of 2,216
        such rows of graphs 2,181 said the same; the others were of first options, or sizes known while tracing)."""
        return not sample.first and all(
            isinstance(o, Failure) and o.unsupported for o in self.outcome(sample, EAGER, device)
        )

    def _smoothed(self, sample: Sample) -> Sample:
        """The sample without subnormal numbers, the same one for every mode."""
        if sample.name not in self.smooth:
            self.smooth[sample.name] = changes.without_subnormals(sample)
        return self.smooth[sample.name]

    def canonical(self, outcome: Outcome, sample: Sample) -> Outcome:
        if not self.case.canonical or not isinstance(outcome, Value):
            return outcome
        with np.errstate(all="ignore"):
            results = plain(outcome)
            each = self.case.canonical
            return value([each(r) for r in results] if sample.constants else each(results))

    def reference(self, sample: Sample, surely: Collection[int] = ()) -> list[Expected | None]:
        """What the case's reference gives for each draw; for the draws `surely` also how far it can be trusted."""
        step = reference_step(sample)
        if step in self.lost:
            return [None] * len(sample.draws)
        known = self.references.get(sample.name)
        if known is not None and not any(w and w.measure for w in (known[n] for n in surely)):
            return known
        self.step(step, 0)  # a case's own code may loop too
        with self.clock.phase("reference"):
            if known is None:
                edge = self.neighbour(sample, "edge")
                if edge is not None and edge is not sample and sample.one_tensor:
                    known = reference.cut(self.case, self.reference(edge)[0], edge, sample)
                known = known or reference.expected(self.case, sample)
                self.references[sample.name] = known
            for n in surely:
                expected = known[n]
                known[n] = expected and expected.measured()
        return known

    def neighbour(self, sample: Sample, family: str) -> Sample | None:
        """The sample of another family with the same options."""
        return next((s for s in self.samples.values() if (s.family, s.options) == (family, sample.options)), None)


def reference_step(sample: Sample) -> Step:
    """What a worker is doing while NumPy's reference runs, which may loop or die as well."""
    return (sample.name, modes.NUMPY, "", "value")


def plain(outcome: Value) -> Any:
    """A result as the author of a case expects it: one array, or their sequence; sparse and ragged as values."""
    if outcome.structure == "sparse":
        return SparseValue(*outcome.arrays)
    if outcome.structure.startswith("ragged"):
        return RaggedValue(outcome.arrays[0], outcome.arrays[1:])
    return outcome.arrays[0] if outcome.structure == "*" else list(outcome.arrays)
