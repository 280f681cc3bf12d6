"""Samples made of samples: without subnormal numbers, and with every floating input moved a little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import reference
from tfparity.suite.language.edges import flushed
from tfparity.suite.language.trees import leaves, rebuild


def without_subnormals(sample: Sample) -> Sample:
    """The sample without subnormal numbers: whether they are flushed is judged on values, and gradients near zero would
    show it again in every op."""
    return _with_draws(
        sample, lambda draw: rebuild(draw, lambda leaf: flushed(leaf) if isinstance(leaf, np.ndarray) else leaf)
    )


def moved(sample: Sample) -> Sample:
    """The sample with its floating inputs moved by two roundoffs: one would often be rounded off in their own dtype."""

    def move(draw: Any) -> Any:
        there = iter(leaves(reference.moved(draw, sample.name, 2.0)))

        def leaf(original: Any) -> Any:
            other = next(there)
            if isinstance(original, np.ndarray) and isinstance(other, np.ndarray):
                return other.astype(original.dtype)
            return original

        with np.errstate(over="ignore"):  # the largest number moves to infinity
            return rebuild(draw, leaf)

    return _with_draws(sample, move)


def _with_draws(sample: Sample, change: Callable[[Any], Any]) -> Sample:
    return replace(sample, draws=tuple(change(draw) for draw in sample.draws))
