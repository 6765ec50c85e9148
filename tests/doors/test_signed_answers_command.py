# SPDX-License-Identifier: Apache-2.0
"""Commands that decide something are called for a program; each answer must carry the receipt that it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lockgate.verify import Keys, read_note_key, read_public_key, verify_receipt
from tests.doors.line import APP, Door

WHY = ("--reason", "errors in the log")


def keys(door: Door, folder: Path, rollout: str) -> Keys:
    """Return the keys that the command line saves."""
    assert door("receipts", rollout, "--save", folder) == 0
    log = read_note_key((folder / "log-key.txt").read_text().strip())
    return Keys((read_public_key((folder / "receipt-key.pem").read_bytes()),), (log,))


def stated(signed: dict[str, Any], known: Keys) -> tuple[str, int]:
    """Verify what an answer carries, and return of which series it is which receipt."""
    verified = verify_receipt(signed["envelope"].encode(), known, signed["proof"].encode())
    assert verified.entry is not None
    assert (verified.entry.index, verified.statement.seq) == (signed["log_index"], signed["seq"])
    return verified.statement.rollout_id, verified.statement.seq


def declared(door: Door) -> Any:
    """Declare a program that moves the traffic, and return the answer."""
    assert door("actuator", "set", "--app-id", APP, "--json", "--", "true") == 0
    return json.loads(door.out)


@pytest.mark.clause("LG-62")
def test_a_start_and_an_action_carry_their_receipts(door: Door, home: Path) -> None:
    """What is answered over HTTP is answered here; who did nothing signed nothing."""
    start = door.read("create", "--app-id", APP, "-b", "v36", "-c", "abc123")
    same = door.read("create", "--app-id", APP, "-b", "v36", "-c", "abc123")
    paused, again = (door.read("pause", "--id", start["id"], *WHY) for _ in range(2))

    known = keys(door, home / "saved", start["id"])

    assert [stated(each["signed"], known) for each in (start, paused)] == [(start["id"], 1), (start["id"], 2)]
    assert (same["signed"], again["signed"]) == (None, None)


@pytest.mark.clause("LG-62")
def test_what_is_done_to_an_app_carries_its_receipt(door: Door, home: Path) -> None:
    """A freeze, a kill with what it rolled back, and a program that moves the traffic."""
    rollout = door.read("create", "--app-id", APP, "-b", "v36", "-c", "abc123")["id"]
    app = ("--app-id", APP)
    answers = [
        door.read("freeze", *app, *WHY),
        door.read("unfreeze", *app, *WHY),
        door.read("kill", *app, *WHY, "--yes"),
        declared(door),
        door.read("actuator", "remove", *app),
    ]

    known = keys(door, home / "saved", rollout)

    series = answers[0]["id"]
    assert [stated(each["signed"], known) for each in answers] == [(series, seq) for seq in range(1, 6)]
    assert [each["id"] for each in answers[2]["rolled_back"]] == [rollout]


@pytest.mark.clause("LG-62")
def test_a_rehearsal_signs_nothing(door: Door) -> None:
    """It says so, as one that was there already does."""
    door("create", "--app-id", APP, "-b", "v36", "-c", "abc123")

    tried = door.read("create", "--app-id", APP, "-b", "v36", "-c", "def456", "--dry-run")

    assert (tried["dry_run"], tried["signed"]) == (True, None)
