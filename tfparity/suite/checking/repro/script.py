"""The script of one check, assembled: sources, the call, the draws, and the loop that compares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfparity.suite.checking.changes import without_subnormals
from tfparity.suite.checking.repro import showing
from tfparity.suite.checking.repro.sources import Sources, array
from tfparity.suite.inputs import samples
from tfparity.suite.inputs.sample import Sample
from tfparity.suite.judging import reference
from tfparity.suite.judging.outcome import FILL, Value
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import family, numpy_dtype
from tfparity.suite.language.trees import is_tensor, rebuild
from tfparity.suite.records import identity
from tfparity.suite.records.identity import Identity, QueryError
from tfparity.suite.running import preparing
from tfparity.suite.running.gradient import gradient
from tfparity.suite.running.modes import MODES

HEAD = """\
# {id}
# Run with TensorFlow and NumPy. It prints what {mode} gives and what {against} gives, where the two differ.
# Exit status: 0 they differ, 1 they do not, 2 it cannot run.
import sys

import numpy as np
import tensorflow as tf

"""

OWN_NAMES = (
    *("under_test", "program", "state", "draws", "ways", "way", "expected", "eager", "single", "mode", "specs"),
    *("number", "tensors", "got", "want", "broken", "differing", "error", "refusal", "constant", "sys"),
)
"""The names that the script itself gives."""

EAGER_BASE = """

def eager(*tensors):
    with tf.device({device!r}):
        return program.function(*tensors)
"""

LOOP = """
differing = 0
for way in ways:
    if len(ways) > 1:
        print(f"traced with {{way.name}}:")
    with tf.device({device!r}):
        specs = [way.loosen(tf.type_spec_from_value(tensor)) for tensor in draws[0]]
        try:
            mode = {concrete}({prepare}(program, specs))
        except Exception as error:
            refusal = error

            def mode(*tensors):
                raise refusal

    for number, tensors in enumerate(draws):
        with tf.device({device!r}):
            got = {attempt}(mode, tensors)
{broken}            want = {want}
        differing += {shown}(number, tensors, got, want)
print(f"{{differing}} of {{len(draws)}} draws differ in some bit")
sys.exit(0 if differing else 1)
"""

BROKEN = """\
            if not isinstance(got, str) and (broken := {contradiction}(mode, mode(*tensors))):
                print(f"draw {{number}}: shape inference {{broken}}")
                differing += 1
"""


def script(of: Identity, known: Mapping[str, Case]) -> str:
    """The script's text. Raises QueryError when the identity names no sample of a declared case, or no mode."""
    identity.select([identity.parse(of.op)], known)
    case = known[of.op]
    if of.mode not in MODES:
        raise QueryError(f"{of.mode!r} is no mode that TensorFlow runs; the modes are {', '.join(MODES)}")
    found = {s.name: s for s in samples.expand(case, of.dtype)}
    if of.sample not in found:
        raise QueryError(f"{of.op} has no sample {of.sample!r} in {of.dtype}; it has {', '.join(list(found)[:12])}")
    return of_sample(case, found[of.sample], of)


def of_sample(case: Case, sample: Sample, of: Identity) -> str:
    """The script of one check of a case on a sample."""
    if of.aspect == "gradient":
        sample = without_subnormals(sample)
    sources = Sources(OWN_NAMES)
    sources.name(showing.array, "array")
    body = "".join([_program(case, sample, of, sources), _draws(sample, of), _comparison(case, sample, of, sources)])
    return HEAD.format(id=of, mode=of.mode, against=of.against) + sources.text() + "\n\n\n" + body


def _program(case: Case, sample: Sample, of: Identity, sources: Sources) -> str:
    """The call on named tensors, and the program that the mode prepares."""
    tensors: list[str] = []

    def spelled(leaf: Any) -> Any:
        if is_tensor(leaf):
            tensors.append(f"t{len(tensors)}")
            return Spelled(tensors[-1])
        return leaf if isinstance(leaf, Spelled) else Spelled(sources.name(leaf, "option"))

    args, kwargs = rebuild(sample.draws[0], spelled)
    state = ["*state"] if case.state else []
    if case.body:
        target, lead = sources.name(case.body, "body"), state
    elif case.call:
        target, lead = sources.name(case.call, "call"), [case.name, *state]
    else:
        target, lead = case.name, state
    passed = [*lead, *(_tree(a) for a in args)]
    if sample.constants:
        passed.append("tf.constant(constant)")
    keywords = [f"{k}={_tree(v)}" for k, v in kwargs.items()]
    call = f"{target}({', '.join(passed + keywords)})"
    if sample.constants:
        listed = ", ".join(array(np.asarray(c)) for c in sample.constants)
        call = f"[{call} for constant in ({listed},)]"
    function = f"{sources.name(gradient, 'gradient')}(under_test)" if of.aspect == "gradient" else "under_test"
    made = sources.name(preparing.Program, "Program")
    given = f"{function}, autograph={case.autograph}" + (", state=state" if case.state else "")
    begin = f"state = ({sources.name(case.state, 'make_state')}(),)\n\n\n" if case.state else ""
    return f"{begin}def under_test({', '.join(tensors)}):\n    return {call}\n\n\nprogram = {made}({given})\n"


