"""A standalone script for one check: TensorFlow and NumPy only, the inputs in it, the outcome printed.

The case's own functions (`call`, a program's body, `state`) travel as source; the reference travels as its result,
since it may need SciPy. Inputs are written bit for bit.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfparity.suite.checking.changes import without_subnormals
from tfparity.suite.inputs import samples
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import reference
from tfparity.suite.judging.outcome import FILL, Value
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import name_of
from tfparity.suite.language.loading import PACKAGE
from tfparity.suite.language.trees import RaggedValue, SparseValue, is_tensor, rebuild
from tfparity.suite.records import identity
from tfparity.suite.records.identity import Identity, QueryError

HEAD = '''\
# {id}
# Run with TensorFlow and NumPy. It prints what this mode gives, what it is compared with, and where the two part.
import numpy as np
import tensorflow as tf

inf, nan = float("inf"), float("nan")


def array(dtype, shape, bits):
    """An array from its bytes, written in hexadecimal."""
    dtype = np.dtype(getattr(tf, dtype).as_numpy_dtype)
    return np.frombuffer(bytes.fromhex(bits), dtype).reshape(shape)

'''

TAIL = r'''

def show(result):
    flat = tf.nest.flatten(result, expand_composites=True)
    return [r.numpy() if hasattr(r, "numpy") else np.asarray(r) for r in flat if r is not None]


def attempt(function, *tensors):
    try:
        return show(function(*tensors))
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


def bits(x):
    x = np.asarray(x)
    raw = x.tobytes()[::-1].hex() if x.dtype.kind in "fcV" else ""
    return f"{x.item()!r}" + (f" [0x{raw}]" if raw else "")


def parted(a, b, inputs):
    """Where two results differ, the gravest first, in words; nothing if they are the same bit for bit (NaN is NaN)."""
    if isinstance(a, str) or isinstance(b, str):
        alike = isinstance(a, str) and isinstance(b, str) and a.split(":")[0] == b.split(":")[0]
        return [] if alike else ["  |  ".join(x if isinstance(x, str) else "a value" for x in (a, b))]
    if [x.shape for x in a] != [x.shape for x in b]:
        return [f"shapes {[x.shape for x in a]}  |  {[x.shape for x in b]}"]
    found = []
    for k, (x, y) in enumerate(zip(a, b)):
        for at in np.ndindex(x.shape):
            p, q = x[at], y[at]
            if (p != p and q != q) or (p == q and not (x.dtype.kind in "fV" and np.signbit(p) != np.signbit(q))):
                continue
            with np.errstate(all="ignore"):
                by = abs(complex(p) - complex(q)) / max(abs(complex(q)), 1e-300) if x.dtype.kind in "fcV" else 1.0
            of = [bits(i[at]) for i in inputs if i.shape == x.shape]
            told = f"result {k}{list(at)}: {bits(p)}  |  {bits(q)}" + (f"  of {', '.join(of)}" if of else "")
            found.append((by if by == by else np.inf, told))
    return [text for _, text in sorted(found, key=lambda pair: -pair[0])]


def told(number, tensors, got, want):
    inputs = [i for t in tensors for i in show(t)]
    found = parted(got, want, inputs)
    if found:
        print(f"draw {number}: {len(found)} difference(s)")
        print(*("  " + line for line in found[:10]), sep="\n")
        if sum(i.size for i in inputs) <= 64:
            print("  inputs", *inputs, sep="\n    ")
    return bool(found)


'''


def script(of: Identity, known: Mapping[str, Case]) -> str:
    """The script's text. Raises QueryError when the identity names no sample of a declared case."""
    identity.select([identity.parse(of.op)], known)
    case = known[of.op]
    found = {s.name: s for s in samples.expand(case, of.dtype)}
    if of.sample not in found:
        raise QueryError(f"{of.op} has no sample {of.sample!r} in {of.dtype}; it has {', '.join(list(found)[:12])}")
    sample = found[of.sample]
    if of.aspect == "gradient":
        sample = without_subnormals(sample)
    parts = [
        HEAD.format(id=of),
        _sources(case),
        program_part(case, sample, of.aspect == "gradient"),
        draws_part(sample, of.aspect == "gradient"),
        TAIL,
        modes_part(of, case.autograph),
        loop_part(case, sample, of),
    ]
    return "".join(parts)


def _sources(case: Case) -> str:
    """The source of the case's functions and of what they use from their own file."""
    wanted: dict[str, str] = {}
    for name, function in (("body", case.body), ("call", case.call), ("state", case.state)):
        if function is not None:
            _collect(function, wanted, name, case)
    return "".join(text + "\n\n" for text in wanted.values())


