"""Which rows a task will give: which sample is for which mode, and what its outcome is held against.

Known before anything runs, so that pytest can list it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tfparity.suite.inputs.invalid import NOT_FOR, STATIC
from tfparity.suite.inputs.samples import Sample
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import family
from tfparity.suite.records.identity import Identity, Query, wanted
from tfparity.suite.running import modes


@dataclass(frozen=True)
class Wanted:
    """What to run: modes (`numpy` among them means the reference check), devices, queries on identities, samples by
    name (none: all), and whether the dtype is the case's main one."""

    modes: tuple[str, ...] = modes.DEFAULT_MODES
    devices: tuple[str, ...] = ("CPU:0",)
    queries: tuple[Query, ...] = ()
    samples: tuple[str, ...] = ()
    main: bool = True

    def row(self, identity: Identity) -> bool:
        return (not self.samples or identity.sample in self.samples) and wanted(self.queries, **vars(identity))


@dataclass(frozen=True)
class Plan:
    """A row that a task will give: known before it runs, so that pytest can list it."""

    sample: str
    mode: str
    device: str
    aspect: str
    against: str


def plan(case: Case, samples: list[Sample], want: Wanted) -> Iterator[Plan]:
    """The rows of one task, in order. Each says one outcome and what it is judged against."""
    for sample in samples:
        for device in want.devices:
            for mode in (m for m in want.modes if m != "numpy" and _runs(case, sample, m, want.main)):
                for aspect, against in _checks(case, sample, mode, device, want):
                    yield Plan(sample.name, mode, device, aspect, against)


def _runs(case: Case, sample: Sample, mode: str, main: bool) -> bool:
    """Whether a sample is for a mode. Graphs run eager's kernels; what they add is what is traced, inferred and
    rewritten around them, and XLA compiles its own. So (seconds are those of a sweep of some 2,800, causes those that
    no other sample showed):

    * a tensor's length, which parts vector lanes and remainders, is for eager; XLA, whose lanes and long dimensions
      showed 2 of 509 causes (107 seconds), takes single elements in the leading dtypes: some cannot stand with others;
    * shapes with other sizes are for a graph only where they are empty, or the sizes unknown (31 seconds, no cause);
      further options likewise, but for what a graph rewrites, where it may ask for known sizes;
    * edge values of further options are for eager and XLA (52 seconds, of 527 causes none);
    * other options and shapes are for every mode in the main dtype, for eager in the other leading ones (24 percent,
      for 4 of 412 causes); of further options the empty shapes are for eager alone, and a graph traces them with
      unknown dimensions only, since XLA traces them with known ones (70 seconds, no cause);
    * in the other dtypes graphs take edge values where they are one tensor, and ops beneath the documented ones, run
      for their kernels, are for eager and XLA (118 and 57 seconds, of 509 causes 2);
    * invalid input is for the main dtype (in the others it showed no cause), and what unknown dimensions do not change
      not for them.
    """
    compiled, name = mode.startswith("xla"), sample.plain_name
    if sample.purpose == "error":
        return main and not name.startswith(NOT_FOR.get("xla" if compiled else mode, STATIC))
    if mode == "eager":
        return True
    if name.startswith("many-") or (name.startswith("empty") and not sample.first):
        return False
    if sample.length:
        return compiled and sample.leads and sample.length == 1
    if main and compiled:
        return name != "long"
    if main:
        one = sample.first or sample.strings or case.rewrites
        once = mode == "graph" and (name in ("ones", "long", "broadcast") or not one)
        return not once and (sample.first or name != "edge")
    if case.kernel_only and not compiled:
        return False
    edges = name == "edge" and (compiled or sample.positions is not None)
    scalars = name in ("scalar", "constant") and mode != "graph-dynamic"
    return sample.first and (name == "ordinary" or edges or scalars)


def _checks(case: Case, sample: Sample, mode: str, device: str, want: Wanted) -> Iterator[tuple[str, str]]:
    if sample.purpose == "error":
        yield "error", "docs" if mode == "eager" else "eager"
        return
    if case.reference and "numpy" in want.modes:
        yield "value", "numpy"
    if case.invariant and not sample.name.startswith("edge"):
        yield "value", "theory"
    if mode == "eager" and not case.reference and (not case.invariant or sample.name.startswith("edge")):
        yield "value", "docs"
    if mode != "eager":
        yield "value", "eager"
    elif device != "CPU:0":
        yield "value", "cpu"
    if sample.lanes:
        yield "value", "lanes"
    # what has a value has a gradient, or none at all: told where graphs compare theirs with it
    if mode == "eager" and sample.plain_name == "ordinary" and "graph" in want.modes:
        if _has_gradient(case, sample, "graph"):
            yield "gradient", "docs"
    elif _has_gradient(case, sample, mode):
        yield "gradient", "eager"


def _has_gradient(case: Case, sample: Sample, mode: str) -> bool:
    """Gradients are compared in the graph and under XLA, the two that rewrite them: on ordinary values in the graph for
    every option and dtype, under XLA for the first options in leading dtypes; on edge values where one draw holds them
    all, else for the first options in float32 (30 draws of gradients, mode for mode, were 42 percent of a sweep's time,
    and XLA's compilations of other options' gradients another 20). Of complex numbers only ordinary ones: which way
    infinity goes is open. What is only promised up to a sign or an order has no one gradient."""
    if mode not in ("graph", "xla") or sample.constants or case.canonical or "gradient" in case.skips:
        return False
    if mode == "xla" and not (sample.first and sample.leads):
        return False
    purpose = sample.plain_name
    dtypes = {leaf.dtype for leaf in sample.tensors[0] if isinstance(leaf, np.ndarray)}
    families = {family(dtype) for dtype in dtypes}
    if "complex" in families:
        return sample.leads and purpose in ("ordinary", "scalar")
    if "float" not in families or purpose not in ("ordinary", "edge"):
        return False
    in_one_draw = sample.positions is not None
    return purpose == "ordinary" or in_one_draw or (sample.first and np.dtype(np.float32) in dtypes)
