# SPDX-License-Identifier: Apache-2.0
"""Keys are rotated while real servers run; they go on signing by the right key, or say in words that they cannot."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.envelope import signer_of
from lockgate.core.public_key import read_public_key
from lockgate.wiring import sqlite_store
from tests.server.test_serve_command import serving

ORDER = {"baseline": "v36", "candidate": "abc123", "mode": "canary"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a store of its own."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCKGATE_STATE", str(tmp_path / "state"))
    return tmp_path / "home"


def lockgate(*words: object) -> str:
    """Return what a command answers, as a process of its own."""
    call = [sys.executable, "-m", "lockgate", *map(str, words)]
    ran = subprocess.run(call, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def rotated(role: str, *words: str) -> str:
    """Let a key be followed while others run; return the id of the one that signs now."""
    found: dict[str, Any] = json.loads(lockgate("keys", "rotate", role, *words, "--yes", "--json"))
    return str(found["keyid"])


def signers_of(home: Path) -> list[str]:
    """Return who signed each entry of the log."""
    with sqlite_store(home).reading() as seen:
        return [signer_of(each.envelope) for each in seen.entries_after(-1, 1_000)]


@pytest.mark.clause("KY-17")
def test_a_server_goes_on_by_the_key_that_follows(home: Path) -> None:
    """Both keys change under it twice; it signs by the right ones without a restart, and is ready all the time."""
    keys = []
    with serving("--tick-every", "1s") as server:
        for number in range(3):
            made = server.http.post("/api/v1/rollouts", json={**ORDER, "app_id": f"app-{number}"})
            assert made.status_code == 201, made.text
            keys.append(signers_of(home)[-1])
            assert server.http.get("/readyz").status_code == 200
            followed = rotated("receipt")
            rotated("log", "--end-overlap")
        assert server.end() == 0

    assert len(set(keys)) == 3
    assert followed == read_public_key((home / "keys" / "public" / f"receipt-{followed[:16]}.pem").read_bytes()).key_id
    lockgate("fsck")


@pytest.mark.clause("KY-17")
def test_a_server_without_the_key_that_follows_says_so(home: Path, tmp_path: Path) -> None:
    """Its folder has no such key, as on a second machine: it signs nothing, says why, and goes on when it is there."""
    with serving() as server:
        made = server.http.post("/api/v1/rollouts", json={**ORDER, "app_id": "one"})
        assert made.status_code == 201, made.text
        shutil.copytree(home / "keys", tmp_path / "copied")
        rotated("receipt")
        (home / "keys").rename(tmp_path / "rotated")
        (tmp_path / "copied").rename(home / "keys")

        refused = server.http.post("/api/v1/rollouts", json={**ORDER, "app_id": "two"})
        ready = server.http.get("/readyz").status_code
        shutil.copy2(tmp_path / "rotated" / "receipt.pem", home / "keys" / "receipt.next.pem")
        accepted = server.http.post("/api/v1/rollouts", json={**ORDER, "app_id": "two"})

    assert (refused.status_code, accepted.status_code) == (409, 201)
    assert "not in the keys folder" in refused.text
    assert ready == 503
