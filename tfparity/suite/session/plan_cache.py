"""What is remembered between runs: the dtypes of each case, as a worker found them by asking TensorFlow.

One file in the user's cache folder, named by a digest of everything the answers depend on but the case itself:
TensorFlow's version, tfparity's, the source of the engine, and what case files borrow from each other. An entry is
keyed by the case's name and the digest of the file that declares it, wherever that file lies. A cache that cannot be
read or written only costs time.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import platformdirs

from tfparity import __version__
from tfparity.suite.language import loading
from tfparity.suite.language.case import Case

ENGINE = Path(__file__).parents[1]
"""`tfparity/suite`, with all its packages."""


class PlanCache:
    """The dtypes of cases under one version of TensorFlow: `get`, `put`, and `save` at the end."""

    def __init__(self, version: str):
        self.path = Path(platformdirs.user_cache_dir("tfparity")) / f"dtypes-{_engine(version)}.json"
        self.file_digests: dict[str, str] = {}
        self.changed = False
        try:
            self.entries = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.entries = {}

    def get(self, case: Case) -> dict[str, str] | None:
        return self.entries.get(self._key(case))

    def put(self, case: Case, dtypes: dict[str, str]) -> None:
        self.entries[self._key(case)] = dtypes
        self.changed = True

    def save(self) -> None:
        if not self.changed:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(self.entries))
            os.replace(fresh, self.path)
        except OSError:
            pass

    def _key(self, case: Case) -> str:
        if case.file not in self.file_digests:
            self.file_digests[case.file] = _digest(Path(case.file).read_bytes())
        return f"{case.name}@{self.file_digests[case.file]}"


def _engine(version: str) -> str:
    borrowed = sorted((loading.folder() / loading.REFERENCES).rglob("*.py"))
    sources = (source.read_bytes() for source in (*sorted(ENGINE.rglob("*.py")), *borrowed))
    return _digest(version.encode() + __version__.encode(), *sources)


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
