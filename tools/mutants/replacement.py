# SPDX-License-Identifier: Apache-2.0
"""A node of a syntax tree comes in; what could stand there by a small mistake goes out, one replacement at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeVar

Part = TypeVar("Part")
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
# Without them a value has another kind, which types notice, or nobody needs to.
CONVERSIONS = ("bool", "bytes", "frozenset", "int", "len", "list", "str", "tuple")


def replacements(node: ast.AST, *, is_alone: bool) -> Iterator[ast.AST]:
    """Yield what could stand in a node's place; a statement that is alone in a branch falls with its condition."""
    match node:
        case ast.expr():
            yield from _of_expression(node)
        case ast.If() | ast.While():
            yield from _of_branch(node)
        case ast.Return(value=ast.expr()):
            yield from _of_return(node.value, is_alone=is_alone)
        case ast.For():
            yield ast.For(node.target, ast.Tuple([], ast.Load()), node.body, node.orelse)
        case ast.AugAssign():
            yield ast.AugAssign(node.target, COMPUTED[type(node.op)](), node.value)
            yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.Delete():
            yield ast.Pass()
        case ast.Raise() | ast.Break() | ast.Continue() if not is_alone:
            yield ast.Pass()
        case ast.comprehension():
            for place in range(len(node.ifs)):
                yield ast.comprehension(node.target, node.iter, _without(node.ifs, place), node.is_async)


def _of_branch(node: ast.If | ast.While) -> Iterator[ast.AST]:
    yield type(node)(ast.Constant(value=False), node.body, node.orelse)
    if isinstance(node, ast.If):
        yield ast.If(ast.Constant(value=True), node.body, node.orelse)


def _of_return(value: ast.expr | None, *, is_alone: bool) -> Iterator[ast.AST]:
    match value:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            yield from (ast.Return(ast.Constant(value=answer)) for answer in (True, False))
        case ast.Constant(value=None):
            yield from () if is_alone else (ast.Pass(),)
        case ast.Constant(value=bool()):
            return
        case _:
            yield ast.Return(ast.Constant(value=None))


def _of_expression(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                ops = [*node.ops[:place], COMPARED[type(operator)](), *node.ops[place + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for place in range(len(node.values)):
                rest = _without(node.values, place)
                yield ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp():
            yield from _of_sign(node)
        case ast.BinOp() if type(node.op) in COMPUTED:
            yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.Call():
            yield from _of_call(node)
        case ast.Constant():
            yield from (ast.Constant(value=other) for other in _others(node.value))


def _of_sign(node: ast.UnaryOp) -> Iterator[ast.expr]:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(size))):
            yield from (ast.Constant(value=other) for other in (size, -size + 1, -size - 1))
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand


def _of_call(node: ast.Call) -> Iterator[ast.expr]:
    for place in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, _without(node.keywords, place))
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        yield from () if _is_conversion(node.func) else (node.args[0],)
    elif len(node.args) > 1:
        yield ast.Call(node.func, node.args[:-1], node.keywords)


def _is_conversion(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name):
            return name in CONVERSIONS
        case ast.Attribute(value=ast.Constant()):
            return True
    return False


def _others(value: object) -> tuple[bool | int | bytes, ...]:
    match value:
        case bool():
            return (not value,)
        case int():
            return (value + 1, value - 1)
        case bytes():
            return (bytes([value[0] ^ 1]) + value[1:],) if value else (b"\x00",)
    return ()


def _without(values: list[Part], place: int) -> list[Part]:
    return values[:place] + values[place + 1 :]
