"""The identity of a check, `op/dtype/sample/mode@device#aspect:against`, and queries over it.

An identity is at once the name in reports, the key of a waiver and the argument of `tfparity repro`. A query is an
identity whose parts may hold `*` and `?` and whose trailing parts may be left out. Knows nothing else of the suite.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

PARTS = ("op", "dtype", "sample", "mode", "device", "aspect", "against")
FORM = "op/dtype/sample/mode@device#aspect:against"


class QueryError(ValueError):
    """A malformed query, or an op that no case declares; the message is one line that says what to do."""


@dataclass(frozen=True)
class Identity:
    op: str
    dtype: str
    sample: str
    mode: str
    device: str
    aspect: str
    against: str

    def __str__(self) -> str:
        return f"{self.op}/{self.dtype}/{self.sample}/{self.mode}@{self.device}#{self.aspect}:{self.against}"


_QUERY = re.compile(
    r"(?P<op>[^/@#\s]+)(/(?P<dtype>[^/@#\s]+)(/(?P<sample>[^/@#\s]+)(/(?P<mode>[^/@#:\s]+)"
    r"(@(?P<device>[^/@#\s]+))?(#(?P<aspect>[^/@#:\s]+)(:(?P<against>[^/@#:\s]+))?)?)?)?)?"
)


@dataclass(frozen=True)
class Query:
    """A pattern per part; a part left out is `*`."""

    text: str
    patterns: tuple[str, ...]

    def matches(self, **parts: str) -> bool:
        """Whether all given parts match; a part that is not given matches every pattern."""
        return all(
            _glob(pattern).fullmatch(parts[name])
            for name, pattern in zip(PARTS, self.patterns, strict=True)
            if pattern != "*" and name in parts
        )


def parse(text: str) -> Query:
    """A query from its text. Raises QueryError when it does not have the form of an identity."""
    found = _QUERY.fullmatch(text.strip())
    if not found:
        raise QueryError(
            f"malformed query {text!r}: it reads {FORM}, each part may hold * and ?, trailing parts may be left out"
        )
    return Query(text, tuple(found[part] or "*" for part in PARTS))


def identity(text: str) -> Identity:
    """A whole identity from its text. Raises QueryError when a part is missing or is a pattern."""
    found = _QUERY.fullmatch(text.strip())
    if not found or any(found[part] is None for part in PARTS):
        raise QueryError(f"{text!r} is not a whole identity: it reads {FORM}; copy one from a report")
    return Identity(**{part: found[part] for part in PARTS})


def select(queries: Iterable[Query], names: Iterable[str]) -> list[str]:
    """The op names that some query selects, in the order given; all of them when there is no query.

    Raises QueryError, which names the nearest ops, when a query selects none.
    """
    names, queries = list(names), list(queries)
    for query in queries:
        if not any(query.matches(op=name) for name in names):
            asked = query.patterns[0]
            tails: dict[str, list[str]] = {}
            for name in names:
                tails.setdefault(name.rsplit(".", 1)[-1], []).append(name)
            near = difflib.get_close_matches(asked, names, n=3, cutoff=0.6)
            near += [
                name
                for tail in difflib.get_close_matches(asked.rsplit(".", 1)[-1], tails, n=3, cutoff=0.6)
                for name in tails[tail]
            ]
            hint = f"; nearest: {', '.join(dict.fromkeys(near))}" if near else ""
            raise QueryError(f"no declared op matches {asked!r}{hint}; `tfparity list` names them all")
    return [name for name in names if not queries or any(query.matches(op=name) for query in queries)]


def wanted(queries: Iterable[Query], **parts: str) -> bool:
    """Whether some query selects these parts; without any query, everything is selected."""
    queries = list(queries)
    return not queries or any(query.matches(**parts) for query in queries)


def word(value: object, limit: int = 40) -> str:
    """A value as a short word that may stand in an identity: no `/ @ # : * ?` and no white space."""
    text = re.sub(r"[\s'\"]+", "", str(value))
    text = re.sub(r"[/@#:*?]", "_", text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern))
