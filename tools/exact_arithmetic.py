# SPDX-License-Identifier: Apache-2.0
"""Python files come in; out goes each place where another processor or library could give another last bit.

Only + - * / and sqrt are rounded alike everywhere, and only if their order is fixed.
So names of `math` and numpy are allowed by list, and reductions only where their integer type is spelled out.
A line that is exact for a reason that this lint cannot see ends in `# exact: ` and the reason.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MODULES = frozenset(
    "__future__ bisect collections dataclasses decimal enum fractions functools itertools math numpy "
    "operator struct typing lockgate".split()
)
MATH = frozenset(
    "ceil comb copysign fabs floor frexp fsum gcd inf isfinite isinf isnan isqrt ldexp nan pi sqrt".split()
)
NUMPY = frozenset(
    # arrays and their shapes
    "append arange argsort argwhere array array_split asarray ascontiguousarray atleast_1d atleast_2d broadcast_arrays "
    "broadcast_shapes broadcast_to column_stack concatenate copyto empty empty_like expand_dims flatnonzero flip "
    "frombuffer fromiter full full_like hstack indices isscalar meshgrid moveaxis ndarray ndim newaxis nonzero ones "
    "ones_like pad put_along_axis ravel repeat reshape roll rollaxis shape size split squeeze stack swapaxes take "
    "take_along_axis tile transpose vstack where zeros zeros_like "
    # types and constants
    "False_ True_ bool bool_ dtype errstate finfo float64 iinfo inf int8 int16 int32 int64 integer intp nan pi typing "
    "uint8 uint16 uint32 uint64 "
    # rounded alike everywhere, or not rounded at all
    "abs absolute add ceil clip copysign divide divmod fabs floor floor_divide fmax fmin frexp ldexp maximum minimum "
    "mod multiply negative nextafter remainder rint round sign signbit spacing sqrt square subtract trunc "
    # comparisons, order and counting
    "all any argmax argmin array_equal bincount bitwise_and bitwise_count bitwise_not bitwise_or bitwise_xor "
    "count_nonzero diff digitize equal greater greater_equal in1d intersect1d invert isfinite isin isinf isnan "
    "left_shift less less_equal lexsort logical_and logical_not logical_or logical_xor max maximum min minimum "
    "not_equal right_shift searchsorted select setdiff1d sort union1d unique".split()
)
REDUCTIONS = frozenset(
    "sum prod cumsum cumprod mean average var std dot vdot inner matmul trace nansum nanmean reduce "
    "accumulate reduceat at".split()
)
INTEGER_REDUCTIONS = frozenset("sum prod cumsum cumprod reduce accumulate reduceat".split())
INTEGERS = frozenset("int int64 uint64".split())
BUILTINS = frozenset("eval exec getattr __import__ complex".split())
MARK = "# exact: "


@dataclass(frozen=True, order=True)
class Fault:
    """One place that may differ between machines, and why."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def faults(source: str, path: str) -> list[Fault]:
    """Return the faults of one file in the order of its lines."""
    excused = {number for number, line in enumerate(source.splitlines(), 1) if line.partition(MARK)[2].strip()}
    found = {
        Fault(path, node.lineno, reason)
        for node in ast.walk(ast.parse(source, path))
        if isinstance(node, ast.expr | ast.stmt) and node.lineno not in excused
        for reason in _reasons(node)
    }
    return sorted(found)


def _reasons(node: ast.expr | ast.stmt) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from _imported([name.name for name in names])
        case ast.ImportFrom(module=module, names=names):
            yield from _imported([module or "."])
            yield from _imported_names(module or ".", [name.name for name in names])
        case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in MATH:
            yield f"math.{name} is the C library's; elementary.py has our own"
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name not in NUMPY:
            yield f"np.{name} is not on the list of exact functions in tools/exact_arithmetic.py"
        case ast.Call(func=ast.Attribute(attr=name)) if name in REDUCTIONS:
            yield from _reduction(node, name)
        case ast.Call(func=ast.Name(id=name)):
            yield from _builtin(node, name)
        case ast.BinOp(op=operator, left=left, right=right):
            yield from _operator(operator, left, right)
        case ast.AugAssign(op=ast.Pow() | ast.MatMult() as operator, target=left, value=right):
            yield from _operator(operator, left, right)
        case _:
            return


def _imported(modules: list[str]) -> Iterator[str]:
    for module in modules:
        if module.split(".")[0] not in MODULES or module.startswith(("numpy.linalg", "numpy.random", "numpy.fft")):
            yield f"{module} is not a module that the engine may use"


def _imported_names(module: str, names: list[str]) -> Iterator[str]:
    allowed = {"math": MATH, "numpy": NUMPY}.get(module)
    for name in names:
        if allowed is not None and name not in allowed:
            yield f"{module}.{name} is not on the list of exact functions in tools/exact_arithmetic.py"


def _reduction(call: ast.Call, name: str) -> Iterator[str]:
    types = [keyword.value for keyword in call.keywords if keyword.arg == "dtype"]
    is_integer = any(
        isinstance(type_, ast.Name | ast.Attribute) and ast.unparse(type_).rpartition(".")[2] in INTEGERS
        for type_ in types
    )
    if name not in INTEGER_REDUCTIONS or not is_integer:
        yield f".{name}() of floats has no fixed order; use elementary.total, or x.{name}(dtype=np.int64) for integers"


def _builtin(call: ast.Call, name: str) -> Iterator[str]:
    if name in BUILTINS:
        yield f"{name}() hides what is computed"
    if name == "pow" and len(call.args) < 3:
        yield "pow() is the C library's; multiply"
    if name == "sum" and not _sums_integers(call):
        yield "sum() of floats differs between Python versions; use elementary.total, or sum(int(...) for ...)"


def _sums_integers(call: ast.Call) -> bool:
    match call.args:
        case [ast.GeneratorExp(elt=ast.Call(func=ast.Name(id="int" | "len"))), *_]:
            return True
        case [ast.GeneratorExp(elt=ast.Constant(value=int())), *_]:
            return True
        case _:
            return False


def _operator(operator: ast.operator, left: ast.expr, right: ast.expr) -> Iterator[str]:
    if isinstance(operator, ast.MatMult):
        yield "@ has no fixed order; use elementary.total of a product"
    if isinstance(operator, ast.Pow) and not (_is_whole(left) and _is_whole(right)):
        yield "** is the C library's; multiply, shift, or use sqrt"


def _is_whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def main(arguments: list[str]) -> None:
    """Print the faults under the paths given; exit 1 if there are any, or nothing to read."""
    files = sorted(file for argument in arguments for file in Path(argument).rglob("*.py"))
    if not files:
        raise SystemExit("exact_arithmetic: no Python file under " + " ".join(arguments))
    found = [fault for file in files for fault in faults(file.read_text(encoding="utf-8"), str(file))]
    for fault in found:
        print(fault)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
