"""Declaring a case: op(), the specs of its inputs, its samples and its error inputs, and the registry of cases.

This is the language of `cases/`. Declaring computes nothing and imports no TensorFlow: a case is a frozen record of
what the registries cannot know. Turning it into arrays is `samples`; running it is `modes`.

    op("tf.math.acosh", np.arccosh, T(domain=(1, inf)))                      one tensor of any shape
    op("tf.linalg.matmul", np.matmul, T("m k"), T("k n"))                    named dimensions
    op("tf.math.reduce_sum", np.sum, T("a b c"), axis=each(None, 0, [0, 2])) an option and its values
    op("tf.gather", lambda p, i: p[i], T("n d"), I("m", below="n"))          indices

Where arguments do not vary independently, a case has a generator of `sample(...)` and `every(...)`, see `op`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tfparity.suite.language.edges import inf
from tfparity.suite.language.trees import leaves
from tfparity.suite.records.identity import word

Shape = tuple[int | str, ...]
ANY_SHAPE: Shape = ("...",)


class CaseError(ValueError):
    """A declaration that cannot be meant; the message is one line that names the op and says what to do."""


class Undefined(Exception):
    """Raised by a reference where mathematics or the documentation gives no value; says why."""


class _Dtype:
    """Stands, in an option, for the dtype the case is being run in."""

    def __repr__(self) -> str:
        return "DTYPE"


DTYPE = _Dtype()


@dataclass(frozen=True)
class Input:
    """One tensor argument.

    kind    `tensor`, `sparse` or `ragged`
    shape   names and numbers; `("...",)` is any shape that broadcasts with the other such inputs
    dtype   TensorFlow's name, or None for the dtype the case is swept over
    domain  where ordinary values are drawn; edge values also lie outside
    within  where every value must lie, edges too
    below   for indices: the dimension they index; makes out-of-range error samples
    form    a function of the drawn array that gives it its form (symmetric, sorted, ...); edge values are planted
            after it, so give `edges=False` where they would break what the op requires
    values  draw from these only
    edges   whether edge values are planted; `"scale"`: of a matrix that one NaN would drown, only a copy so large and
            one so small that squares leave the range
    """

    kind: str = "tensor"
    shape: Shape = ANY_SHAPE
    dtype: str | None = None
    domain: tuple[float, float] = (-inf, inf)
    within: tuple[float, float] = (-inf, inf)
    below: str | int | None = None
    negative: bool = False
    form: Callable[[np.ndarray], np.ndarray] | None = None
    values: tuple[Any, ...] | None = None
    edges: bool | str = True

    @property
    def any_shape(self) -> bool:
        return self.shape == ANY_SHAPE

    @property
    def unbound(self) -> bool:
        """Whether every value of its dtype may stand anywhere in it."""
        return self.edges is True and self.values is None and self.within == (-inf, inf)

    @property
    def names(self) -> tuple[str, ...]:
        """The dimension names in `shape`; `2*h` names `h`."""
        return tuple(d.split("*")[-1] for d in self.shape if isinstance(d, str) and d != "...")


def _shape(dimensions: tuple[int | str, ...]) -> Shape:
    if not dimensions:
        return ANY_SHAPE
    parts = [p for d in dimensions for p in (d.split() if isinstance(d, str) else [d])]
    return tuple(int(p) if isinstance(p, int) or p.isdigit() else p for p in parts)


def T(
    *shape: str | int,
    dtype: str | None = None,
    domain: tuple[float, float] = (-inf, inf),
    within: tuple[float, float] = (-inf, inf),
    form: Callable[[np.ndarray], np.ndarray] | None = None,
    values: Iterable[Any] | None = None,
    edges: bool | str = True,
) -> Input:
    """A tensor. `T()` is elementwise, of any shape; `T("m k")` names its dimensions, `T(2, 3)` gives them, `T("")`
    is a scalar. `domain` is where ordinary values are drawn, `within` where every value lies, edge values too."""
    return Input(
        "tensor",
        _shape(shape),
        dtype,
        domain,
        within,
        form=form,
        edges=edges,
        values=None if values is None else tuple(values),
    )


def I(
    *shape: str | int,
    below: str | int | None = None,
    dtype: str = "int32",
    within: tuple[float, float] | None = None,
    negative: bool = False,
    form: Callable[[np.ndarray], np.ndarray] | None = None,
    edges: bool = True,
) -> Input:
    """Integers: indices `below` a dimension (or number), or within closed limits.

    Where `below` is given, an index equal to it and a negative one become error inputs; `negative=True` says that
    the documentation gives negative indices a meaning.
    """
    return Input(
        "tensor",
        _shape(shape),
        dtype,
        within=within or (-inf, inf),
        below=below,
        negative=negative,
        form=form,
        edges=edges,
    )


def B(*shape: str | int) -> Input:
    """Booleans."""
    return Input("tensor", _shape(shape), "bool")


def S(*shape: str | int, values: Iterable[Any] | None = None) -> Input:
    """Strings: words with Unicode, NUL, invalid UTF-8, numbers and repeats, or one of `values`."""
    words = None if values is None else tuple(v.encode() if isinstance(v, str) else v for v in values)
    return Input("tensor", _shape(shape), "string", values=words)


def Sparse(shape: str, dtype: str | None = None, **more: Any) -> Input:
    """A SparseTensor of that dense shape, about half its places filled, indices in order. The reference gets a
    `SparseValue`."""
    return Input("sparse", _shape((shape,)), dtype, **more)


def Ragged(shape: str, dtype: str | None = None, **more: Any) -> Input:
    """A RaggedTensor whose second dimension is ragged, with an empty row. The reference gets a `RaggedValue`."""
    return Input("ragged", _shape((shape,)), dtype, **more)


@dataclass(frozen=True)
class Each:
    values: tuple[Any, ...]


def each(*values: Any) -> Each:
    """The values an argument takes, one sample each; the first is the one that other variations keep."""
    return Each(values)


@dataclass(frozen=True)
class Declared:
    """One declared sample: arguments in which Inputs stand for tensors, options being plain Python."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    def inputs(self) -> list[Input]:
        return [leaf for leaf in leaves((self.args, dict(self.kwargs))) if isinstance(leaf, Input)]


