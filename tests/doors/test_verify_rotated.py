# SPDX-License-Identifier: Apache-2.0
"""Keys are rotated at the command line; who trusts the root key alone verifies all that was signed before and after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.line import Door


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    return Door(capsys)


def rotated(door: Door) -> str:
    """Return the id of a rollout of which former and present keys signed receipts, under a manifest of both."""
    made = door.create()
    assert door("keys", "root", "root.pem") == 0
    assert door("keys", "manifest", "--root", "root.pem", "--reason", "keys are made known") == 0
    assert door("pause", "--id", made, "--reason", "one") == 0
    for use in ("receipt", "log"):
        assert door("keys", "rotate", use, "--yes") == 0, door.err
    assert door("resume", "--id", made, "--reason", "two") == 0
    assert door("keys", "manifest", "--root", "root.pem", "--reason", "keys were rotated", "--out", "m.json") == 0
    assert door("export", "--rollout", made, "-o", "bundle.zip") == 0, door.err
    assert door("receipts", made, "--save", "saved") == 0
    assert door("log", "export", "--append", "log.ndjson") == 0
    assert door("log", "checkpoint") == 0
    Path("checkpoint.txt").write_text(door.out, encoding="utf-8")
    return made


@pytest.mark.clause("VF-47")
def test_root_keys_verify_all_that_any_key_signed(door: Door) -> None:
    """Bundle, folder, exported log and checkpoint verify by the root key and the manifest, across two rotations."""
    rotated(door)
    by = ["--manifest", "m.json", "--root", "root.pem.pub"]

    codes = {
        name: door("verify", name, *([*by] if name != "bundle.zip" else by[2:]))
        for name in ("bundle.zip", "saved", "log.ndjson", "checkpoint.txt")
    }

    assert codes == dict.fromkeys(codes, 0)
    assert door("verify", "bundle.zip", "--root", "root.pem.pub", "--json") == 0
    assert len(json.loads(door.out)["keyIds"]) == 2


@pytest.mark.clause("VF-47")
def test_the_present_key_alone_does_not(door: Door) -> None:
    """Without the manifest the former key's receipts are of a key that nobody named."""
    rotated(door)

    code = door("verify", "saved", "--key", "saved/receipt-key.pem", "--log-key", "saved/log-key.txt", "--json")

    assert (code, json.loads(door.out)["reason"]) == (65, "key_unknown")
