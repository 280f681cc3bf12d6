"""The page of limits: what does not work in which mode, dtype and device, in TensorFlow's own words.

It is made from the `unsupported` rows of a run. `parse` reads it back, so that a page can be compared with a later run,
also one of a few ops: `stale` names the lines that are no longer true and those that are missing. It must not know how
a row came to be unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tfparity.suite.language.dtypes import DTYPES
from tfparity.suite.records.results import Run, RunError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, order=True)
class Limit:
    """One op in one dtype that does not work in one place.

    words    TensorFlow's
    where    `mode@device`, or `gradient mode@device`
    samples  patterns of the samples that do not work; () where no sample works
    """

    words: str
    where: str
    op: str
    dtype: str
    samples: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, str, str]:
        return self.op, self.dtype, self.where


# --- from the rows of a run ----------------------------------------------------------------------------------------

_NOISE = (
    (r"\nTraceback.*|\n.*", ""),
    (r" when trying to compile graph \S*", ""),
    (r"\[_XlaMustCompile=[^]]*\]", ""),
    (r"\[Op:\w+\]|name: *$|\{\{.*?\}\}", ""),
    (r"(OpKernel for \w+) .*", r"\1 devices)"),  # where the rest is cut depends on a counter in the graph's name
    (r" compatible with node\b", ""),
    (r"__(inference|forward|backward|wrapped)_\S*", "a function"),
    (r"(?<=node )`[^`]*`|(?<=node )'[^']*'|(?<=node )\S+(?= with op)", "…"),
    (r"0x[0-9a-f]{6,}", "0x…"),
    (r"`", "'"),
    (r"\s+", " "),
    (r" (?=\))", ""),
)
_OWN_NAMES = {"float32": "float", "float64": "double", "float16": "half"}


def words(detail: str, dtype: str) -> str:
    """TensorFlow's words in a row's detail without what changes from run to run; DTYPE stands for the row's dtype."""
    text = detail.strip()
    for pattern, instead in _NOISE:
        text = re.sub(pattern, instead, text, flags=re.DOTALL if "Traceback" in pattern else 0)
    own = _OWN_NAMES.get(dtype, dtype)  # a list of the dtypes that are allowed keeps its names
    text = re.sub(rf"\b(tf\.)?{dtype}\b|\bDT_{own.upper()}\b|(?<=' of ){own}\b", "DTYPE", text)
    return text.strip(" :;")[:240]


def limits(run: Run) -> list[Limit]:
    """The limits that a run shows. Neither invalid input nor a row that had nothing to compare with is a limit."""
    found = []
    for place, samples in _samples(run.checks).items():
        refused = {sample: said for sample, said in samples.items() if said}
        by_words: dict[str, list[str]] = {}
        for sample, said in refused.items():
            by_words.setdefault(said, []).append(sample)
        for said, names in by_words.items():
            everywhere = len(by_words) == 1 and len(refused) == len(samples)
            op, dtype, where = place
            found.append(Limit(said, where, op, dtype, () if everywhere else _patterns(names, samples)))
    return sorted(found)


def _samples(checks: pd.DataFrame) -> dict[tuple[str, str, str], dict[str, str]]:
    """By place, the samples that ran: for each TensorFlow's words if it is unsupported, else ""."""
    rows = checks[checks["aspect"].isin(["value", "gradient", "gradient2", "jvp"])]
    rows = rows[~rows["detail"].str.startswith("nothing to compare with")]
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    columns = ["op", "dtype", "sample", "mode", "device", "aspect", "verdict", "detail"]
    for row in rows[columns].itertuples(index=False):
        op, dtype, sample, mode, device, aspect, verdict, detail = map(str, row)
        where = f"{mode}@{device}" if aspect == "value" else f"{aspect} {mode}@{device}"
        said = words(detail, dtype) if verdict == "unsupported" else ""
        there = found.setdefault((op, dtype, where), {})
        there[sample] = there.get(sample) or said
    return found


def _patterns(names: Sequence[str], ran: Iterable[str]) -> tuple[str, ...]:
    """Patterns that match these names of all that ran; samples with the same options share one if none is missing."""
    meant, every = set(names), set(ran)
    found = set()
    for name in names:
        options = name.partition(",")[2]
        alike = {n for n in every if n.partition(",")[2] == options}
        found.add(f"*,{options}" if options and alike <= meant else name)
    return tuple(sorted(found))


# --- the page ------------------------------------------------------------------------------------------------------

_TITLE = "# Limits of TensorFlow "
_INTRO = """
What does not work, in TensorFlow's own words, as a run of `tfparity check` found it: `tfparity coverage RUN --out DIR`
writes this page, `tfparity coverage RUN --limits LIMITS.md` says which of its lines a run contradicts. Where eager
refuses a dtype as a whole (`eager@CPU:0`), no other mode was asked. DTYPE is the dtype of the line.
"""


