"""The rows of several runs in one DataFrame: a `run` column in front, a short name for each run, and families of ops.

Knows run folders as they were read, and nothing of verdicts, times or pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from tfparity.reports import formats
from tfparity.suite.records.results import Check, Run, Timing, frame

CELL = ["op", "dtype", "sample", "size", "device"]  # what is timed in every mode
PLACE = ["run", "device"]  # where something is timed
PROGRAMS = ("guide", "program", "rewrite")


def labels(runs: Sequence[Run]) -> list[str]:
    """A short unique name a run: its folder's, numbered where two folders are called the same."""
    names: list[str] = []
    for run in runs:
        name = formats.plain(run.name)
        short = name if len(name) <= 24 else name[:23] + "…"
        same = sum(1 for taken in names if taken == short or taken.startswith(f"{short} ("))
        names.append(f"{short} ({same + 1})" if same else short)
    return names


def stack(names: Sequence[str], tables: Sequence[pd.DataFrame], kind: str) -> pd.DataFrame:
    """The rows of all runs in one table, `run` first."""
    parts = [table.assign(run=name) for name, table in zip(names, tables, strict=True) if len(table)]
    whole = pd.concat(parts, ignore_index=True) if parts else frame(kind, []).assign(run="")
    for column, of in (Check if kind == "checks" else Timing).__annotations__.items():
        if column not in whole:
            whole[column] = "" if of == "str" else np.nan
    return whole[["run", *[column for column in whole if column != "run"]]]


def family(op: str) -> str:
    """The namespace an op is documented in: `tf.math`; `guide`, `program` and `rewrite` are their own."""
    parts = op.split(".")
    if parts[0] in PROGRAMS or len(parts) == 1:
        return parts[0]
    if len(parts) == 2 or not re.match(r"[a-z_]", parts[1]):  # tf.gather, tf.SparseTensor.from_dense
        return parts[0]
    return ".".join(parts[:2])


def families(ops: pd.Series) -> pd.Series:
    return ops.map({op: family(str(op)) for op in ops.unique()}).astype("object")
