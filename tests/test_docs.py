"""What the pages say is true: commands parse and run, queries match, links resolve, and the modules are those named.

A command is a line of a fenced `sh` block, or inline code that begins with `tfparity` or `pytest`. All of them are
parsed. Those of the blocks of docs/usage.md and docs/own-ops.md also run, in order, in an empty folder, and must end
with status 0; what `.ci/run` runs itself is not run again.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from tfparity import cli
from tfparity.reports import glossary
from tfparity.suite.language import loading
from tfparity.suite.records import identity
from tfparity.suite.records.results import KINDS, VERDICTS
from tfparity.suite.records.waivers import FIELDS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE = {"glossary.md", "LIMITS.md", "COVERAGE.md", "VERSIONS.md"}
"""Pages that a command writes; their code is no command to be tried."""
WRITTEN = [page for page in PAGES if page.name not in MADE]
EXECUTED = [ROOT / "docs" / "usage.md", ROOT / "docs" / "own-ops.md"]
PLACEHOLDERS = {"NAME", "FILE", "MODE"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def lines(page: Path) -> list[str]:
    """The command lines of a page, in order."""
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line.strip()]


def commands(page: Path, program: str) -> Iterator[list[str]]:
    """The arguments of every call of a program: in command lines, each part of `a && b`, and in inline code."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    for line in [*lines(page), *inline]:
        for part in line.split("&&"):
            words = shlex.split(part.partition(" > ")[0], comments=True)
            if len(words) > 1 and Path(words[0]).name == program:
                yield words[1:]


