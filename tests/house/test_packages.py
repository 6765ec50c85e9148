# SPDX-License-Identifier: Apache-2.0
"""The source tree comes in; what its packages may hold and load is held here."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "lockgate"
FOLDERS = ("src", "tests", "tools", "examples", "bench")
SPDX = "# SPDX-License-Identifier: Apache-2.0"
# Third parties that the core may use (numpy) or has one place for (rfc8785, held by `ignore_imports`).
ALLOWED_IN_CORE = {"numpy"}
# Rooms that applications import from: where in them a name is made is none of their business.
FACES = {"client", "recorder", "verify", "webhooks"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service", "base", "models", "types"}


def _project() -> dict[str, object]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    assert isinstance(project, dict)
    return project


def _import_names(requirements: list[str]) -> set[str]:
    wanted = {requirement.split(">=")[0].lower() for requirement in requirements}
    provided = importlib.metadata.packages_distributions().items()
    return {
        module
        for module, distributions in provided
        if wanted & {distribution.lower() for distribution in distributions} and not module.startswith("_")
    }


def test_a_package_says_what_its_room_is_for_and_holds_no_code() -> None:
    """A package's `__init__` is one sentence; those that applications import hand out names of their own modules."""
    inits = [path for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE]

    with_code = [
        path.relative_to(ROOT).as_posix()
        for path in inits
        if not (_docstring(path) and all(_hands_out(path, line) for line in _lines(path)[1:]))
    ]

    assert inits
    assert with_code == []


def test_every_python_file_opens_with_its_licence_and_one_docstring() -> None:
    """The first line is the SPDX line; the module says what comes in and what goes out."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]

    bare = [
        path.relative_to(ROOT).as_posix()
        for path in files
        if path.read_text(encoding="utf-8").splitlines()[:1] != [SPDX] or not _docstring(path)
    ]

    assert files
    assert bare == []


def test_modules_are_named_for_what_they_return() -> None:
    """No module is a drawer for leftovers."""
    named_badly = [path for path in SOURCE.rglob("*.py") if path.stem in FORBIDDEN_NAMES]

    assert named_badly == []


@pytest.mark.clause("HO-04")
def test_import_lockgate_loads_no_third_party_module() -> None:
    """The root package costs its user nothing but the standard library."""
    script = (
        "import sys; before = set(sys.modules); import lockgate; "
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(loaded - set(sys.stdlib_module_names) - {'lockgate'}))"
    )

    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


@pytest.mark.clause("HO-01")
def test_the_core_is_closed_to_every_dependency_by_name() -> None:
    """A new dependency is forbidden in the core until somebody decides otherwise."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}
    forbidden = set(contracts["pure-core"]["forbidden_modules"])

    requirements = _project()["dependencies"]

    assert isinstance(requirements, list)
    assert _import_names(requirements) - ALLOWED_IN_CORE <= forbidden


def test_the_version_is_the_installed_one() -> None:
    """`lockgate.__version__` is what the package's metadata says."""
    import lockgate

    assert lockgate.__version__ == importlib.metadata.version("lockgate")


def _hands_out(path: Path, line: ast.stmt) -> bool:
    room = path.parent.relative_to(SOURCE).as_posix()
    is_own = isinstance(line, ast.ImportFrom) and (line.module or "").startswith(f"lockgate.{room}.")
    is_list = isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "__all__"
    return room in FACES and (is_own or is_list)


def _lines(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8")).body


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
