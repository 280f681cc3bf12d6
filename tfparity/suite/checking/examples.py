"""TensorFlow's own examples: the `>>>` lines in the docstrings of documented ops, cases that nobody here wrote.

An op's examples run eagerly, in order, as TensorFlow runs them: its seed, its module's globals, its float-aware checker
of the printed output. Their `tf` is a stand-in that notes every eager call of a documented op, with its arguments and
what it gave, and each noted call is made again in a graph and under XLA, its tensors being arguments, and judged
against what it gave eagerly. Calls that a call makes of functions it was given, and calls inside a function that the
example itself traces, belong to those and are not noted.

The rows: `tf.gather/mixed/example-3/eager@CPU:0#docs:docs` says whether the third `>>>` of tf.gather's docstring runs
and prints what it says (`identical`) or what the checker takes for it (`close`), and
`tf.gather/mixed/example-3,tf.constant-2/xla@CPU:0#docs:eager` is the second call of tf.constant in it, under XLA.
"""

from __future__ import annotations

import doctest
import functools
import inspect
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from tfparity.suite.checking import checks
from tfparity.suite.checking.planning import PlannedCheck, Wanted
from tfparity.suite.checking.task import Step, Task
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging.judge import Expected, Judgement, judge
from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value, failure, value
from tfparity.suite.language.case import Case
from tfparity.suite.language.trees import RaggedValue, SparseValue, leaves, rebuild
from tfparity.suite.records.identity import Identity, QueryError
from tfparity.suite.records.results import Check
from tfparity.suite.running import inventory, modes, private_api
from tfparity.suite.running.modes import EAGER, Clock, Execution

DTYPE = "mixed"
"""The dtype part of the identity: an example uses whichever it likes."""

NO_PAGES = ("tf.raw_ops.", "tf.experimental.numpy.")
"""Namespaces beside the documented ops: their pages repeat others'."""

REPLAYED = ("graph", "xla")
"""The modes in which the calls are made again: the two that rewrite what they run."""

SEED = 87654321
"""TensorFlow's, when it runs its documentation."""

REPEATS = 7
"""How often a call is repeated in eager to see whether chance decides where no seed of the process is drawn: a coin
falls alike eight times in 128."""

FLAGS = (
    doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL | doctest.DONT_ACCEPT_BLANKLINE
)


def may_have(case: Case) -> bool:
    """Whether the case is of a documented op, whose page may have examples: no program, no method of a class."""
    return case.name.startswith("tf.") and not case.name.startswith(NO_PAGES) and case.name.islower()


def speaks_of(identity: Identity) -> bool:
    """Whether it names a row of this room."""
    return identity.aspect == "docs" and identity.dtype == DTYPE


@dataclass(frozen=True)
class Given:
    """An argument that is no tensor and might as well be one: `plain` is what the example has, `array` the tensor."""

    plain: Any
    array: np.ndarray


@dataclass(frozen=True)
class Plain:
    """An argument that stays what the example has: a list that is an option, say. Its repr is its source."""

    value: Any

    def __repr__(self) -> str:
        if isinstance(self.value, np.ndarray):
            return f"np.array({self.value.tolist()!r}, {str(self.value.dtype)!r})"
        return f"tf.{self.value!r}" if type(self.value).__name__ == "TensorShape" else repr(self.value)


@dataclass(frozen=True)
class Call:
    """One eager call of a documented op by an example.

    sample   its part of the identity: the example, the op, and a number from the second such call on
    draw     its arguments, tensors as arrays, lists and arrays as Given, all else as Plain
    outcome  what it gave
    reason   why it cannot be made again, else empty
    """

    sample: str
    name: str
    function: Callable[..., Any]
    draw: Any
    outcome: Outcome
    reason: str = ""


