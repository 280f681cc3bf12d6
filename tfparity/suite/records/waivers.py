"""The ledger of known divergences: which failing checks are known, and which entries are no longer true.

A waiver is strict in both directions: a check that fails otherwise than its waiver says is not waived, and a waiver
that covers no failing check, or has expired, is itself a problem that fails the gate. An entry for another machine
than the run's covers nothing and is never a problem. Knows rows and identities, neither TensorFlow nor sessions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from tfparity.suite.records import machine
from tfparity.suite.records.identity import PARTS, Query, QueryError, parse
from tfparity.suite.records.results import FAILING, KINDS, Check

FIELDS = {"match", "expect", "reason", "issue", "tensorflow", "devices", "when", "expires"}
ASKS = {"onednn", "isa"}


class WaiverError(ValueError):
    """A ledger that cannot be read; the message is one line with the file and the entry."""


@dataclass(frozen=True)
class Setting:
    """What an entry may ask of the machine of a run; None where the run does not know it.

    onednn    whether TensorFlow's oneDNN kernels are switched on
    features  the CPU features that XLA may use, as `run.json` names them
    """

    onednn: bool | None
    features: frozenset[str] | None


def setting(recorded: Mapping[str, Any]) -> Setting:
    """The setting of a run from `machine` of its `run.json`. A run that could read no CPU feature knows none."""
    onednn, features = recorded.get("onednn"), recorded.get("cpu_features")
    return Setting(
        onednn if isinstance(onednn, bool) else None,
        machine.enabled(features, recorded.get("xla_flags") or "") if features else None,
    )


@dataclass(frozen=True)
class When:
    """The machine that an entry needs.

    onednn  TensorFlow's oneDNN setting, None for either
    isa     CPU features that the machine must have, `avx512f`, or must not have, `!avx512f`; all must hold
    others  further machines, any of which will do too: kernels of oneDNN that need AVX-512 are missing where it is off
            and where the CPU lacks them
    """

    onednn: bool | None = None
    isa: tuple[str, ...] = ()
    others: tuple[When, ...] = ()

    def holds(self, here: Setting) -> bool | None:
        """Whether this is the machine; None where that depends on what the run does not know."""
        answers = [self._one_holds(here), *(other.holds(here) for other in self.others)]
        return True if True in answers else None if None in answers else False

    def _one_holds(self, here: Setting) -> bool | None:
        answers: list[bool | None] = []
        if self.onednn is not None:
            answers.append(None if here.onednn is None else here.onednn == self.onednn)
        for word in self.isa:
            has = None if here.features is None else word.removeprefix("!") in here.features
            answers.append(None if has is None else has != word.startswith("!"))
        return False if False in answers else None if None in answers else True


@dataclass(frozen=True)
class Waiver:
    """A known divergence.

    match       a query on identities; in the ledger also a list of queries, each of which becomes a waiver
    expect      verdicts, each alone (`differs`) or with its kind (`differs nan`)
    reason      why TensorFlow behaves so, and why the suite cannot correct it
    issue       where it is reported, empty if nowhere
    tensorflow  the versions it holds for, `>=2.18,<2.22`; every version if empty
    devices     patterns of devices it holds for; every device if empty
    when        the machine it needs; in the ledger also a list of machines, any of which will do
    expires     the day from which it fails the gate, None for never
    """

    match: Query
    expect: tuple[str, ...]
    reason: str
    issue: str = ""
    tensorflow: str = ""
    devices: tuple[str, ...] = ()
    when: When = When()
    expires: date | None = None

    def covers(self, check: Check) -> bool:
        """Whether it speaks of this check, and the check fails as it expects."""
        expected = any(e in (check.verdict, f"{check.verdict} {check.kind}") for e in self.expect)
        return expected and self.speaks_of(check)

    def speaks_of(self, check: Check) -> bool:
        """Whether the check is one of those it names, whatever its verdict."""
        return self.match.matches(**{part: getattr(check, part) for part in PARTS}) and (
            not self.devices or any(fnmatchcase(check.device, pattern) for pattern in self.devices)
        )

    def holds_for(self, version: str) -> bool:
        return not self.tensorflow or SpecifierSet(self.tensorflow, prereleases=True).contains(Version(version))


def read(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a ledger. Raises WaiverError for a missing field, an unknown field or an invalid value."""
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
        _when(where, entry["when"]) if "when" in entry else When(),
        expires,
    )


