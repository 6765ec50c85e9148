# SPDX-License-Identifier: Apache-2.0
"""docs/howto/verify.md comes in; what it says of a program that verifies must be what there is to be called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lockgate.verify

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "verify.md"
IN_A_PROGRAM = PAGE.read_text(encoding="utf-8").partition("## In a program\n")[2].partition("\n## ")[0]


@pytest.mark.clause("VF-103")
def test_the_page_names_what_a_program_is_handed() -> None:
    """Whatever is public is written there, and whatever is written there is public."""
    named = set(re.findall(r"`(\w+)`", IN_A_PROGRAM))

    assert set(lockgate.verify.__all__) - named == set()
    assert {name for name in named if re.match(r"(verify|read|is)_|Verified", name)} <= set(lockgate.verify.__all__)
