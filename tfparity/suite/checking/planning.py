"""Which rows a task will give: which sample runs in which mode, and what its outcome is compared with.

Known before anything runs, so that pytest can list it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tfparity.suite.inputs.sample import Sample
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import family
from tfparity.suite.records.identity import Identity, Query, wanted
from tfparity.suite.running.modes import DEFAULT_MODES, EAGER, MODES, NUMPY, Mode


@dataclass(frozen=True)
class Wanted:
    """What to run: modes (`numpy` among them means the reference check), devices, queries on identities, samples by
    name (none: all), and whether the dtype is the case's main one."""

    modes: tuple[str, ...] = DEFAULT_MODES
    devices: tuple[str, ...] = ("CPU:0",)
    queries: tuple[Query, ...] = ()
    samples: tuple[str, ...] = ()
    main: bool = True

    def row(self, identity: Identity) -> bool:
        return (not self.samples or identity.sample in self.samples) and wanted(self.queries, **vars(identity))


@dataclass(frozen=True)
class PlannedCheck:
    """A row that a task will give: known before it runs, so that pytest can list it."""

    sample: str
    mode: str
    device: str
    aspect: str
    against: str

    @property
    def executed(self) -> str:
        """The aspect that is run for it: of an error and of randomness it is the value."""
        return self.aspect if self.aspect == "gradient" else "value"


def plan(case: Case, samples: list[Sample], want: Wanted) -> Iterator[PlannedCheck]:
    """The rows of one task, in order. Each names one outcome and what it is judged against."""
    for sample in samples:
        for device in want.devices:
            for mode in (m for m in want.modes if m != NUMPY and runs(case, sample, MODES[m], want.main)):
                for aspect, against in _checks(case, sample, mode, device, want):
                    yield PlannedCheck(sample.name, mode, device, aspect, against)


# --- which sample runs in which mode ----------------------------------------------------------------------------------

Rule = Callable[[Case, Sample], bool]


def no(case: Case, sample: Sample) -> bool:
    return False


def every(case: Case, sample: Sample) -> bool:
    """In every combination of options."""
    return True


def first(case: Case, sample: Sample) -> bool:
    """With the first options."""
    return sample.first


def known(case: Case, sample: Sample) -> bool:
    """With the first options; with the others where a graph of known sizes may show what no other mode does: strings,
    which XLA refuses, and programs that graph optimizers rewrite, where they may ask for known sizes."""
    return sample.first or sample.strings or case.rewrites


def leading(case: Case, sample: Sample) -> bool:
    """In the leading dtypes."""
    return sample.leads


def one_tensor(case: Case, sample: Sample) -> bool:
    """With the first options, where one tensor holds all values."""
    return sample.first and sample.one_tensor


MAIN: dict[str, tuple[Rule, Rule, Rule]] = {
    # family            static graph  dynamic graph  compiled
    "ordinary": (known, every, every),
    "edge": (first, first, every),
    "alone": (no, no, leading),
    "lanes": (no, no, no),
    "near": (known, every, every),
    "scalar": (known, every, every),
    "empty": (first, first, first),
    "broadcast": (no, every, every),
    "broadcast-empty": (known, every, every),
    "constant": (known, every, every),
    "ones": (no, every, every),
    "long": (no, every, no),
    "scaled": (known, every, every),
    "many": (no, no, no),
}
OTHER: dict[str, tuple[Rule, Rule, Rule]] = {
    "ordinary": (first, first, first),
    "edge": (one_tensor, one_tensor, first),
    "alone": (no, no, leading),
    "scalar": (first, no, first),
    "constant": (first, no, first),
}
"""By family of valid input, in which kind of mode it runs, in the case's main dtype and in its others (families left
out: no). Eager runs everything.

Graphs run eager's kernels; what they add is what is traced, inferred and rewritten around them, and XLA compiles its
own. So (seconds are those of a sweep of some 2,800, causes those that no other sample showed):

* a tensor's length, by which vector lanes and remainders differ, is for eager; XLA, whose lanes and long dimensions
  showed 2 of 509 causes (107 seconds), takes single elements in the leading dtypes: some cannot stand with others;
* shapes with other sizes are for a graph only where they are empty, or the sizes unknown (31 seconds, no cause);
  further options likewise, but for what `known` says;
* edge values of further options are for eager and XLA (52 seconds, of 527 causes none);
* other options and shapes are for every mode in the main dtype, for eager in the other leading ones (24 percent, for
  4 of 412 causes); of further options the empty shapes are for eager alone, and a graph traces them with unknown
  dimensions only, since XLA traces them with known ones (70 seconds, no cause);
* in the other dtypes graphs take edge values where they are one tensor, and raw ops that are run for their kernels
  are for eager and XLA (118 and 57 seconds, of 509 causes 2)."""

