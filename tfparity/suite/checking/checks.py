"""One task: a case in one dtype, all its samples in every mode on every device, judged into rows.

The walk is case -> samples -> modes -> outcomes -> judge -> rows. It runs inside a worker process that may die; it
tells its `step` callback what it is about to do, and is told which steps an earlier attempt died in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tfparity.suite.checking.planning import Plan, Wanted, plan
from tfparity.suite.inputs.samples import Sample, expand
from tfparity.suite.judging import reference
from tfparity.suite.judging.arrays import agree, arrays
from tfparity.suite.judging.judgement import IDENTICAL, Judgement, worst
from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value, same_bits, value
from tfparity.suite.judging.outcome import uninitialised as unwritten
from tfparity.suite.judging.shown import bits, short
from tfparity.suite.judging.verdicts import Expected, agrees, judge
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import family, roundoff
from tfparity.suite.language.edges import flushed
from tfparity.suite.language.trees import RaggedValue, SparseValue, leaves, rebuild
from tfparity.suite.records.identity import Identity
from tfparity.suite.records.results import Check
from tfparity.suite.running import modes
from tfparity.suite.running.modes import Clock, Program

Step = tuple[str, str, str, str]
"""(sample, mode, device, aspect): what a worker was doing when it died."""


@dataclass
class Task:
    """The state of one task while it runs: outcomes by step, filled as checks ask for them."""

    case: Case
    dtype: str
    samples: dict[str, Sample]
    lost: Mapping[Step, Lost]
    clock: Clock
    step: Callable[[Step, int], None]
    main: bool = True
    outcomes: dict[Step, list[Outcome]] = field(default_factory=dict)
    seconds: dict[Step, float] = field(default_factory=dict)
    references: dict[str, list[Expected | None]] = field(default_factory=dict)
    cache: modes.Cache = field(default_factory=modes.Cache)
    smooth: dict[str, Sample] = field(default_factory=dict)

    def outcome(self, sample: Sample, mode: str, device: str, aspect: str = "value") -> list[Outcome]:
        step = (sample.name, mode, device, aspect)
        if step not in self.outcomes:
            if step in self.lost:
                self.outcomes[step] = [self.lost[step]] * len(sample.draws)
            elif mode in ("graph", "graph-dynamic") and self.no_kernel(sample, device):
                self.outcomes[step] = self.outcome(sample, "eager", device, aspect)
            else:
                start = time.perf_counter()
                given, wrap = (self.smoothed(sample), gradient) if aspect == "gradient" else (sample, lambda p: p)
                found = modes.run(
                    self.case,
                    given,
                    mode,
                    device,
                    self.clock,
                    lambda draw: self.step(step, draw),
                    wrap,
                    self.cache,
                    self.main,
                )
                self.seconds[step] = time.perf_counter() - start
                self.outcomes[step] = [self.canonical(o, sample) for o in found] if aspect == "value" else found
        return self.outcomes[step]

    def no_kernel(self, sample: Sample, device: str) -> bool:
        """Whether a graph need not be asked: eager, whose kernels it runs, has none for these further options (of 2,216
        such rows of graphs 2,181 said the same; the others were of first options, or sizes known while tracing)."""
        return not sample.first and all(
            isinstance(o, Failure) and o.unsupported for o in self.outcome(sample, "eager", device)
        )

    def smoothed(self, sample: Sample) -> Sample:
        """The sample without subnormal numbers, the same one for every mode."""
        if sample.name not in self.smooth:
            self.smooth[sample.name] = without_subnormals(sample)
        return self.smooth[sample.name]

    def canonical(self, outcome: Outcome, sample: Sample) -> Outcome:
        if not self.case.canonical or not isinstance(outcome, Value):
            return outcome
        with np.errstate(all="ignore"):
            plain = _plain(outcome)
            return value([self.case.canonical(r) for r in plain] if sample.constants else self.case.canonical(plain))

    def reference(self, sample: Sample, surely: Collection[int] = ()) -> list[Expected | None]:
        """What the case's reference says of each draw; of the draws `surely` also how far it can be trusted."""
        step = reference_step(sample)
        if step in self.lost:
            return [None] * len(sample.draws)
        known = self.references.get(sample.name)
        if known is not None and not any(w and w.measure for w in (known[n] for n in surely)):
            return known
        self.step(step, 0)  # a case's own code may loop too
        with self.clock.phase("reference"):
            if known is None:
                parts = sample.name.split(",")
                edge = self.samples.get(",".join(["edge", *parts[1:]]))
                if edge is not None and edge is not sample and sample.positions is not None:
                    known = reference.cut(self.case, self.reference(edge)[0], edge, sample)
                known = known or reference.expected(self.case, sample)
                self.references[sample.name] = known
            for n in surely:
                expected = known[n]
                known[n] = expected and expected.measured()
        return known


