"""What a run of a sample gave: a value (structure, shapes, dtypes, data), an error (class, phase, message) or nothing,
because the process died.

Results of TensorFlow and of NumPy are brought to the one form that `verdicts` compares. TensorFlow's objects are known
by their attributes; TensorFlow is not imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfparity.suite.language.dtypes import family
from tfparity.suite.language.trees import RaggedValue, SparseValue


@dataclass(frozen=True)
class Value:
    """A result: `structure` spells how the arrays nest (sequences in parentheses, None, sparse, ragged). Where shape
    inference promised another shape than the result has, `structure` says that too."""

    structure: str
    arrays: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Failure:
    """An error: the name of its class, and TensorFlow's message. `phase` is `trace` where Python or shape inference
    refuses the input, in whatever mode, and `execute` where a kernel refuses it."""

    cls: str
    phase: str
    message: str

    @property
    def words(self) -> str:
        """The class and the first informative line of the message, short enough for a table."""
        text = re.sub(r"\{\{.*?\}\}", "", self.message)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        informative = [line for line in lines if not _NOISE.match(line)] or lines or [""]
        if lines and lines[0].startswith("in user code"):  # frames with their source come first, the error last
            informative = [line for line in informative if _ERROR.match(line)][-1:] or informative[-1:]
        return f"{self.cls}: {informative[0].removeprefix(self.cls + ': ')[:300]}"

    @property
    def unsupported(self) -> bool:
        """Whether the message says that there is no kernel or that XLA cannot compile it: the input is not refused."""
        return any(pattern.search(self.message) for pattern in _UNSUPPORTED) or self.cls == "UnimplementedError"

    @property
    def by_definition(self) -> bool:
        """Whether the op's definition, which is the same in every mode, excludes the dtype or the option."""
        return "list of allowed values" in self.message


@dataclass(frozen=True)
class Lost:
    """The process died (`crash`) or did not answer in time (`timeout`); `detail` has the signal and stderr's end."""

    verdict: str
    detail: str


Outcome = Value | Failure | Lost


def same_bits(a: Outcome, b: Outcome) -> bool:
    """Whether both are values of one structure, equal bit for bit."""
    return (
        isinstance(a, Value)
        and isinstance(b, Value)
        and a.structure == b.structure
        and len(a.arrays) == len(b.arrays)
        and all(
            x.shape == y.shape and x.dtype == y.dtype and same_bytes(x, y)
            for x, y in zip(a.arrays, b.arrays, strict=True)
        )
    )


