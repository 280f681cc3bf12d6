"""Rows and runs: what a check and a timing record, and the folder they are kept in.

A run is a folder: `run.json`, `checks.parquet`, `timings.parquet`, `kernels.parquet`, and what the reports add. While
it is being written, finished rows are appended to a journal (one JSON line each), so that a kill at any moment loses
none; closing the run turns the journal into parquet. Reading accepts both states. This module knows no TensorFlow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfparity.suite.records.kernels import Kernel

if TYPE_CHECKING:  # half a second that `tfparity list` need not spend
    import pandas as pd

FAILING = ("differs", "error-differs", "accepted", "crash", "timeout")
VERDICTS = ("identical", "close", "ill-conditioned", "unsupported", *FAILING)
KINDS = ("value", "nan", "inf", "zero-sign", "subnormal", "dtype", "shape", "structure", "error-class", "error-phase")
SEVERITY = (
    "timeout",
    "crash",
    "error-differs",
    "accepted",
    "differs",
    "unsupported",
    "ill-conditioned",
    "close",
    "identical",
)
"""The verdicts, most severe first. It decides which draw's verdict is the row's, and the order of the reports."""
TWIN = "-twin"
"""Ends the mode name of eager timed against itself, which measures the noise: it is no mode."""
TIMING_VERDICTS = ("faster", "slower", "equivalent", "unresolved")
JOURNAL = "journal.jsonl"


class RunError(Exception):
    """A run folder that cannot be read or written; the message is one line that says how to go on."""


@dataclass(frozen=True)
class Check:
    """One outcome judged against another: a row of `checks.parquet`.

    id            the identity, `op/dtype/sample/mode@device#aspect:against`
    max_ulp       the largest distance in units in the last place of `dtype`, NaN where it has no meaning
    scaled_error  the largest |got - expected| over the allowed error; above 1 the check fails
    detail        both values with their bits and the input of one element that differs; or TensorFlow's message
    waiver        the reason of the waiver that covers a failing verdict, else empty
    seconds       wall time of the mode's run of the sample, all draws
    """

    id: str
    op: str
    dtype: str
    sample: str
    mode: str
    device: str
    aspect: str
    against: str
    verdict: str
    kind: str = ""
    max_ulp: float = float("nan")
    scaled_error: float = float("nan")
    detail: str = ""
    waiver: str = ""
    seconds: float = 0.0

    @property
    def failing(self) -> bool:
        return self.verdict in FAILING and not self.waiver


@dataclass(frozen=True)
class Timing:
    """One mode's time at one size: a row of `timings.parquet`.

    size       elements in the largest input
    phase      `cold` (trace, compile and first call) or `warm`
    seconds    the estimate for one call; `low`, `high` its interval
    ratio      this mode over eager, paired within rounds; `ratio_low`, `ratio_high` its sign-test interval
    flops      floating point operations of one call, NaN if unknown; `bytes` read and written by its arguments
    """

    op: str
    dtype: str
    sample: str
    size: int
    mode: str
    device: str
    phase: str
    seconds: float
    low: float
    high: float
    rounds: int
    loops: int
    ratio: float
    ratio_low: float
    ratio_high: float
    verdict: str
    flops: float = float("nan")
    bytes: float = float("nan")


TABLES: dict[str, type] = {"checks": Check, "timings": Timing, "kernels": Kernel}
KEYS = {
    "checks": ["id"],
    "timings": ["op", "dtype", "sample", "size", "mode", "device", "phase"],
    "kernels": ["op", "types", "where"],
}


def frame(kind: str, rows: Iterable[Any]) -> pd.DataFrame:
    """The rows of one table as a DataFrame with the contract's columns and dtypes, the last of equal keys kept."""
    import pandas as pd

    columns = {f.name: f.type for f in fields(TABLES[kind])}
    table = pd.DataFrame([row if isinstance(row, dict) else asdict(row) for row in rows], columns=list(columns))
    for name, dtype in columns.items():
        if dtype in ("float", "int"):
            table[name] = pd.to_numeric(table[name]).astype("float64" if dtype == "float" else "int64")
        else:
            table[name] = table[name].fillna("").astype("object")
    return table.drop_duplicates(KEYS[kind], keep="last", ignore_index=True)


@dataclass(frozen=True)
class Run:
    """A run that was read: its folder, `run.json`, and its tables."""

    path: Path
    meta: dict[str, Any]
    checks: pd.DataFrame
    timings: pd.DataFrame
    kernels: pd.DataFrame

    @property
    def complete(self) -> bool:
        return bool(self.meta.get("finished"))

    @property
    def name(self) -> str:
        return self.path.resolve().name


@contextmanager
def saying(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError about `path` into a RunError of one line."""
    try:
        yield
    except OSError as error:
        hint = "free some space and use --resume" if error.errno == 28 else "choose another folder with --out"
        raise RunError(f"cannot {doing} {path}: {error.strerror or error}; {hint}") from error


def replace(path: Path, text: str) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half."""
    with saying(path, "write"):
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)