INVALID: dict[str, tuple[bool, bool, bool]] = {
    # family            static graph  dynamic graph  compiled
    "scalar-rank": (True, False, True),
    "deeper": (True, False, True),
    "column": (False, False, False),
    "shallow": (False, False, False),
    "emptied": (True, False, True),
    "dtype": (True, False, True),
    "minus": (True, False, True),
    "nan": (False, False, True),
    "singular": (False, False, True),
    "sparse-shape": (True, False, True),
    "sparse-beyond": (True, False, True),
    "option": (True, False, True),
    "tensor": (True, False, False),
}
"""By family of invalid input, in which kind of mode it runs beside eager, in the main dtype (in the others it showed no
cause); families left out run in all. Left out is what shows nothing new there: a dimension more or less behind where it
is tried in front, NaN where only shapes are inferred, a tensor for a number where the graph has shown it, and without
known dimensions whatever they do not change."""


def runs(case: Case, sample: Sample, mode: Mode, main: bool) -> bool:
    """Whether a sample is for a mode; `main` says whether the dtype is the one in which the case tries everything."""
    if sample.invalid and not main:
        return False
    if not mode.traces:
        return True
    column = 2 if mode.compiles else 1 if mode.dynamic else 0
    if sample.invalid:
        return INVALID.get(sample.family, (True, True, True))[column]
    if case.kernel_only and not main and not mode.compiles:
        return False
    return (MAIN if main else OTHER).get(sample.family, (no, no, no))[column](case, sample)


# --- what an outcome is compared with ---------------------------------------------------------------------------------


def _checks(case: Case, sample: Sample, mode: str, device: str, want: Wanted) -> Iterator[tuple[str, str]]:
    if sample.invalid:
        yield "error", "docs" if mode == EAGER else "eager"
        return
    if case.reference and NUMPY in want.modes:
        yield "value", "numpy"
    if case.invariant and sample.family != "edge":
        yield "value", "theory"
    if mode == EAGER and not case.reference and (not case.invariant or sample.family == "edge"):
        yield "value", "docs"
    if mode != EAGER:
        yield "value", "eager"
    elif device != "CPU:0":
        yield "value", "cpu"
    if sample.lanes:
        yield "value", "lanes"
    # what has a value has a gradient, or none at all: asked of eager where another mode's is compared with it
    if mode == EAGER:
        if sample.family == "ordinary" and any(_has_gradient(case, sample, m) for m in want.modes):
            yield "gradient", "docs"
    elif _has_gradient(case, sample, mode):
        yield "gradient", "eager"


def _has_gradient(case: Case, sample: Sample, mode: str) -> bool:
    """Gradients are compared in static graphs and under XLA, which rewrite them: on ordinary values in graphs for every
    option and dtype, under XLA for the first options in leading dtypes; on edge values where one draw holds them all,
    else for the first options in float32 (30 draws of gradients, mode for mode, were 42 percent of a sweep's time, and
    XLA's compilations of other options' gradients another 20). Of complex numbers only ordinary ones: which way
    infinity goes is open. What is only promised up to a sign or an order has no one gradient."""
    if mode == NUMPY or not MODES[mode].differentiates:
        return False
    if sample.constants or case.canonical or "gradient" in case.skips:
        return False
    if MODES[mode].compiles and not (sample.first and sample.leads):
        return False
    dtypes = {leaf.dtype for leaf in sample.tensors[0] if isinstance(leaf, np.ndarray)}
    families = {family(dtype) for dtype in dtypes}
    if "complex" in families:
        return sample.leads and sample.family in ("ordinary", "scalar")
    if "float" not in families or sample.family not in ("ordinary", "edge"):
        return False
    return sample.family == "ordinary" or sample.one_tensor or (sample.first and np.dtype(np.float32) in dtypes)
