"""What TensorFlow says of itself: the denominators of the coverage. Asked in a process of its own, which imports it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tfparity.suite.language import loading
from tfparity.suite.language.case import Case
from tfparity.suite.records import kernels
from tfparity.suite.records.results import RunError

if TYPE_CHECKING:
    from tfparity.suite.coverage.options import Option

NAMESPACE, NUMPY, OPERATORS, METHODS = "ops", "tf.experimental.numpy", "operators of a tensor", "methods"
"""The areas of the coverage; the first are the documented ops."""


@dataclass(frozen=True)
class Facts:
    """What TensorFlow says.

    version     of TensorFlow
    areas       the names of each area
    excluded    functions that are no ops, each with the reason
    stale       entries of `cases/not_ops.toml` and `cases/options.toml` that exclude nothing
    lacking     declared names that this TensorFlow lacks
    options     of the declared ops
    examples    the number of `>>>` examples of each op that has some
    registered  kernels
    reachable   for each raw op, the documented ops that make it
    """

    version: str
    areas: Mapping[str, Sequence[str]]
    excluded: Mapping[str, str] = field(default_factory=dict)
    stale: Sequence[str] = ()
    lacking: Sequence[str] = ()
    options: Sequence[Option] = ()
    examples: Mapping[str, int] = field(default_factory=dict)
    registered: frozenset[kernels.Pair] = frozenset()
    reachable: Mapping[str, Sequence[str]] = field(default_factory=dict)


def facts() -> Facts:
    """What a process of its own says. Raises RunError where TensorFlow is not installed."""
    try:
        with multiprocessing.get_context("spawn").Pool(1, _quiet) as pool:
            return pool.apply(ask)
    except ImportError as error:
        raise RunError("TensorFlow is not installed: pip install 'tfparity[cpu]' (or [gpu], [nightly])") from error


def _quiet() -> None:
    """TensorFlow's own messages are not for the reader of a table."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def ask() -> Facts:
    """What TensorFlow says of itself and of the declared cases. Imports TensorFlow."""
    import tensorflow as tf

    from tfparity.suite.coverage import options
    from tfparity.suite.running import inventory

    declared = loading.load()
    ops = [op.name for op in inventory.documented()]
    areas = {
        NAMESPACE: ops,
        NUMPY: inventory.numpy_functions(),
        OPERATORS: inventory.operators(),
        METHODS: inventory.methods(),
    }
    runnable = [declared[name] for name in ops if name in declared and not declared[name].missing]
    return Facts(
        version=tf.__version__,
        areas=areas,
        excluded=inventory.excluded(),
        stale=[*inventory.stale_exclusions(), *options.stale_entries(ops)],
        lacking=[name for name, case in declared.items() if _lacks(case)],
        options=[option for case in runnable for option in options.of(case)],
        examples=inventory.examples(),
        registered=frozenset(inventory.registered()),
        reachable=inventory.reachable(),
    )


def _lacks(case: Case) -> bool:
    """Whether this TensorFlow lacks the op of a case."""
    from tfparity.suite.running.modes import resolve

    if case.is_program or not case.name.startswith("tf."):
        return False
    try:
        resolve(case.name)
    except AttributeError:
        return True
    return False
