"""A standalone script for a row of an example, TensorFlow and NumPy only."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from tfparity.suite.checking import repro
from tfparity.suite.checking.examples.docstring import SEED, examples_in, perform
from tfparity.suite.checking.examples.page import documented
from tfparity.suite.checking.examples.recording import Call, Context, Plain
from tfparity.suite.checking.examples.replaying import prepare, run, without_operation
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.language.trees import leaves, rebuild
from tfparity.suite.records.identity import Identity, QueryError
from tfparity.suite.running import modes
from tfparity.suite.running.modes import EAGER, Clock

EXAMPLE = """\
# {id}
# Run with TensorFlow and NumPy. It runs the examples of the page up to this one, then shows what the page shows.
import importlib
import os
import random

import numpy as np
import tensorflow as tf

names = {{**vars(importlib.import_module({module!r})), "tf": tf, "np": np, "os": os}}
examples = [
    {examples},
]

for set_seed in (tf.random.set_seed, np.random.seed, random.seed):
    set_seed({seed})
with tf.device({device!r}):
    for source in examples:
        print(">>>", source.strip().replace("\\n", "\\n... "))
        try:
            exec(compile(source, "<example>", "single"), names)
        except Exception as error:
            print(f"{{type(error).__name__}}: {{error}}")
print("--- the page shows:")
print({want!r})
"""


def script(of: Identity) -> str:
    """A standalone script that shows one of the rows. Raises QueryError when no example has that name, or its call has
    an argument that cannot be written down."""
    return _of_example(of) if of.against == "docs" else _of_call(of)


def _of_example(of: Identity) -> str:
    function = modes.resolve(of.op)
    found = examples_in(function)
    number = of.sample.removeprefix("example-")
    if not (number.isdigit() and 0 < int(number) <= len(found)):
        raise QueryError(f"{of.op} has no {of.sample!r}: its docstring has {len(found)} examples")
    return EXAMPLE.format(
        id=of,
        module=inspect.unwrap(function).__module__,
        examples=",\n    ".join(repr(example.source) for example in found[: int(number)]),
        seed=SEED,
        device=f"/device:{of.device}",
        want=found[int(number) - 1].want,
    )


def _of_call(of: Identity) -> str:
    context = Context(of.device, {}, Clock(), lambda step, draw: None)
    call = _call(of, context)
    made = prepare(call, context)
    if made.reason:
        raise QueryError(f"{of.sample} of {of.op} is not made again: {made.reason}")
    sample = run(call, made, of.mode, context).sample
    _writable(of, sample)
    case = replace(made.case, body=None, call=without_operation)
    written = rebuild(sample.draws[0], lambda leaf: repro.Spelled(repr(leaf)) if isinstance(leaf, Plain) else leaf)
    return repro.of_sample(case, replace(sample, draws=(written,)), of)


def _call(of: Identity, context: Context) -> Call:
    """The call that the row is of, recorded anew."""
    _, calls = perform(of.op, modes.resolve(of.op), documented(), context)
    call = next((call for call in calls if call.sample == of.sample), None)
    if call is None:
        raise QueryError(f"{of.op} has no {of.sample!r}; its calls are {', '.join(c.sample for c in calls[:12])}")
    return call


def _writable(of: Identity, sample: Sample) -> None:
    """Raises QueryError where an argument has no source, as a function or an object of the example."""
    for leaf in leaves(sample.draws[0]):
        if isinstance(leaf, Plain) and not _has_source(leaf):
            example = replace(of, sample=of.sample.split(",")[0], mode=EAGER, against="docs")
            kind = type(leaf.value).__name__
            raise QueryError(f"{of.sample} of {of.op} has a {kind} of the example as an argument: show {example}")


def _has_source(leaf: Any) -> bool:
    return not callable(leaf.value) and not repr(leaf).startswith("<")
