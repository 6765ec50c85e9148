# SPDX-License-Identifier: Apache-2.0
"""A key that signed was revoked; whoever hands out what it signed is told so, before somebody else finds out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockgate.core.bundle import decode
from lockgate.core.bundle_layout import KEY_MANIFEST, LOG_KEYS
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.key_manifest import open_manifest
from lockgate.core.listed_key import Status
from lockgate.core.revoked_signers import revoked_in
from tests.doors.line import Door
from tests.doors.test_verify_revoked import door

__all__ = ["door"]


def revoked() -> str:
    """Return the id of the one key that is revoked."""
    found = open_manifest(decode(Path("bundle.zip").read_bytes())[KEY_MANIFEST]).manifest
    (key,) = [each.key.key_id for each in found.keys if each.status is Status.REVOKED]
    return key


@pytest.mark.clause("EX-78")
def test_an_export_says_whose_receipts_count_for_nothing(door: Door) -> None:
    """By the key, the version of the manifest, and the entries of the log; a program reads the same."""
    rollout = json.loads(decode(Path("bundle.zip").read_bytes())["manifest.json"])["rolloutId"]
    code = door("export", "--rollout", rollout, "-o", "bundle.zip")
    said = " ".join(door.err.split())

    told = door.read("export", "--rollout", rollout, "-o", "bundle.zip")

    assert code == 0
    assert f"warning: key {revoked()}, which signed some of this, is revoked: version 2 of the key manifest" in said
    assert "ends it after entry 0, and what it signed behind that counts for nothing: entry 1" in said
    expected = {"keyid": revoked(), "use": "receipt", "manifestVersion": 2, "lastIndex": 0, "behind": [1]}
    assert told["revoked"] == [expected]


@pytest.mark.clause("EX-78")
def test_saved_receipts_say_whose_they_are(door: Door) -> None:
    """Where all that it signed among them counts, that is said too."""
    rollout = json.loads(decode(Path("bundle.zip").read_bytes())["manifest.json"])["rolloutId"]

    code = door("receipts", rollout, "--save", "again")

    said = " ".join(door.err.split())
    assert code == 0
    assert f"warning: key {revoked()}, which signed some of this, is revoked" in said
    assert "ends it after entry 0, behind which it signed none of this" in said


@pytest.mark.clause("EX-78")
@pytest.mark.usefixtures("door")
def test_a_bundle_that_lacks_a_file_says_what_the_others_say() -> None:
    """A server may hand out less; that it is no whole bundle is for `lockgate verify` to say."""
    files = decode(Path("bundle.zip").read_bytes())
    proofs = {name: read_log_proof(data).index for name, data in files.items() if name.endswith(".tlog-proof")}

    behind = {}
    for missing in (LOG_KEYS, *proofs):
        (found,) = revoked_in({name: data for name, data in files.items() if name != missing})
        assert found.key_id == revoked()
        behind[missing] = found.behind

    # What the key signed behind its end is entry 1 alone, which has no place where its proof is gone.
    assert [proofs[name] for name, entries in behind.items() if entries == ()] == [1]
    assert set(behind.values()) == {(), (1,)}


@pytest.mark.clause("EX-78")
def test_where_no_key_is_revoked_nothing_is_said(tmp_path: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where there is no manifest."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "another"))
    monkeypatch.setenv("LOCKGATE_STATE", str(tmp_path / "other-state"))
    rollout = door.create()

    told = door.read("export", "--rollout", rollout, "-o", "other.zip")

    assert (told["revoked"], "revoked" in door.err) == ([], False)
