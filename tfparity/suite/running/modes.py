"""Ways of running a program: each mode turns a sample into outcomes, on one device. The room that runs TensorFlow.

A program is a function of flat tensors; a mode prepares it once per signature and calls it once per draw. Adding a
mode is adding one entry to MODES.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from tfparity.suite.inputs.samples import Sample
from tfparity.suite.judging.outcome import Failure, Outcome, failure, same_bits, value
from tfparity.suite.language.case import Case
from tfparity.suite.language.trees import RaggedValue, SparseValue, is_tensor, rebuild
from tfparity.suite.running import inventory


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


@dataclass(frozen=True)
class Program:
    """A case's call on one sample's structure: `function(*tensors, *extra)`; `autograph` says whether it is traced with
    it, `extra` are arrays that are arguments beside the sample's tensors."""

    function: Callable[..., Any]
    autograph: bool = False
    extra: tuple[np.ndarray, ...] = ()


def _known(spec: Any) -> Any:
    return spec


@dataclass(frozen=True)
class Mode:
    """How to run: `prepare(program, specs) -> callable`; `relax` loosens each TensorSpec of the signature, and each
    entry of `relax` is a way to run (later ones need not apply); `invalid` are the ways for invalid input, the last one
    for what disagrees in size only."""

    prepare: Callable[[Program, list[Any]], Callable[..., Any]]
    relax: tuple[Callable[[Any], Any], ...] = (_known,)
    compiles: bool = False
    invalid: tuple[Callable[[Any], Any], ...] = ()

    def ways(self, sample: Sample) -> tuple[Callable[[Any], Any], ...]:
        if sample.purpose == "value" or not self.invalid:
            return self.relax
        return self.invalid if sample.plain_name.startswith("mismatch") else self.invalid[:-1]


def _tf() -> Any:
    import tensorflow

    return tensorflow


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


def _eager(program: Program, specs: list[Any]) -> Callable[..., Any]:
    return program.function


def _graph(program: Program, specs: list[Any], **options: Any) -> Callable[..., Any]:
    function = _tf().function(program.function, input_signature=specs, autograph=program.autograph, **options)
    function.get_concrete_function()
    return function


def _contradicted(call: Any, results: Any) -> str:
    """Where a result does not fit the static shape or dtype that shape inference promised for it, in words, else ""."""
    tf = _tf()
    if not hasattr(call, "structured_outputs"):
        return ""
    promised = tf.nest.flatten(call.structured_outputs)
    for spec, result in zip(promised, tf.nest.flatten(results), strict=False):
        if (
            isinstance(spec, tf.TensorSpec | tf.Tensor)
            and isinstance(result, tf.Tensor)
            and not (spec.shape.is_compatible_with(result.shape) and spec.dtype == result.dtype)
        ):
            return f"promised {spec.dtype.name}{spec.shape} but gave {result.dtype.name}{result.shape}"
    return ""


def _xla(program: Program, specs: list[Any]) -> Callable[..., Any]:
    return _graph(program, specs, jit_compile=True)


