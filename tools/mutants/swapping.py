# SPDX-License-Identifier: Apache-2.0
"""A mutant comes in; this process runs it from now on, by whatever name its function was imported before.

The code of functions is exchanged where they are, so that nothing is loaded again and no file is written.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType

from tools.mutants.mutant import Mutant

_Cached = type(functools.cache(len))
Functions = dict[tuple[str, str], list[FunctionType]]


def functions_of(files: set[str]) -> Functions:
    """Return the functions of some files that this process has loaded, by file and qualified name."""
    found: Functions = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in files:
            found[each.__code__.co_filename, each.__code__.co_qualname].append(each)
    return found


def forget_answers() -> None:
    """Empty every cache of answers, which were computed without a fault."""
    for each in gc.get_objects():
        if isinstance(each, _Cached):
            each.cache_clear()


def swap(mutant: Mutant, functions: Functions, root: Path) -> bool:
    """Let this process run a mutant; False where nothing can run it."""
    file = str(root / mutant.path)
    if not mutant.function:
        return _swap_values(mutant.code, file)
    code = _codes(mutant.code).get(mutant.function)
    found = functions.get((file, mutant.function), [])
    for function in found:
        if code is None or len(code.co_freevars) != len(function.__code__.co_freevars):
            return False
        function.__code__ = code
    return bool(found)


def _codes(module: CodeType) -> dict[str, CodeType]:
    found: dict[str, CodeType] = {}
    for each in module.co_consts:
        if isinstance(each, CodeType):
            # The first is the getter of a property.
            found.setdefault(each.co_qualname, each)
            if "<locals>" not in each.co_qualname:
                found.update(_codes(each))
    return found


def _swap_values(code: CodeType, file: str) -> bool:
    """Compute what a module's own statement names again, and give it to every module that imported it."""
    modules = list(sys.modules.values())
    module = next((each for each in modules if getattr(each, "__file__", None) == file), None)
    if module is None:
        return False
    fresh = dict(vars(module))
    exec(code, fresh)  # noqa: S102 -- the project's own source with one change
    changed = {name: value for name, value in fresh.items() if vars(module).get(name, module) is not value}
    for name in changed.keys() - {"__builtins__"}:
        old = vars(module).get(name)
        for each in modules:
            if name in vars(each) and vars(each)[name] is old:
                setattr(each, name, changed[name])
    return True
