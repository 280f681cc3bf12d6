"""How much of what TensorFlow documents is declared, and how much of that runs have reached: one line for each name.

The denominators are TensorFlow's own (`facts`); what is declared is read from the cases, what ran from the rows of
runs. Every hole is named, with its reason where one was declared. It must not know how the lines are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tfparity.suite.coverage.facts import NAMESPACE, Facts, facts
from tfparity.suite.language import loading
from tfparity.suite.language.case import Case
from tfparity.suite.records import kernels
from tfparity.suite.records.results import Run
from tfparity.suite.running.modes import DEFAULT_MODES, NUMPY

if TYPE_CHECKING:
    import pandas as pd

    from tfparity.suite.coverage.options import Option

COUNTED = ("covered", "hole", "undeclared")
"""covered: declared to run; hole: declared, with the reason why not; undeclared: an error. Beside these a declared name
may be `beside`, where it is not counted, or `lacking`, where this TensorFlow does not have it."""

RAN = ("identical", "close", "ill-conditioned", "differs")
"""Verdicts of checks that had a value to compare."""

MODES = tuple(mode for mode in DEFAULT_MODES if mode != NUMPY)
"""The modes whose dtypes are counted."""


@dataclass(frozen=True)
class Row:
    """One name of one area, and whether it is declared."""

    op: str
    area: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Line:
    """A row of `coverage.csv`: what is declared and what ran of one name. `dtypes` are those that gave a value in a
    run, by mode; lists are texts with a blank between their items."""

    op: str
    area: str
    status: str
    reason: str
    kind: str
    options: int
    options_at_default: str
    examples: int
    examples_run: int
    dtypes: Mapping[str, str]
    gradients: str
    devices: str

    @property
    def counted(self) -> bool:
        """Whether it is a documented op."""
        return self.area == NAMESPACE and self.status in COUNTED

    def columns(self) -> dict[str, str | int]:
        """By the columns of `coverage.csv`: each mode has one."""
        found: dict[str, str | int] = {}
        for name, item in vars(self).items():
            found |= {mode.replace("-", "_"): item[mode] for mode in MODES} if name == "dtypes" else {name: item}
        return found


@dataclass(frozen=True)
class Evidence:
    """What the rows of runs say of one op: the dtypes that gave a value in each mode, and a gradient; the devices; how
    many of its examples ran."""

    dtypes: Mapping[str, tuple[str, ...]]
    gradients: tuple[str, ...]
    devices: tuple[str, ...]
    examples: int


NOTHING = Evidence({}, (), (), 0)


@dataclass(frozen=True)
class Coverage:
    """What TensorFlow says, the lines made of it, and with `runs` the kernels that ran of those registered."""

    facts: Facts
    lines: Sequence[Line]
    runs: int = 0
    kernels: Sequence[kernels.Covered] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is undeclared, and no exclusion is stale."""
        return not self.facts.stale and not any(line.status == "undeclared" for line in self.lines)


def measure(runs: Sequence[Run]) -> Coverage:
    """The coverage by the declared cases and by some runs, or none."""
    known, declared = facts(), loading.load()
    seen = evidence(_joined([run.checks for run in runs])) if runs else {}
    lines = matrix(rows(known, declared), known, declared, seen)
    ran = {(op, dtype, where) for run in runs for op, dtype, where in _distinct(run.kernels, "op", "dtype", "where")}
    covered = kernels.coverage(ran, known.registered, set(known.reachable)) if runs else ()
    return Coverage(known, lines, len(runs), covered)


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(tables, ignore_index=True)


def rows(known: Facts, declared: Mapping[str, Case]) -> list[Row]:
    """The status of each name that TensorFlow has, and of each declared one beside them."""
    found = []
    for area, names in known.areas.items():
        for name in names:
            case = declared.get(name)
            status = "undeclared" if case is None else "hole" if case.missing else "covered"
            found.append(Row(name, area, status, case.missing if case else ""))
    counted = {row.op for row in found}
    for name in declared:
        if name.startswith("tf.") and name not in counted and not name.startswith("tf.raw_ops."):
            if name in known.lacking:
                found.append(Row(name, NAMESPACE, "lacking", "not in this version"))
            else:
                found.append(Row(name, NAMESPACE, "beside", known.excluded.get(name, "no function of an op namespace")))
    return found


def evidence(checks: pd.DataFrame) -> dict[str, Evidence]:
    """What the rows of runs say, by op."""
    ran = checks[checks["verdict"].isin(RAN)]
    values, docs = ran[ran["aspect"] == "value"], ran[ran["aspect"] == "docs"]
    derived = ran[ran["aspect"].isin(["gradient", "gradient2", "jvp"])]
    dtypes: dict[str, dict[str, set[str]]] = {}
    for op, mode, dtype in _distinct(values, "op", "mode", "dtype"):
        dtypes.setdefault(op, {}).setdefault(mode, set()).add(dtype)
    gradients = _sets(_distinct(derived, "op", "dtype"))
    examples = _sets(_distinct(docs[docs["against"] == "docs"], "op", "sample"))
    return {
        op: Evidence(
            {mode: tuple(sorted(found)) for mode, found in dtypes.get(op, {}).items()},
            tuple(sorted(gradients.get(op, ()))),
            tuple(sorted(devices)),
            len(examples.get(op, ())),
        )
        for op, devices in _sets(_distinct(ran, "op", "device")).items()
    }


def _distinct(table: pd.DataFrame, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in table[list(columns)].drop_duplicates().itertuples(index=False)]


def _sets(pairs: Iterable[tuple[str, ...]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key, item in pairs:
        found.setdefault(key, set()).add(item)
    return found


def matrix(
    found: Iterable[Row], known: Facts, declared: Mapping[str, Case], seen: Mapping[str, Evidence]
) -> list[Line]:
    """One line for each name."""
    options: dict[str, list[Option]] = {}
    for option in known.options:
        options.setdefault(option.op, []).append(option)
    lines = []
    for row in found:
        its, ran = options.get(row.op, []), seen.get(row.op, NOTHING)
        lines.append(
            Line(
                **asdict(row),
                kind=declared[row.op].kind if row.op in declared else "",
                options=len(its),
                options_at_default=" ".join(o.argument for o in its if not o.exercised),
                examples=known.examples.get(row.op, 0),
                examples_run=ran.examples,
                dtypes={mode: " ".join(ran.dtypes.get(mode, ())) for mode in MODES},
                gradients=" ".join(ran.gradients),
                devices=" ".join(ran.devices),
            )
        )
    return lines