def sample(*args: Any, name: str = "", sizes: Mapping[str, int] | None = None, **kwargs: Any) -> Declared:
    """A sample of a case: arguments with Inputs for tensors. Named by its options unless `name` is given."""
    return Declared(args, kwargs, "".join(name.split()) or describe(kwargs), sizes or {})


def every(*inputs: Any, sizes: Mapping[str, int] | None = None, **options: Any) -> Iterator[Declared]:
    """A sample for every combination of the `each` values, the first ones first; named by those that vary."""
    slots: list[tuple[Any, Each]] = [(i, v) for i, v in enumerate(inputs) if isinstance(v, Each)]
    slots += [(k, v) for k, v in options.items() if isinstance(v, Each)]
    for chosen in itertools.product(*(each.values for _, each in slots)):
        picked = {slot: value for (slot, _), value in zip(slots, chosen, strict=True)}
        args = tuple(picked.get(i, v) for i, v in enumerate(inputs))
        kwargs = {k: picked.get(k, v) for k, v in options.items()}
        yield Declared(args, kwargs, describe(picked), sizes or {})


@dataclass(frozen=True)
class Invalid:
    """Arguments that the documentation calls an error."""

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
    reason: str = ""
    missing: str = ""

    def unimplemented(self, why: str) -> Case:
        """Declare the hole: the op is known and not run, because `why`."""
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
    sizes: Mapping[str, int] | None = None,
    body: Callable[..., Any] | None = None,
    **options: Any,
) -> Case:
    """Declare one op, once.

    name          its canonical public name, `tf.math.acosh`
    reference     the same in NumPy: called with the op's own arguments, arrays in higher precision (float32 becomes
                  float64, float64 longdouble where NumPy takes it). If it raises, the op must refuse that input too;
                  if it raises Undefined, nothing is promised there
    inputs        the op's positional arguments: T, I, B, S, Sparse, Ragged, lists of them, or plain Python values;
                  `each(...)` for a value that varies
    options       the op's keyword arguments, likewise. `DTYPE` stands for the dtype the case is run in
    call          how the op is applied, `lambda f, *inputs, **options`, where `f(*inputs, **options)` is not it
    kind          of what kind it is, for reports only (`elementwise unary`, `binary`, `state`, ...); see `kind`
    state         makes the variables a stateful call needs, once per mode, outside the function; `call` gets them after
                  `f`. They outlive a call, so the call begins by assigning (a queue, by draining)
    dtypes        which dtypes to sweep, where TensorFlow's kernels allow more than is meant
    errors        error(...) inputs that must be refused
    invariant     `lambda result, *inputs, **options` -> a bool or pairs (got, expected) that hold by definition;
                  in place of, or beside, a reference
    canonical     brings a result to the one form that is promised (sign of eigenvectors, order), for every mode
    constants     scalars that the last input also takes as a constant of the graph; by default the telling ones for
                  the dtype when there are two or more inputs of any shape; () for none
    autograph     trace with autograph, because the call has Python control flow on tensors
    empty         whether zero-size shapes mean anything
    error_factor  multiplies the allowed error, where an algorithm is known to lose more; say why beside it
    exact         the result is determined to the bit (data movement, rounding, casts): the reference gets the arrays in
                  their own dtype, and no error is allowed
    timed         whether `bench` times it
    random        its result depends on a seed: TensorFlow's global seed is set before each sample
    rewrites      it is a program that graph optimizers rewrite: every option runs in a graph of known sizes too
    kernel_only   a raw op below a documented one, run for its kernels: in eager and under XLA, in graphs in one dtype
    skips         invalid input that is left out, by name, or `gradient`, and why: what writes past its memory dies now
                  or later, and what searches among NaN ends or does not, so that no two runs give the same verdict
    sizes         numbers for dimension names that cannot be just anything

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
    )
    return register(case)


def _site() -> tuple[str, int]:
    """Where a declaration stands: in the module that is being imported, through whatever helpers, its own or of another
    case file; else at the nearest caller."""
    frame, nearest = sys._getframe(1), None
    while outer := frame.f_back:
        if frame.f_code.co_name == "<module>" and outer.f_code.co_filename.startswith("<frozen importlib"):
            return frame.f_code.co_filename, frame.f_lineno
        ours = outer.f_code.co_filename == __file__ or outer.f_code.co_filename.endswith("functools.py")
        frame, nearest = outer, nearest or (None if ours else outer)
    assert nearest
    return nearest.f_code.co_filename, nearest.f_lineno


def kind(name: str, **fixed: Any) -> Callable[..., Case]:
    """`op` with its kind and other fields filled in: `reduction = kind("reduction")`, then
    `reduction("tf.math.reduce_sum", ...)`."""

    def declare(op_name: str, *args: Any, **more: Any) -> Case:
        return op(op_name, *args, kind=name, **{**fixed, **more})

    return declare


def program(
    name: str, *inputs: Any, reference: Callable[..., Any] | None = None, kind: str = "program", **more: Any
) -> Callable[[Callable[..., Any]], Case]:
    """Decorate a program that is not one op, `guide.NAME`, `program.NAME` or `rewrite.NAME`: it becomes a case whose
    call is the decorated function. With `state=`, the function gets the state first. Autograph is on and timing off
    unless told."""

    def declare(body: Callable[..., Any]) -> Case:
        return op(name, reference, *inputs, kind=kind, body=body, **{"autograph": True, "timed": False, **more})

    return declare


def describe(options: Mapping[Any, Any]) -> str:
    """Options as part of a sample's name: `axis=0,keepdims=True`; positional ones by value alone."""
    parts = []
    for key, value in options.items():
        if any(isinstance(leaf, Input) for leaf in leaves(value)):
            text = "-".join("x".join(map(str, leaf.shape)) for leaf in leaves(value) if isinstance(leaf, Input))
        else:
            text = word(getattr(value, "__name__", value))
        parts.append(text if isinstance(key, int) else f"{key}={text}")
    return ",".join(parts)
