"""An open session: worker processes, what TensorFlow says of itself, the devices, the ledger and the cases' dtypes.

The command and pytest both open one and get the same jobs from it. It writes nothing: the folder of a run is
`session`'s affair, and tests are the plugin's.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.version import Version
from rich.console import Console

from tfparity.suite.checking.planning import Wanted
from tfparity.suite.language import loading
from tfparity.suite.records import machine, waivers
from tfparity.suite.records.results import Check, RunError
from tfparity.suite.session import jobs, profiles
from tfparity.suite.session.jobs import Done, Dtypes, Scope
from tfparity.suite.session.plan_cache import PlanCache
from tfparity.suite.session.pool import Pool
from tfparity.suite.session.progress import Meter
from tfparity.suite.session.request import Request, Selection, UsageError, covers, select

OLDEST, NEWEST = Version("2.18"), Version("2.22")
"""The versions of TensorFlow supported: from the first up to, not including, the second."""


class Session:
    """A request and everything needed to carry it out.

    Making one reads cases and ledgers only, and raises QueryError, CaseError, WaiverError, UsageError or RunError, one
    line each. Entering it (`with`) starts the workers and asks TensorFlow; leaving it ends them.
    """

    pool: Pool
    facts: dict[str, Any]
    machine: dict[str, Any]
    devices: tuple[str, ...]
    ledger: waivers.Ledger

    def __init__(self, request: Request, console: Console | None = None):
        self.request, self.selection = request, select(request)
        self.console = console or Console(quiet=True)
        require_tensorflow()
        self.waivers = [w for ledger in ledgers(request) for w in waivers.read(ledger)]

    def __enter__(self) -> Session:
        self.pool = Pool(self.request.workers)
        try:
            self.facts = tensorflow_facts(self.pool)
            self.devices = choose_devices(self.request, self.facts)
            self.machine = machine.fingerprint(self.facts)
            setting = waivers.setting(self.machine)
            self.ledger = waivers.Ledger.of(self.waivers, self.facts["version"], date.today(), setting)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.pool.__exit__()

    def scope(self, selection: Selection | None = None) -> Scope:
        """What jobs are made from, for all that the request selects or a part of it; asks for the cases' dtypes."""
        selection = selection or self.selection
        quick = profiles.quick() if self.request.quick else None
        want = Wanted(self.request.modes, self.devices, selection.queries)
        return Scope(self.request, selection, self._dtypes(selection, quick or {}), want, quick)

    def judged(self, rows: Iterable[Any]) -> list[Any]:
        """The rows, each check with the reason of the waiver that covers it."""
        return [self.ledger.apply(row) if isinstance(row, Check) else row for row in rows]

    def problems(self) -> list[str]:
        """What is wrong with the ledger, after every check of the session was judged; one line each."""
        return self.ledger.problems(
            whole=self.request.whole, judged=lambda waiver: covers(self.request, self.selection, waiver)
        )

    def _dtypes(self, selection: Selection, chosen: profiles.Choice) -> Dtypes:
        """The dtypes of each case: those `chosen` for the quick profile, else those remembered from an earlier run,
        else what a worker finds by asking TensorFlow."""
        cache = PlanCache(self.facts["version"])
        known = {
            name: dict.fromkeys(chosen[name], "") if name in chosen else cache.get(case)
            for name, case in selection.cases.items()
            if not case.missing
        }
        todo = [name for name, dtypes in known.items() if dtypes is None]
        probes = [jobs.probe_job(selection.cases[name], self.request.timeout) for name in todo]
        with Meter(self.console, "asking for dtypes", len(known), len(known) - len(todo)) as meter:
            for done in self.pool.run(probes):
                name = done.job.name
                known[name] = dtypes = _with_lost(done)
                cache.put(selection.cases[name], dtypes)
                meter.advance(name)
        cache.save()
        return {name: dtypes or {} for name, dtypes in known.items()}


def _with_lost(done: Done) -> dict[str, str]:
    """The dtypes a probe found; float32 where the probe killed its worker, so that the checks show what happens."""
    return dict(done.answer or {}) or {"float32": ""}


def ledgers(request: Request) -> list[Path]:
    """The ledgers in force: that of the cases that come with tfparity, and `waivers.toml` beside a user's case file."""
    return list(
        dict.fromkeys([loading.folder() / "waivers.toml", *(Path(f).parent / "waivers.toml" for f in request.files)])
    )


def require_tensorflow() -> None:
    """Raises RunError when TensorFlow is not installed; imports nothing."""
    if importlib.util.find_spec("tensorflow") is None:
        raise RunError("TensorFlow is not installed: pip install 'tfparity[cpu]' (or [gpu], [nightly])")


def tensorflow_facts(pool: Pool) -> dict[str, Any]:
    """What TensorFlow says of itself. Raises RunError when it does not start or its version is not supported."""
    facts = pool.one(jobs.facts_job()).answer
    if not facts:
        raise RunError("TensorFlow does not start: run `python -c 'import tensorflow'` and repair what it reports")
    version = Version(facts["version"])
    if not (OLDEST <= version < NEWEST or version.is_devrelease or "dev" in facts["version"]):
        raise RunError(
            f"TensorFlow {version} is not supported: install one from {OLDEST} up to, not including, {NEWEST}"
        )
    return facts


def choose_devices(request: Request, facts: dict[str, Any]) -> tuple[str, ...]:
    """The devices asked for of those TensorFlow sees. Raises UsageError where there is none."""
    names = [d["name"] for d in facts["devices"] if d["type"] not in ("XLA_CPU", "XLA_GPU")]
    chosen = tuple(n for n in names if any(fnmatchcase(n, p) for p in request.devices))
    if not chosen:
        raise UsageError(f"no device matches {', '.join(request.devices)}: TensorFlow sees {', '.join(names)}")
    return chosen