def _collect(function: Callable[..., Any], into: dict[str, str], name: str, case: Case) -> None:
    for used, value in _used(function).items():
        if used in into or used in ("tf", "np", "inf", "nan") or used.startswith("__"):
            continue
        if _of_a_case_file(value) or (inspect.isfunction(value) and value.__globals__ is function.__globals__):
            into[used] = ""
            _collect(value, into, used, case)
        elif inspect.ismodule(value):
            into[used] = f"import {value.__name__} as {used}"
        elif inspect.isbuiltin(value) or (isinstance(value, type) and value.__module__ == "builtins"):
            into[used] = f"from {value.__module__} import {value.__name__} as {used}"
        elif isinstance(value, int | float | str | bytes | tuple | list | dict | bool | type(None)):
            into[used] = f"{used} = {value!r}"
    if function.__name__ == "<lambda>":
        into[name] = f"{name} = {_lambda(function)}"
    else:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
        definition = tree.body[0]
        if isinstance(definition, ast.FunctionDef):
            definition.decorator_list = []
            source = ast.unparse(definition)
        into[function.__name__] = source + (f"\n\n\n{name} = {function.__name__}" if name != function.__name__ else "")


def _of_a_case_file(value: Any) -> bool:
    """Whether it is a function of a file that declares cases: what one uses of another belongs to its source."""
    return inspect.isfunction(value) and value.__module__.startswith(PACKAGE)