def asked() -> list[tuple[str, list[str]]]:
    return [(page.name, words) for page in WRITTEN for words in commands(page, "tfparity")]


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case file that docs/own-ops.md shows."""
    path = tmp_path_factory.mktemp("own") / "mine.py"
    (shown,) = [block for block in blocks(ROOT / "docs" / "own-ops.md", "python") if block.startswith("# mine.py")]
    path.write_text(shown, encoding="utf-8")
    return path


# --- commands ------------------------------------------------------------------------------------------------------


def test_the_pages_have_commands() -> None:
    assert len(asked()) > 15
    assert {name for name, _ in asked()} >= {"README.md", "CONTRIBUTING.md", "usage.md", "own-ops.md"}


@pytest.mark.parametrize("words", [words for _, words in asked()], ids=[f"{n}:{' '.join(w)}" for n, w in asked()])
def test_a_command_of_the_pages_parses_and_its_queries_match_declared_ops(words: list[str], own_file: Path) -> None:
    group = typer.main.get_command(cli.app)
    action = group.commands[words[0]]  # type: ignore[attr-defined]
    if words[1:] in ([], ["--help"]):  # a command that prose names
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(own_file.parent)
        given = action.make_context(words[0], list(words[1:])).params
    declared = set(loading.load())
    if given.get("cases"):
        declared |= set(re.findall(r'@program\(\s*"([^"]+)"', own_file.read_text(encoding="utf-8")))
    queries = [*(given.get("queries") or ()), *([given["id"]] if "id" in given else [])]
    for text in queries:
        if text not in PLACEHOLDERS:
            assert identity.select([identity.parse(text)], declared)
    if "id" in given and given["id"] not in PLACEHOLDERS:
        assert identity.identity(given["id"])


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_a_call_of_pytest_in_the_pages_has_options_and_files_that_exist(
    page: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    known = set(loading.load())
    for words in commands(page, "pytest"):
        given = pytestconfig._parser.parse_known_args([w.replace("FILE", "found.xml") for w in words])
        for path in given.file_or_dir:
            assert (ROOT / path).exists(), words
        for query in given.tfparity_query:
            assert identity.select([identity.parse(query)], known)


def test_the_commands_of_the_usage_pages_run_in_the_order_in_which_they_stand(own_file: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, module in (("tfparity", "-m tfparity"), ("pytest", "-m pytest"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        (programs / name).chmod(0o755)
    paths = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / own_file.name).write_text(own_file.read_text(encoding="utf-8"), encoding="utf-8")
    ran = 0
    for line in [line for page in EXECUTED for line in lines(page)]:
        if ci_runs(line):
            continue
        done = subprocess.run(
            ["sh", "-c", line], cwd=folder, env={**os.environ, **paths}, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        ran += 1
    assert ran >= 6
    assert (folder / "page" / "report.html").is_file()


def ci_runs(line: str) -> bool:
    """Whether `.ci/run` has this command, perhaps with more arguments."""
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    return any(step == line or step.startswith(f"{line} ") for step in steps)


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_between_the_pages_resolve(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL))
    for link in [link for link in found if not link.startswith(("http:", "https:"))]:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The names that a link into a page may use: its headings as GitHub writes them, and explicit anchors."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings} | set(
        re.findall(r'<a id="([^"]+)">', text)
    )


def test_the_readme_fits_one_screen() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 70


def test_the_architecture_names_exactly_the_modules_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        folder = re.match(r".*: `(tfparity/[^`]*)`", part)
        for module in re.findall(r"^\| `([\w.]+)` \|", part, re.MULTILINE) if folder else ():
            named.append(f"{folder[1]}{module.replace('.', '/')}.py")  # type: ignore[index]
    exist = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tfparity").rglob("*.py")}
    packages = {path for path in exist if path.endswith("/__init__.py") and path != "tfparity/__init__.py"}
    assert len(named) == len(set(named))
    assert set(named) - exist == set(), "docs/architecture.md names modules that are gone"
    assert exist - packages - set(named) == set(), "docs/architecture.md lacks modules"


def room(module: str) -> str:
    """The room of a module: `checking` of `tfparity.suite.checking.repro.script`; "" of the root package."""
    parts = [part for part in module.split(".")[1:] if part != "suite"]
    return parts[0] if parts else ""


def imported_rooms() -> dict[str, set[str]]:
    """Of every room, the rooms that its modules import."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tfparity").rglob("*.py"):
        own = room(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tfparity":
                rooms = {room(f"{node.module}.{name.name}") for name in node.names}
                found.setdefault(own, set()).update(rooms if room(str(node.module)) == "" else {room(str(node.module))})
    return found


def test_the_architecture_shows_what_each_room_imports() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = {name: set(rooms.split()) for name, rooms in re.findall(r"^\| `(\w+)` \| ?([a-z ]*)\|$", text, re.M)}
    shown = {name: rooms for name, rooms in shown.items() if rooms <= set(shown)}
    real = {name: rooms & set(shown) - {name} for name, rooms in imported_rooms().items()}
    assert len(shown) > 10
    assert shown == {name: real.get(name, set()) for name in shown}


def test_the_usage_names_exactly_the_verdicts_kinds_and_fields_that_exist() -> None:
    text = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")

    def first_column(heading: str) -> set[str]:
        section = re.split(rf"^## {heading}$", text, flags=re.MULTILINE)[1].partition("\n## ")[0]
        cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
        return {word for cell in cells for word in re.findall(r"`([\w-]+)`", cell)}

    assert first_column("Verdicts") == set(VERDICTS)
    assert first_column("Kinds") == set(KINDS)
    assert first_column("Waivers") == set(FIELDS)


def test_a_declaration_that_a_page_quotes_stands_in_its_case_file() -> None:
    page = ROOT / "docs" / "how-a-row-comes-about.md"
    (quoted,) = blocks(page, "python")
    assert quoted.strip() in (ROOT / "cases" / "ops" / "math.py").read_text(encoding="utf-8")


def test_the_words_of_the_followed_identity_are_in_the_glossary() -> None:
    text = (ROOT / "docs" / "how-a-row-comes-about.md").read_text(encoding="utf-8")
    found = identity.identity(re.findall(r"^    (tf\.\S+)$", text, re.MULTILINE)[0])
    assert found.op in loading.load()
    assert glossary.family(found.sample)
    assert all(glossary.definition(word) for word in (found.mode, found.aspect, found.against))
