"""Ways of running a program: each mode turns a sample into outcomes, on one device. The room that runs TensorFlow.

A program is a function of flat tensors; a mode prepares it once per signature and calls it once per draw. A mode is one
entry of MODES: its fields say all that the rest of the suite asks of a mode, so that no other module knows their names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging.outcome import Failure, Outcome, failure, same_bits, value
from tfparity.suite.language.case import Case
from tfparity.suite.language.trees import RaggedValue, SparseValue, is_tensor, rebuild
from tfparity.suite.running import preparing, private_api
from tfparity.suite.running.gradient import gradient
from tfparity.suite.running.preparing import KNOWN, UNKNOWN_DIMENSIONS, UNKNOWN_RANK, Program, Shapes

NUMPY = "numpy"
"""The mode of the reference, which runs no TensorFlow; wherever modes are listed it may stand among them."""

EAGER = "eager"
"""The mode that the others are compared with."""


@dataclass(frozen=True)
class Mode:
    """How to run, and what the suite does with it.

    prepare         makes of a program and the type specifications of its tensors what is called
    shapes          how much of the shapes a trace knows; each is a way to run (later ones need not apply)
    invalid         the same for invalid input, the last one for what disagrees in size only; () for `shapes`
    traces          whether the program is traced into a graph, which runs eager's kernels unless it compiles
    compiles        whether XLA compiles it
    dynamic         whether traces know no dimensions
    differentiates  whether gradients are judged in it
    timed           whether it is timed
    replayed        whether the examples of TensorFlow's pages are called in it again
    default         whether a run that names no modes has it
    """

    prepare: Callable[[Program, list[Any]], Callable[..., Any]]
    shapes: tuple[Shapes, ...] = (KNOWN,)
    invalid: tuple[Shapes, ...] = ()
    traces: bool = True
    compiles: bool = False
    dynamic: bool = False
    differentiates: bool = True
    timed: bool = True
    replayed: bool = False
    default: bool = False

    def ways(self, sample: Sample) -> tuple[Shapes, ...]:
        """The ways to run a sample."""
        if not (sample.invalid and self.invalid):
            return self.shapes
        return self.invalid if sample.family == "mismatch" else self.invalid[:-1]


MODES: dict[str, Mode] = {
    "eager": Mode(preparing.eager, traces=False, default=True, differentiates=False),
    "graph": Mode(preparing.graph, replayed=True, default=True),
    "graph-dynamic": Mode(
        preparing.graph,
        shapes=(UNKNOWN_DIMENSIONS, UNKNOWN_RANK),
        dynamic=True,
        differentiates=False,
        timed=False,
        default=True,
    ),
    "xla": Mode(
        preparing.compiled,
        invalid=(KNOWN, UNKNOWN_DIMENSIONS, UNKNOWN_RANK),
        compiles=True,
        replayed=True,
        default=True,
    ),
    "xla-dynamic": Mode(preparing.compiled, shapes=(UNKNOWN_DIMENSIONS,), compiles=True, dynamic=True),
    "savedmodel": Mode(preparing.saved),
}
DEFAULT_MODES = (*(name for name, mode in MODES.items() if mode.default), NUMPY)


@dataclass
class Clock:
    """Seconds per phase: trace, compile (an XLA first call), execute; the rest of a worker's time is the harness."""

    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - start


@dataclass
class Prepared:
    """A program made ready for one signature: how to call it, or TensorFlow's refusal, which answers every call. The
    program is kept, since a concrete function does not keep the variables and queues that it captured."""

    program: Program
    call: Callable[..., Any] | None = None
    refusal: Failure | None = None
    fresh: bool = True


@dataclass
class Cache:
    """What one task has made ready: programs, since samples of one signature (`ordinary` and `edge`; all of a rank
    where dimensions are unknown) share a trace and a compilation; and each sample's tensors on a device, since every
    mode takes the same ones."""

    prepared: dict[Any, Prepared] = field(default_factory=dict)
    placed: dict[Any, tuple[Sample, list[list[Any]]]] = field(default_factory=dict)

    def tensors(self, sample: Sample, device: str) -> list[list[Any]]:
        """The tensors of each draw; to be called where `device` is the default."""
        key = id(sample), device
        if key not in self.placed:
            self.placed[key] = sample, [[tensor(leaf) for leaf in draw] for draw in sample.tensors]
        return self.placed[key][1]


