"""Which raw ops a function of TensorFlow makes, read from its compiled code: nothing is run.

It follows every function of TensorFlow's Python ops that the code names, down to the generated functions that make one
raw op each. Methods and overloaded operators, which a name does not tell, are not followed.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

from tfparity.suite.running import private_api


def raw_ops_of(function: Any, known: set[str]) -> set[str]:
    """The raw ops, of those `known`, that a function makes."""
    seen: set[int] = set()
    found: set[str] = set()
    todo = list(_python_functions(function))
    while todo:
        at = todo.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if private_api.makes_a_raw_op(at):
            found.update([c for c in at.__code__.co_consts if isinstance(c, str) and c in known][:1])
        elif private_api.composes_ops(at):
            todo += _functions_named(at)
    return found


@functools.cache
def _functions_named(function: types.FunctionType) -> tuple[types.FunctionType, ...]:
    """The functions that a function's code names: globals, and attributes of modules."""
    names = _named(function.__code__, function.__globals__)
    return tuple(found for named in names for found in _python_functions(named))


def _named(code: types.CodeType, names: dict[str, Any]) -> Iterator[Any]:
    at: Any = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            at = names.get(instruction.argval)
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(at, types.ModuleType | type):
            at = getattr(at, instruction.argval, None)
        elif instruction.opname == "IMPORT_NAME":
            at = sys.modules.get(instruction.argval)
        elif instruction.opname not in ("PRECALL", "CACHE", "EXTENDED_ARG"):
            at = None
        if callable(at) and not isinstance(at, type):
            yield at
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _named(constant, names)


def _python_functions(decorated: Any) -> Iterator[types.FunctionType]:
    """The Python functions under decorators: what they wrap, and what their closures hold."""
    todo, seen = [decorated], set()
    while todo:
        at = todo.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if isinstance(at, types.FunctionType):
            yield at
            todo += [cell.cell_contents for cell in at.__closure__ or () if _holds_a_function(cell)]
        todo += private_api.undecorated(at)


def _holds_a_function(cell: types.CellType) -> bool:
    try:
        return callable(cell.cell_contents) and not isinstance(cell.cell_contents, type)
    except ValueError:  # an empty cell
        return False
