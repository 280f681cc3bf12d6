"""What a user asks for, and which declared cases that means.

Answers come from the declarations alone: nothing here starts a process or imports TensorFlow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tfparity.suite.checking import examples
from tfparity.suite.language import case as registry
from tfparity.suite.language import loading
from tfparity.suite.language.case import Case
from tfparity.suite.language.dtypes import DTYPES
from tfparity.suite.records import identity
from tfparity.suite.records.waivers import Waiver
from tfparity.suite.running import modes

PROFILES = ("full", "quick")


class UsageError(ValueError):
    """A request that has no meaning; the message is one line that says what to do."""


@dataclass(frozen=True)
class Request:
    """What a user asked for, as the command line or pytest gives it."""

    queries: tuple[str, ...] = ()
    modes: tuple[str, ...] = modes.DEFAULT_MODES
    devices: tuple[str, ...] = ("*",)
    dtypes: tuple[str, ...] = ("*",)
    jobs: int = 0
    shard: str = ""
    timeout: float = 30.0
    files: tuple[str, ...] = ()
    profile: str = "full"
    check: bool = True
    time: bool = True
    command: str = ""

    @property
    def whole(self) -> bool:
        """Whether it asks for every check there is, so that a waiver that matches none is a problem."""
        return (
            not self.queries
            and not self.shard
            and self.dtypes == ("*",)
            and self.modes == modes.DEFAULT_MODES
            and self.profile == "full"
            and self.check
        )

    @property
    def quick(self) -> bool:
        return self.profile == "quick"

    @property
    def workers(self) -> int:
        """How many worker processes: as many as asked for, else one for each core this process may use."""
        return self.jobs or max(
            1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )

    def dtype(self, dtype: str) -> bool:
        """Whether `--dtypes` asks for a dtype."""
        return any(fnmatchcase(dtype, pattern) for pattern in self.dtypes)


@dataclass(frozen=True)
class Selection:
    """The declared cases a request asks for, its parsed queries, and its shard as (I, N)."""

    cases: dict[str, Case]
    queries: tuple[identity.Query, ...]
    shard: tuple[int, int]

    def in_file(self, path: Path) -> Selection:
        """The part of it that one case file declares."""
        same = {file for file in {case.file for case in self.cases.values()} if Path(file).resolve() == path.resolve()}
        return replace(self, cases={name: case for name, case in self.cases.items() if case.file in same})


def select(request: Request) -> Selection:
    """The cases asked for. Raises QueryError, CaseError or UsageError, one line each."""
    declared = loading.load()
    if request.files:
        declared = loading.load(request.files)
    queries = tuple(identity.parse(text) for text in request.queries)
    if request.profile not in PROFILES:
        raise UsageError(f"unknown profile {request.profile!r}: the profiles are {' and '.join(PROFILES)}")
    for mode in request.modes:
        if mode not in modes.MODES and mode != "numpy":
            raise UsageError(f"unknown mode {mode!r}: the modes are {', '.join([*modes.MODES, 'numpy'])}")
    if request.dtypes != ("*",) and not any(request.dtype(d) for d in (*DTYPES, "none", examples.DTYPE)):
        raise UsageError(f"no dtype matches {', '.join(request.dtypes)}: the dtypes are {', '.join(DTYPES)}")
    names = identity.select(queries, declared)
    return Selection({n: declared[n] for n in names}, queries, shard(request.shard))


def shard(text: str) -> tuple[int, int]:
    """(I, N) from `I/N`, (1, 1) from nothing. Raises UsageError for any other text."""
    if not text:
        return 1, 1
    try:
        part, whole = (int(n) for n in text.split("/"))
    except ValueError:
        part, whole = 0, 0
    if not 1 <= part <= whole:
        raise UsageError(f"--shard {text!r} must read I/N with 1 <= I <= N, such as 2/4")
    return part, whole


def covers(request: Request, selection: Selection, waiver: Waiver) -> bool:
    """Whether the request runs every check a waiver matches: each of its ops unfiltered, or the waiver's own query."""
    if not replace(request, queries=()).whole:
        return False
    if any(q.patterns == waiver.match.patterns for q in selection.queries):
        return True
    unfiltered = [q for q in selection.queries if set(q.patterns[1:]) == {"*"}]
    matched = [name for name in registry.CASES if waiver.match.matches(op=name)] if unfiltered else []
    return bool(matched) and all(any(q.matches(op=name) for q in unfiltered) for name in matched)


def unchecked(selection: Selection, rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The selected cases of which every row is `unsupported`, each with TensorFlow's message: none was judged."""
    messages: dict[str, str] = {}
    judged = set()
    for row in rows:
        if row["verdict"] == "unsupported":
            messages.setdefault(row["op"], row["detail"].splitlines()[0] if row["detail"] else "")
        else:
            judged.add(row["op"])
    return {op: text for op, text in messages.items() if op in selection.cases and op not in judged}
