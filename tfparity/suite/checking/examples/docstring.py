"""Running a docstring's examples eagerly, as TensorFlow's own documentation tests do, and judging what they print."""

from __future__ import annotations

import doctest
import inspect
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfparity.suite.checking.examples.recording import Call, Context, Recorder
from tfparity.suite.checking.task import Step
from tfparity.suite.judging.judgement import Judgement
from tfparity.suite.judging.outcome import failure
from tfparity.suite.running import private_api
from tfparity.suite.running.modes import EAGER

SEED = 87654321
"""TensorFlow's, when it runs its documentation."""

FLAGS = (
    doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL | doctest.DONT_ACCEPT_BLANKLINE
)

SHOWN = 400
"""Characters of an example's output in a row's detail."""

Judged = dict[int, tuple[Judgement, float]]
"""By the number of an example: its judgement and its seconds."""


def examples_in(function: Callable[..., Any]) -> list[doctest.Example]:
    """The examples of a function's docstring."""
    return doctest.DocTestParser().get_examples(inspect.getdoc(function) or "")


def perform(
    name: str, function: Callable[..., Any], known: Mapping[int, str], context: Context
) -> tuple[Judged, list[Call]]:
    """Run a docstring's examples: the judgement of each, and the calls they made of the `known` ops."""
    import tensorflow as tf

    recorder = Recorder(known)
    scope = {**vars(sys.modules[inspect.unwrap(function).__module__]), "tf": recorder.stand_in(tf), "np": np, "os": os}
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(function) or "", scope, name, None, 0)
    if not test.examples:
        return {}, []
    runner = _Runner(recorder, lambda number: context.step(_step(number, context), 0))
    for number, example in enumerate(test.examples, 1):
        died = context.lost.get(_step(number, context))
        if died or example.options.get(doctest.SKIP):
            example.options[doctest.SKIP] = True
            skipped = Judgement("unsupported", detail="the documentation asks to skip it")
            runner.judged[number] = (Judgement(died.verdict, detail=died.detail) if died else skipped, 0.0)
    seed(SEED)
    with tf.device(f"/device:{context.device}"):
        runner.run(test, out=lambda text: None, clear_globs=False)
    recorder.idle = True
    return dict(sorted(runner.judged.items())), recorder.calls


def _step(number: int, context: Context) -> Step:
    return f"example-{number}", EAGER, context.device, "docs"


def seed(number: int) -> None:
    """Seed every generator of random numbers that an example may use."""
    import tensorflow as tf

    for set_seed in (tf.random.set_seed, np.random.seed, random.seed):
        set_seed(number)


class _Runner(doctest.DocTestRunner):
    """doctest's runner, which judges each example and prints nothing. It calls `begin` before each."""

    def __init__(self, recorder: Recorder, begin: Callable[[int], None]):
        super().__init__(private_api.output_checker(), verbose=False, optionflags=FLAGS)
        self.recorder, self.begin = recorder, begin
        self.judged: Judged = {}
        self.began = 0.0

    def report_start(self, out: Any, test: doctest.DocTest, example: doctest.Example) -> None:
        self.recorder.example = test.examples.index(example) + 1
        self.begin(self.recorder.example)
        self.began = time.perf_counter()

    def report_success(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        self._judge("identical" if got == example.want or not example.want or example.exc_msg else "close")

    def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        raised = got.startswith("Traceback")
        verdict = "error-differs" if raised else "accepted" if example.exc_msg else "differs"
        kind = {"error-differs": "error-class", "differs": "value"}.get(verdict, "")
        self._judge(verdict, kind, _difference(example, got.strip().splitlines()[-1] if raised else got))

    def report_unexpected_exception(self, out: Any, test: doctest.DocTest, example: doctest.Example, exc: Any) -> None:
        error = failure(exc[1], "execute")
        if any(judgement.verdict in ("crash", "timeout") for judgement, _ in self.judged.values()):
            self._judge("unsupported", detail=f"follows an example in which the process died: {error.words}")
        elif error.unsupported:
            self._judge("unsupported", detail=error.words)
        else:
            self._judge("error-differs", "error-class", _difference(example, error.words))

    def _judge(self, verdict: str, kind: str = "", detail: str = "") -> None:
        seconds = time.perf_counter() - self.began
        self.judged[self.recorder.example] = Judgement(verdict, kind, detail=detail), seconds


def _difference(example: doctest.Example, got: str) -> str:
    """The example, what it gave and what the documentation shows."""
    source = example.source.strip().replace("\n", "\n... ")
    want = example.want.strip() or "nothing printed"
    return f">>> {source}\ngot      {got.strip()[:SHOWN] or 'nothing printed'}\nexpected {want[:SHOWN]}"
