# SPDX-License-Identifier: Apache-2.0
"""Lanes and marked tests come in; each test must be where the lane that its marker names looks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LANES = re.findall(r"-m (\w+) (tests\S*)", (ROOT / "Makefile").read_text(encoding="utf-8"))


@pytest.mark.clause("SV-1021")
@pytest.mark.parametrize(("lane", "folder"), LANES)
def test_a_lane_finds_every_test_that_its_marker_is_on(lane: str, folder: str) -> None:
    """A test that stands elsewhere would be run by no lane, and nobody would hear of it.

    A mark may also be on a parameter of a fixture: whatever tests ask for that stand in the fixture's folder.
    """
    marked = [
        path.relative_to(ROOT)
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(rf"\bmark\.{lane}\b", path.read_text(encoding="utf-8"))
    ]

    assert marked
    assert [path.as_posix() for path in marked if not path.is_relative_to(folder)] == []
