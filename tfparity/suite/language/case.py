"""Declaring a case: op(), the specs of its inputs, its samples and its error inputs, and the registry of cases.

This is the language of `cases/`. Declaring computes nothing and imports no TensorFlow: a case is a frozen record of
what TensorFlow's registries cannot know. `inputs` turns it into arrays, `running` runs it. In tables of cases, T, B, S
and I are short names of Tensor, Bool, String and Index.

    op("tf.math.acosh", np.arccosh, T(domain=(1, inf)))                      one tensor of any shape
    op("tf.linalg.matmul", np.matmul, T("m k"), T("k n"))                    named dimensions
    op("tf.math.reduce_sum", np.sum, T("a b c"), axis=each(None, 0, (0, 2))) an option and its values
    op("tf.gather", lambda p, i: p[i], T("n d"), I("m", below="n"))          indices

Where arguments do not vary independently, a case has a generator of `sample(...)` and `every(...)`, see `op`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tfparity.suite.language.spec import Input
from tfparity.suite.language.trees import leaves
from tfparity.suite.records.identity import word

SEEDS = ("seed", "seed2")
"""Names of the options that are seeds: every integer is a valid one."""

AXES = ("axis", "axes")
"""Names of the options that are axes: an axis outside the rank must be refused. A case whose axes have other names says
so with `axis_options=`."""


class CaseError(ValueError):
    """A declaration that is wrong; the message is one line that names the op and says what to do."""


class Undefined(Exception):
    """Raised by a reference where neither mathematics nor the documentation gives a value; the message says why."""


class _Dtype:
    """Stands, as an option, for the dtype that the case is run in."""

    def __repr__(self) -> str:
        return "DTYPE"


DTYPE = _Dtype()


@dataclass(frozen=True)
class Each:
    values: tuple[Any, ...]


def each(*values: Any) -> Each:
    """The values of an argument, one sample for each; the first is kept while other arguments vary."""
    return Each(values)


@dataclass(frozen=True)
class Declared:
    """One declared sample: arguments in which an Input stands for a tensor and an option is plain Python."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    def inputs(self) -> list[Input]:
        return [leaf for leaf in leaves((self.args, dict(self.kwargs))) if isinstance(leaf, Input)]


def sample(*args: Any, name: str = "", sizes: Mapping[str, int] | None = None, **kwargs: Any) -> Declared:
    """A sample of a case: its arguments, with Inputs for tensors. Its options give it its name, unless `name` does."""
    return Declared(args, kwargs, "".join(name.split()) or describe(kwargs), sizes or {})


def every(*inputs: Any, sizes: Mapping[str, int] | None = None, **options: Any) -> Iterator[Declared]:
    """A sample for every combination of the `each` values, the first ones first. The values that vary give its name."""
    slots: list[tuple[Any, Each]] = [(i, v) for i, v in enumerate(inputs) if isinstance(v, Each)]
    slots += [(k, v) for k, v in options.items() if isinstance(v, Each)]
    for chosen in itertools.product(*(each.values for _, each in slots)):
        picked = {slot: value for (slot, _), value in zip(slots, chosen, strict=True)}
        args = tuple(picked.get(i, v) for i, v in enumerate(inputs))
        kwargs = {k: picked.get(k, v) for k, v in options.items()}
        yield Declared(args, kwargs, describe(picked), sizes or {})


