"""Functions as source: a function and all that it uses, written so that a script without the project defines the same.

What a function means by its names is taken from the function object (its globals, its closure, its defaults), not from
the text around it: a decorated function is what its decorator returned, a nested one has its variables beside it.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import inspect
import itertools
import textwrap
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from tfparity.suite.language.dtypes import name_of
from tfparity.suite.language.trees import RaggedValue, SparseValue
from tfparity.suite.running import inventory

GIVEN = {"np": "numpy", "tf": "tensorflow"}
"""Modules that every script imports, by the name it gives them."""

OURS = "tfparity"
"""Functions of these packages travel as source; others are imported."""


class Sources:
    """The definitions of a script, in the order in which they must stand; names in `reserved` are the script's own."""

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self.reserved = {*reserved, *GIVEN}
        self.texts: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.kept: list[Any] = []  # an id names an object only while it lives

    def text(self) -> str:
        """Imports first, then the definitions."""
        lines = [text for text in self.texts.values() if text]
        imports = [text for text in lines if text.startswith(("import ", "from "))]
        others = [text for text in lines if text not in imports]
        return "\n".join(dict.fromkeys(imports)) + "\n" * (2 if imports else 0) + "\n\n".join(others)

    def name(self, value: Any, wish: str) -> str:
        """A name or an expression that means `value` in the script; `wish` is the name it has where it is used."""
        if (spelled := self.spelled(value)) is not None:
            return spelled
        if id(value) in self.names:
            return self.names[id(value)]
        name = wish if wish.isidentifier() else "function"
        if self._taken(name):
            name = next(f"{name}_{n}" for n in itertools.count(2) if not self._taken(f"{name}_{n}"))
        self.names[id(value)] = name
        self.kept.append(value)
        self.texts[name] = ""  # its place is taken while it is written: a function may use itself
        text = self._definition(value, name)
        del self.texts[name]
        self.texts[name] = text
        return name

    def _taken(self, name: str) -> bool:
        return name in self.texts or name in self.reserved or hasattr(builtins, name)

    def spelled(self, value: Any) -> str | None:
        """The expression of a value that needs no name: a literal, an array, something that can be imported."""
        if value is None or value is Ellipsis or isinstance(value, bool | int | str | bytes | complex):
            return repr(value)
        if isinstance(value, float):
            return repr(value) if np.isfinite(value) else f"float({str(value)!r})"
        if isinstance(value, np.dtype):
            return f"tf.{name_of(value)}"
        if isinstance(value, np.ndarray | np.generic):
            return array(np.asarray(value))
        if isinstance(value, slice):
            return f"slice({', '.join(str(self.name(v, 'bound')) for v in (value.start, value.stop, value.step))})"
        if isinstance(value, SparseValue):
            return f"tf.SparseTensor({array(value.indices)}, {array(value.values)}, {array(value.dense_shape)})"
        if isinstance(value, RaggedValue):
            splits = ", ".join(array(s) for s in value.splits)
            return f"tf.RaggedTensor.from_nested_row_splits({array(value.values)}, [{splits}])"
        if isinstance(value, list | tuple | dict | set | frozenset):
            return self._container(value)
        if isinstance(value, types.ModuleType) or type(value).__name__ == "_Lazy":
            return self._module(value)
        return self._imported(value)

    def _constant(self, value: Any, name: str) -> str:
        """As `name`; a literal keeps the name that the function gives it."""
        spelled = self.spelled(value)
        if spelled is None or spelled == name or isinstance(value, types.ModuleType) or callable(value):
            return self.name(value, name)
        text = f"{name} = {spelled}"
        if name in self.reserved or self.texts.setdefault(name, text) != text:
            return spelled
        return name

    def _container(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.name(k, 'key')}: {self.name(v, str(k))}" for k, v in value.items()) + "}"
        items = [self.name(v, "item") for v in value]
        if hasattr(value, "_fields"):
            return f"({', '.join(items)},)"
        if isinstance(value, tuple):
            return f"({', '.join(items)}{',' * (len(items) == 1)})"
        if isinstance(value, list):
            return f"[{', '.join(items)}]"
        return f"{type(value).__name__}([{', '.join(items)}])"

    def _module(self, module: Any) -> str:
        name = module.__name__ if isinstance(module, types.ModuleType) else vars(module)["_name"]  # or a lazy one
        for given, of in GIVEN.items():
            if name == of:
                return given
        alias = name.replace(".", "_")
        self.texts.setdefault(alias, f"import {name} as {alias}" if alias != name else f"import {name}")
        return alias

    def _imported(self, value: Any) -> str | None:
        """What another package defines, by where it stands there; None for what travels as source."""
        module, qualified = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if isinstance(value, np.ufunc):
            module, qualified = "numpy", value.__name__
        qualified = qualified or getattr(value, "__name__", None)
        if not isinstance(module, str) or not qualified or module.partition(".")[0] == OURS:
            return None
        if module == "builtins" and getattr(builtins, qualified, None) is value:
            return qualified
        if module.startswith("tensorflow"):
            return _public(value)
        if module.startswith("numpy") and getattr(np, qualified, None) is value:
            return f"np.{qualified}"
        root = importlib.import_module(module) if "<" not in qualified else None
        found = functools.reduce(lambda at, part: getattr(at, part, None), qualified.split("."), root)
        if found is not value:
            return None
        return f"{self._module(root)}.{qualified}"

    def _definition(self, value: Any, name: str) -> str:
        if isinstance(value, functools.partial):
            given = [self.name(v, "argument") for v in value.args]
            given += [f"{k}={self.name(v, k)}" for k, v in value.keywords.items()]
            self.texts.setdefault("functools", "import functools")
            return f"{name} = functools.partial({', '.join([self.name(value.func, name), *given])})"
        if isinstance(value, types.MethodType):
            return f"{name} = {self.name(value.__self__, name)}.{value.__name__}"
        if isinstance(value, types.FunctionType):
            return self._function(value, name)
        if hasattr(value, "python_function"):
            return f"{name} = tf.function({self.name(value.python_function, name)})"
        if hasattr(value, "__wrapped__"):
            return f"{name} = {self.name(value.__wrapped__, name)}"
        if isinstance(value, type):
            return self._class(value, name)
        if type(value).__module__.partition(".")[0] == OURS:
            made = f"{name} = object.__new__({self.name(type(value), type(value).__name__)})"
            return f"{made}\nvars({name}).update({self.name(vars(value), name)})" if vars(value) else made
        return f"{name} = None  # a {type(value).__name__} that no script can make"

    def _class(self, value: type, name: str) -> str:
        node = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
        assert isinstance(node, ast.ClassDef)
        module = vars(importlib.import_module(value.__module__))
        return ast.unparse(self._renamed(node, module, name))

    def _function(self, function: types.FunctionType, name: str) -> str:
        node = definition(function)
        meant = {**function.__globals__, **_closure(function)}
        if isinstance(node, ast.Lambda):
            self._with_defaults(node, function)
            return f"{name} = {ast.unparse(self._renamed(node, meant, name))}"
        self._with_defaults(node, function)
        node.decorator_list = []
        return ast.unparse(self._renamed(node, meant, name))

    def _with_defaults(self, node: ast.FunctionDef | ast.Lambda, function: types.FunctionType) -> None:
        """Put the values of the defaults where their expressions stood, which mean something elsewhere."""
        arguments = [*node.args.posonlyargs, *node.args.args]
        values = list(function.__defaults__ or ())
        for n, (argument, value) in enumerate(zip(arguments[len(arguments) - len(values) :], values, strict=True)):
            node.args.defaults[n] = ast.parse(self.name(value, argument.arg), mode="eval").body
        for n, argument in enumerate(node.args.kwonlyargs):
            if argument.arg in (function.__kwdefaults__ or {}):
                value = (function.__kwdefaults__ or {})[argument.arg]
                node.args.kw_defaults[n] = ast.parse(self.name(value, argument.arg), mode="eval").body

    def _renamed(self, node: Any, meant: Mapping[str, Any], name: str) -> Any:
        """The tree with the names it does not bind itself spelled as the script spells what they mean."""
        node = _Plain().visit(node)
        bound = _bound(node)
        free = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - bound
        spelled = {}
        for used in sorted(free):
            if used in meant and not used.startswith("__"):
                other = self._constant(meant[used], used)
                if other != used:
                    spelled[used] = ast.parse(other, mode="eval").body
        if hasattr(node, "name"):
            node.name = name
        return ast.fix_missing_locations(_Spelled(spelled).visit(node))


