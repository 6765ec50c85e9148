# SPDX-License-Identifier: Apache-2.0
"""The source of a module comes in; its mutants go out, each with the code of the one function that it changes.

Left alone are annotations, texts, what an exception says, assertions, decorators, defaults and the bodies of classes.
"""

from __future__ import annotations
import __future__

import ast
import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import CodeType

from tools.mutants.replacement import replacements

LEFT_ALONE = (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom, ast.arguments)
FIELDS_LEFT_ALONE = {"annotation", "returns", "decorator_list", "bases", "keywords_of_class", "type_params"}
LATER = __future__.annotations.compiler_flag
VALUE = (ast.Assign, ast.AnnAssign)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small fault: where it is, what it changes, and its statement of the module, compiled.

    `function`: the qualified name of the outermost function around it; empty where a module's own statement changes.
    """

    path: str
    function: str
    line: int
    change: str
    code: CodeType

    @property
    def name(self) -> str:
        """Return what tells it from every other, whatever lines stand above it."""
        return f"{self.path}::{self.function}: {self.change}"

    def place(self, seed: int) -> bytes:
        """Return where it stands in the order that samples are drawn by; other mutants have no part in it."""
        return hashlib.sha256(f"{seed} {self.name}".encode()).digest()


@dataclass(frozen=True, slots=True)
class _Spot:
    """A node and where it hangs, so that another can hang there for as long as it takes to compile."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    function: str
    line: int

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node

    @property
    def is_alone(self) -> bool:
        return isinstance(self.parent, ast.If) and self.field == "body" and len(self.parent.body) == 1


def mutants_of(path: str, root: Path) -> Iterator[Mutant]:
    """Yield the mutants of a module in the order of its lines."""
    file = root / path
    times: Counter[str] = Counter()
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for number, statement in enumerate(body):
        alone, resting = ast.Module([statement], []), list(_resting_on(statement, body[number + 1 :]))
        for spot in list(_spots(alone, "")):
            for other in replacements(spot.node, is_alone=spot.is_alone):
                made = _made(partial(_compiled, alone, resting, file), spot, other)
                if made is None:
                    continue
                mutant = Mutant(path, spot.function, spot.line, *made)
                times[mutant.name] += 1
                again = times[mutant.name]
                yield mutant if again == 1 else replace(mutant, change=f"{mutant.change} (#{again})")


def _resting_on(statement: ast.stmt, later: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the module's own values that are computed of what a statement names, and of each other."""
    if not isinstance(statement, VALUE):
        return
    names = _names(statement, ast.Store)
    for each in later:
        if isinstance(each, VALUE) and names & _names(each, ast.Load):
            names |= _names(each, ast.Store)
            yield each


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    return {each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, context)}


def _made(compiled: Callable[[], CodeType], spot: _Spot, other: ast.AST) -> tuple[str, CodeType] | None:
    # A bare constant says little without what it stands in.
    shown = spot.parent if _is_bare(spot.node) and not isinstance(spot.parent, ast.stmt) else spot.node
    before = _text(shown)
    spot.put(other)
    try:
        after = _text(other if shown is spot.node else shown)
        code = compiled()
    except (SyntaxError, TypeError, ValueError):
        return None
    finally:
        spot.put(spot.node)
    return f"{before} => {after}", code


def _compiled(alone: ast.Module, resting: list[ast.stmt], file: Path) -> CodeType:
    whole = ast.fix_missing_locations(ast.Module([*alone.body, *resting], []))
    with warnings.catch_warnings(action="ignore"):
        code: CodeType = compile(whole, str(file), "exec", LATER, dont_inherit=True)
    return code


def _text(node: ast.AST) -> str:
    match node:
        case ast.If() | ast.While():
            return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
        case ast.For():
            return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
        case ast.comprehension():
            return ast.unparse(node).strip()
        case ast.Raise(exc=ast.Call(func=kind, args=[first, *_])):
            return f"raise {ast.unparse(kind)}({ast.unparse(first)}...)"
    return " ".join(ast.unparse(node).split())


def _line(node: ast.AST) -> int:
    return node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)


def _is_bare(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant))


def _spots(node: ast.AST, function: str) -> Iterator[_Spot]:
    for field, value in ast.iter_fields(node):
        if field in FIELDS_LEFT_ALONE or (isinstance(node, ast.ClassDef) and field == "keywords"):
            continue
        each_child = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in each_child:
            if isinstance(child, ast.AST) and not isinstance(child, LEFT_ALONE):
                yield from _inside(_Spot(child, node, field, index, function, _line(child)))


def _inside(spot: _Spot) -> Iterator[_Spot]:
    node, within = spot.node, spot.function
    if isinstance(node, ast.ClassDef):
        yield from _methods(node, spot)
    elif isinstance(node, Function):
        yield from _spots(node, within or node.name)
    elif not _is_docstring(node):
        yield spot
        # What an exception says is wording.
        yield from () if isinstance(node, ast.Raise) or _is_bare(node) else _spots(node, within)


def _methods(node: ast.ClassDef, spot: _Spot) -> Iterator[_Spot]:
    if spot.function:
        return
    for each in node.body:
        if isinstance(each, Function):
            yield from _spots(each, f"{node.name}.{each.name}")


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