@dataclass(frozen=True)
class Invalid:
    """Arguments that the documentation declares an error."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def error(name: str, *args: Any, **kwargs: Any) -> Invalid:
    """An input that must be refused. NumPy arrays in `args` and `kwargs` are tensors; keywords replace options."""
    return Invalid(word(name), args, kwargs)


@dataclass(frozen=True)
class Case:
    """The declaration of one op; see `op` for what each field means."""

    name: str
    kind: str
    reference: Callable[..., Any] | None
    samples: Callable[[], Iterable[Declared]]
    file: str
    line: int
    body: Callable[..., Any] | None = None
    call: Callable[..., Any] | None = None
    state: Callable[[], Any] | None = None
    dtypes: tuple[str, ...] | None = None
    errors: tuple[Invalid, ...] = ()
    invariant: Callable[..., Any] | None = None
    canonical: Callable[..., Any] | None = None
    constants: tuple[Any, ...] | None = None
    autograph: bool = False
    empty: bool = True
    error_factor: float = 1.0
    exact: bool = False
    timed: bool = True
    random: bool = False
    rewrites: bool = False
    kernel_only: bool = False
    skips: Mapping[str, str] = field(default_factory=dict)
    axis_options: tuple[str | int, ...] = AXES
    reason: str = ""
    missing: str = ""

    def unimplemented(self, why: str) -> Case:
        """Declare that the op is not run, because `why`."""
        return register(replace(self, missing=why))

    def no_reference(self, why: str) -> Case:
        """Declare that no NumPy reference can be stated, because `why`; modes are still judged against eager."""
        return register(replace(self, reason=why))

    def __call__(self, generator: Callable[[], Iterable[Declared]]) -> Case:
        """As a decorator of a generator of `sample(...)`: these are the case's samples."""
        return register(replace(self, samples=generator))

    @property
    def status(self) -> str:
        return "unimplemented" if self.missing else "implemented"

    @property
    def is_program(self) -> bool:
        return self.body is not None

    def is_seed(self, place: str | int) -> bool:
        """Whether the argument at that position, or of that name, is a seed."""
        return place in SEEDS

    def is_axis(self, place: str | int) -> bool:
        """Whether the argument at that position, or of that name, is an axis or a list of axes."""
        return place in self.axis_options


CASES: dict[str, Case] = {}


def register(case: Case) -> Case:
    earlier = CASES.get(case.name)
    if earlier and (earlier.file, earlier.line) != (case.file, case.line):
        raise CaseError(f"{case.name} is declared twice: {earlier.file}:{earlier.line} and {case.file}:{case.line}")
    CASES[case.name] = case
    return case


def op(
    name: str,
    reference: Callable[..., Any] | None = None,
    *inputs: Any,
    kind: str = "other",
    call: Callable[..., Any] | None = None,
    state: Callable[[], Any] | None = None,
    dtypes: Iterable[str] | None = None,
    errors: Iterable[Invalid] = (),
    invariant: Callable[..., Any] | None = None,
    canonical: Callable[..., Any] | None = None,
    constants: Iterable[Any] | None = None,
    autograph: bool = False,
    empty: bool = True,
    error_factor: float = 1.0,
    exact: bool = False,
    timed: bool = True,
    random: bool = False,
    rewrites: bool = False,
    kernel_only: bool = False,
    skips: Mapping[str, str] | None = None,
    axis_options: Iterable[str | int] = AXES,
    sizes: Mapping[str, int] | None = None,
    body: Callable[..., Any] | None = None,
    **options: Any,
) -> Case:
    """Declare one op, once.

    name          its canonical public name, `tf.math.acosh`
    reference     the same function in NumPy. It gets the op's own arguments, with arrays in higher precision (float32
                  becomes float64, float64 becomes longdouble where NumPy allows). If it raises, the op must refuse
                  that input too; if it raises Undefined, nothing is promised for that input
    inputs        the op's positional arguments: T, I, B, S, Sparse, Ragged, lists of them, or plain Python values;
                  `each(...)` for a value that varies
    options       the op's keyword arguments, likewise. `DTYPE` stands for the dtype that the case is run in
    call          how the op is applied, `lambda f, *inputs, **options`, where `f(*inputs, **options)` is not enough
    kind          the group that reports show it in (`elementwise unary`, `binary`, `state`, ...); it decides nothing
    state         makes the variables that a stateful call needs, once per mode, outside the function; `call` gets them
                  after `f`. They live longer than a call, so the call first assigns them (a queue: empties it)
    dtypes        the dtypes to run in, where TensorFlow's kernels allow more than are meant
    errors        error(...) inputs that must be refused
    invariant     `lambda result, *inputs, **options` -> a bool or pairs (got, expected) that hold by definition;
                  in place of, or beside, a reference
    canonical     brings a result to the one form that is promised (sign of eigenvectors, order), in every mode
    constants     scalars that the last input also takes as a constant of the graph; () for none. By default, if two or
                  more inputs have any shape, those of the dtype that graph optimizers treat specially
    autograph     whether to trace with autograph, because the call has Python control flow on tensors
    empty         whether the op is defined for shapes with a zero
    error_factor  multiplies the allowed error, where an algorithm is known to lose more; say why beside it
    exact         the result is determined to the bit (data movement, rounding, casts): the reference gets the arrays in
                  their own dtype, and no error is allowed
    timed         whether `bench` times it
    random        the result depends on a seed: TensorFlow's global seed is set before each sample, and no invalid
                  option or shape is derived, because a sampler's loop may not end for it
    rewrites      a program that graph optimizers rewrite: every sample also runs in a graph with known dimensions
    kernel_only   a raw op below a documented one, run for its kernels: in every dtype in eager and under XLA, in graphs
                  in the main dtype only
    skips         derived samples that are left out, by name, or `gradient`, each with the reason: an out-of-bounds
                  write may crash now or later, and a search among NaN may not end, so the verdict varies between runs
    axis_options  which arguments are axes, by name or position, where the names are not those in AXES
    sizes         sizes for dimension names that cannot have any size

    Where arguments do not vary independently, decorate a generator of samples instead:

        @op("tf.nn.conv2d", conv2d_numpy)
        def conv2d():
            for stride in (1, 2):
                yield sample(T(2, 7, 7, 3), T(3, 3, 3, 4), strides=stride, padding="SAME")
            yield from every(T(2, 7, 7, 3), T(3, 3, 1, 4), strides=1, padding=each("SAME", "VALID"))

    Raises CaseError when the op is declared twice.
    """
    file, line = _site()
    case = Case(
        name,
        kind,
        reference,
        lambda: every(*inputs, sizes=sizes, **options),
        file,
        line,
        body,
        call,
        state,
        tuple(dtypes) if dtypes is not None else None,
        tuple(errors),
        invariant,
        canonical,
        None if constants is None else tuple(constants),
        autograph,
        empty,
        error_factor,
        exact,
        timed,
        random,
        rewrites,
        kernel_only,
        skips or {},
        tuple(axis_options),
    )
    return register(case)