def reference_step(sample: Sample) -> Step:
    """What a worker is doing while NumPy's reference runs, which may loop or die as well."""
    return (sample.name, "numpy", "", "value")


def run(
    case: Case,
    dtype: str,
    want: Wanted,
    lost: Mapping[Step, Lost],
    clock: Clock,
    step: Callable[[Step, int], None],
    kept: Collection[str] = (),
) -> Iterator[Check]:
    """The rows of one task, as they are judged, without those of the identities `kept`."""
    samples = expand(case, dtype)
    task = Task(case, dtype, {s.name: s for s in samples}, lost, clock, step, want.main)
    for planned in plan(case, samples, want):
        identity = Identity(
            case.name, dtype, planned.sample, planned.mode, planned.device, planned.aspect, planned.against
        )
        if not want.row(identity) or str(identity) in kept:
            continue
        sample = task.samples[planned.sample]
        judged = judgement(task, sample, planned)
        at = (planned.sample, planned.mode, planned.device, _executed(planned.aspect))
        yield row(identity, replace(judged, detail=told(task, sample, judged)), task.seconds.get(at, 0.0))


def row(at: Identity, judged: Judgement, seconds: float) -> Check:
    """A judgement as a row of `checks.parquet`."""
    return Check(
        str(at),
        **vars(at),
        verdict=judged.verdict,
        kind=judged.kind,
        max_ulp=judged.max_ulp,
        scaled_error=judged.scaled_error,
        detail=judged.detail,
        seconds=seconds,
    )


def _executed(aspect: str) -> str:
    return "gradient" if aspect == "gradient" else "value"


def judgement(task: Task, sample: Sample, planned: Plan) -> Judgement:
    """The judgement; what the case itself raises, in its invariant or canonical form, costs this row alone."""
    try:
        return _judge(task, sample, planned)
    except Exception as error:
        return Judgement("crash", detail=f"the case itself raises {type(error).__name__}: {error}")


def _judge(task: Task, sample: Sample, planned: Plan) -> Judgement:
    got = task.outcome(sample, planned.mode, planned.device, _executed(planned.aspect))
    against = planned.against
    if against == "docs":
        if planned.aspect == "gradient":  # of what has a value
            values = task.outcome(sample, planned.mode, planned.device)
            got = [
                g
                for g, v in zip(got, values, strict=True)
                if isinstance(v, Value) or (isinstance(v, Failure) and v.unsupported)
            ]
        return _documented(got, sample)
    if against == "lanes":
        return _lanes(task, sample, got, planned)
    if against == "theory":
        return _theory(task, sample, got)
    if against == "numpy":
        if lost := task.lost.get(reference_step(sample)):
            return Judgement(lost.verdict, detail=f"the reference: {lost.detail}")
        wants = task.reference(sample)
        with task.clock.phase("judge"):
            told = [n for n, w in enumerate(wants) if w is not None]
            if not told:
                return Judgement("ill-conditioned", detail="the reference calls every draw undefined")
            apart = [n for n in told if not agrees(got[n], wants[n])]  # type: ignore[arg-type]
        sure = task.reference(sample, _valued(got, apart))
        return _judged(task, got, {n: w for n in apart if (w := sure[n]) is not None}, len(told))
    device = "CPU:0" if against == "cpu" else planned.device
    base = task.outcome(sample, "eager", device, _executed(planned.aspect))
    with task.clock.phase("judge"):
        told = list(range(len(got))) if planned.mode.startswith("xla") else _written(got, base)
        if not told:
            return Judgement("unsupported", detail="nothing to compare with: eager gives memory that nobody wrote")
        apart = [n for n in told if not same_bits(got[n], base[n])]
    factor = 0.0 if task.case.exact and planned.aspect == "value" else 2.0 * task.case.error_factor
    wanted = {n: Expected(base[n]) for n in apart}
    if valued := _valued(got, apart):
        wanted |= _from_eager(task, sample, base, planned.aspect, valued)
    return _judged(task, got, {n: replace(e, factor=factor) for n, e in wanted.items()}, len(told))