def _saved_model(program: Program, specs: list[Any]) -> Callable[..., Any]:
    """The graph after saving and loading; results come back under their flat names."""
    tf = _tf()
    module = tf.Module()
    module.f = _graph(program, specs)
    path = tempfile.mkdtemp(prefix="tfparity-")
    try:
        tf.saved_model.save(module, path)
        loaded = tf.saved_model.load(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
    return lambda *tensors: loaded.f(*tensors)


def _unknown_dimensions(spec: Any) -> Any:
    tf = _tf()
    if isinstance(spec, tf.TensorSpec):
        return tf.TensorSpec([None] * spec.shape.rank, spec.dtype)
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.SparseTensorSpec([None] * spec.shape.rank, spec.dtype)
    return spec


def _unknown_rank(spec: Any) -> Any:
    tf = _tf()
    return tf.TensorSpec(None, spec.dtype) if isinstance(spec, tf.TensorSpec) else spec


MODES: dict[str, Mode] = {
    "eager": Mode(_eager),
    "graph": Mode(_graph),
    "graph-dynamic": Mode(_graph, (_unknown_dimensions, _unknown_rank)),
    "xla": Mode(_xla, compiles=True, invalid=(_known, _unknown_dimensions, _unknown_rank)),
    "xla-dynamic": Mode(_xla, (_unknown_dimensions,), compiles=True),
    "savedmodel": Mode(_saved_model),
}
DEFAULT_MODES = ("eager", "graph", "graph-dynamic", "xla", "numpy")


def resolve(name: str) -> Any:
    """The public function of a canonical name (`tf.math.acosh`). Raises AttributeError in TensorFlow's words."""
    found: Any = _tf()
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def program(case: Case, sample: Sample) -> Program:
    """The case's call on the sample's argument structure, as a function of flat tensors.

    With `sample.constants`, the call is made once for each, as the last positional argument, a constant of the graph.
    """
    tf = _tf()
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

    return Program(function, case.autograph)


def _option(leaf: Any) -> Any:
    return _tf().as_dtype(leaf) if isinstance(leaf, np.dtype) else leaf


def tensor(leaf: Any) -> Any:
    """A tensor leaf as TensorFlow's: constant, SparseTensor or RaggedTensor."""
    tf = _tf()
    if isinstance(leaf, SparseValue):
        return tf.SparseTensor(leaf.indices, tf.constant(leaf.values), leaf.dense_shape)
    if isinstance(leaf, RaggedValue):
        return tf.RaggedTensor.from_nested_row_splits(tf.constant(leaf.values), list(leaf.splits))
    array = np.asarray(leaf)
    return tf.constant(array, tf.string if array.dtype.kind == "O" else None)


def run(
    case: Case,
    sample: Sample,
    mode: str,
    device: str,
    clock: Clock,
    step: Callable[[int], None] = lambda draw: None,
    wrap: Callable[[Program], Program] = lambda p: p,
    cache: Cache | None = None,
    every: bool = True,
) -> list[Outcome]:
    """The outcome of every draw of a sample in one mode, on one device.

    `step` is told the number of each draw before it runs, so that a process that dies has said where. A draw that
    TensorFlow calls unsupported answers for all: the rest would say the same, and a second call of some such
    functions aborts the process. Samples run with one `cache` share what they can.

    A mode with several relaxations tries `every` one on a case's first options; the further options take turns (all of
    them for each were 6 percent of a sweep's time). What was not to be expected speaks for the mode: a failure on
    valid input, a value on invalid, or another value. But a later relaxation that the op cannot be traced with tells
    nothing: not every op can do without a rank.

    Invalid input that XLA refuses it is asked once more with unknown dimensions: else its own kernels would never see a
    product whose inner dimensions disagree, which they compute. And where sizes disagree, without a rank too, for which
    Python takes another kernel (`BatchMatMul` for `MatMul`).
    """
    entry, cache = MODES[mode], cache or Cache()
    ways = entry.ways(sample)
    turn = sample.option % len(ways) if every else 0
    answers: list[list[Outcome]] = []
    for relax in ways[turn:] + ways[:turn]:
        at = (mode, relax.__name__, device, wrap.__name__)
        outcomes = _run_once(entry, relax, case, sample, device, clock, step, wrap, cache, at)
        refused = all(isinstance(o, Failure) and o.phase == "trace" for o in outcomes)
        if relax is not ways[0] and refused:
            continue
        answers.append(outcomes)
        if not (every and sample.first) or (entry.compiles and not all(isinstance(o, Failure) for o in outcomes)):
            break
    found = answers[0]
    for later in answers[1:]:
        found = [_telling(a, b, sample.purpose) for a, b in zip(found, later, strict=True)]
    return found


def _telling(a: Outcome, b: Outcome, purpose: str) -> Outcome:
    """Of two answers to one draw the one that was not to be expected; the first, should both be alike."""
    if isinstance(a, Failure) == isinstance(b, Failure):
        return a if isinstance(a, Failure) or same_bits(a, b) else b
    failed, gave = (a, b) if isinstance(a, Failure) else (b, a)
    return gave if purpose == "error" else failed


@lru_cache(maxsize=1)
def _strings_under_xla() -> Failure | None:
    """XLA's answer to a string argument, asked once a process with `tf.identity`; None should it take one.

    Asking again aborts the process (`DataTypeCanUseMemcpy`, TensorFlow 2.21), in whichever op comes next, and so does
    an empty string tensor at once. So this answer stands for all.
    """
    tf = _tf()
    try:
        tf.function(lambda s: tf.identity(s), jit_compile=True, autograph=False)(tf.constant(["a"]))
    except Exception as error:
        return failure(error, "execute")
    return None


def _run_once(
    entry: Mode,
    relax: Callable[[Any], Any],
    case: Case,
    sample: Sample,
    device: str,
    clock: Clock,
    step: Callable[[int], None],
    wrap: Callable[[Program], Program],
    cache: Cache,
    at: tuple[Any, ...],
) -> list[Outcome]:
    tf = _tf()
    outcomes: list[Outcome] = []
    with tf.device(f"/device:{device}"):
        step(0)
        inventory.forget_scalars()
        inventory.forget_caching_device()
        if case.random:
            tf.random.set_seed(1)  # once: it empties the kernel cache, which costs the next draw 10 ms
        if entry.compiles and sample.strings and (refused := _strings_under_xla()):
            return [refused] * len(sample.draws)
        try:
            with clock.phase("trace"):
                wrapped = wrap(program(case, sample))
                extra = [tensor(array) for array in wrapped.extra]
                draws = [[*tensors, *extra] for tensors in cache.tensors(sample, device)]
                specs = [relax(tf.type_spec_from_value(t)) for t in draws[0]]
                ready = _prepared(entry, wrapped, sample, specs, cache, at)
        except Exception as error:
            return [failure(error, "trace")] * len(sample.draws)
        for number, tensors in enumerate(draws):
            if ready.refusal:
                return outcomes + [ready.refusal] * (len(draws) - number)
            step(number)
            try:
                with clock.phase("compile" if entry.compiles and ready.fresh else "execute"):
                    ready.fresh = False
                    assert ready.call
                    results = ready.call(*tensors)
                    found = value(results)
                    broken = _contradicted(ready.call, results) if number == 0 else ""
                outcomes.append(replace(found, structure=f"{found.structure} {broken}") if broken else found)
            except Exception as error:
                # What Python refuses before any kernel runs is of the phase in which a graph refuses it.
                outcomes.append(failure(error, "execute" if isinstance(error, tf.errors.OpError) else "trace"))
                last = outcomes[-1]
                if isinstance(last, Failure) and last.unsupported and entry.prepare is not _eager:
                    ready.refusal = last
    return outcomes


def _prepared(
    entry: Mode, wrapped: Program, sample: Sample, specs: list[Any], cache: Cache, at: tuple[Any, ...]
) -> Prepared:
    """The program ready for these specs, from the cache where a sample of the same options and signature was before."""
    options = rebuild(sample.draws[0], lambda leaf: is_tensor(leaf) or leaf)
    key = (*at, repr(options), repr(sample.constants), *specs)
    if key not in cache.prepared:
        try:
            call = entry.prepare(wrapped, specs)
            # the concrete function is the same at 130 us a call, where finding it from the signature makes that 220
            cache.prepared[key] = Prepared(wrapped, getattr(call, "get_concrete_function", lambda call=call: call)())
        except Exception as error:
            cache.prepared[key] = Prepared(wrapped, refusal=failure(error, "trace"))
    return cache.prepared[key]
