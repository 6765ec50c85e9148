# SPDX-License-Identifier: Apache-2.0
"""requirements.lock and pyproject.toml come in; the lock must hold each group whole, hashed, and free of addresses."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "requirements.lock").read_text(encoding="utf-8")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, list[Any]] = SETTINGS["dependency-groups"]
lock = runpy.run_path(str(ROOT / "tools" / "lock.py"))
PINS = lock["read_pins"](TEXT)


def _requirements(group: str) -> list[Requirement]:
    own = [Requirement(item) for item in GROUPS[group] if isinstance(item, str)]
    included = [item["include-group"] for item in GROUPS[group] if not isinstance(item, str)]
    return own + [requirement for name in included for requirement in _requirements(name)]


def _wanted(group: str) -> list[Requirement]:
    return [Requirement(text) for text in SETTINGS["project"]["dependencies"]] + _requirements(group)


def _versions(group: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pin in lock["part"](PINS, group):
        version = re.match(r"[^=]+==([^ ;\\]+)", pin.lines[0])
        assert version is not None
        found.setdefault(canonicalize_name(pin.name), []).append(version[1])
    return found


@pytest.mark.clause("HO-07")
@pytest.mark.parametrize("group", GROUPS)
def test_a_group_holds_what_pyproject_asks_for(group: str) -> None:
    """Every requirement of the project and the group is pinned inside its bounds: else run `make lock`."""
    versions = _versions(group)

    unmet = [
        str(requirement)
        for requirement in _wanted(group)
        if not any(requirement.specifier.contains(v) for v in versions.get(canonicalize_name(requirement.name), []))
    ]

    assert unmet == []


@pytest.mark.clause("HO-07")
def test_every_pin_has_a_hash_and_nothing_else_is_said() -> None:
    """A line is a pin, a SHA-256 or a comment: no address, no option, no host."""
    line = re.compile(
        r"#.*|    #.*|    --hash=sha256:[0-9a-f]{64}(?: \\)?|[a-z0-9][a-z0-9._-]*==[0-9a-z.+!]+(?: ; [^\\]+)? \\"
    )

    strange = [text for text in TEXT.splitlines() if not line.fullmatch(text)]

    assert strange == []
    assert "://" not in TEXT


@pytest.mark.clause("HO-07")
def test_a_group_leaves_out_what_only_others_need() -> None:
    """`make test` does not install what only benchmarks or `make lock` need."""
    names = {pin.name for pin in lock["part"](PINS, "test")}

    assert names & {"pandas", "statsmodels", "matplotlib", "uv"} == set()


@pytest.mark.clause("HO-07")
def test_a_group_is_closed_under_dependencies() -> None:
    """What a package of the group brings along is in the group: `part` follows the annotations to their end."""
    text = (
        "a==1 \\\n    --hash=sha256:00\n    # via lockgate (pyproject.toml:test)\n"
        "b==1 \\\n    --hash=sha256:00\n    # via\n    #   a\n    #   z\n"
        "c==1 ; python_version < '3.12' \\\n    --hash=sha256:00\n    # via b\n"
        "z==1 \\\n    --hash=sha256:00\n    # via lockgate (pyproject.toml:bench)\n"
    )

    part = lock["part"](lock["read_pins"](text), "test")

    assert [pin.name for pin in part] == ["a", "b", "c"]


@pytest.mark.clause("HO-07")
def test_an_unhashed_pin_is_refused() -> None:
    """A pin without a hash stops the set-up before anything is fetched."""
    with pytest.raises(SystemExit, match="no hash"):
        lock["read_pins"]("a==1\n    # via b\n")


@pytest.mark.clause("HO-07")
def test_a_tampered_package_is_not_installed(tmp_path: Path) -> None:
    """The installer compares an archive's hash with the part of the lock: a wheel with other bytes is refused."""
    wheel = tmp_path / "tampered-1-py3-none-any.whl"
    wheel.write_bytes(b"other bytes")
    part = tmp_path / "part.txt"
    part.write_text(f"tampered==1 \\\n    --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--isolated",
        "--disable-pip-version-check",
        "install",
        "--dry-run",
        "--no-deps",
    ]

    ran = subprocess.run(
        [*pip, "--require-hashes", "--no-index", "--find-links", str(tmp_path), "-r", str(part)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ran.stderr
