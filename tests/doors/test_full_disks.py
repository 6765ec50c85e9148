# SPDX-License-Identifier: Apache-2.0
"""A disk that is full is written to; the call must say that it can be made again, and leave no half of a file."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from lockgate.operations.bundle.spool import Spool
from tests.doors.line import Door

pytestmark = pytest.mark.clause("LI-612")


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def rollout(door: Door) -> str:
    """Return a canary of which one thing was decided."""
    return door.create("--mode", "canary")


def test_files_of_receipts(door: Door, rollout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is there and has nothing that only looks like a receipt."""
    folder = tmp_path / "kept"
    monkeypatch.setattr(Path, "replace", _full)

    assert door("receipts", rollout, "--save", folder) == exit_codes.TRY_AGAIN.code

    assert "No space left on device\nMake room, and call again." in door.err
    assert f"cannot write {folder}/" in door.err
    assert list(folder.iterdir()) == []


def test_a_folder_of_receipts_that_cannot_be_made(door: Door, rollout: str, tmp_path: Path) -> None:
    """A file is in its place, which no other call would change."""
    taken = tmp_path / "kept"
    taken.write_text("")

    assert door("receipts", rollout, "--save", taken) == exit_codes.USAGE.code

    assert f"cannot write {taken}: File exists" in door.err


def test_an_appended_log(door: Door, rollout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next call goes on from where the last whole portion ends."""
    file = tmp_path / "log.ndjson"
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _full)
        code = door("log", "export", "--append", file)
        said = door.err

    assert code == exit_codes.TRY_AGAIN.code
    assert f"cannot write {file}: No space left on device\nMake room, and call again." in said
    assert door("log", "export", "--append", file) == 0
    door("log", "export")
    assert file.read_text() == door.out


def test_the_folder_of_temporary_files(
    door: Door, rollout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an export gathers waits there, and that folder is named."""
    file = tmp_path / "bundle.zip"
    monkeypatch.setattr(Spool, "add", _full)

    assert door("export", "--rollout", rollout, "-o", file) == exit_codes.TRY_AGAIN.code

    assert f"cannot write {tempfile.gettempdir()}: No space left on device" in door.err
    assert not file.exists()
