"""How often a sampler reports a difference where there is none: ours, and what is usually done.

Claim: the paired sampler reports at most the 5% of false positives that its 95% interval states, and contiguous blocks
report many more. On a loaded machine with two cores 3.8% of 1,062 twins, and 32% under a Mann-Whitney test.

The same callable is timed twice under two names, so every reported difference is a false positive. Compared are the
paired sampler of `tfparity.suite.timing` as the suite uses it, and contiguous blocks of as many readings (all of one
name, then all of the other) under the rules that benchmark tools apply to them.

    python benchmarks/false_positives.py                       # 60 s of NumPy, prints a table
    python benchmarks/false_positives.py --tensorflow          # eager, graph and XLA calls as well
    python benchmarks/false_positives.py --seconds 600 --load 1 --json false_positives.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle

import numpy as np
from scipy.stats import mannwhitneyu

from tfparity.suite.records import machine
from tfparity.suite.timing.sampler import EXTRA, ROUNDS, Timer, empty, measure
from tfparity.suite.timing.schedule import Call, loop_counts
from tfparity.suite.timing.statistics import false_rate, paired_ratio, verdict


def numpy_calls() -> dict[str, Call]:
    x, big = np.linspace(0, 1, 100, dtype="float32"), np.linspace(0, 1, 100_000, dtype="float32")
    square = np.random.default_rng(0).normal(size=(48, 48))
    return {
        "numpy exp 100": lambda: np.exp(x),
        "numpy exp 100000": lambda: np.exp(big),
        "numpy sort 100000": lambda: np.sort(big[::-1]),
        "numpy solve 48": lambda: np.linalg.solve(square, square),
        "python sum": lambda: sum(range(1000)),
    }


def tensorflow_calls() -> tuple[dict[str, Call], Call]:
    """Eager, graph and XLA calls, and the call that synchronises the device."""
    import tensorflow as tf

    x = tf.constant(np.linspace(0, 1, 100, dtype="float32"))
    square = tf.constant(np.random.default_rng(0).normal(size=(64, 64)).astype("float32"))
    calls: dict[str, Call] = {}
    for name, body, argument in (("tanh", tf.tanh, x), ("matmul", lambda a: tf.matmul(a, a), square)):
        signature = [tf.TensorSpec(argument.shape, argument.dtype)]
        graph = tf.function(body, input_signature=signature, autograph=False)
        xla = tf.function(body, input_signature=signature, autograph=False, jit_compile=True)
        for mode, function in (("eager", body), ("graph", graph), ("xla", xla)):
            calls[f"tensorflow {name} {mode}"] = partial(function, argument)
    return calls, tf.test.experimental.sync_devices


def contiguous(call: Call, rounds: int, timer: Timer) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of one call in each reading of two blocks, one after the other: two runs of an ordinary benchmark."""
    cost = min(timer.read(call, 20).wall / 20 for _ in range(3))
    loops = loop_counts({"": cost}, 1e-3)[""]
    first, second = ([timer.read(call, loops).wall / loops for _ in range(rounds)] for _ in range(2))
    return np.array(first), np.array(second)


def block_trial(call: Call, rounds: int, timer: Timer) -> dict[str, bool]:
    """Which of the usual rules report that two blocks of the same call differ."""
    a, b = contiguous(call, rounds, timer)
    p = float(mannwhitneyu(a, b).pvalue)
    differing = {name: abs(np.log(of(a) / of(b))) > np.log(1.05) for name, of in
             (("min", np.min), ("median", np.median), ("mean", np.mean))}
    return {
        "contiguous, Mann-Whitney at 0.05": bool(p < 0.05),
        **{f"contiguous, 5% on the {name}": bool(far) for name, far in differing.items()},
        "contiguous, Mann-Whitney at 0.002 and 10% on the median":
            bool(p < 0.002 and abs(np.log(np.median(a) / np.median(b))) > np.log(1.1)),
    }


def paired_trial(call: Call, seed: int, timer: Timer) -> dict[str, bool]:
    """Whether the sampler as the suite uses it reports a difference: by its interval alone, and by its verdict."""
    done = measure({"a": call, "b": call}, timer=timer, seed=seed)
    ratio = done.ratio("b")
    strict = paired_ratio(done.per_call("b"), done.per_call("a"), 0.999)
    return {
        "paired, the interval excludes 1": verdict(ratio, margin=0) in ("faster", "slower"),
        "paired, the verdict (5% margin)": verdict(ratio) in ("faster", "slower"),
        "paired, the 99.9% interval excludes 1": verdict(strict, margin=0) in ("faster", "slower"),
    }


def spin(until: float) -> None:
    """A neighbour that works half a second and rests half a second, as other users of a shared machine do."""
    while time.time() < until:
        end = time.time() + 0.5
        while time.time() < end:
            pass
        time.sleep(0.5)


@contextmanager
def neighbours(count: int, seconds: float) -> Iterator[None]:
    """`count` busy processes beside the measurement."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=spin, args=(time.time() + 2 * seconds,), daemon=True) for _ in range(count)]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.terminate()
            process.join()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="How often a sampler reports a difference where there is none.")
    parser.add_argument("--seconds", type=float, default=60, help="how long to measure (default: 60)")
    parser.add_argument("--tensorflow", action="store_true", help="time TensorFlow's eager, graph and XLA calls too")
    parser.add_argument("--load", type=int, default=0, metavar="N", help="busy processes beside it (default: 0)")
    parser.add_argument("--json", metavar="FILE", help="write the table to this file too")
    options = parser.parse_args(arguments)
    if options.seconds <= 0 or options.load < 0:
        parser.error("--seconds must be positive and --load not negative")

    calls: dict[str, Call] = numpy_calls()
    synchronise: Call = empty
    if options.tensorflow:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        more, synchronise = tensorflow_calls()
        calls.update(more)
    timer, reported = Timer(synchronise), dict[str, list[bool]]()
    began, trials = time.monotonic(), 0
    before = machine.noise()
    with neighbours(options.load, options.seconds):
        for call in cycle(calls.values()):
            call()
            # Both take as many readings, and take turns at going first.
            rules = [partial(block_trial, call, ROUNDS + EXTRA, timer), partial(paired_trial, call, trials, timer)]
            for rule in rules if trials % 2 else rules[::-1]:
                for name, wrong in rule().items():
                    reported.setdefault(name, []).append(wrong)
            trials += 1
            if time.monotonic() - began > options.seconds and trials >= len(calls):
                break
    during = machine.noise().since(before)

    rates = {
        name: false_rate("faster" if wrong else "equivalent" for wrong in reported[name])
        for name in sorted(reported, key=lambda name: not name.startswith("contiguous"))
    }
    print(f"{trials} trials of {len(calls)} calls, the same callable twice; {options.load} busy neighbours, "
          f"{machine.cores()} cores, waited for a CPU {100 * during.pressure / during.seconds:.0f}% of the time\n")
    print(f"| {'rule':<58} | {'false positives':>15} | {'95% interval':>13} |")
    print(f"| {'-' * 58} | {'-' * 14}: | {'-' * 12}: |")
    for name, rate in rates.items():
        interval = f"{100 * rate.low:.1f} to {100 * rate.high:.1f}%"
        print(f"| {name:<58} | {100 * rate.mid:>14.1f}% | {interval:>13} |")
    if options.json:
        table = [{"rule": name, "false_positives": rate.mid, "low": rate.low, "high": rate.high}
                 for name, rate in rates.items()]
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"trials": trials, "calls": list(calls), "load": options.load, "rules": table}, out, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