def rows(
    name: str, want: Wanted, lost: Mapping[Step, Lost], clock: Clock, step: Callable[[Step, int], None]
) -> list[Check]:
    """The rows of one documented op; none where its docstring has no example, or the name is of no documented op."""
    if name not in documented().values():
        return []
    return of(name, modes.resolve(name), documented(), want, lost, clock, step)


@lru_cache(maxsize=1)
def documented() -> Mapping[int, str]:
    """The canonical name of every documented op, by the function's id."""
    return {id(modes.resolve(op.aliases[0])): op.name for op in inventory.documented()}


def of(
    name: str,
    function: Callable[..., Any],
    known: Mapping[int, str],
    want: Wanted,
    lost: Mapping[Step, Lost],
    clock: Clock,
    step: Callable[[Step, int], None],
) -> list[Check]:
    """The rows of any function's docstring, `known` being the ops whose calls are made again."""
    found = []
    for device in want.devices:
        told, calls = perform(name, function, known, device, lost, step)
        for number, (judgement, seconds) in told.items() if "eager" in want.modes else ():
            at = Identity(name, DTYPE, f"example-{number}", "eager", device, "docs", "docs")
            if want.row(at):
                found.append(checks.row(at, judgement, seconds))
        for call in calls:
            asked = [Identity(name, DTYPE, call.sample, mode, device, "docs", "eager") for mode in REPLAYED]
            asked = [at for at in asked if at.mode in want.modes and want.row(at)]
            found += replay(call, asked, lost, clock, step) if asked else []
    return found


# --- the examples, eagerly -----------------------------------------------------------------------------------------


def perform(
    name: str,
    function: Callable[..., Any],
    known: Mapping[int, str],
    device: str,
    lost: Mapping[Step, Lost],
    step: Callable[[Step, int], None],
) -> tuple[dict[int, tuple[Judgement, float]], list[Call]]:
    """Run a docstring's examples: by number, the judgement and the seconds of each; and the calls they made."""
    import tensorflow as tf

    recorder = Recorder(known)
    scope = {**vars(sys.modules[inspect.unwrap(function).__module__]), "tf": recorder.stand_in(tf), "np": np, "os": os}
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(function) or "", scope, name, None, 0)
    if not test.examples:
        return {}, []
    runner = _Runner(recorder, lambda number: step((f"example-{number}", "eager", device, "docs"), 0))
    for number, example in enumerate(test.examples, 1):
        died = lost.get((f"example-{number}", "eager", device, "docs"))
        if died or example.options.get(doctest.SKIP):
            example.options[doctest.SKIP] = True
            skipped = Judgement("unsupported", detail="the documentation asks to skip it")
            runner.told[number] = (Judgement(died.verdict, detail=died.detail) if died else skipped, 0.0)
    _seed(SEED)
    with tf.device(f"/device:{device}"):
        runner.run(test, out=lambda text: None, clear_globs=False)
    recorder.idle = True
    return dict(sorted(runner.told.items())), recorder.calls


def _seed(seed: int) -> None:
    import tensorflow as tf

    for set_seed in (tf.random.set_seed, np.random.seed, random.seed):
        set_seed(seed)


