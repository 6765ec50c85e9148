# SPDX-License-Identifier: Apache-2.0
"""The project's own files come in; none may name a package registry's host or a path of one person's machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Spelled in parts, so that this file does not hold what it looks for.
HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("crates", "io"),
        ("npmjs", "org"),
        ("proxy", "golang", "org"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("deb", "debian", "org"),
        ("anaconda", "org"),
    ]
]
FOLDERS = ["/" + folder + "/" for folder in ("work", "root", "tmp", "opt/wheels", "home", "Users")]
NOT_INSIDE_A_PATH = r"(?<![\w.\-/})$])"
FOREIGN = re.compile("|".join([re.escape(host) for host in HOSTS] + [NOT_INSIDE_A_PATH + folder for folder in FOLDERS]))


def _is_cache(path: Path) -> bool:
    return any((part.startswith(".") and part != ".ci") or part == "__pycache__" for part in path.parts)


def _own_files() -> list[Path]:
    if (ROOT / ".git").exists() and shutil.which("git"):
        ran = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        return [ROOT / name for name in ran.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not _is_cache(path.relative_to(ROOT))]


def _foreign_lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    name = path.relative_to(ROOT).as_posix()
    return [f"{name}:{number}: {match[0]}" for number, line in enumerate(lines, 1) if (match := FOREIGN.search(line))]


@pytest.mark.clause("HO-06")
def test_no_file_names_a_registry_or_a_machine() -> None:
    """The project is built anywhere, from whatever registry the machine is set up for."""
    files = _own_files()

    found = [line for path in files for line in _foreign_lines(path)]

    assert files
    assert found == []


@pytest.mark.clause("HO-06")
@pytest.mark.parametrize("host", HOSTS)
def test_a_host_would_be_seen(host: str) -> None:
    """The search finds each host inside an address."""
    assert FOREIGN.search(f"https://{host}/simple")


@pytest.mark.clause("HO-06")
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_machine_path_would_be_seen(folder: str) -> None:
    """The search finds each folder at the start of a path, and not inside one."""
    assert FOREIGN.search(f'open("{folder}x")')
    assert not FOREIGN.search(f"docs{folder}x")
