"""The rows of one op's examples: of each example, and of each call that it makes, in every mode that replays it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tfparity.suite.checking import checks
from tfparity.suite.checking.examples.docstring import perform
from tfparity.suite.checking.examples.recording import Call, Context
from tfparity.suite.checking.examples.replaying import replay
from tfparity.suite.checking.planning import Wanted
from tfparity.suite.checking.task import Step
from tfparity.suite.judging.outcome import Lost
from tfparity.suite.language.case import Case
from tfparity.suite.records.identity import Identity
from tfparity.suite.records.results import Check
from tfparity.suite.running import inventory, modes
from tfparity.suite.running.modes import EAGER, MODES, Clock

DTYPE = "mixed"
"""The dtype part of the identity: an example uses whichever it likes."""

NO_PAGES = ("tf.raw_ops.", "tf.experimental.numpy.")
"""Namespaces beside the documented ops: their pages repeat those of others."""

REPLAYED = tuple(name for name, mode in MODES.items() if mode.replayed)
"""The modes in which the calls are made again: those that rewrite what they run."""


@dataclass(frozen=True)
class Page:
    """A function whose docstring has examples; `known` names the ops whose calls are made again, by function id."""

    name: str
    function: Callable[..., Any]
    known: Mapping[int, str]


def may_have(case: Case) -> bool:
    """Whether the case is of a documented op, whose page may have examples: no program, no method of a class."""
    return case.name.startswith("tf.") and not case.name.startswith(NO_PAGES) and case.name.islower()


def speaks_of(identity: Identity) -> bool:
    """Whether it names a row of an example."""
    return identity.aspect == "docs" and identity.dtype == DTYPE


@lru_cache(maxsize=1)
def documented() -> Mapping[int, str]:
    """The canonical name of every documented op, by the function's id."""
    return {id(modes.resolve(op.aliases[0])): op.name for op in inventory.documented()}


def rows(
    name: str, want: Wanted, lost: Mapping[Step, Lost], clock: Clock, step: Callable[[Step, int], None]
) -> list[Check]:
    """The rows of one documented op; none where its docstring has no example, or the name is of no documented op."""
    if name not in documented().values():
        return []
    page = Page(name, modes.resolve(name), documented())
    contexts = [Context(device, lost, clock, step) for device in want.devices]
    return [row for context in contexts for row in rows_of(page, want, context)]


def rows_of(page: Page, want: Wanted, context: Context) -> Iterator[Check]:
    """The rows of a page on one device."""
    judged, calls = perform(page.name, page.function, page.known, context)
    for number, (judgement, seconds) in judged.items() if EAGER in want.modes else ():
        at = Identity(page.name, DTYPE, f"example-{number}", EAGER, context.device, "docs", "docs")
        if want.row(at):
            yield checks.row(at, judgement, seconds)
    for call in calls:
        asked = _asked(page, call, want, context.device)
        yield from replay(call, asked, context) if asked else ()


def _asked(page: Page, call: Call, want: Wanted, device: str) -> list[Identity]:
    """The rows of a call that are wanted."""
    every = [Identity(page.name, DTYPE, call.sample, mode, device, "docs", EAGER) for mode in REPLAYED]
    return [at for at in every if at.mode in want.modes and want.row(at)]
