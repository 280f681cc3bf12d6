"""How much error is allowed: the whole policy, as one table, and the formula that its factors scale.

    |got - expected| <= K * factor * (u * max(|expected|, tiny) + S)

where `u` is the dtype's unit roundoff, `tiny` its smallest normal number and `S` how far the reference moves when its
inputs move by one `u` (`reference`). Knows neither cases nor devices: both are words in its table.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from tfparity.suite.language.dtypes import limits, roundoff

K = 16.0
"""8 ulp: Eigen's and XLA's vectorised float32 functions stay within 4 ulp of a float64 reference where well
conditioned; twice that leaves room for fused sums without hiding a wrong digit."""

HALF_LOST = 2.0**-3
"""An expected value whose allowed error exceeds an eighth of its magnitude cannot be judged: `ill-conditioned`."""


@dataclass(frozen=True)
class Rule:
    """A row of the policy. It holds for the checks that all its fields allow.

    against  what the result may be judged against: names as in an identity
    times    multiplies the allowed error of the case (`error_factor`); 0 allows none
    why      the reason
    exact    whether the row holds only for cases that are declared exact
    aspect   a pattern of aspects
    dtypes   the dtypes of the result, every dtype where empty
    device   a pattern of devices, `GPU:*`
    """

    against: tuple[str, ...]
    times: float
    why: str
    exact: bool = False
    aspect: str = "*"
    dtypes: tuple[str, ...] = ()
    device: str = "*"

    def holds(self, exact: bool, against: str, aspect: str, dtype: str, device: str) -> bool:
        return (
            against in self.against
            and (exact or not self.exact)
            and fnmatchcase(aspect, self.aspect)
            and (not self.dtypes or dtype in self.dtypes)
            and fnmatchcase(device, self.device)
        )


POLICY = (
    Rule(("theory",), 1.0, "an invariant computes with the result, and that rounds even where the case is exact"),
    Rule(("numpy", "eager", "cpu", "lanes"), 0.0, "an exact case rounds nothing", exact=True, aspect="value"),
    Rule(("numpy",), 1.0, "the reference is computed in higher precision: only the result has an error"),
    Rule(
        ("lanes",),
        0.0,
        "16-bit kernels compute in float32 and round once: the length of the tensor changes no 16-bit result",
        dtypes=("float16", "bfloat16"),
    ),
    Rule(("eager", "cpu", "lanes"), 2.0, "two results of TensorFlow may both have the allowed error, with either sign"),
)
"""The first row that holds decides."""

DEVICES: tuple[Rule, ...] = ()
"""One row for what one kind of device computes less exactly, such as TF32's short products on a GPU. `times` of the
first row that holds multiplies what `POLICY` says; where that is 0, the device may not round either."""


def factor(
    exact: bool, error_factor: float, *, against: str, aspect: str = "value", dtype: str = "", device: str = ""
) -> float:
    """The factor of a check. `exact` and `error_factor` are what the case declares; `dtype` is the result's dtype by
    TensorFlow's name, `device` the device of the result."""
    place = (exact, against, aspect, dtype, device)
    rule = next((rule for rule in POLICY if rule.holds(*place)), None)
    if rule is None:
        raise LookupError(f"no row of the tolerance policy holds for {aspect}:{against}")
    wider = next((row.times for row in DEVICES if row.holds(*place)), 1.0)
    return error_factor * rule.times * wider


def allowed(expected: np.ndarray, spread: np.ndarray, dtype: np.dtype, factor: float) -> np.ndarray:
    """The allowed error of every element: the right side of the formula, for results of `dtype`."""
    tiny = float(limits(dtype).smallest_normal)
    return K * factor * (roundoff(dtype) * np.maximum(np.abs(expected), tiny) + spread)


def hopeless(expected: np.ndarray, spread: np.ndarray, factor: float) -> np.ndarray:
    """Which elements cannot be judged, because the reference moves too far (`HALF_LOST`)."""
    return (K * factor * spread > HALF_LOST * np.abs(expected)) & (spread > 0)
