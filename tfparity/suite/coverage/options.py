"""Which arguments of an op its case ever gives a value that is not the default.

Read from the declarations, not from a run: every declared sample is bound to the signature of the op; a case with a
`call` is called once, on ordinary values, with a stand-in for the op that records what it is given. Called in a process
of its own, since it imports TensorFlow. It must not know any op by name: arguments that no result depends on stand in
`cases/options.toml`.
"""

from __future__ import annotations

import contextlib
import inspect
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from tfparity.suite.inputs import samples
from tfparity.suite.language import loading
from tfparity.suite.language.case import DTYPE, Case, Declared
from tfparity.suite.language.dtypes import DTYPES
from tfparity.suite.language.spec import Input
from tfparity.suite.running import modes

MOST_SAMPLES = 64

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""Of one call: positional and by keyword."""


@dataclass(frozen=True)
class Option:
    """An argument with a default, of one op, and whether some sample gives it another value."""

    op: str
    argument: str
    default: str
    exercised: bool


@cache
def without_effect() -> Mapping[str, str]:
    """The entries of `cases/options.toml`: the arguments that no result depends on, of every op (`name`) or of one
    (`tf.gather:validate_indices`), with the reason of each."""
    found = tomllib.loads((loading.folder() / "options.toml").read_text(encoding="utf-8"))
    return {**found["of_every_op"], **found["of_one_op"]}


def stale_entries(ops: Iterable[str]) -> list[str]:
    """The entries of an argument that none of the ops has, or not the op that they name; an op that this TensorFlow
    lacks makes none stale."""
    arguments = {op: set(inspect.signature(modes.resolve(op)).parameters) for op in ops}
    every = set().union(*arguments.values())
    found = []
    for entry in without_effect():
        op, _, argument = entry.rpartition(":")
        if argument not in (arguments.get(op, {argument}) if op else every):
            found.append(entry)
    return found


def of(case: Case) -> list[Option]:
    """The options of one op. Raises AttributeError where this TensorFlow lacks the op."""
    signature = inspect.signature(modes.resolve(case.name))
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not inspect.Parameter.empty
        and not {name, f"{case.name}:{name}"} & without_effect().keys()
    }
    given: set[str] = set()
    if defaults:
        for args, kwargs in calls(case):
            try:
                bound = signature.bind_partial(*args, **kwargs).arguments
            except TypeError:  # an invalid call, which a case may make on purpose
                continue
            given |= {name for name in defaults.keys() & bound.keys() if differs(bound[name], defaults[name])}
    return [Option(case.name, name, _shown(default), name in given) for name, default in defaults.items()]


def _shown(default: Any) -> str:
    """A default as text: a function by its name, since its repr has an address."""
    return str(default.__name__) if inspect.isfunction(default) else repr(default)


def differs(value: Any, default: Any) -> bool:
    """Whether an argument differs from the default; a tensor does."""
    if default is None or isinstance(value, Input) or not isinstance(value, type(default)):
        if isinstance(value, bool | int | float | str) and isinstance(default, bool | int | float | str):
            return value != default
        return value is not default and not _same_dtype(value, default)
    return bool(np.any(np.asarray(value != default)))


def _same_dtype(value: Any, default: Any) -> bool:
    """NumPy's and TensorFlow's names of one dtype are the same value; the dtype that a case is swept over is not."""
    if value is DTYPE or not hasattr(default, "as_numpy_dtype"):
        return False
    return bool(default == value)


def calls(case: Case) -> Iterator[Arguments]:
    """What the op is called with, sample by sample."""
    for declared in list(case.samples())[:MOST_SAMPLES]:
        if case.call is None:
            yield declared.args, dict(declared.kwargs)
        else:
            yield from _recorded(case, case.call, declared)


def _recorded(case: Case, call: Callable[..., Any], declared: Declared) -> list[Arguments]:
    """What a case's own `call` gives the op, in the first two dtypes in which it calls the op at all."""
    found: list[Arguments] = []

    def recording(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            found.append((args, kwargs))
            return function(*args, **kwargs)

        return called

    once = replace(case, samples=lambda: [declared], call=lambda f, *args, **kw: call(recording(f), *args, **kw))
    dtypes_that_call = 0
    for dtype in case.dtypes or DTYPES:
        before = len(found)
        with contextlib.suppress(Exception):  # the op refuses this dtype; what it was given is recorded all the same
            sample = samples.first(once, dtype)
            modes.program(once, sample).function(*[modes.tensor(leaf) for leaf in sample.tensors[0]])
        dtypes_that_call += len(found) > before
        if dtypes_that_call == 2:
            break
    return found