def _when(where: str, asked: Any) -> When:
    if isinstance(asked, list) and asked:
        first, *others = (_when(where, one) for one in asked)
        return replace(first, others=tuple(others))
    if not isinstance(asked, dict) or not asked or set(asked) - ASKS:
        fields = ", ".join(sorted(ASKS))
        raise WaiverError(f"{where}: when = {asked!r} must be a table with one or both of {fields}, or a list of them")
    if not isinstance(asked.get("onednn", True), bool):
        raise WaiverError(f"{where}: onednn = {asked['onednn']!r} must be true or false")
    return When(asked.get("onednn"), _isa(where, asked["isa"]) if "isa" in asked else ())


def _isa(where: str, isa: Any) -> tuple[str, ...]:
    words = [isa] if isinstance(isa, str) else isa
    if not words or not isinstance(words, list) or not all(isinstance(w, str) and _FEATURE.fullmatch(w) for w in words):
        raise WaiverError(
            f'{where}: isa = {isa!r} must be a CPU feature such as "avx512f" or "!avx512f", or a list of them'
        )
    for word in words:
        if not machine.records(word.removeprefix("!")):
            raise WaiverError(f"{where}: isa = {word!r}: a run does not record this feature, so no machine can have it")
    return tuple(words)


_FEATURE = re.compile(r"!?[a-z0-9_]+")


@dataclass
class Ledger:
    """The waivers in force for one run, and what the run has shown of each, by its number.

    unsure   needs a machine that this may be or not: it covers checks here, and is never a problem
    matched  speaks of some check
    used     covers some failing check
    needed   covers a failing check that no other waiver covers: the gate would be red without it
    """

    waivers: tuple[Waiver, ...]
    expired: tuple[Waiver, ...] = ()
    unsure: frozenset[int] = frozenset()
    matched: set[int] = field(default_factory=set)
    used: set[int] = field(default_factory=set)
    needed: set[int] = field(default_factory=set)
    of_op: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, waivers: Iterable[Waiver], version: str, today: date, setting: Setting) -> Ledger:
        """The ledger of a run: without the waivers of other versions and of other machines."""
        here = [w for w in waivers if w.holds_for(version) and w.when.holds(setting) is not False]
        expired = tuple(w for w in here if w.expires and w.expires <= today)
        valid = tuple(w for w in here if w not in expired)
        return cls(valid, expired, frozenset(n for n, w in enumerate(valid) if w.when.holds(setting) is None))

    def apply(self, check: Check) -> Check:
        """The check with the reason of the waiver that covers it, if one does."""
        if check.op not in self.of_op:  # found once for all checks of an op
            self.of_op[check.op] = [n for n, w in enumerate(self.waivers) if w.match.matches(op=check.op)]
        known = [n for n in self.of_op[check.op] if self.waivers[n].speaks_of(check)]
        if not known:
            return check
        self.matched.update(known)
        covering = [n for n in known if self.waivers[n].covers(check)]
        self.used.update(covering)
        if not covering:
            return check
        sure = [n for n in covering if n not in self.unsure]
        if len(sure) == 1:
            self.needed.update(sure)
        waiver = self.waivers[covering[0]]
        return replace(check, waiver=waiver.reason + (f" ({waiver.issue})" if waiver.issue else ""))

    def problems(self, *, whole: bool, judged: Callable[[Waiver], bool] = lambda waiver: True) -> list[str]:
        """What is wrong with the ledger itself, one line each.

        `whole` says that the run covered everything: only then is a waiver that matches no check a problem. `judged`
        says whether the run covered all checks that a waiver speaks of: only then is the waiver judged.
        """
        found = [
            f"waiver {w.match.text!r} expired on {w.expires}: check it, then renew or delete it" for w in self.expired
        ]
        for number, waiver in enumerate(self.waivers):
            if number in self.needed or number in self.unsure or not (whole or judged(waiver)):
                continue
            name = f"waiver {waiver.match.text!r} ({', '.join(waiver.expect)})"
            if number in self.used:
                found.append(f"{name} covers nothing that others do not cover too: delete it, or narrow them")
            elif number in self.matched:
                found.append(f"{name} covers no failing check any more: delete it")
            elif whole:
                found.append(f"waiver {waiver.match.text!r} matches no check: delete it or correct its query")
        return found
