# SPDX-License-Identifier: Apache-2.0
"""Files of another kind than was meant are typed; what is said must name them: docs/spec.md, verify."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import Door

SAVED = ("receipt-1.json", "--key", "receipt-key.pem")
LOG = ("--log-key", "log-key.txt")


@pytest.fixture(autouse=True)
def saved(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder with the files of a receipt, in which one is."""
    folder = tmp_path / "saved"
    assert door("receipts", door.create("--mode", "canary"), "--save", folder) == 0, door.err
    (folder / "other.txt").write_text("something else\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.clause("LI-616")
@pytest.mark.parametrize(
    "words",
    [
        ("receipt-1.json", "--key", "other.txt"),
        (*SAVED, "--log-key", "other.txt", "--proof", "receipt-1.tlog-proof"),
        (*SAVED, *LOG, "--proof", "other.txt"),
        (*SAVED, *LOG, "--proof", "receipt-1.tlog-proof", "--checkpoint", "other.txt"),
        ("checkpoint.txt", *LOG, "--checkpoint", "checkpoint.txt", "--consistency", "other.txt"),
        ("checkpoint.txt", *LOG, "--witness", "other.txt"),
        ("checkpoint.txt", *LOG, "--witness-policy", "other.txt"),
        ("receipt-1.json", "--manifest", "other.txt", "--root", "receipt-key.pem"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(door: Door, words: tuple[str, ...]) -> None:
    """Of many files that are named one is wrong, and it is said which."""
    assert door("verify", *words) == exit_codes.DATA.code

    assert door.err.startswith("error: other.txt: ")


@pytest.mark.clause("LI-616")
def test_a_file_without_a_key_is_said_to_be_taken_for_something(door: Door) -> None:
    """Whoever named a wrong file sees that before a key is looked for."""
    assert door("verify", "other.txt") == exit_codes.USAGE.code

    assert "no key is trusted that could verify other.txt, taken as it is for a receipt" in door.err


@pytest.mark.clause("LI-616")
def test_a_folder_without_receipts_is_refused_first(door: Door, tmp_path: Path) -> None:
    """No key would help."""
    empty = tmp_path / "empty"
    empty.mkdir()

    assert door("verify", empty) == exit_codes.USAGE.code

    assert f"there is no receipt in {empty}" in door.err
