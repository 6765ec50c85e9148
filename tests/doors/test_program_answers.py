# SPDX-License-Identifier: Apache-2.0
"""Programs that sign badly come in; what a call ends by, and that the store then holds nothing of it, go out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.signers.test_program import named, shell
from tests.doors.line import Door


@pytest.mark.clause("KY-120")
@pytest.mark.parametrize(
    ("script", "code"),
    [
        (shell("cat >/dev/null"), 69),
        (shell("head -c 63 /dev/zero"), 69),
        (shell("head -c 64 /dev/zero"), 69),
        (shell("head -c 65 /dev/zero"), 69),
        (shell("exit 3"), 75),
    ],
    ids=["no bytes", "too few", "another signature", "too many", "it fails"],
)
def test_a_bad_answer_of_a_program_is_no_fault_of_lockgate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script: str, code: int
) -> None:
    """What is outside is told from what may come right by itself; nothing is stored, and the store is sound."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "keys").mkdir(mode=0o700, parents=True)
    named(tmp_path / "home" / "keys", script)
    door = Door(capsys)

    ended = door("create", "--app-id", "web", "--baseline", "v1", "--candidate", "v2")

    assert (ended, "nothing was signed" in door.err) == (code, True)
    assert door.read("list")["rollouts"] == []
    assert door("fsck") == 0
