# SPDX-License-Identifier: Apache-2.0
"""Pages and examples come in; none may install Lockgate by a name of an index in which it is not ours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.jobs import INSTALL

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = (path for path in (ROOT / "examples").rglob("*.*") if path.suffix != ".zip")
SHOWN = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *EXAMPLES]
BY_NAME = re.compile(r"\b(?:pip|pipx|uv|uvx)\b.*(?<![\w/.-])lockgate(?:[=<>~\[]\S*)?(?=[\s`'\"]|$)", re.MULTILINE)


@pytest.mark.clause("LC-65")
def test_nothing_that_is_shown_installs_a_name_that_is_not_ours() -> None:
    """Whoever took the name in a public index would run in the jobs of our readers."""
    found = [f"{path.name}: {line[0]}" for path in SHOWN for line in BY_NAME.finditer(path.read_text("utf-8"))]

    assert found == []


@pytest.mark.clause("LC-65")
@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("python -m pip install --quiet lockgate", True),
        ("pip install 'lockgate==0.1'", True),
        ("/opt/lockgate/bin/pip install .", False),
        ("pip install git+https://git.example.com/lockgate@TAG", False),
    ],
)
def test_a_name_is_told_from_an_address(line: str, *, is_found: bool) -> None:
    """The search finds what it is there for."""
    assert (BY_NAME.search(line) is not None) is is_found


@pytest.mark.clause("LC-65")
@pytest.mark.parametrize("given", [{}, {"LOCKGATE_PACKAGE": ""}])
def test_a_job_that_names_no_package_stops(given: dict[str, str]) -> None:
    """It says which variable is missing, and asks no index."""
    ran = subprocess.run(
        ["/bin/bash", "-c", INSTALL],
        env={"PATH": "/nowhere", **given},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ran.returncode != 0
    assert "LOCKGATE_PACKAGE: names the wheel or repository" in ran.stderr