def _site() -> tuple[str, int]:
    """The file and line of a declaration: in the module that is being imported, even if helpers of other modules make
    the call; else those of the nearest caller outside this file."""
    frame, nearest = sys._getframe(1), None
    while outer := frame.f_back:
        if frame.f_code.co_name == "<module>" and outer.f_code.co_filename.startswith("<frozen importlib"):
            return frame.f_code.co_filename, frame.f_lineno
        ours = outer.f_code.co_filename == __file__ or outer.f_code.co_filename.endswith("functools.py")
        frame, nearest = outer, nearest or (None if ours else outer)
    assert nearest
    return nearest.f_code.co_filename, nearest.f_lineno


def kind(name: str, **fixed: Any) -> Callable[..., Case]:
    """`op` with its kind and other fields fixed: `reduction = kind("reduction")`, then
    `reduction("tf.math.reduce_sum", ...)`."""

    def declare(op_name: str, *args: Any, **more: Any) -> Case:
        return op(op_name, *args, kind=name, **{**fixed, **more})

    return declare


def program(
    name: str, *inputs: Any, reference: Callable[..., Any] | None = None, kind: str = "program", **more: Any
) -> Callable[[Callable[..., Any]], Case]:
    """Decorate a program that is not one op, `guide.NAME`, `program.NAME` or `rewrite.NAME`: it becomes a case whose
    call is the decorated function. With `state=`, the function gets the state first. Autograph is on
    and timing off by default."""

    def declare(body: Callable[..., Any]) -> Case:
        return op(name, reference, *inputs, kind=kind, body=body, **{"autograph": True, "timed": False, **more})

    return declare


def describe(options: Mapping[Any, Any]) -> str:
    """Options as part of a sample's name: `axis=0,keepdims=True`; of a positional one only the value."""
    parts = []
    for key, value in options.items():
        if any(isinstance(leaf, Input) for leaf in leaves(value)):
            text = "-".join("x".join(map(str, leaf.shape)) for leaf in leaves(value) if isinstance(leaf, Input))
        else:
            text = word(getattr(value, "__name__", value))
        parts.append(text if isinstance(key, int) else f"{key}={text}")
    return ",".join(parts)