def same_bytes(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether two arrays of one shape and dtype hold the same bytes, or the same strings."""
    return x.tolist() == y.tolist() if x.dtype.kind == "O" else x.tobytes() == y.tobytes()


FILL = 0x5A
"""In a worker that checks, every byte of uninitialised memory has this value. As a number it is unusual in every dtype,
and neither NaN nor tiny (1.5e16 in float32 and bfloat16, 203 in float16, 1515870810 in int32)."""


def uninitialised(outcome: Value) -> tuple[int, tuple[int, ...]] | None:
    """The first array and element that are uninitialised memory. Dtypes of less than four bytes are not searched: in
    them a result may equal the pattern by chance."""
    for number, array in enumerate(outcome.arrays):
        if array.dtype.kind == "O" or not array.size:  # the `real` of a string scalar is no array
            continue
        word = {4: np.uint32, 8: np.uint64}.get(array.real.dtype.itemsize)
        if word is None:
            continue
        pattern = int.from_bytes(bytes([FILL]) * array.real.dtype.itemsize, "little")
        matching = np.array(array.real, order="C").view(word) == pattern
        if matching.any():
            return number, tuple(int(i) for i in np.argwhere(matching)[0])
    return None


_ERROR = re.compile(r"\w+(Error|Exception|Warning): ")
_NOISE = re.compile(
    r"^(in user code|File \"|Traceback|Detected at node|Node: ?|Stack trace|Original stack|Error messages? ?|<stack|"
    r"Graph execution error|\[\[|\d+ root error|\(\d+\) .*Cancelled|return |outputs = |=+$|\^+$)"
)
_UNSUPPORTED = [
    re.compile(p)
    for p in (
        r"Could not find device for node",
        r"No OpKernel was registered",
        r"[Nn]o registered .*(kernel|OpKernel)",
        r"could not find kernel",
        r"Op type not registered",
        r"Cannot convert the argument `type_value`: 'float8_",  # which not every version has
        r"is not in the list of allowed values",
        r"not in list of allowed values",
        r"Detected unsupported operations when trying to compile",
        r"must be a compile-time constant",
        r"unsupported operations",
        r"[Nn]ot (yet )?(supported|implemented)( by| in| for)? XLA",
        r"XLA compilation (requires|not supported)",
        r"Unsupported data ?type",
        r"has no attribute '\w+'$",
        r"uncompilable nodes",
        r"Expected type .* but got|is not one of \{",
        r"was expected to be a \w+ tensor but is a \w+ tensor",
        r"(dtype|type) .*not supported",
        r"must be in the list of",
        r"only supports? .*(NHWC|NDHWC|channels_last)",
        r"Unsupported (type|dtype)",
        r"Unhandled dtype",
        r"gradient registry has no entry|No gradient defined for|Gradient not defined for|Gradient explicitly disabled",
    )
]


def value(result: Any) -> Value:
    """A result as a Value: its tensors as arrays, its structure as text."""
    arrays: list[np.ndarray] = []
    return Value(_walk(result, arrays), tuple(arrays))


def failure(error: BaseException, phase: str) -> Failure:
    message = str(getattr(error, "message", None) or error)
    return Failure(type(error).__name__.lstrip("_"), phase, message)


def _walk(result: Any, arrays: list[np.ndarray]) -> str:
    if result is None:
        return "None"
    if isinstance(result, SparseValue):
        arrays += [
            np.asarray(result.indices, np.int64),
            _array(result.values),
            np.asarray(result.dense_shape, np.int64),
        ]
        return "sparse"
    if isinstance(result, RaggedValue):
        arrays += [_array(result.values), *(np.asarray(s, np.int64) for s in result.splits)]
        return f"ragged{len(result.splits)}"
    if hasattr(result, "nested_row_splits"):
        arrays += [_array(result.flat_values), *(np.asarray(s, np.int64) for s in result.nested_row_splits)]
        return f"ragged{len(result.nested_row_splits)}"
    if hasattr(result, "dense_shape") and hasattr(result, "indices"):
        if not hasattr(result, "_shape_tuple") and type(result).__name__ == "IndexedSlices":
            arrays += [_array(result.indices), _array(result.values)]
            return "slices"
        arrays += [_array(result.indices), _array(result.values), _array(result.dense_shape)]
        return "sparse"
    if isinstance(result, dict):
        return "{" + " ".join(f"{key}:{_walk(result[key], arrays)}" for key in sorted(result)) + "}"
    if isinstance(result, list | tuple) and not isinstance(result, bytes):
        return "(" + " ".join(_walk(item, arrays) for item in result) + ")"
    if isinstance(result, str) or hasattr(result, "as_list") or hasattr(result, "as_numpy_dtype"):
        arrays.append(np.array(str(result).encode(), dtype=object))
        return "*"
    if hasattr(result, "stack") and hasattr(result, "write"):  # a TensorArray
        arrays.append(_array(result.stack()))
        return "*"
    arrays.append(_array(result))
    return "*"


def _array(result: Any) -> np.ndarray:
    array = result.numpy() if hasattr(result, "numpy") else result
    array = np.array(array, dtype=object) if isinstance(array, bytes) else np.asarray(array)  # dtype S drops final NULs
    if family(array.dtype) == "string":
        as_bytes = [
            v.encode() if isinstance(v, str) else bytes(v) if isinstance(v, bytes | np.bytes_) else v
            for v in array.ravel()
        ]
        out = np.empty(len(as_bytes), dtype=object)
        out[:] = as_bytes
        return out.reshape(array.shape)
    return array
