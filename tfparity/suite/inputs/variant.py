"""One combination of a case's options in one dtype: what all its samples are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tfparity.suite.inputs import drawing
from tfparity.suite.language.case import Case, Declared
from tfparity.suite.language.dtypes import family, numpy_dtype
from tfparity.suite.language.spec import Input


@dataclass(frozen=True)
class Variant:
    """`number` is that of the options among the case's; `leads` says whether everything is tried in this dtype."""

    case: Case
    declared: Declared
    dtype: str
    number: int = 0
    leads: bool = True

    @property
    def first(self) -> bool:
        return self.number == 0

    @property
    def key(self) -> str:
        """What its random numbers are seeded with."""
        return f"{self.case.name}/{self.dtype}/{self.declared.name}"

    @cached_property
    def inputs(self) -> list[Input]:
        return self.declared.inputs()

    @cached_property
    def elementwise(self) -> list[Input]:
        """The inputs of any shape."""
        return [i for i in self.inputs if i.any_shape]

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The size of every named dimension."""
        return drawing.sizes_of(self.declared)

    @cached_property
    def free(self) -> list[str]:
        """The named dimensions whose size the declaration leaves open."""
        return [n for n in dict.fromkeys(n for i in self.inputs for n in i.names) if n not in self.declared.sizes]

    @cached_property
    def base(self) -> Any:
        """The ordinary draw, which others change."""
        return self.draw(self.sizes, "ordinary")

    def into(self, i: Input) -> np.dtype:
        """The dtype of an input."""
        return numpy_dtype(i.dtype or self.dtype)

    def family(self, i: Input) -> str:
        """`float`, `integer`, ... of an input."""
        return family(self.into(i))

    def top(self, i: Input) -> int:
        """The number that indices are below."""
        assert i.below is not None
        return self.sizes[i.below] if isinstance(i.below, str) else i.below

    def draw(self, sizes: dict[str, int], name: str) -> Any:
        """Ordinary arguments with these sizes."""
        return drawing.draw(self.case, self.declared, self.dtype, sizes, f"{self.key}/{name}")

    def filled(self, make: Callable[[Input, int], Any]) -> Any:
        """The argument tree with every Input replaced by `make(input, its number)`."""
        return drawing.filled(self.declared, self.dtype, make)

    def changed(self, draw: Any, number: int, change: Callable[[Any], Any]) -> Any:
        """The draw with its input of a number changed."""
        return drawing.changed(self.declared, draw, number, change)

    def values(self, i: Input, shape: tuple[int, ...], name: str) -> np.ndarray:
        """Ordinary values of an input of any shape."""
        return drawing.values(i, self.dtype, shape, f"{self.key}/{name}", {})

    def array(self, i: Input, name: str, sizes: dict[str, int] | None = None) -> Any:
        """An ordinary tensor for an input."""
        return drawing.array(i, self.dtype, sizes or {}, f"{self.key}/{name}")