def _written(got: list[Outcome], base: list[Outcome]) -> list[int]:
    """The draws of a graph that can be compared with eager's: not a value with memory that nobody wrote, which holds
    one pattern mostly and, once in a whole run, what was there before."""
    return [
        n
        for n, (g, b) in enumerate(zip(got, base, strict=True))
        if not (isinstance(g, Value) and isinstance(b, Value) and unwritten(b))
    ]


def _valued(got: list[Outcome], numbers: list[int]) -> list[int]:
    """Of these draws those that gave a value: of an error no distance is asked."""
    return [n for n in numbers if isinstance(got[n], Value)]


def _judged(task: Task, got: list[Outcome], wants: Mapping[int, Expected], told: int) -> Judgement:
    """The judgement of `told` draws, of which only those in `wants` are not what they should be to the bit."""
    found = [IDENTICAL] if len(wants) < told else []
    if wants:
        numbers = list(wants)
        with task.clock.phase("judge"):
            j = judge([got[n] for n in numbers], list(wants.values()))
        found.append(replace(j, worst=j.worst and (numbers[j.worst[0]], *j.worst[1:])))
    return worst(found)


def _from_eager(
    task: Task, sample: Sample, base: list[Outcome], aspect: str, numbers: list[int]
) -> dict[int, Expected]:
    """Eager's own outcomes of some draws as what another mode should give.

    How far they may move is the reference's sensitivity where there is one of the same form, else that of eager on
    moved inputs. Two modes may each be off by the allowed error, hence twice the factor where this is used.
    """
    known: dict[int, Expected] = {}
    if task.case.reference and aspect == "value":
        wants = task.reference(sample, numbers)
        for n in numbers:
            w, b = wants[n], base[n]
            if w is None or not isinstance(w.outcome, Value) or not isinstance(b, Value):
                continue
            if [a.shape for a in w.outcome.arrays] == [a.shape for a in b.arrays]:
                known[n] = Expected(b, w.spread, w.flushed, kept=w.outcome.arrays)
        if len(known) == len(numbers):
            return known
    if task.case.exact or not any(
        isinstance(o, Value) and any(family(a.dtype) in ("float", "complex") for a in o.arrays) for o in base
    ):
        return {n: known.get(n) or Expected(base[n]) for n in numbers}
    key: Step = (sample.name, "moved", "", aspect)
    if key not in task.outcomes:
        wrap = gradient if aspect == "gradient" else lambda p: p
        given = task.smoothed(sample) if aspect == "gradient" else sample
        found = modes.run(
            task.case, _moved(given), "eager", "CPU:0", task.clock, lambda draw: task.step(key, draw), wrap
        )
        task.outcomes[key] = [task.canonical(o, sample) for o in found] if aspect == "value" else found
    floor = _typical if aspect == "gradient" else lambda spread, outcome: spread
    other = task.outcomes[key]
    return {n: known.get(n) or Expected(base[n], floor(_distance(base[n], other[n]), base[n])) for n in numbers}