def _used(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function means by the names that it does not define: of its module, and of the function around it."""
    if not hasattr(function, "__code__"):
        return {}
    around = inspect.getclosurevars(function).nonlocals
    named = {n: function.__globals__[n] for n in _globals_of(function.__code__) if n in function.__globals__}
    return named | dict(around)


def _globals_of(code: Any) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if inspect.iscode(constant):
            found |= _globals_of(constant)
    return found


def _lambda(function: Callable[..., Any]) -> str:
    """The source of a lambda: the smallest one in its file that holds all places its code comes from.

    Compiling the text again would not tell: the same text compiles otherwise where a name in it is imported.
    """
    source = inspect.getsource(inspect.getmodule(function) or function)
    code = function.__code__
    places = [
        ((line, start), (end_line, end))
        for line, end_line, start, end in code.co_positions()
        if None not in (line, end_line, start, end) and (line, start) != (end_line, end)
    ]
    holding = [
        text
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Lambda)
        and node.lineno == code.co_firstlineno
        and all((node.lineno, node.col_offset) <= p and q <= (node.end_lineno, node.end_col_offset) for p, q in places)
        and (text := ast.get_source_segment(source, node))
    ]
    return " ".join(min(holding, key=len).split()) if holding else "None  # its source could not be found"


def program_part(case: Case, sample: Sample, gradient: bool) -> str:
    counter = iter(range(1000))
    names: list[str] = []

    def written(leaf: Any) -> Any:
        if is_tensor(leaf):
            names.append(f"t{next(counter)}")
            return _Raw(names[-1])
        return _Raw(_literal(leaf))

    args, kwargs = rebuild(sample.draws[0], written)
    passed = [_spell(a) for a in args]
    if sample.constants:
        passed.append("tf.constant(c)")
    passed += [f"{k}={_spell(v)}" for k, v in kwargs.items()]
    state = ["held"] if case.state is not None else []
    target = "body" if case.body else "call" if case.call else case.name
    lead = ([] if case.body else [case.name] if case.call else []) + state
    expression = f"{target}({', '.join(lead + passed)})"
    if sample.constants:
        constants = ", ".join(
            f"np.{np.asarray(c).dtype.name}({np.asarray(c).item()!r})"
            if np.asarray(c).dtype.kind in "fiubc" and np.asarray(c).dtype.name != "bool"
            else repr(np.asarray(c).item())
            for c in sample.constants
        )
        if any(np.asarray(c).dtype.kind == "V" for c in sample.constants):
            constants = ", ".join(
                f"tf.constant({float(c)!r}, tf.{name_of(np.asarray(c).dtype)})" for c in sample.constants
            )
        expression = f"[{expression} for c in ({constants},)]"
    body = (
        f"{'held = state()' + chr(10) * 3 if state else ''}def program({', '.join(names)}):\n    return {expression}\n"
    )
    if gradient:
        body += textwrap.dedent("""

            def value(*tensors):
                return forward(*tensors)


            def differentiable(t):
                return isinstance(t, tf.Tensor) and (t.dtype.is_floating or t.dtype.is_complex)


            def program(*arguments):
                *tensors, first = arguments
                inputs = [t for t in tensors if differentiable(t)]
                with tf.GradientTape() as tape:
                    tape.watch(inputs)
                    flat = tf.nest.flatten(value(*tensors))
                    results = [r for r in flat if differentiable(r)]
                counts = [tf.reshape((tf.range(tf.size(r)) + first) % 7, tf.shape(r)) for r in results]
                weights = [(tf.cast(c, r.dtype) - 3) / 4 + 0.125 for c, r in zip(counts, results)]
                found = tape.gradient(results, inputs, output_gradients=weights)
                return [None if g is None else tf.convert_to_tensor(g) for g in found]
            """)
        body = body.replace("def program(", "def forward(", 1)
    return body


class _Raw(str):
    pass


def _spell(tree: Any) -> str:
    if isinstance(tree, _Raw):
        return str(tree)
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{k!r}: {_spell(v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(_spell, tree)) + "]"
    if isinstance(tree, tuple):
        return "(" + ", ".join(map(_spell, tree)) + ("," if len(tree) == 1 else "") + ")"
    return _literal(tree)


def _literal(leaf: Any) -> str:
    if isinstance(leaf, np.dtype):
        return f"tf.{name_of(leaf)}"
    if callable(leaf) and getattr(leaf, "__name__", "") == "<lambda>":
        return _lambda(leaf)
    if isinstance(leaf, slice):
        return f"slice({leaf.start!r}, {leaf.stop!r}, {leaf.step!r})"
    return getattr(leaf, "__name__", None) or repr(leaf)


def draws_part(sample: Sample, gradient: bool) -> str:
    lines = ["\n\ndraws = ["]
    extra = ["tf.constant(0)"] if gradient else []
    lines += ["    [" + ", ".join([*(_tensor(leaf) for leaf in draw), *extra]) + "]," for draw in sample.tensors]
    return "\n".join([*lines, "]\n"])


def _tensor(leaf: Any) -> str:
    if isinstance(leaf, SparseValue):
        return f"tf.SparseTensor({_array(leaf.indices)}, {_tensor(leaf.values)}, {_array(leaf.dense_shape)})"
    if isinstance(leaf, RaggedValue):
        splits = ", ".join(_array(s) for s in leaf.splits)
        return f"tf.RaggedTensor.from_nested_row_splits({_tensor(leaf.values)}, [{splits}])"
    return f"tf.constant({_array(np.asarray(leaf))})"


def _array(array: np.ndarray) -> str:
    if array.dtype.kind == "O":
        values = array.tolist()
        return f"np.array({values!r}, dtype=object)"
    return f"array({name_of(array.dtype)!r}, {list(array.shape)}, {np.ascontiguousarray(array).tobytes().hex()!r})"


KNOWN, UNKNOWN_DIMENSIONS, UNKNOWN_RANK = "t.shape", "[None] * t.shape.rank", "None"


def ways(of: Identity) -> dict[str, str]:
    """The shapes that a mode is traced with, by name, where it is with several: as `modes.run` does."""
    if of.mode == "graph-dynamic":
        return {"unknown dimensions": UNKNOWN_DIMENSIONS, "an unknown rank, if the op can do without": UNKNOWN_RANK}
    if of.mode == "xla" and of.aspect == "error":
        without_rank = {"an unknown rank": UNKNOWN_RANK} if of.sample.startswith("mismatch") else {}
        return {"known dimensions": KNOWN, "unknown dimensions": UNKNOWN_DIMENSIONS, **without_rank}
    return {}


def modes_part(of: Identity, autograph: bool) -> str:
    build = {"eager": "program", "savedmodel": "saved(program)"}.get(
        of.mode,
        "tf.function(program, input_signature=signature, "
        f"jit_compile={of.mode.startswith('xla')}, autograph={autograph})",
    )
    saved = (
        ""
        if of.mode != "savedmodel"
        else textwrap.dedent("""
        def saved(program):
            module = tf.Module()
            module.f = tf.function(program, input_signature=signature)
            tf.saved_model.save(module, "/tmp/tfparity-repro")
            return tf.saved_model.load("/tmp/tfparity-repro").f

        """)
    )
    shape = UNKNOWN_DIMENSIONS if of.mode == "xla-dynamic" else "shape(t)" if ways(of) else KNOWN
    signature = (
        f"signature = [tf.TensorSpec({shape}, t.dtype) if isinstance(t, tf.Tensor) else tf.type_spec_from_value(t) "
        "for t in draws[0]]\n"
    )
    if ways(of):
        traced = "\n".join(f"        {way!r}: traced(lambda t: {shape})," for way, shape in ways(of).items())
        return (
            f"\n\ndef traced(shape):\n    {signature}    return {build}\n\n\n"
            f"with tf.device({of.device!r}):\n    modes = {{\n{traced}\n    }}\n"
        )
    return f"{signature}{saved}\nwith tf.device({of.device!r}):\n    mode = {build}\n"


def loop_part(case: Case, sample: Sample, of: Identity) -> str:
    against = of.against
    lines = []
    if against == "numpy":
        wants = [e.outcome if e is not None else None for e in reference.expected(case, sample)]
        lines.append("expected = [   # from the NumPy reference, computed in higher precision, rounded to the dtype")
        for want in wants:
            lines.append(
                "    "
                + (
                    "[" + ", ".join(_array(_rounded(a, of.dtype)) for a in want.arrays) + "],"
                    if isinstance(want, Value)
                    else f"{getattr(want, 'words', 'undefined')!r},"
                )
            )
        lines.append("]\n")
        other = "expected[number]"
    elif against == "docs" and sample.must_fail:
        other = "'Error: the documentation asks for one'"
    elif against == "docs":
        lines.append(WRITTEN)
        other = "written(got) if not isinstance(got, str) else 'a value'"
    elif against == "lanes":
        lines.append("# `lanes`: the same element in a tensor of its own must give the same result\n")
        other = ""
    else:
        device = "CPU:0" if against == "cpu" else of.device
        lines.append(f"def eager(*tensors):\n    with tf.device({device!r}):\n        return program(*tensors)\n\n")
        other = "attempt(eager, *tensors)" if against in ("eager", "cpu") else "'what the invariant of the case says'"
    lines.append(f"print('what {of.mode} gives  |  what {against} gives')\ndiffering = 0")
    before = len(lines)
    lines.append("for number, tensors in enumerate(draws):")
    lines.append(f"    with tf.device({of.device!r}):")
    lines.append("        got = attempt(mode, *tensors)")
    if against == "lanes":
        compiled = f"tf.function(program, jit_compile={of.mode.startswith('xla')})"
        lines.append(f"        single = {'program' if of.mode == 'eager' else compiled}")
        lines.append(
            "        cut = [[t[i:i + 1] if t.shape.rank else t for t in tensors] for i in range(len(tensors[0]))]"
        )
        lines.append("        alone = [attempt(single, *one) for one in cut]")
        lines.append("    broken = [a for a in alone if isinstance(a, str)]")
        lines.append(
            "    want = broken[0] if broken else [np.concatenate([a[k] for a in alone]) for k in range(len(alone[0]))]"
        )
    else:
        lines.append(f"    want = {other}")
    lines.append("    differing += told(number, tensors, got, want)")
    if ways(of):
        inner = ["print(f'with {way}:')", *lines[before:]]
        lines[before:] = ["for way, mode in modes.items():", *(f"    {line}" for line in inner)]
    lines.append("print(f'{differing} of {len(draws)} draws differ in some bit')")
    return "\n" + "\n".join(lines) + "\n"


WRITTEN = f'''
import ctypes
import sys

if sys.platform == "linux":  # memory that nobody has written yet holds 0x{FILL:x} in every byte, as in the check
    getattr(ctypes.CDLL(None), "mallopt", lambda *setting: None)(-6, 0x{FILL ^ 0xFF:x})


def written(results):
    """The results, with zeros for what nobody wrote."""
    patterns = {{4: np.uint32(0x{FILL:x} * 0x01010101), 8: np.uint64(0x{FILL:x} * 0x0101010101010101)}}
    found = []
    for x in results:
        pattern = patterns.get(x.real.dtype.itemsize) if x.dtype.kind in "fciu" else None
        hollow = pattern is not None and np.array(x.real, order="C").view(pattern.dtype) == pattern
        found.append(np.where(hollow, np.zeros_like(x), x) if np.any(hollow) else x)
    return found

'''


def _rounded(array: np.ndarray, dtype: str) -> np.ndarray:
    from tfparity.suite.language.dtypes import family, numpy_dtype

    into = numpy_dtype(dtype) if dtype != "none" else array.dtype
    if family(array.dtype) == "float" and family(into) not in ("float",):
        into = np.dtype(np.float64) if array.dtype == np.longdouble else array.dtype
    with np.errstate(all="ignore"):
        return (
            array.astype(into)
            if family(array.dtype) in ("float", "complex") and family(into) == family(array.dtype)
            else (
                array.astype(np.complex128)
                if array.dtype == np.clongdouble
                else array.astype(np.float64)
                if array.dtype == np.longdouble
                else array
            )
        )
