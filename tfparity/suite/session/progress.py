"""Progress and an estimate of the time left: a moving line on a terminal, a plain line every 15 seconds elsewhere.

It counts and prints; it knows nothing of what is counted.
"""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

EVERY = 15
"""Seconds between two plain lines."""

NOTE = 60
"""Characters of the note beside the bar."""


class Meter:
    """How many of `total` are done, `already` of them before it began; a context manager."""

    def __init__(self, console: Console, doing: str, total: int, already: int = 0):
        self.console, self.doing, self.total, self.count, self.already = console, doing, total, already, already
        self.began = self.printed = time.monotonic()
        self.bar: Progress | None = None
        if console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=console,
            )
            self.task = self.bar.add_task(doing, total=total, completed=already, note="")

    def __enter__(self) -> Meter:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar:
            self.bar.stop()

    def advance(self, name: str, failing: int | None = None) -> None:
        """One more is done, `name`; `failing` says how many checks have failed so far, where checks are counted."""
        self.count += 1
        so_far = None if failing is None else f"{failing} failing"
        if self.bar:
            self.bar.update(self.task, advance=1, note=f"{so_far}  {name}"[:NOTE] if so_far else name[:NOTE])
        elif time.monotonic() - self.printed > EVERY or self.count == self.total:
            self.printed = time.monotonic()
            passed = self.printed - self.began
            left = passed / max(self.count - self.already, 1) * (self.total - self.count)
            self.console.print(
                f"{self.doing} {self.count}/{self.total}, {passed:.0f} s, about {left:.0f} s left, {so_far or name}",
                highlight=False,
            )