def _typical(spread: tuple[np.ndarray | None, ...], outcome: Outcome) -> tuple[np.ndarray | None, ...]:
    """At least one roundoff of a typical element: the gradient of a linear op sums weights and does not move with the
    inputs, so its cancellations show in no distance."""
    if not isinstance(outcome, Value) or len(spread) != len(outcome.arrays):
        return spread
    found = []
    for s, a in zip(spread, outcome.arrays, strict=True):
        wide = {"float": np.float64, "complex": np.complex128}.get(family(a.dtype))
        size = np.abs(a.astype(wide)) if wide else np.zeros(0)
        size = size[np.isfinite(size) & (size > 0)]
        found.append(s if s is None or not size.size else np.maximum(s, roundoff(a.dtype) * float(np.median(size))))
    return tuple(found)


def _moved(sample: Sample) -> Sample:
    """The sample with its floating inputs moved by two roundoffs: one would often be rounded off in their own dtype."""

    def back(draw: Any) -> Any:
        there = iter(leaves(reference.moved(draw, sample.name, 2.0)))

        def leaf(original: Any) -> Any:
            other = next(there)
            if isinstance(original, np.ndarray) and isinstance(other, np.ndarray):
                return other.astype(original.dtype)
            return original

        with np.errstate(over="ignore"):  # the largest number moves to infinity
            return rebuild(draw, leaf)

    return replace(sample, draws=tuple(back(d) for d in sample.draws))


def without_subnormals(sample: Sample) -> Sample:
    """The sample without subnormal numbers: whether they are flushed is judged on values, and gradients near zero would
    say it again in every op."""
    return replace(
        sample,
        draws=tuple(
            rebuild(d, lambda leaf: flushed(leaf) if isinstance(leaf, np.ndarray) else leaf) for d in sample.draws
        ),
    )


def _distance(a: Outcome, b: Outcome) -> tuple[np.ndarray | None, ...]:
    if not (isinstance(a, Value) and isinstance(b, Value)) or len(a.arrays) != len(b.arrays):
        return ()
    found: list[np.ndarray | None] = []
    for x, y in zip(a.arrays, b.arrays, strict=True):
        if family(x.dtype) not in ("float", "complex") or x.shape != y.shape:
            found.append(np.zeros(x.shape) if family(x.dtype) in ("float", "complex") else None)
            continue
        wide = np.complex128 if family(x.dtype) == "complex" else np.float64
        found.append(reference.gap(x.astype(wide), y.astype(wide)))
    return tuple(found)


def _documented(got: list[Outcome], sample: Sample) -> Judgement:
    """Invalid input must be refused where the documentation says so; valid input must give a value, and whatever is
    given must have been written."""
    for number, outcome in enumerate(got):
        if isinstance(outcome, Lost):
            return Judgement(outcome.verdict, detail=outcome.detail, worst=(number, -1, ()))
        if isinstance(outcome, Failure) and outcome.unsupported and sample.purpose == "value":
            return Judgement("unsupported", detail=outcome.words)
        if (
            sample.purpose == "value"
            and isinstance(outcome, Failure)
            and sample.plain_name in ("ordinary", "scalar", "n17")
        ):
            return Judgement(
                "error-differs",
                "error-class",
                detail=f"valid input is refused: {outcome.words}",
                worst=(number, -1, ()),
            )
        if sample.must_fail and isinstance(outcome, Value):
            first = "; ".join(short(a) for a in outcome.arrays[:3])
            return Judgement("accepted", detail=f"invalid input is accepted and gives {first}", worst=(number, -1, ()))
        if isinstance(outcome, Value) and (place := unwritten(outcome)):
            k, at = place
            return Judgement(
                "differs",
                "value",
                detail=f"result {k} is memory that nobody wrote: {bits(outcome.arrays[k][at])}",
                worst=(number, k, at),
            )
    return Judgement("identical")


