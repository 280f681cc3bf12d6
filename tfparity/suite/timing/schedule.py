"""What the sampler runs, how often and in which order: Latin squares of rounds, loop counts, and the A/A twins.

Pure functions on names, costs and random generators. This module reads no clock and knows no TensorFlow, no mode and
no device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import ceil

import numpy as np

Call = Callable[[], object]

TWIN = "-twin"
HEADROOM = 1.2  # a call that turns out a fifth faster than its calibration still fills the reading
ALIKE = 10.0  # costs within this factor share a loop count; unequal counts bias a ratio by about 1%
MOST_LOOPS = 1_000_000


def hashed(text: str) -> int:
    """A number of 64 bits that depends on the text alone, on every machine and in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def order(rounds: int, names: int, rng: np.random.Generator) -> np.ndarray:
    """Which of `names` callables runs at which place of each round, shape (rounds, names), as indices.

    `names` rounds form a Latin square: each callable runs once at each place. The squares are those of Williams (1949):
    each callable also follows each other one equally often, in one square where `names` is even, in a square and its
    mirror image where it is odd. Each such block is randomised: which callable takes which row of the square, and the
    order of its rounds.
    """
    zigzag = np.array([place // 2 if place % 2 == 0 else names - (place + 1) // 2 for place in range(names)], dtype=int)
    square = (zigzag + np.arange(names)[:, None]) % names
    block = [square] if names % 2 == 0 else [square, square[:, ::-1]]
    drawn = [np.zeros((0, names), dtype=int)]
    for _ in range(ceil(rounds / (names * len(block)))):
        who = rng.permutation(names)
        drawn += [who[rng.permutation(each)] for each in block]
    return np.concatenate(drawn)[:rounds]


def follows_another(places: np.ndarray) -> np.ndarray:
    """Which readings ran right after another callable than their own, booleans (rounds, names), from the order."""
    flat = places.ravel()
    after = np.concatenate([[True], flat[1:] != flat[:-1]]).reshape(places.shape)
    result = np.empty_like(after)
    np.put_along_axis(result, places, after, axis=1)
    return result


def batches(costs: Mapping[str, float], limit: float = ALIKE) -> list[list[str]]:
    """The names in groups that share a loop count, cheapest first: costs within a group differ by `limit` at most.

    Where the costs differ by more, the names are divided at the widest gap, so that near costs stay in one group:
    1, 39, 86 and 236 µs give the 1 alone and the other three together.
    """

    def split(names: list[str]) -> list[list[str]]:
        if costs[names[-1]] <= limit * costs[names[0]]:
            return [names]
        gaps = [costs[right] / max(costs[left], 1e-12) for left, right in pairwise(names)]
        at = 1 + int(np.argmax(gaps))
        return split(names[:at]) + split(names[at:])

    return split(sorted(costs, key=lambda name: costs[name])) if costs else []


def loop_counts(costs: Mapping[str, float], shortest: float) -> dict[str, int]:
    """How many calls make one reading of at least `shortest` seconds, from the seconds per call; 1 for a long call."""
    counts = {}
    for names in batches(costs):
        cheapest = costs[names[0]]
        loops = MOST_LOOPS if cheapest <= 0 else min(MOST_LOOPS, max(1, ceil(HEADROOM * shortest / cheapest)))
        if cheapest >= shortest:
            loops = 1
        counts.update(dict.fromkeys(names, loops))
    return {name: counts[name] for name in costs}


def twin(calls: Mapping[str, Call], identity: str, share: float = 0.05) -> dict[str, Call]:
    """The calls, and in a `share` of the cases one of them a second time as `NAME-twin`: the permanent A/A test.

    The hash of the case's identity decides whether there is a twin and of which call, so each mode has a twin in some
    cases. A twin that is reported as faster or slower is a false positive; `statistics.false_rate` counts them.
    """
    names = list(calls)
    if not names or hashed(identity) >= share * 2**64:
        return dict(calls)
    name = names[hashed("which " + identity) % len(names)]
    return {**calls, name + TWIN: calls[name]}


def twin_of(name: str) -> str | None:
    """The name that a twin repeats; None for a name that is not a twin's."""
    return name.removesuffix(TWIN) if name.endswith(TWIN) else None
