# SPDX-License-Identifier: Apache-2.0
"""The program of the how-to comes in; it must obey what is rightly signed, once and in order, and nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.receiver.signed import OLD_SECRET, SECRET, body, headers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "webhook-receiver.md"
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.clause("WH-64", "HO-08")
def test_the_program_of_the_howto_moves_by_what_is_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback, then a promote that is late, and one that somebody else signed."""
    monkeypatch.chdir(tmp_path)
    moved: list[tuple[object, ...]] = []
    known: dict[str, Any] = {"shift": lambda *told: moved.append(told)}
    found = PROGRAM.findall(PAGE.read_text(encoding="utf-8"))
    assert len(found) == 1
    exec(found[0].replace("whsec_...", SECRET), known)  # noqa: S102 -- it is this project's own page
    back, late = body("rollout.rollback", weight=0, log_index=8), body(log_index=7)

    answers = [
        known["receive"](headers(sent, secret, at=time.time()), sent)
        for sent, secret in ((back, SECRET), (late, SECRET), (body(log_index=9), OLD_SECRET))
    ]

    assert answers == [200, 200, 401]
    assert moved == [("abc123", 0.0, "v36")]