def _lanes(task: Task, sample: Sample, got: list[Outcome], planned: Plan) -> Judgement:
    parts = sample.name.split(",")
    single = task.samples[",".join(["n1", *parts[1:]])]
    alone = task.outcome(single, planned.mode, planned.device)
    assert sample.positions is not None and single.positions is not None
    where = {int(p): n for n, (p,) in enumerate(single.positions)}
    found: list[Judgement] = []
    apart: list[tuple[int, int, np.ndarray, np.ndarray, np.ndarray]] = []  # draw, result, places, there, alone
    with task.clock.phase("judge"):
        for number, (outcome, row) in enumerate(zip(got, sample.positions, strict=True)):
            known = [(k, where[int(p)]) for k, p in enumerate(row) if int(p) in where]
            if isinstance(outcome, Lost | Failure):
                return (
                    judge([outcome], [Expected(alone[0])])
                    if not isinstance(outcome, Failure) or outcome.unsupported
                    else Judgement(
                        "identical" if any(isinstance(alone[n], Failure) for _, n in known) else "ill-conditioned",
                        detail="the long tensor is refused as a whole",
                    )
                )
            pairs = [
                (k, o)
                for k, n in known
                if isinstance(o := alone[n], Value)
                and len(o.arrays) == len(outcome.arrays)
                and all(a.shape == (1,) for a in o.arrays)
            ]
            if not pairs or any(a.shape != (len(row),) for a in outcome.arrays):
                continue
            index = np.array([k for k, _ in pairs])
            for k, whole in enumerate(outcome.arrays):
                singles = np.concatenate([o.arrays[k] for _, o in pairs])
                if agree(whole[index], singles):
                    found.append(IDENTICAL)
                else:
                    apart.append((number, k, index, whole[index], singles))
    wants = task.reference(sample, [number for number, *_ in apart]) if apart and task.case.reference else None
    with task.clock.phase("judge"):
        for number, k, index, there, singles in apart:
            # computed in float32 and rounded once, 16 bits leave no room for the length to show
            sixteen = family(there.dtype) == "float" and there.dtype.itemsize == 2
            spread = kept = flush = None
            sure = wants[number] if wants else None  # None too where undefined
            if sure and sure.spread and isinstance(sure.outcome, Value):
                model, flushes = sure.outcome.arrays[k], sure.flushed[k] if sure.flushed else None
                if model.shape == sample.positions[number].shape:
                    kept, s = model[index], sure.spread[k]
                    spread = None if s is None else s[index]
                    flush = flushes[index] if flushes is not None and flushes.shape == model.shape else None
            factor = 0.0 if task.case.exact or sixteen else 2.0 * task.case.error_factor
            j, at = arrays(there, singles, spread, factor=factor, kept=kept, flushed=flush)
            found.append(replace(j, worst=(number, k, (int(index[at[0]]),)) if at else None))
    return worst(found) if found else Judgement("ill-conditioned", detail="results do not align with the elements")


def _theory(task: Task, sample: Sample, got: list[Outcome]) -> Judgement:
    """The case's invariant, on each draw that gave a value."""
    assert task.case.invariant
    found = []
    for number, (outcome, (args, kwargs)) in enumerate(zip(got, sample.draws, strict=True)):
        if isinstance(outcome, Lost):
            return Judgement(outcome.verdict, detail=outcome.detail)
        if isinstance(outcome, Failure):
            if task.case.reference and _open(task.reference(sample)[number]):
                continue
            found.append(
                Judgement(
                    "unsupported" if outcome.unsupported else "error-differs",
                    "" if outcome.unsupported else "error-class",
                    detail=outcome.words,
                    worst=(number, -1, ()),
                )
            )
            continue
        with np.errstate(all="ignore"):
            held = task.case.invariant(_plain(outcome), *args, **kwargs)
        if isinstance(held, bool | np.bool_):
            found.append(
                Judgement("identical")
                if held
                else Judgement(
                    "differs",
                    "value",
                    detail=f"the invariant does not hold for {'; '.join(short(a) for a in outcome.arrays[:4])}",
                    worst=(number, -1, ()),
                )
            )
            continue
        for left, right in held if isinstance(held, list) else [held]:
            left, right = (
                np.where(a == 0, np.zeros_like(a), a) for a in map(np.asarray, (left, right))
            )  # no zero signs
            if left.shape != right.shape:
                found.append(
                    Judgement(
                        "differs", "shape", detail=f"the invariant compares shape {left.shape} with {right.shape}"
                    )
                )
                continue
            scale = (
                np.full(
                    left.shape,
                    _unit(outcome)
                    * float(np.max(np.abs(right.astype(np.complex128)), initial=0.0))
                    * max(1.0, left.size**0.5),
                )
                if family(left.dtype) in ("float", "complex")
                else None
            )
            j, at = arrays(left, right.astype(left.dtype), scale, factor=task.case.error_factor)
            found.append(replace(j, worst=(number, -1, tuple(at)) if at else None))
    return worst(found) if found else Judgement("identical", detail="every draw is refused, as it must or may be")


