# SPDX-License-Identifier: Apache-2.0
"""A key is stolen and revoked at the command line; what its owner exports then still verifies, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors.line import Door

STOLEN = ("--compromised", "--last-good-index", "default:0", "--reason", "laptop stolen")


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line, in a folder where a key was revoked from behind a rollout's first receipt on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    door = Door(capsys)
    made = door.create()
    assert door("keys", "root", "root.pem") == 0
    # Entry 1, by the key that is said to be stolen.
    assert door("keys", "manifest", "--root", "root.pem", "--reason", "keys are made known") == 0
    assert door("keys", "rotate", "receipt", *STOLEN, "--yes") == 0, door.err
    assert door("keys", "manifest", "--root", "root.pem", "--reason", "a key was stolen") == 0, door.err
    assert door("pause", "--id", made, "--reason", "one") == 0
    assert door("export", "--rollout", made, "-o", "bundle.zip") == 0, door.err
    assert door("receipts", made, "--save", "saved") == 0
    return door


def keys_of_the_bundle() -> list[str]:
    """Return the options that trust every key in the bundle by its file."""
    import zipfile

    with zipfile.ZipFile("bundle.zip") as bundle:
        names = [name for name in bundle.namelist() if name.startswith("keys/") and name.endswith((".pem", "-key.txt"))]
        bundle.extractall(members=names)
    return [each for name in names for each in ("--log-key" if name.endswith(".txt") else "--key", name)]


@pytest.mark.clause("VF-67")
def test_a_receipt_beside_the_rollout_behind_a_revocation_counts_for_nothing(door: Door) -> None:
    """It is named, and the rollout's own receipts, each at a place where its key counts, prove what they prove."""
    code = door("verify", "bundle.zip", "--root", "root.pem.pub")

    assert code == 0, door.err
    said = door.out.partition("Not proven:")[2]
    assert "What related/org/1.json says" in said
    assert "it counts for nothing" in said


@pytest.mark.clause("VF-67")
def test_a_revocation_that_nobody_trusts_is_still_named(door: Door) -> None:
    """Who names keys in place of a root key reads what the bundle says of them, and that it was not verified."""
    code = door("verify", "bundle.zip", *keys_of_the_bundle())

    assert code == 0, door.err
    said = door.out.partition("Not proven:")[2]
    assert said.count("still counted: version 2 of the key manifest") == 1
    assert "revokes it after entry 0" in " ".join(said.split())