class Recorder:
    """The open run: rows are appended to the journal as they come, and written as parquet when it is closed.

    Nothing refuses a second process that resumes the same folder at the same time: the caller must not start one.
    """

    def __init__(self, path: Path, meta: dict[str, Any], *, resume: bool = False):
        self.path, self.meta = path, dict(meta)
        with saying(path, "write in"):
            path.mkdir(parents=True, exist_ok=True)
        if (path / "run.json").exists() and not resume:
            raise RunError(f"{path} already holds a run; continue it with --resume {path}, or choose another --out")
        if not resume and any(path.iterdir()):
            raise RunError(f"{path} is not empty and holds no run; choose another --out")
        self.rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in TABLES}
        if resume:
            earlier = read(path)
            self.meta = {**earlier.meta, **self.meta, "started": earlier.meta.get("started", self.meta.get("started"))}
            self.rows = {kind: _records(getattr(earlier, kind)) for kind in TABLES}
        self.meta["finished"] = None
        self.meta.setdefault("done", [])
        self.write_meta()
        with saying(path / JOURNAL, "append to"):
            self.journal = os.open(path / JOURNAL, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o644)
            end = os.fstat(self.journal).st_size  # a row must not be appended to an incomplete last line
            if end and os.pread(self.journal, 1, end - 1) != b"\n":
                os.write(self.journal, b"\n")

    def write_meta(self) -> None:
        replace(self.path / "run.json", json.dumps(self.meta, indent=2, default=str) + "\n")

    def append(self, kind: str, rows: Iterable[Any], done: str = "") -> None:
        """Append finished rows, and record that the job `done` is finished; once this returns, no kill loses either."""
        fresh = [dict(vars(row)) for row in rows]
        lines = "".join(json.dumps({"table": kind, **row}) + "\n" for row in fresh).encode()
        if done:
            lines += json.dumps({"table": "done", "job": done}).encode() + b"\n"
            self.meta["done"].append(done)
        with saying(self.path / JOURNAL, "append to"):
            while lines:
                lines = lines[os.write(self.journal, lines) :]
        self.rows[kind].extend(fresh)

    def discard_if_empty(self) -> None:
        """Remove the files of a run without rows, so that a corrected request may use the same folder."""
        if not any(self.rows.values()):
            for name in ("run.json", JOURNAL):
                (self.path / name).unlink(missing_ok=True)
            with suppress(OSError):
                self.path.rmdir()

    def close(self, *, finished: str | None) -> Run:
        """Write the parquet files; `finished` is the time, or None for a run that was interrupted."""
        tables = {kind: frame(kind, rows) for kind, rows in self.rows.items()}
        for kind, table in tables.items():
            target = self.path / f"{kind}.parquet"
            with saying(target, "write"):
                fresh = target.with_suffix(".new")
                table.to_parquet(fresh, index=False)
                os.replace(fresh, target)
        self.meta["finished"] = finished
        if finished:
            del self.meta["done"]  # only a run that is resumed needs it
        counts = tables["checks"]["verdict"].value_counts()
        self.meta["totals"] = {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}
        self.write_meta()
        os.close(self.journal)
        (self.path / JOURNAL).unlink()  # last: every row it held is in the parquet files by now
        return Run(self.path, self.meta, **tables)


def read(path: str | os.PathLike[str]) -> Run:
    """Read a run folder, complete or not.

    Raises RunError where the folder is no run of tfparity, or is damaged.
    """
    path = Path(path)
    try:
        meta = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        what = "has no run.json: it is not a tfparity run" if path.is_dir() else "does not exist"
        raise RunError(f"{path} {what}; give the folder that `tfparity run --out` wrote") from error
    except (ValueError, OSError) as error:
        raise RunError(f"{path / 'run.json'} cannot be read ({error}); restore it or run again") from error
    if not isinstance(meta, dict) or "tfparity" not in meta:
        raise RunError(f"{path} was written by another program: its run.json names no tfparity version")
    tables = {}
    journal = list(_journal(path / JOURNAL))
    for kind, row in TABLES.items():
        stored: list[dict[str, Any]] = []
        target = path / f"{kind}.parquet"
        if target.exists():
            import pandas as pd

            try:
                stored = _records(pd.read_parquet(target))
            except Exception as error:
                raise RunError(
                    f"{target} is damaged ({_first_line(error)}); restore it, or delete it and --resume"
                ) from error
            missing = {f.name for f in fields(row)} - set(stored[0]) if stored else set()
            if missing:
                raise RunError(f"{target} lacks the columns {', '.join(sorted(missing))}: written by another version?")
        tables[kind] = frame(kind, stored + [r for k, r in journal if k == kind])
    if not meta.get("finished"):
        meta["done"] = list(dict.fromkeys([*meta.get("done", ()), *(r["job"] for k, r in journal if k == "done")]))
    return Run(path, meta, **tables)


def _journal(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The journal's rows. A line that a kill left incomplete is skipped: its append had not returned."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                row = json.loads(line)
                yield row.pop("table"), row
            except (ValueError, KeyError, AttributeError):
                continue


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
