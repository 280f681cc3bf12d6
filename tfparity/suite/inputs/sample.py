"""What a sample is: concrete inputs of a case, of a family, with what planning and judging ask of them.

A family says what is tried; its name and what it speaks of (a dimension, an argument) make the sample's part of the
identity. Which mode runs which family, `checking.planning` says; how each is made, `samples` and its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tfparity.suite.language.trees import is_tensor, leaves

VALUES = {
    "ordinary": "values well inside the domain, small unequal sizes",
    "edge": "every edge value of the dtype: in one tensor where the op is elementwise, else one draw for each",
    "alone": "single elements of `edge`: those that cannot stand with others, and those that lanes are compared with",
    "lanes": "the elements of `edge` in short tensors: vector lanes and their remainder",
    "near": "ever nearer to the finite ends of a domain",
    "scalar": "tensors without dimensions",
    "empty": "a dimension of zero elements, or all of them",
    "broadcast": "shapes that broadcast",
    "broadcast-empty": "shapes that broadcast to no elements",
    "constant": "the last input a constant of the graph, which the graph optimizer rewrites",
    "ones": "every free dimension one",
    "long": "a long dimension, then the same with a first row of NaN",
    "scaled": "matrices so large and so small that squares leave the range",
    "many": "so many ones along a dimension that a sum kept in 16 bits stops growing",
}
"""Families of valid input, with what each tries."""

ERRORS = {
    "declared": "what the case itself declares with error(...)",
    "mismatch": "a dimension that two inputs share disagrees",
    "not-square": "two dimensions of one input that must be equal are not",
    "rank": "an input with the rank of a vector, or less",
    "scalar-rank": "an input without dimensions",
    "deeper": "an input with one more dimension in front",
    "column": "an input with one more dimension behind",
    "shallow": "an input with one dimension less behind",
    "emptied": "an input without elements where the others have some",
    "dtype": "an input of another dtype",
    "beyond": "an index past the end",
    "negative": "a negative index where none has a meaning",
    "minus": "a count or size of -1",
    "nan": "the first half NaN, of an input that gets no edge values",
    "singular": "a matrix of zeros",
    "sparse-shape": "a sparse tensor with a negative size",
    "sparse-beyond": "a sparse tensor with an index outside",
    "option": "an option out of range, too short, or of another dtype",
    "tensor": "a number given as a tensor",
}
"""Families of invalid input, with what each makes untrue."""

LABELS = {"scalar-rank": "scalar"}
"""Families whose part of the identity is another word than their name."""


@dataclass(frozen=True)
class Sample:
    """Concrete inputs of a case: draws that share one signature, so that one trace serves them all.

    family      what is tried, of VALUES or ERRORS; others stand for themselves (`timed`, an example's)
    draws       argument trees (args, kwargs); leaves that are arrays, SparseValues or RaggedValues are tensors
    of          what of the case the family speaks of: a dimension (`empty-n`), an input (`rank-0`), an option
    options     the options that vary, as text (`axis=0`); `option` is their number among the case's, 0 for the first
    must_fail   whether the documentation calls the input an error, as against leaving it open
    positions   for the elementwise `edge` and samples cut from it: which of its elements each draw holds,
                (draws, elements)
    lanes       whether `alone` has its elements one by one, to compare them with
    leads       whether the dtype is one in which everything is tried
    constants   scalars applied in turn as the last argument, inside the function
    """

    family: str
    draws: tuple[Any, ...]
    of: str = ""
    options: str = ""
    option: int = 0
    must_fail: bool = False
    positions: np.ndarray | None = None
    lanes: bool = False
    leads: bool = True
    constants: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """Its part of the identity: `ordinary`, `empty-n,axis=0`, `n3`."""
        return ",".join(part for part in (self.label, self.options) if part)

    @property
    def label(self) -> str:
        """The name without the options."""
        if self.family in ("alone", "lanes"):
            return f"n{self.length}"
        if self.family == "declared":
            return self.of
        return "-".join(part for part in (LABELS.get(self.family, self.family), self.of) if part)

    @property
    def invalid(self) -> bool:
        """Whether the input is not as declared."""
        return self.family in ERRORS

    @property
    def first(self) -> bool:
        """Whether it has the first of its case's options."""
        return self.option == 0

    @property
    def length(self) -> int:
        """The elements of a draw of those cut from `edge`."""
        assert self.positions is not None
        return int(self.positions.shape[1])

    @property
    def one_tensor(self) -> bool:
        """Whether it is elementwise: one draw holds many values."""
        return self.positions is not None

    @cached_property
    def strings(self) -> bool:
        """Whether some tensor is one of strings, which XLA refuses before it traces."""
        return any(np.asarray(getattr(t, "values", t)).dtype.kind == "O" for t in self.tensors[0])

    @cached_property
    def tensors(self) -> list[list[Any]]:
        """The tensor leaves of each draw."""
        return [[leaf for leaf in leaves(draw) if is_tensor(leaf)] for draw in self.draws]