class _Plain(ast.NodeTransformer):
    """Without annotations, which name what the script does not have."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        return ast.Pass() if node.value is None else ast.Assign([node.target], self.visit(node.value))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):  # a field of a dataclass is one by its annotation
                statement.annotation = ast.Name("object", ast.Load())
        node.body = [s if isinstance(s, ast.AnnAssign) else self.visit(s) for s in node.body]
        return node


class _Spelled(ast.NodeTransformer):
    def __init__(self, spelled: Mapping[str, ast.expr]):
        self.spelled = spelled

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.spelled.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def _bound(node: Any) -> set[str]:
    """The names that a tree binds: arguments, assignments, inner functions, loops, imports, except."""
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.arg):
            found.add(inner.arg)
        elif isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            found.add(inner.id)
        elif isinstance(inner, ast.FunctionDef | ast.ClassDef) and inner is not node:
            found.add(inner.name)
        elif isinstance(inner, ast.alias):
            found.add((inner.asname or inner.name).partition(".")[0])
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            found.add(inner.name)
    return found


def _closure(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not yet filled
            continue
    return found


def definition(function: types.FunctionType) -> ast.FunctionDef | ast.Lambda:
    """The tree of a function's own code, whatever decorators have put around it. Raises OSError where there is none.

    Of several lambdas on a line it is the smallest that holds all places the code comes from: compiling the text again
    would not tell, since the same text compiles otherwise where a name in it is imported.
    """
    code = function.__code__
    if code.co_name != "<lambda>":
        node = ast.parse(textwrap.dedent(inspect.getsource(code))).body[0]
        assert isinstance(node, ast.FunctionDef)
        return node
    places = [
        ((line, start), (end_line, end))
        for line, end_line, start, end in code.co_positions()
        if None not in (line, end_line, start, end) and (line, start) != (end_line, end)
    ]
    tree = ast.parse("".join(inspect.findsource(code)[0]))
    holding = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda)
        and node.lineno == code.co_firstlineno
        and all((node.lineno, node.col_offset) <= p and q <= (node.end_lineno, node.end_col_offset) for p, q in places)
    ]
    if not holding:
        raise OSError("the source of a lambda cannot be found")
    return min(holding, key=lambda node: len(ast.unparse(node)))


def array(value: np.ndarray) -> str:
    """An array, bit for bit, with the script's `array`; strings as a list."""
    if value.dtype.kind in "OSU":
        return f"np.array({value.tolist()!r}, dtype=object)"
    return f"array({name_of(value.dtype)!r}, {list(value.shape)}, {np.ascontiguousarray(value).tobytes().hex()!r})"


def _public(value: Callable[..., Any]) -> str | None:
    """The public name of something of TensorFlow's; None where it has none."""
    return inventory.public_name(value)
