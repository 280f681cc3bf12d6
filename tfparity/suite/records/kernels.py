"""Which kernels ran: read from TensorFlow's log, and compared with the kernels that are registered.

TensorFlow logs a line when it creates a kernel for a device (once per entry of the kernel cache, which lives as long as
the process), and a line for every op that XLA compiles. Nothing here is inferred from declarations. This module works
on text and sets and does not import TensorFlow; the registered kernels come from `inventory`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

LOG = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "op_kernel=1,xla_compilation_device=4"}
"""The environment in which TensorFlow writes these lines to stderr. It reads it once, when it is imported."""

Pair = tuple[str, str, str]
"""(raw op, dtype, where): the unit of coverage. The dtype is the value of the op's leading type attribute, "" for a
kernel that takes any or of an op that has none."""


@dataclass(frozen=True, order=True)
class Kernel:
    """A kernel that ran: a row of `kernels.parquet`.

    op     the public raw op; oneDNN's `_MklMatMul` and a fused `_FusedMatMul` stand for `MatMul`
    dtype  the value of its leading type attribute, "" if it has none
    types  all its type attributes, `T=float32,Tidx=int32`
    where  `cpu`, `gpu` or another device type, or `xla`
    """

    op: str
    dtype: str
    types: str
    where: str

    @property
    def pair(self) -> Pair:
        return self.op, self.dtype, self.where


# --- reading the log -----------------------------------------------------------------------------------------------

_MADE = re.compile(r"Instantiating kernel for node: .*?\{\{node ([^}]*)\}\} = (\w+)\[(.*)\]\(")
_COMPILED = re.compile(r"XlaCompilationDevice::Compute .*\{\{node ([^}]*)\}\}")
_LACKING = re.compile(r"Could not find device for node: .*?= (\w+)\[(.*)\]")
_TYPE = re.compile(r"(?:^|, )(\w+)=DT_(\w+)(?=,|$)")
_DEVICE = re.compile(r'_device="[^"]*device:(\w+):\d+"')
_OURS = re.compile(r"op_kernel\.cc:|xla_compilation_device\.cc:")

_DTYPES = {"float": "float32", "double": "float64", "half": "float16"}

_STANDS_FOR = re.compile(
    r"_(?=Mkl|Fused)(?:Mkl)?(?:Native)?(?:PadWith)?(?:Fused)?(Quantized\w+|[A-Z]\w*?(?=WithBias|$))\w*"
)
_RENAMED = {
    "BatchNormEx": "FusedBatchNormV3",
    "BatchNorm": "FusedBatchNorm",
    "BatchNormV2": "FusedBatchNormV2",
    "BatchNormV3": "FusedBatchNormV3",
    "BatchNormGrad": "FusedBatchNormGrad",
    "BatchNormGradV2": "FusedBatchNormGradV2",
    "BatchNormGradV3": "FusedBatchNormGradV3",
}
"""Public ops whose own names begin with `Fused`."""


def instantiated(text: str, leading: Mapping[str, str]) -> set[Kernel]:
    """The kernels that ran according to a log. `leading` names each op's leading type attribute.

    A kernel created without a device is XLA's if the log's next line on its node says that XLA compiles it. Otherwise
    it was created for constant folding, or to pass values between functions, and does not count.
    """
    found = set()
    bare: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        if made := _MADE.search(line):
            node, op, attributes = made.groups()
            device = _DEVICE.search(attributes)
            if device:
                found.add(_kernel(op, attributes, device[1].lower(), leading))
            else:
                bare[node] = op, attributes
        elif (compiled := _COMPILED.search(line)) and compiled[1] in bare:
            found.add(_kernel(*bare.pop(compiled[1]), "xla", leading))
    return found


def lacking(message: str, leading: Mapping[str, str]) -> Pair | None:
    """The kernel that no device has according to an error message, as the pair that XLA may have; else None."""
    found = _LACKING.search(message)
    return _kernel(found[1], found[2], "xla", leading).pair if found else None


def _kernel(op: str, attributes: str, where: str, leading: Mapping[str, str]) -> Kernel:
    types: dict[str, str] = {}
    for name, dtype in _TYPE.findall(attributes):
        types.setdefault(name, _dtype(dtype))  # a function's own attributes, in brackets, come after the op's
    op = stands_for(op)
    return Kernel(op, types.get(leading.get(op, "T"), ""), ",".join(f"{n}={d}" for n, d in types.items()), where)


def _dtype(logged: str) -> str:
    """TensorFlow's name for a dtype from the log's: `DOUBLE` is float64."""
    name = logged.lower()
    return _DTYPES.get(name, name)


def stands_for(op: str) -> str:
    """The public op that an internal op of oneDNN or of the graph optimizer computes; of a fusion, the main op."""
    inside = _STANDS_FOR.fullmatch(op)
    if not inside:
        return op
    return _RENAMED.get(inside[1], inside[1]) if "Fused" in op else inside[1]


def quiet(text: str) -> str:
    """A log without the lines that are read here: the rest may explain a crash."""
    return "\n".join(line for line in text.splitlines() if not _OURS.search(line))


# --- against what is registered ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Covered:
    """One raw op in one place: the dtypes that its kernels are registered for, those that `ran` and those `missing`."""

    op: str
    where: str
    ran: tuple[str, ...]
    missing: tuple[str, ...]


def coverage(executed: Iterable[Pair], registered: Iterable[Pair], ops: Collection[str]) -> list[Covered]:
    """Which registered kernels of `ops` were executed. A kernel that takes any dtype ran if its op ran there."""
    executed = set(executed)
    anyhow = {(op, "", where) for op, _, where in executed}
    places: dict[tuple[str, str], list[Pair]] = {}
    for pair in sorted(registered):
        if pair[0] in ops:
            places.setdefault((pair[0], pair[2]), []).append(pair)
    return [
        Covered(
            op,
            where,
            tuple(p[1] for p in pairs if p in executed or p in anyhow),
            tuple(p[1] for p in pairs if p not in executed and p not in anyhow),
        )
        for (op, where), pairs in places.items()
    ]


def share(rows: Iterable[Covered], where: str) -> tuple[int, int]:
    """(executed pairs, registered pairs) of the rows in one place."""
    here = [row for row in rows if row.where == where]
    ran = sum(len(row.ran) for row in here)
    return ran, ran + sum(len(row.missing) for row in here)