def page(found: Iterable[Limit], version: str) -> str:
    """The limits as Markdown: a heading for each message, and under it the places, dtypes and ops."""
    by_words: dict[str, list[Limit]] = {}
    for limit in found:
        by_words.setdefault(limit.words, []).append(limit)
    parts = [f"{_TITLE}{version}\n{_INTRO}"]
    for said, its in sorted(by_words.items(), key=lambda item: (-len({limit.op for limit in item[1]}), item[0])):
        parts += [f"## `{said}`\n", *(f"- {line}" for line in lines(its)), ""]
    return "\n".join(parts)


def lines(found: Iterable[Limit]) -> list[str]:
    """Limits with the same message as lines: one for each place, set of dtypes and samples, with its ops."""
    dtypes: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for limit in found:
        dtypes.setdefault((limit.op, limit.where, limit.samples), []).append(limit.dtype)
    ops: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (op, where, samples), its in dtypes.items():
        ops.setdefault((where, " ".join(sorted(its, key=_order)), samples), []).append(op)
    return [
        f"{where}, {its}{_only(samples)}: {', '.join(sorted(alike))}"
        for (where, its, samples), alike in sorted(ops.items())
    ]


def _only(samples: tuple[str, ...]) -> str:
    return " only in " + " ".join(f"`{sample}`" for sample in samples) if samples else ""


def _order(dtype: str) -> tuple[int, str]:
    return (DTYPES.index(dtype) if dtype in DTYPES else len(DTYPES)), dtype


_LINE = re.compile(r"- ((?:\w+ )?[\w-]+@[\w:]+), ([\w ]+?)(?: only in (`.*`))?: ([\w., ]+)")


def parse(text: str) -> tuple[str, list[Limit]]:
    """The version and the limits that a page states. Raises RunError for a text that is no such page."""
    first, _, rest = text.partition("\n")
    if not first.startswith(_TITLE):
        raise RunError(f"this is no page of limits: its first line is not {_TITLE.strip()!r} and a version")
    found: list[Limit] = []
    said = ""
    for number, line in enumerate(rest.splitlines(), 2):
        if line.startswith("## "):
            said = line.removeprefix("## ").strip("`")
        elif line.startswith("- "):
            match = _LINE.fullmatch(line)
            if not match:
                raise RunError(f"line {number} of the page of limits cannot be read; write it anew from a run")
            where, dtypes, samples, ops = match.groups()
            patterns = tuple(re.findall("`([^`]*)`", samples)) if samples else ()
            found += [Limit(said, where, op, dtype, patterns) for op in ops.split(", ") for dtype in dtypes.split()]
    return first.removeprefix(_TITLE).strip(), found


def stale(text: str, run: Run) -> list[str]:
    """One line for each statement of a page that a run contradicts, and for each limit of the run that the page lacks.
    Limits of checks that did not run are not judged. Raises RunError for a run of another version."""
    version, stated = parse(text)
    if run.meta.get("tensorflow") != version:
        raise RunError(f"the page of limits is of TensorFlow {version}, the run of {run.meta.get('tensorflow')}")
    ran = _samples(run.checks)
    wrong = [limit for limit in stated if _contradicted(limit, ran.get(limit.place, {}))]
    known = {(limit.place, limit.words) for limit in stated}
    missing = [limit for limit in limits(run) if (limit.place, limit.words) not in known]
    return [
        f"{said}: {line}: {words_of}"
        for said, found in (("no longer so", wrong), ("missing", missing))
        for words_of in sorted({limit.words for limit in found})
        for line in lines(limit for limit in found if limit.words == words_of)
    ]


def _contradicted(limit: Limit, samples: Mapping[str, str]) -> bool:
    """Whether the samples that a limit speaks of ran, and none of them was refused in its words."""
    patterns = limit.samples or ("*",)
    meant = {s: said for s, said in samples.items() if any(_matches(s, pattern) for pattern in patterns)}
    return bool(meant) and limit.words not in meant.values()


def _matches(sample: str, pattern: str) -> bool:
    """Brackets are part of a name."""
    return fnmatchcase(sample, pattern.replace("[", "[[]"))


def joined(runs: Sequence[Run]) -> Run:
    """Runs of one version as one; a check that several made is taken from the last."""
    import pandas as pd

    versions = {str(run.meta.get("tensorflow")) for run in runs}
    if len(versions) > 1:
        raise RunError(f"limits are of one version of TensorFlow, not of {', '.join(sorted(versions))}")
    tables: dict[str, Any] = {
        name: pd.concat([getattr(run, name) for run in runs], ignore_index=True)
        for name in ("checks", "timings", "kernels")
    }
    tables["checks"] = tables["checks"].drop_duplicates("id", keep="last", ignore_index=True)
    return Run(runs[-1].path, runs[-1].meta, **tables)
