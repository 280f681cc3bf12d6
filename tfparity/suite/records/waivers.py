"""The ledger of known divergences: which failing checks are known, and which entries no longer say the truth.

A waiver is strict in both directions: a check that fails otherwise than its waiver says is not waived, and a waiver
that covers no failing check, or has expired, is itself a problem that fails the gate.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from tfparity.suite.records.identity import PARTS, Query, QueryError, parse
from tfparity.suite.records.results import FAILING, KINDS, Check

FIELDS = {"match", "expect", "reason", "issue", "tensorflow", "devices", "expires"}


class WaiverError(ValueError):
    """A ledger that cannot be read; the message is one line with the file and the entry."""


@dataclass(frozen=True)
class Waiver:
    """A known divergence.

    match       a query on identities; in the ledger also a list of them, which stands for as many waivers
    expect      verdicts, each alone (`differs`) or with its kind (`differs nan`)
    reason      why TensorFlow does so, and why it is not ours to mend
    issue       where it is reported, if it is
    tensorflow  the versions it holds for, `>=2.18,<2.22`; all when empty
    devices     patterns of devices it holds for; all when empty
    expires     the day from which it fails the gate, None for never
    """

    match: Query
    expect: tuple[str, ...]
    reason: str
    issue: str = ""
    tensorflow: str = ""
    devices: tuple[str, ...] = ()
    expires: date | None = None

    def covers(self, check: Check) -> bool:
        """Whether it speaks of this check and the check fails as it says."""
        said = any(e in (check.verdict, f"{check.verdict} {check.kind}") for e in self.expect)
        return said and self.speaks_of(check)

    def speaks_of(self, check: Check) -> bool:
        return self.match.matches(**{part: getattr(check, part) for part in PARTS}) and (
            not self.devices or any(fnmatchcase(check.device, pattern) for pattern in self.devices)
        )

    def holds_for(self, version: str) -> bool:
        return not self.tensorflow or SpecifierSet(self.tensorflow, prereleases=True).contains(Version(version))


def read(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a ledger. Raises WaiverError for a missing field, an unknown one, or a meaningless value."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("waiver", [])
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise WaiverError(f"{path}: {error}") from error
    return tuple(
        _waiver(path, number, {**entry, "match": match} if match else entry)
        for number, entry in enumerate(entries, 1)
        for match in (entry["match"] if isinstance(entry.get("match"), list) else [entry.get("match")])
    )


def _waiver(path: Path, number: int, entry: dict) -> Waiver:
    where = f"{path}, waiver {number} ({entry.get('match', '?')})"
    if missing := {"match", "expect", "reason"} - set(entry):
        raise WaiverError(f"{where}: lacks {', '.join(sorted(missing))}")
    if unknown := set(entry) - FIELDS:
        raise WaiverError(
            f"{where}: unknown field {', '.join(sorted(unknown))}; the fields are {', '.join(sorted(FIELDS))}"
        )
    expect = tuple([entry["expect"]] if isinstance(entry["expect"], str) else entry["expect"])
    for word in expect:
        verdict, _, kind = word.partition(" ")
        if verdict not in FAILING or (kind and kind not in KINDS):
            raise WaiverError(
                f"{where}: expect = {word!r} is not a failing verdict ({', '.join(FAILING)}) with or without a kind"
            )
    try:
        query = parse(entry["match"])
        SpecifierSet(entry.get("tensorflow", ""))
    except (QueryError, InvalidSpecifier) as error:
        raise WaiverError(f"{where}: {error}") from error
    expires = entry.get("expires")
    if expires is not None and not isinstance(expires, date):
        raise WaiverError(f"{where}: expires must be a date such as 2027-06-30, without quotes")
    return Waiver(
        query,
        expect,
        entry["reason"],
        str(entry.get("issue", "")),
        entry.get("tensorflow", ""),
        tuple(entry.get("devices", ())),
        expires,
    )


@dataclass
class Ledger:
    """The waivers in force for one run, and what became of each: `idle` ones spoke of some check, `used` ones covered
    one that failed, `needed` ones covered one that no other does, so that the gate is red without them."""

    waivers: tuple[Waiver, ...]
    expired: tuple[Waiver, ...] = ()
    idle: set[int] = field(default_factory=set)
    used: set[int] = field(default_factory=set)
    needed: set[int] = field(default_factory=set)
    of_op: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, waivers: Iterable[Waiver], version: str, today: date) -> Ledger:
        holding = [w for w in waivers if w.holds_for(version)]
        expired = tuple(w for w in holding if w.expires and w.expires <= today)
        return cls(tuple(w for w in holding if w not in expired), expired)

    def apply(self, check: Check) -> Check:
        """The check with the reason of the waiver that covers it, if one does."""
        if check.op not in self.of_op:  # every check of an op asks the same
            self.of_op[check.op] = [n for n, w in enumerate(self.waivers) if w.match.matches(op=check.op)]
        known = [n for n in self.of_op[check.op] if self.waivers[n].speaks_of(check)]
        if not known:
            return check
        self.idle.update(known)
        covering = [n for n in known if self.waivers[n].covers(check)]
        self.used.update(covering)
        if not covering:
            return check
        if len(covering) == 1:
            self.needed.update(covering)
        waiver = self.waivers[covering[0]]
        return replace(check, waiver=waiver.reason + (f" ({waiver.issue})" if waiver.issue else ""))

    def problems(self, *, whole: bool, judged: Callable[[Waiver], bool] = lambda waiver: True) -> list[str]:
        """What is wrong with the ledger itself, one line each.

        `whole` says that the run covered everything: only then is a waiver that nothing matched a problem. `judged`
        says whether the run covered all that a waiver speaks of, or else nothing is said of it: a part of the suite
        says nothing about the rest.
        """
        found = [
            f"waiver {w.match.text!r} expired on {w.expires}: look again, then renew or delete it" for w in self.expired
        ]
        for number, waiver in enumerate(self.waivers):
            if number in self.needed or not (whole or judged(waiver)):
                continue
            said = f"waiver {waiver.match.text!r} ({', '.join(waiver.expect)})"
            if number in self.used:
                found.append(f"{said} covers nothing that others do not cover too: delete it, or narrow them")
            elif number in self.idle:
                found.append(f"{said} covers no failing check any more: delete it")
            elif whole:
                found.append(f"waiver {waiver.match.text!r} matches no check: delete it or mend its query")
        return found