@dataclass(frozen=True)
class Execution:
    """A sample of a case to be run in a mode on a device; `aspect` `gradient` runs its gradient. `step` is called with
    the number of each draw before it runs, so that a process that dies has said where."""

    case: Case
    sample: Sample
    mode: str
    device: str
    clock: Clock
    aspect: str = "value"
    step: Callable[[int], None] = lambda draw: None
    cache: Cache = field(default_factory=Cache)

    @property
    def entry(self) -> Mode:
        return MODES[self.mode]


def resolve(name: str) -> Any:
    """The public function of a canonical name (`tf.math.acosh`). Raises AttributeError in TensorFlow's words."""
    import tensorflow

    found: Any = tensorflow
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def program(case: Case, sample: Sample, aspect: str = "value") -> Program:
    """The case's call on the sample's argument structure, as a function of flat tensors; or its gradient.

    With `sample.constants`, the call is made once for each, as the last positional argument, a constant of the graph.
    """
    import tensorflow as tf

    structure = sample.draws[0]
    state = () if case.state is None else (case.state(),)

    body, call, target = case.body, case.call, None if case.body else resolve(case.name)

    @tf.autograph.experimental.do_not_convert  # autograph would read and convert this room's own helpers
    def assembled(tensors: tuple[Any, ...]) -> Any:
        remaining = iter(tensors)
        return rebuild(structure, lambda leaf: next(remaining) if is_tensor(leaf) else _option(leaf))

    def once(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if body is not None:
            return body(*state, *args, **kwargs)
        if call is not None:
            return call(target, *state, *args, **kwargs)
        return target(*args, **kwargs)  # type: ignore[misc]

    def function(*tensors: Any) -> Any:
        args, kwargs = assembled(tensors)
        if sample.constants:
            return [once((*args, tf.constant(c)), kwargs) for c in sample.constants]
        return once(args, kwargs)

    plain = Program(function, case.autograph, state=state)
    if aspect == "gradient":
        return replace(plain, function=gradient(function), extra=(np.zeros((), np.int32),))
    return plain


def _option(leaf: Any) -> Any:
    import tensorflow as tf

    return tf.as_dtype(leaf) if isinstance(leaf, np.dtype) else leaf


def tensor(leaf: Any) -> Any:
    """A tensor leaf as TensorFlow's: constant, SparseTensor or RaggedTensor."""
    import tensorflow as tf

    if isinstance(leaf, SparseValue):
        return tf.SparseTensor(leaf.indices, tf.constant(leaf.values), leaf.dense_shape)
    if isinstance(leaf, RaggedValue):
        return tf.RaggedTensor.from_nested_row_splits(tf.constant(leaf.values), list(leaf.splits))
    array = np.asarray(leaf)
    return tf.constant(array, tf.string if array.dtype.kind == "O" else None)


def run(execution: Execution, every: bool = True) -> list[Outcome]:
    """The outcome of every draw of a sample in one mode, on one device.

    A draw that TensorFlow calls unsupported answers for all: the rest would say the same, and a second call of some
    such functions aborts the process. Executions with one `cache` share what they can.

    A mode with several ways tries `every` one on a case's first options; the further options take turns (all of them
    for each were 6 percent of a sweep's time). If the ways disagree, the unexpected outcome is reported: a failure on
    valid input, a value on invalid, or another value. But a later way that the op cannot be traced in says nothing: not
    every op can do without a rank.

    Invalid input that XLA refuses it is asked once more with unknown dimensions: else its own kernels would never see a
    product whose inner dimensions disagree, which they compute. And where sizes disagree, without a rank too, for which
    Python takes another kernel (`BatchMatMul` for `MatMul`).
    """
    sample, entry = execution.sample, execution.entry
    ways = entry.ways(sample)
    turn = sample.option % len(ways) if every else 0
    answers: list[list[Outcome]] = []
    for way in ways[turn:] + ways[:turn]:
        outcomes = _run_once(execution, way)
        refused = all(isinstance(o, Failure) and o.phase == "trace" for o in outcomes)
        if way is not ways[0] and refused:
            continue
        answers.append(outcomes)
        if not (every and sample.first) or (entry.compiles and not all(isinstance(o, Failure) for o in outcomes)):
            break
    found = answers[0]
    for later in answers[1:]:
        found = [_unexpected(a, b, sample.invalid) for a, b in zip(found, later, strict=True)]
    return found


def _unexpected(a: Outcome, b: Outcome, invalid: bool) -> Outcome:
    """Of two outcomes of one draw the unexpected one; the first, should both be alike."""
    if isinstance(a, Failure) == isinstance(b, Failure):
        return a if isinstance(a, Failure) or same_bits(a, b) else b
    failed, gave = (a, b) if isinstance(a, Failure) else (b, a)
    return gave if invalid else failed


@lru_cache(maxsize=1)
def _strings_under_xla() -> Failure | None:
    """XLA's answer to a string argument, asked once a process with `tf.identity`; None should it take one.

    Asking again aborts the process (`DataTypeCanUseMemcpy`, TensorFlow 2.21), in whichever op comes next, and so does
    an empty string tensor at once. So this answer stands for all.
    """
    import tensorflow as tf

    try:
        tf.function(lambda s: tf.identity(s), jit_compile=True, autograph=False)(tf.constant(["a"]))
    except Exception as error:
        return failure(error, "execute")
    return None


def _run_once(execution: Execution, way: Shapes) -> list[Outcome]:
    import tensorflow as tf

    case, sample, entry, clock = execution.case, execution.sample, execution.entry, execution.clock
    outcomes: list[Outcome] = []
    with tf.device(f"/device:{execution.device}"):
        execution.step(0)
        private_api.forget_scalars()
        private_api.forget_caching_device()
        if case.random:
            tf.random.set_seed(1)  # once: it empties the kernel cache, which costs the next draw 10 ms
        if entry.compiles and sample.strings and (refused := _strings_under_xla()):
            return [refused] * len(sample.draws)
        try:
            with clock.phase("trace"):
                made = program(case, sample, execution.aspect)
                extra = [tensor(array) for array in made.extra]
                draws = [[*tensors, *extra] for tensors in execution.cache.tensors(sample, execution.device)]
                specs = [way.loosen(tf.type_spec_from_value(t)) for t in draws[0]]
                ready = _prepared(execution, way, made, specs)
        except Exception as error:
            return [failure(error, "trace")] * len(sample.draws)
        for number, tensors in enumerate(draws):
            if ready.refusal:
                return outcomes + [ready.refusal] * (len(draws) - number)
            execution.step(number)
            try:
                with clock.phase("compile" if entry.compiles and ready.fresh else "execute"):
                    ready.fresh = False
                    assert ready.call
                    results = ready.call(*tensors)
                    found = value(results)
                    broken = preparing.contradiction(ready.call, results) if number == 0 else ""
                outcomes.append(replace(found, structure=f"{found.structure} {broken}") if broken else found)
            except Exception as error:
                # What Python refuses before any kernel runs is of the phase in which a graph refuses it.
                outcomes.append(failure(error, "execute" if isinstance(error, tf.errors.OpError) else "trace"))
                last = outcomes[-1]
                if isinstance(last, Failure) and last.unsupported and entry.traces:
                    ready.refusal = last
    return outcomes


def _prepared(execution: Execution, way: Shapes, made: Program, specs: list[Any]) -> Prepared:
    """The program ready for these specs, from the cache where a sample of the same options and signature was before."""
    sample, cached = execution.sample, execution.cache.prepared
    options = rebuild(sample.draws[0], lambda leaf: is_tensor(leaf) or leaf)
    key = (
        *(execution.mode, way, execution.device, execution.aspect),
        *(repr(options), repr(sample.constants), *specs),
    )
    if key not in cached:
        try:
            cached[key] = Prepared(made, preparing.concrete(execution.entry.prepare(made, specs)))
        except Exception as error:
            cached[key] = Prepared(made, refusal=failure(error, "trace"))
    return cached[key]
