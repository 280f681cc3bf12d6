"""What goes in: edge values per dtype, ordinary values within a domain, index and string values, all seeded.

Everything here is a pure function of its arguments; a generator is seeded from the check's own identity, so a
sample is the same in every run, shard and order.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from math import isqrt
from typing import Any

import numpy as np

from tfparity.suite.language.dtypes import family, limits

inf = float("inf")

WORDS = (
    b"",
    b"a",
    b"hello",
    b"Hello World",
    b" padded \t",
    b"a,b,,c",
    b"3.25",
    b"-17",
    "naïve €uro".encode(),
    "日本語".encode(),
    b"\xff\xfe not utf-8",
    b"\x00nul\x00",
    b"x" * 70,
    b"AAA",
    b"hello",
)


def generator(*identity: object) -> np.random.Generator:
    """A random generator seeded by the text of its arguments."""
    digest = hashlib.blake2b("/".join(map(str, identity)).encode(), digest_size=8).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


@lru_cache(maxsize=64)
def edges(dtype: np.dtype) -> np.ndarray:
    """All values of `dtype` at which kernels are known to differ, shape (n,); those that most often show it first."""
    kind = family(dtype)
    if kind == "bool":
        return np.array([False, True])
    if kind == "string":
        return np.array(WORDS, dtype=object)
    if kind == "integer":
        info = limits(dtype)
        low, high = int(info.min), int(info.max)
        overflows = isqrt(high) + 1  # the least number whose square does: abs(x * x) is no longer x * x
        values = [0, 1, low, -1, high, 2, -2, low + 1, high - 1, overflows, 3, 7, -7, info.bits - 1]
        values += [info.bits, high // 2 + 1, 10, 100, -overflows]
        return np.array(list(dict.fromkeys(v for v in values if low <= v <= high)), dtype=dtype)
    if kind == "complex":
        real = np.array([0.0, -0.0, 1.0, -1.0, np.nan, inf, -inf, limits(dtype).tiny, limits(dtype).max, 0.5, -2.0])
        real = np.append(real, np.array([1.0, -1.005, 0.499]) * np.log(float(limits(dtype).max)))  # for exp and cosh
        parts = np.meshgrid(real, real, indexing="ij")
        grid = np.empty(parts[0].shape, dtype)
        grid.real, grid.imag = parts  # never `a + 1j * b`: that makes NaN of infinity
        return np.concatenate([grid[:9, :9].ravel(), grid[9:].ravel()])
    info = limits(dtype)
    tiny, big, eps = float(info.smallest_normal), float(info.max), float(info.eps)
    subnormal = float(info.smallest_subnormal)
    one_sided = [
        1,
        0.5,
        2,
        1.5,
        3,
        2.5,
        subnormal,
        tiny / 2,
        tiny,
        big,
        1 + eps,
        1 - eps / 2,
        0.25,
        10,
        np.pi,
        0.1,
        np.log(big) * 0.99,
        np.log(big) * 1.01,
        np.sqrt(big),
        np.sqrt(tiny),
        1 / eps,
        2 / eps + 2,
        eps,
        100,
        1 / 3,
    ]
    values = [0.0, -0.0, np.nan, inf, -inf] + [s * v for v in one_sided for s in (1, -1)]
    with np.errstate(over="ignore"):
        return np.array(values).astype(dtype)


@lru_cache(maxsize=64)
def few_edges(dtype: np.dtype) -> np.ndarray:
    """The edge values worth planting one by one, or pairing with each other; about two dozen at most."""
    all_of_them = edges(dtype)
    if family(dtype) == "complex":
        real = [0, -0.0, 1, np.nan, inf, -inf, -2]
        return np.array([complex(a, b) for a in real for b in (0.0, -0.0, np.nan, inf, 1.5)][:24], dtype)
    if family(dtype) == "float":
        return all_of_them[:25]
    return all_of_them[:14]


def near_ends(dtype: np.dtype, low: float, high: float) -> np.ndarray:
    """Values of `dtype` inside `(low, high)`, each half as far from a finite end as the one before, to the last bit of
    the number 1; none where neither end is finite, shape (n,).

    Ordinary values keep a fiftieth of the domain away from its ends, and edge values are round numbers: of 36 cases
    with such a domain, four differed only here (XLA's ndtri(1e-6) is -4.7508 for -4.7534)."""
    distances = 1.5 * 2.0 ** -np.arange(2, limits(dtype).nmant + 1)
    found = [low + distances] * bool(np.isfinite(low)) + [high - distances] * bool(np.isfinite(high))
    return inside(np.concatenate([[], *found]).astype(dtype), low, high)


def ordinary(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype, low: float = -inf, high: float = inf
) -> np.ndarray:
    """Ordinary values of `dtype` inside `(low, high)`, well away from its ends."""
    kind = family(dtype)
    if kind == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if kind == "string":
        picked = rng.integers(0, len(WORDS), shape)
        return np.array(WORDS, dtype=object)[picked] if shape else np.array(WORDS[int(picked)], dtype=object)
    if kind == "integer":
        info = limits(dtype)
        floor = max(int(info.min), -10 if low == -inf else int(np.ceil(low)))
        ceiling = min(int(info.max), 10 if high == inf else int(np.floor(high)))
        return rng.integers(floor, max(ceiling, floor), shape, endpoint=True).astype(dtype)
    if kind == "complex":
        real, imaginary = (ordinary(rng, shape, np.dtype(np.float64), low, high) for _ in range(2))
        return (real + 1j * imaginary).astype(dtype)
    if np.isfinite(low) and np.isfinite(high):
        values = low + (high - low) * rng.uniform(0.02, 0.98, shape)
    elif np.isfinite(low):
        values = low + np.abs(rng.normal(1, 2, shape)) + 0.05
    elif np.isfinite(high):
        values = high - np.abs(rng.normal(1, 2, shape)) - 0.05
    else:
        values = rng.normal(0, 2, shape)
    return np.asarray(values).astype(dtype)


def inside(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """The values that lie in `[low, high]`; NaN does not. Those of no order (strings, complex) are all kept."""
    if family(values.dtype) in ("string", "complex", "bool") or (low == -inf and high == inf):
        return values
    wide = values.astype(np.float64)
    return values[(wide >= low) & (wide <= high)]


def flushed(array: np.ndarray) -> np.ndarray:
    """The array with its subnormal numbers replaced by zeros of their sign, as TensorFlow's kernels read them."""
    if family(array.dtype) == "float":
        return np.where(
            np.abs(array.astype(np.float64)) < float(limits(array.dtype).smallest_normal),
            np.copysign(np.zeros((), array.dtype), array),
            array,
        ).astype(array.dtype)
    if family(array.dtype) == "complex":
        out = array.copy()
        out.real, out.imag = flushed(array.real), flushed(array.imag)
        return out
    return array


def pairs(columns: list[np.ndarray]) -> list[np.ndarray]:
    """Every combination of the values in `columns`, as one flat column each; combinations of early values first.

    Columns list first the values that most often show a difference, so a prefix of the pairs is the part worth most.
    """
    grid: Any = np.meshgrid(*[np.arange(len(c)) for c in columns], indexing="ij")
    order = np.argsort(np.maximum.reduce([g.ravel() for g in grid]), kind="stable")
    return [column[index.ravel()[order]] for column, index in zip(columns, grid, strict=True)]