class Spelled(str):
    """An argument that is written already."""


def _tree(tree: Any) -> str:
    """An argument, nested as the op takes it, whose leaves are Spelled."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{k!r}: {_tree(v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return f"[{', '.join(map(_tree, tree))}]"
    if isinstance(tree, tuple):
        return f"({', '.join(map(_tree, tree))}{',' * (len(tree) == 1)})"
    return str(tree)


def _draws(sample: Sample, of: Identity) -> str:
    spell = Sources().spelled
    extra = ["tf.constant(0)"] if of.aspect == "gradient" else []
    lines = [
        f"    [{', '.join([*(_tensor(leaf, spell(leaf) or '') for leaf in draw), *extra])}]," for draw in sample.tensors
    ]
    return "\n".join(["draws = [", *lines, "]\n"])


def _tensor(leaf: Any, text: str) -> str:
    return f"tf.constant({text})" if isinstance(leaf, np.ndarray | np.generic) else text


def _comparison(case: Case, sample: Sample, of: Identity, sources: Sources) -> str:
    """What the outcome is compared with, and the loop over ways and draws."""
    mode = MODES[of.mode]
    before, want = "", ""
    if of.against == "numpy":
        before, want = _expected(case, sample, of.dtype), "expected[number]"
    elif of.against == "lanes":
        compiled = f"tf.function(program.function, jit_compile=True, autograph={case.autograph})"
        before = f"single = {compiled if mode.compiles else 'program.function'}\n"
        want = f"{sources.name(showing.alone, 'alone')}(single, tensors)"
    elif of.against == "docs" and sample.must_fail:
        want = "'Error: the documentation asks for one'"
    elif of.against == "docs":
        before = f"{sources.name(showing.fill_memory, 'fill_memory')}(0x{FILL:x})\n"
        zeros = sources.name(showing.with_zeros, "with_zeros")
        want = f"{zeros}(got, 0x{FILL:x}) if not isinstance(got, str) else 'a value'"
    elif of.against in ("eager", "cpu"):
        before = EAGER_BASE.format(device="CPU:0" if of.against == "cpu" else of.device)
        want = f"{sources.name(showing.attempt, 'attempt')}(eager, tensors)"
    else:
        want = "'what the invariant of the case says'"
    names = {
        "concrete": sources.name(preparing.concrete, "concrete"),
        "prepare": sources.name(mode.prepare, "prepare"),
        "attempt": sources.name(showing.attempt, "attempt"),
        "shown": sources.name(showing.shown, "shown"),
    }
    contradiction = BROKEN.format(contradiction=sources.name(preparing.contradiction, "contradiction"))
    promises = mode.traces and not sample.invalid
    return (
        _ways(mode.ways(sample), sources)
        + before
        + LOOP.format(device=of.device, want=want, broken=contradiction if promises else "", **names)
    )


def _ways(ways: tuple[preparing.Shapes, ...], sources: Sources) -> str:
    made = sources.name(preparing.Shapes, "Shapes")
    listed = ", ".join(f"{made}({way.name!r}, {sources.name(way.loosen, 'loosen')})" for way in ways)
    return f"ways = [{listed}]\n"


def _expected(case: Case, sample: Sample, dtype: str) -> str:
    """What the reference gives for each draw, rounded to the dtype under test."""
    lines = ["expected = [   # from the NumPy reference, computed in higher precision, rounded to the dtype"]
    for want in reference.expected(case, sample):
        outcome = want.outcome if want is not None else None
        if isinstance(outcome, Value):
            lines.append(f"    [{', '.join(array(_rounded(a, dtype)) for a in outcome.arrays)}],")
        else:
            lines.append(f"    {getattr(outcome, 'words', 'undefined')!r},")
    return "\n".join([*lines, "]\n"])


def _rounded(value: np.ndarray, dtype: str) -> np.ndarray:
    """An array of the reference in the dtype under test; of another family as NumPy has it, without long doubles."""
    plain = {np.dtype(np.longdouble): np.float64, np.dtype(np.clongdouble): np.complex128}.get(value.dtype, value.dtype)
    if dtype not in ("none", "string") and family(value.dtype) == family(numpy_dtype(dtype)) != "integer":
        plain = numpy_dtype(dtype)
    with np.errstate(all="ignore"):
        return value.astype(plain)
