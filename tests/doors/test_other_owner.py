# SPDX-License-Identifier: Apache-2.0
"""Root calls commands in the folders of a server that runs as another user; whatever is made is that user's."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.doors.line import Door

# Nobody's, and nobody needs to be known by it.
SERVER = 7300


@pytest.mark.clause("SV-962")
def test_what_root_makes_in_the_folder_of_a_server_is_the_servers(
    home: Path, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Store and what SQLite keeps beside it, keys, secrets, witnesses and marks; who is not root makes them as ever."""
    own, state = home / "home", home / "own" / "state"
    for folder in (own, state.parent):
        folder.mkdir()
        # Where the test does not run as root, or as one who does not know that user, the folders stay its own, and so
        # must all that is in them.
        with suppress(OSError):
            os.chown(folder, SERVER, SERVER)
    monkeypatch.setenv("LOCKGATE_STATE", str(state))
    monkeypatch.setenv("LOCKGATE_WEBHOOK_ALLOW", "127.0.0.1/32")

    rollout = door.create()
    assert door("pause", "--id", rollout, "--reason", "to see") == 0
    assert door("keys", "rotate", "log", "--yes") == 0
    assert door("webhooks", "create", "--url", "http://127.0.0.1:9/") == 0

    made = [path for folder in (own, state.parent) for path in folder.rglob("*")]
    owner = own.stat()
    assert {path.name for path in made} >= {"lockgate.db", "runs.db", "keys", "log.pem", "webhook.key", "state", "lock"}
    assert [path.suffix for path in state.iterdir() if path.suffix] == [".checkpoint"]
    assert {
        str(path) for path in made if (path.stat().st_uid, path.stat().st_gid) != (owner.st_uid, owner.st_gid)
    } == set()
