"""Loading case files: those that come with tfparity, and a user's own. Importing one registers its cases."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

from tfparity.suite.language import case as registry
from tfparity.suite.language.case import Case, CaseError

PACKAGE = "tfparity.cases"
"""The package that the case files of tfparity are modules of: `cases/ops/math.py` is `tfparity.cases.ops.math`."""

REFERENCES = "references"
"""The folder, among those of the case files, of what several of them use; its modules declare no case."""


def folder() -> Path:
    """The folder of the cases that come with tfparity: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    return package / "cases" if (package / "cases").is_dir() else package.parent / "cases"


def case_files() -> list[Path]:
    """The case files that come with tfparity, in the order they are loaded in: by folder, then by name."""
    return list(_case_files(folder()))


@cache
def _case_files(home: Path) -> tuple[Path, ...]:
    """Looked up once: every job of a worker loads the cases, and looking took 20 ms."""
    return tuple(sorted(path for path in home.rglob("*.py") if is_case_file(path)))


def is_case_file(path: Path) -> bool:
    """Whether a path is that of a case file that comes with tfparity, one that `load()` imports."""
    path, home = path.resolve(), folder().resolve()
    if path.suffix != ".py" or not path.is_relative_to(home):
        return False
    return not any(part == REFERENCES or part.startswith("_") for part in path.relative_to(home).parts)


def load(files: Iterable[str | Path] | None = None) -> dict[str, Case]:
    """Import the case files (by default all that come with tfparity) and give every declared case by name.

    Files named are added to those already loaded. Raises CaseError, in one line, for a file that is missing, raises
    while it is imported, or declares nothing.
    """
    home = folder()
    _open_package(home)
    for path in case_files() if files is None else [Path(f) for f in files]:
        if path.name.startswith("_"):
            continue
        if not path.is_file():
            raise CaseError(f"no case file {path}: give the path of a Python file that declares cases")
        before = len(registry.CASES)
        module = _module(path, home)
        if module is None:
            continue
        if len(registry.CASES) == before:
            raise CaseError(
                f"{path} declares no case: it should call op(...), see the head of tfparity/suite/language/case.py"
            )
    return dict(registry.CASES)


def _open_package(home: Path) -> None:
    if PACKAGE not in sys.modules:
        package = ModuleType(PACKAGE)
        package.__path__ = [str(home)]
        sys.modules[PACKAGE] = package


@cache
def _module_name(path: Path, home: Path) -> str:
    """The name a case file is imported by: of ours in the package, so that `from ..references.NAME import` works."""
    path, home = path.resolve(), home.resolve()
    if path.is_relative_to(home):
        return ".".join((PACKAGE, *path.relative_to(home).with_suffix("").parts))
    return f"{PACKAGE}_of_user.{blake2b(str(path).encode(), digest_size=8).hexdigest()}"


def _module(path: Path, home: Path) -> ModuleType | None:
    """Import one case file, unless it was before."""
    name = _module_name(path, home)
    if name in sys.modules:
        return None
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before = dict(registry.CASES)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        registry.CASES.clear()
        registry.CASES.update(before)
        last = error.__traceback__
        while last and last.tb_next:
            last = last.tb_next
        where = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else str(path)
        raise CaseError(f"case file {path} cannot be loaded: {type(error).__name__}: {error} (at {where})") from error
    return module
