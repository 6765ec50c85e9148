# SPDX-License-Identifier: Apache-2.0
"""Folders of any mode come in; the files of a store are their owner's alone, and an open folder is warned of."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.line import Door


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let everything be readable and writable that does not say otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.clause("LI-439")
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o777])
def test_the_files_of_a_store_are_their_owners_alone(home: Path, door: Door, open_umask: None, mode: int) -> None:
    """Whatever the umask and the mode of a folder that was there before, in all files beside them too."""
    (home / "home").mkdir()
    (home / "home").chmod(mode)

    door.create()

    files = [path for path in (home / "home").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"lockgate.db", "runs.db", "receipt.pem", "log.pem"}
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files if path.stat().st_mode & 0o077} == {}


@pytest.mark.clause("LI-439")
@pytest.mark.parametrize(("mode", "is_told"), [(0o700, False), (0o755, False), (0o775, True), (0o777, True)])
def test_a_home_that_others_may_write_to_is_warned_of(home: Path, door: Door, mode: int, *, is_told: bool) -> None:
    """Whoever may write there may put another store in its place; the call goes on."""
    (home / "home").mkdir()
    (home / "home").chmod(mode)

    door.create()

    assert ("chmod go-w" in door.err) is is_told
