"""What the script of `repro` does with outcomes: it shows where two of them differ, the gravest first, with bits.

Its source travels in the script: it uses NumPy and TensorFlow alone.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np

MOST_SHOWN, MOST_INPUTS = 10, 64


def array(dtype: str, shape: list[int], hexadecimal: str) -> np.ndarray:
    """An array from its bytes."""
    import tensorflow as tf

    return np.frombuffer(bytes.fromhex(hexadecimal), np.dtype(getattr(tf, dtype).as_numpy_dtype)).reshape(shape)


def fill_memory(byte: int) -> None:
    """Let every byte that malloc gives be `byte`, as in the check: by glibc's M_PERTURB, elsewhere nothing."""
    if sys.platform == "linux":
        getattr(ctypes.CDLL(None), "mallopt", lambda *setting: None)(-6, byte ^ 0xFF)


def with_zeros(results: list[np.ndarray], byte: int) -> list[np.ndarray]:
    """The results, with zeros where memory was never written."""
    found = []
    for x in results:
        word = {4: np.uint32, 8: np.uint64}.get(x.real.dtype.itemsize) if x.dtype.kind in "fciu" else None
        if word is None:
            found.append(x)
            continue
        pattern = word(int.from_bytes(bytes([byte]) * x.real.dtype.itemsize, "little"))
        hollow = np.array(x.real, order="C").view(word) == pattern
        found.append(np.where(hollow, np.zeros_like(x), x))
    return found


def flat(result: Any) -> list[np.ndarray]:
    """The arrays of a result, in order."""
    import tensorflow as tf

    leaves = tf.nest.flatten(result, expand_composites=True)
    return [leaf.numpy() if hasattr(leaf, "numpy") else np.asarray(leaf) for leaf in leaves if leaf is not None]


def attempt(call: Any, tensors: list[Any]) -> list[np.ndarray] | str:
    """The arrays of what a call gives, or its error in words."""
    try:
        return flat(call(*tensors))
    except Exception as error:
        lines = str(error).strip().splitlines()
        return f"{type(error).__name__}: {lines[0] if lines else ''}"


def bits(x: Any) -> str:
    """A number with its bits."""
    x = np.asarray(x)
    raw = x.tobytes()[::-1].hex() if x.dtype.kind in "fcV" else ""
    return f"{x.item()!r}" + (f" [0x{raw}]" if raw else "")


def differences(a: list[np.ndarray] | str, b: list[np.ndarray] | str, inputs: list[np.ndarray]) -> list[str]:
    """Where two outcomes differ, the gravest first, in words; nothing if they are the same bit for bit (NaN is NaN)."""
    if isinstance(a, str) or isinstance(b, str):
        alike = isinstance(a, str) and isinstance(b, str) and a.split(":")[0] == b.split(":")[0]
        return [] if alike else ["  |  ".join(x if isinstance(x, str) else "a value" for x in (a, b))]
    if [x.shape for x in a] != [x.shape for x in b]:
        return [f"shapes {[x.shape for x in a]}  |  {[x.shape for x in b]}"]
    if [x.dtype for x in a] != [x.dtype for x in b]:
        return [f"dtypes {[x.dtype.name for x in a]}  |  {[x.dtype.name for x in b]}"]
    found = []
    for k, (x, y) in enumerate(zip(a, b, strict=True)):
        for at in np.ndindex(x.shape):
            p, q = x[at], y[at]
            if (p != p and q != q) or (p == q and not (x.dtype.kind in "fV" and np.signbit(p) != np.signbit(q))):
                continue
            with np.errstate(all="ignore"):
                by = abs(complex(p) - complex(q)) / max(abs(complex(q)), 1e-300) if x.dtype.kind in "fcV" else 1.0
            of = [bits(i[at]) for i in inputs if i.shape == x.shape]
            text = f"result {k}{list(at)}: {bits(p)}  |  {bits(q)}" + (f"  of {', '.join(of)}" if of else "")
            found.append((by if by == by else np.inf, text))
    return [text for _, text in sorted(found, key=lambda pair: -pair[0])]


def shown(number: int, tensors: list[Any], got: list[np.ndarray] | str, want: list[np.ndarray] | str) -> bool:
    """Whether a draw differs; prints where."""
    inputs = [i for t in tensors for i in flat(t)]
    found = differences(got, want, inputs)
    if found:
        print(f"draw {number}: {len(found)} difference(s)")
        print(*("  " + line for line in found[:MOST_SHOWN]), sep="\n")
        if sum(i.size for i in inputs) <= MOST_INPUTS:
            print("  inputs", *inputs, sep="\n    ")
    return bool(found)


def alone(call: Any, tensors: list[Any]) -> list[np.ndarray] | str:
    """What each element of the tensors gives in a tensor of its own, joined; or the first error."""
    singles = [attempt(call, [t[i : i + 1] if t.shape.rank else t for t in tensors]) for i in range(len(tensors[0]))]
    broken = [single for single in singles if isinstance(single, str)]
    if broken:
        return broken[0]
    return [np.concatenate([single[k] for single in singles]) for k in range(len(singles[0]))]