def _open(expected: Expected | None) -> bool:
    """Whether the reference refuses a draw too, or calls it undefined: then no invariant speaks of it."""
    return expected is None or isinstance(expected.outcome, Failure)


def _unit(outcome: Value) -> float:
    return max((roundoff(a.dtype) for a in outcome.arrays if family(a.dtype) in ("float", "complex")), default=0.0)


def _plain(outcome: Value) -> Any:
    """A result as the author of a case expects it: one array, or their sequence; sparse and ragged as values."""
    if outcome.structure == "sparse":
        return SparseValue(*outcome.arrays)
    if outcome.structure.startswith("ragged"):
        return RaggedValue(outcome.arrays[0], outcome.arrays[1:])
    return outcome.arrays[0] if outcome.structure == "*" else list(outcome.arrays)


def gradient(program: Program) -> Program:
    """The program that gives the gradients of the floating results, weighted unevenly, by the floating inputs.

    The weights are odd multiples of 1/8, exact in every dtype. Equal weights would hide errors that sum to zero, as
    softmax's do; a weight of zero would make NaN of infinity; and were they constants of the graph, its optimizer would
    fold them into what is under test, so they grow from an argument.
    """
    import tensorflow as tf

    def differentiable(t: Any) -> bool:
        return isinstance(t, tf.Tensor) and (t.dtype.is_floating or t.dtype.is_complex)

    def function(*arguments: Any) -> Any:
        *tensors, first = arguments
        inputs = [t for t in tensors if differentiable(t)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = [r for r in tf.nest.flatten(program.function(*tensors)) if differentiable(r)]
        weights = [
            tf.reshape((tf.cast((tf.range(tf.size(r)) + first) % 7, r.dtype) - 3) / 4 + 0.125, tf.shape(r))
            for r in results
        ]
        found = tape.gradient(results, inputs, output_gradients=weights) if results else [None] * len(inputs)
        return [None if g is None else tf.convert_to_tensor(g) for g in found]

    return Program(function, program.autograph, (np.zeros((), np.int32),))


def told(task: Task, sample: Sample, j: Judgement) -> str:
    """What a reader needs: the difference, then the input that showed it."""
    if not j.detail or j.worst is None:
        return j.detail
    draw, _, index = j.worst
    shown = []
    for leaf in sample.tensors[draw][:6]:
        array = getattr(leaf, "values", leaf)
        array = np.asarray(array)
        if (
            index
            and array.shape
            and len(index) == array.ndim
            and all(i < n for i, n in zip(index, array.shape, strict=True))
            and sample.positions is not None
        ):
            shown.append(bits(array[index]))
        else:
            shown.append(short(array, 12))
    where = f"draw {draw} of {len(sample.draws)}" + (f", element {list(index)}" if index else "")
    constants = (
        f"\nconstants {[np.asarray(c).item() for c in sample.constants]}, result {j.worst[1]}"
        if sample.constants
        else ""
    )
    return f"{j.detail}\n{where}; input {'  ,  '.join(shown)}{constants}"