class _Runner(doctest.DocTestRunner):
    """doctest's runner, which judges each example and prints nothing."""

    def __init__(self, recorder: Recorder, begin: Callable[[int], None]):
        super().__init__(private_api.output_checker(), verbose=False, optionflags=FLAGS)
        self.recorder, self.begin = recorder, begin
        self.told: dict[int, tuple[Judgement, float]] = {}
        self.began = 0.0

    def report_start(self, out: Any, test: doctest.DocTest, example: doctest.Example) -> None:
        self.recorder.example = test.examples.index(example) + 1
        self.begin(self.recorder.example)
        self.began = time.perf_counter()

    def report_success(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        self._tell("identical" if got == example.want or not example.want or example.exc_msg else "close")

    def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        raised = got.startswith("Traceback")
        verdict = "error-differs" if raised else "accepted" if example.exc_msg else "differs"
        kind = {"error-differs": "error-class", "differs": "value"}.get(verdict, "")
        self._tell(verdict, kind, _shown(example, got.strip().splitlines()[-1] if raised else got))

    def report_unexpected_exception(self, out: Any, test: doctest.DocTest, example: doctest.Example, exc: Any) -> None:
        error = failure(exc[1], "execute")
        if any(judgement.verdict in ("crash", "timeout") for judgement, _ in self.told.values()):
            self._tell("unsupported", detail=f"follows an example in which the process died: {error.words}")
        elif error.unsupported:
            self._tell("unsupported", detail=error.words)
        else:
            self._tell("error-differs", "error-class", _shown(example, error.words))

    def _tell(self, verdict: str, kind: str = "", detail: str = "") -> None:
        self.told[self.recorder.example] = Judgement(verdict, kind, detail=detail), time.perf_counter() - self.began


def _shown(example: doctest.Example, got: str) -> str:
    """The example, what it gave and what the documentation shows."""
    source = example.source.strip().replace("\n", "\n... ")
    want = example.want.strip() or "nothing printed"
    return f">>> {source}\ngot      {got.strip()[:400] or 'nothing printed'}\nexpected {want[:400]}"


# --- noting the calls ----------------------------------------------------------------------------------------------


@dataclass
class Recorder:
    """Makes the stand-in for `tf` and keeps the calls made through it while it is not `idle`."""

    known: Mapping[int, str]
    calls: list[Call] = field(default_factory=list)
    example: int = 0
    idle: bool = False

    def stand_in(self, module: ModuleType) -> ModuleType:
        """A module that gives what `module` gives, but for eager calls of documented ops, which are noted."""
        import tensorflow as tf

        class Namespace(ModuleType):
            def __getattr__(_, name: str) -> Any:
                found = getattr(module, name)
                if private_api.is_public_module(found):
                    return self.stand_in(found)
                if self.idle or id(found) not in self.known or not tf.executing_eagerly():
                    return found  # autograph must see the function itself
                return self.noting(found)

        return Namespace(module.__name__)

    def noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import tensorflow as tf

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.idle or not tf.executing_eagerly():
                return function(*args, **kwargs)
            draw = tuple(map(taken, args)), {k: taken(v) for k, v in kwargs.items()}  # now: they may change
            if all(isinstance(leaf, Plain) for leaf in leaves(draw)):
                draw = rebuild(draw, _scalar)
            self.idle = True
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                phase = "execute" if isinstance(error, tf.errors.OpError) else "trace"
                self._note(function, draw, failure(error, phase), "")
                raise
            finally:
                self.idle = False
            strange = _no_tensor(result)
            self._note(function, draw, Value("", ()) if strange else value(result), strange)
            return result

        return call

    def _note(self, function: Callable[..., Any], draw: Any, outcome: Outcome, reason: str) -> None:
        name = self.known[id(function)]
        sample = f"example-{self.example},{name}"
        earlier = sum(call.name == name and call.sample.split(",")[0] == sample.split(",")[0] for call in self.calls)
        self.calls.append(Call(f"{sample}-{earlier + 1}" if earlier else sample, name, function, draw, outcome, reason))


def taken(tree: Any) -> Any:
    """Arguments as they are now, in the form of a sample's draw, with Given where there is a choice."""
    import tensorflow as tf

    if isinstance(tree, dict):
        return {key: taken(branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple) and (array := _array_of(tree)) is not None:
        return Given(deepcopy(tree), array)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(taken, tree))
    if isinstance(tree, list | tuple):
        return type(tree)(map(taken, tree))
    if isinstance(tree, tf.SparseTensor):
        return SparseValue(tree.indices.numpy(), tree.values.numpy(), tree.dense_shape.numpy())
    if isinstance(tree, tf.RaggedTensor):
        return RaggedValue(tree.flat_values.numpy(), tuple(s.numpy() for s in tree.nested_row_splits))
    if isinstance(tree, tf.Variable):
        return Given(tree, tree.numpy())
    if isinstance(tree, np.ndarray):
        return Given(tree.copy(), tree.copy())
    if isinstance(tree, tf.Tensor) and hasattr(tree, "numpy") and tree.dtype.name not in ("variant", "resource"):
        return _array(tree.numpy())
    return Plain(tree)


def _scalar(leaf: Plain) -> Any:
    """A number or a string of a call that has no tensors: the data may be among those."""
    array = None if isinstance(leaf.value, bool) else _array_of(leaf.value)
    return leaf if array is None else Given(leaf.value, array)


def _array_of(items: Any) -> np.ndarray | None:
    """The tensor that TensorFlow makes of numbers or strings, or of nested lists of them; None where it makes none."""
    import tensorflow as tf

    found = list(leaves(items))
    if not found or not all(
        isinstance(leaf, bool | int | float | complex | str | bytes | np.generic) for leaf in found
    ):
        return None
    try:
        return _array(tf.constant(items).numpy())
    except (ValueError, TypeError, tf.errors.OpError):
        return None


def _array(found: Any) -> np.ndarray:
    """A tensor's `numpy()`, which for a scalar string is bytes."""
    return np.array(found, object) if isinstance(found, bytes) else np.asarray(found)


def _no_tensor(result: Any) -> str:
    """Why no graph can return it, else empty."""
    import tensorflow as tf

    tensors = tf.Tensor | tf.SparseTensor | tf.RaggedTensor | tf.IndexedSlices | np.ndarray | np.generic | None
    for leaf in leaves(result):
        if not isinstance(leaf, tensors):
            return f"it gives a {type(leaf).__name__}, which is no tensor"
        if getattr(leaf, "dtype", None) in (tf.variant, tf.resource):
            return f"it gives a tensor of dtype {leaf.dtype.name}, which has no values to compare"
    return ""


# --- making the calls again ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Again:
    """A call as something the modes can run: `samples` differ in how many of the Given are tensors, the most first and
    none last; `random` says that eager does not repeat itself, so that only the form of its result can be judged."""

    case: Case
    samples: tuple[Sample, ...]
    random: bool = False
    reason: str = ""


def replay(
    call: Call, asked: list[Identity], lost: Mapping[Step, Lost], clock: Clock, step: Callable[[Step, int], None]
) -> list[Check]:
    """The rows of one call, on one device."""
    device = asked[0].device
    if died := lost.get((call.sample, "eager", device, "value")):
        return [checks.row(at, Judgement(died.verdict, detail=died.detail), 0.0) for at in asked]
    again = Again(_case(call), (), reason=call.reason) if call.reason else prepare(call, device, clock, step)
    if again.reason:
        return [checks.row(at, Judgement("unsupported", detail=f"not made again: {again.reason}"), 0.0) for at in asked]
    found = []
    for at in asked:
        began = time.perf_counter()
        sample, outcome, note = run(call, again, at.mode, device, lost, clock, step)
        found.append(checks.row(at, _judged(call, again, at, sample, outcome, note, lost, clock, step), _since(began)))
    return found


def prepare(call: Call, device: str, clock: Clock, step: Callable[[Step, int], None]) -> Again:
    """Make the call again in eager: as it was, then with one more Given a tensor each time. Those stay tensors that
    leave the result what it is; the others are options."""

    def eagerly(case: Case, chosen: tuple[int, ...]) -> Outcome:
        at = (call.sample, "eager", device, "value")
        return modes.run(
            Execution(case, _sample(call, chosen), EAGER, device, clock, step=lambda draw: step(at, draw))
        )[0]

    given = [leaf.plain for leaf in leaves(call.draw) if isinstance(leaf, Given)]
    case, every = _case(call), tuple(range(len(given)))
    _seed(1)  # else it were chance whether chance is seen
    once = eagerly(case, ())
    drawn = _next_random() != _first_random()
    moved_on = any(hasattr(plain, "assign") for plain in given) and not _same(once, call.outcome)
    if moved_on and _same(eagerly(case, every), call.outcome):
        return Again(case, (_sample(call, every),))  # the values that variables had are tensors
    random = drawn or not all(
        _same(other, call.outcome) for other in (once, *(eagerly(case, ()) for _ in range(REPEATS)))
    )
    if random:
        if not _same(_form(once), _form(call.outcome)):
            gives = once.words if isinstance(once, Failure) else "something of another form"
            return Again(case, (), reason=f"a second time eager gives {gives}")
        case = replace(case, canonical=lambda result: rebuild(result, _blank))
    chosen: tuple[int, ...] = ()
    for number in every:
        other = eagerly(case, (*chosen, number))
        if _same(_form(other), _form(call.outcome)) if random else _same(other, call.outcome):
            chosen = (*chosen, number)
    fewer = [chosen[:count] for count in range(len(chosen), -1, -1)]
    return Again(case, tuple(_sample(call, numbers) for numbers in fewer), random)


def _next_random() -> float:
    """A random number: another one where something has drawn from the seed since."""
    import tensorflow as tf

    with tf.device("/device:CPU:0"):
        return float(tf.random.uniform([]))


@lru_cache(maxsize=1)
def _first_random() -> float:
    _seed(1)
    return _next_random()


def run(
    call: Call,
    again: Again,
    mode: str,
    device: str,
    lost: Mapping[Step, Lost],
    clock: Clock,
    step: Callable[[Step, int], None],
) -> tuple[Sample, Outcome, str]:
    """What the call gives in a mode, with the sample that gave it, and a note on what is no argument there.

    Where the mode refuses a Given as a tensor, the last of them goes back to what the example has, one after the
    other: lists come before tensors as data and after them as options (an axis, a shape), which XLA must know.
    """
    at = (call.sample, mode, device, "value")
    if at in lost:
        return again.samples[-1], lost[at], ""
    note = ""
    for sample in again.samples:
        outcome = modes.run(Execution(again.case, sample, mode, device, clock, step=lambda draw: step(at, draw)))[0]
        if not isinstance(outcome, Failure) or _same(outcome, call.outcome):
            break
        note = note or f"\nnot every list is a tensor, since then: {outcome.words}"
    return sample, outcome, "" if sample is again.samples[0] or isinstance(outcome, Failure) else note


def _judged(
    call: Call,
    again: Again,
    at: Identity,
    sample: Sample,
    outcome: Outcome,
    note: str,
    lost: Mapping[Step, Lost],
    clock: Clock,
    step: Callable[[Step, int], None],
) -> Judgement:
    """The outcome judged against what the call gave eagerly, with `checks`' tolerance."""
    task = Task(again.case, DTYPE, {}, lost, clock, step)
    task.outcomes |= {where: [died] for where, died in lost.items() if where[0] == call.sample}
    task.outcomes[call.sample, "eager", at.device, "value"] = [task.canonical(call.outcome, sample)]
    task.outcomes[call.sample, at.mode, at.device, "value"] = [task.canonical(outcome, sample)]
    found = checks.judgement(task, sample, PlannedCheck(call.sample, at.mode, at.device, "value", "eager"))
    note += "\neager does not repeat itself: only structure, dtypes and shapes are judged" if again.random else ""
    return replace(found, detail=(checks.explained(task, sample, found) + note).strip())


def _case(call: Call) -> Case:
    def body(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = rebuild((args, kwargs), lambda leaf: leaf.value if isinstance(leaf, Plain) else leaf)
        return without_operation(call.function, *args, **kwargs)

    return Case(call.name, "documentation", None, lambda: (), "", 0, body=body)


def without_operation(function, *args, **kwargs):  # scripts quote it as it stands
    """The result, None where it is an Operation: what a graph gives where eager gives None."""
    import tensorflow as tf

    result = function(*args, **kwargs)
    return None if isinstance(result, tf.Operation) else result


def _sample(call: Call, chosen: tuple[int, ...]) -> Sample:
    """The call's arguments with the chosen of its Given as tensors."""
    numbers = iter(range(10_000))

    def leaf(found: Any) -> Any:
        if not isinstance(found, Given):
            return found
        return found.array if next(numbers) in chosen else Plain(found.plain)

    return Sample(call.sample, (rebuild(call.draw, leaf),))


def _same(a: Outcome, b: Outcome) -> bool:
    if isinstance(a, Failure) and isinstance(b, Failure):
        return a.cls == b.cls
    return isinstance(a, Value) and isinstance(b, Value) and judge([a], [Expected(b)]).verdict in ("identical", "close")


def _form(outcome: Outcome) -> Outcome:
    return replace(outcome, arrays=tuple(map(_blank, outcome.arrays))) if isinstance(outcome, Value) else outcome


def _blank(part: Any) -> Any:
    """Zeros of the same form; of a sparse or ragged value only what the dtype and the rank say."""
    if isinstance(part, SparseValue):
        return SparseValue(part.indices[:0], part.values[:0], np.zeros_like(part.dense_shape))
    if isinstance(part, RaggedValue):
        return RaggedValue(part.values[:0], tuple(splits[:0] for splits in part.splits))
    return np.zeros(part.shape, part.dtype)


def _since(began: float) -> float:
    return time.perf_counter() - began


# --- as a script ---------------------------------------------------------------------------------------------------

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
    from tfparity.suite.checking import repro

    function = modes.resolve(of.op)
    if of.against == "docs":
        found = doctest.DocTestParser().get_examples(inspect.getdoc(function) or "")
        number = int(of.sample.removeprefix("example-")) if of.sample.removeprefix("example-").isdigit() else 0
        if not 0 < number <= len(found):
            raise QueryError(f"{of.op} has no {of.sample!r}: its docstring has {len(found)} examples")
        return EXAMPLE.format(
            id=of,
            module=inspect.unwrap(function).__module__,
            examples=",\n    ".join(repr(example.source) for example in found[:number]),
            seed=SEED,
            device=f"/device:{of.device}",
            want=found[number - 1].want,
        )
    _, calls = perform(of.op, function, documented(), of.device, {}, lambda step, draw: None)
    call = next((call for call in calls if call.sample == of.sample), None)
    if call is None:
        raise QueryError(f"{of.op} has no {of.sample!r}; its calls are {', '.join(c.sample for c in calls[:12])}")
    again = prepare(call, of.device, Clock(), lambda step, draw: None)
    if call.reason or again.reason:
        raise QueryError(f"{of.sample} of {of.op} is not made again: {call.reason or again.reason}")
    sample, _, _ = run(call, again, of.mode, of.device, {}, Clock(), lambda step, draw: None)
    for leaf in leaves(sample.draws[0]):
        if isinstance(leaf, Plain) and (callable(leaf.value) or repr(leaf).startswith("<")):
            raise QueryError(
                f"{of.sample} of {of.op} has a {type(leaf.value).__name__} of the example as an argument: show "
                f"{of.op}/{DTYPE}/{of.sample.split(',')[0]}/eager@{of.device}#docs:docs"
            )
    case = replace(again.case, body=None, call=without_operation)
    return "".join(
        [
            repro.HEAD.format(id=of),
            inspect.getsource(without_operation) + "\n\ncall = without_operation\n\n\n",
            repro.program_part(case, sample, False),
            repro.draws_part(sample, False),
            repro.TAIL,
            repro.modes_part(of, case.autograph),
            repro.loop_part(case, sample, of),
        ]
    )
