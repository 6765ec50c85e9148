# SPDX-License-Identifier: Apache-2.0
"""A server that cannot do its work must say so, at its start and to whatever sends it calls: docs/spec.md, Server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate import wiring
from lockgate.operations.soundness.copy_store import copy_store
from lockgate.testing.recipients import Recipients
from lockgate.testing.signers import seeded_signers
from lockgate.testing.world import World
from tests.doors.line import APP
from tests.server.served import problem, served
from tests.server.test_serve_command import serving
from tests.spec.line import created, world
from tests.spec.webhooked import hooked


def _lockgate(*words: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "lockgate", *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.clause("SV-270")
def test_a_server_by_other_keys_is_not_ready() -> None:
    """What sends it calls leaves it out, and its metrics say why; by its own keys it is ready."""
    here = world()
    created(here)
    other = World(here.house.store)
    other.house = replace(here.house, signers=seeded_signers(7))
    with served(here) as own, served(other) as door:
        ready = own.http.get("/readyz").json()
        refused = problem(door.http.get("/readyz"))
        scraped = door.caller("monitor").get("/metrics").text
        signing = own.caller("monitor").get("/metrics").text

    assert (ready["status"], ready["signs"]) == ("ready", True)
    assert refused == (503, "keys-not-here")
    assert "lockgate_signing 0.0" in scraped
    assert "lockgate_signing 1.0" in signing


@pytest.mark.clause("SV-270")
def test_a_server_whose_keys_are_lost_says_so_when_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers who only reads, and is not ready."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    order = ("--app-id", APP, "--baseline", "v36", "--candidate", "abc123")
    assert _lockgate("create", *order).returncode == 0
    for name in ("receipt.pem", "log.pem"):
        (tmp_path / "home" / "keys" / name).unlink()

    with serving() as server:
        listed = server.http.get("/api/v1/rollouts")
        refused = problem(server.http.get("/readyz"))

    assert "Put the keys folder back" in server.said
    assert (listed.status_code, len(listed.json()["rollouts"])) == (200, 1)
    assert refused == (503, "keys-not-here")


@pytest.mark.clause("SV-271")
def test_a_server_whose_store_goes_on_elsewhere_is_not_ready(tmp_path: Path) -> None:
    """Reading goes on, and whatever sends it calls leaves it out."""
    here = World(wiring.sqlite_store(tmp_path / "old"))
    created(here)
    with served(here) as door:
        before = door.http.get("/readyz").status_code
        with wiring.copy_target(str(tmp_path / "new")) as there, wiring.copy_source(str(tmp_path / "old")) as left:
            copy_store(left, there, lambda _what, _number: None)
        after = problem(door.http.get("/readyz"))

    assert before == 200
    assert after == (503, "store-left")


@pytest.mark.clause("WH-92")
def test_a_server_says_whether_it_can_open_the_secrets_of_webhooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To who asks whether it is ready, and in words when it starts."""
    here, receivers = world(), Recipients()
    hooked(here, receivers, "https://example.com/")
    with served(here, receivers=receivers) as door:
        opens = door.http.get("/readyz").json()["webhooks"]
        receivers.is_keyless = True
        closed = door.http.get("/readyz")
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCKGATE_WEBHOOK_ALLOW", "127.0.0.1/32")
    assert _lockgate("webhooks", "create", "--url", "http://127.0.0.1:9/").returncode == 0
    sound = _lockgate("fsck")
    (tmp_path / "home" / "keys" / "webhook.key").unlink()
    checked = _lockgate("fsck")

    with serving() as server:
        pass

    assert (opens, closed.status_code, closed.json()["webhooks"]) == (True, 200, False)
    assert "their secrets cannot be opened" in server.said
    assert ("webhook.key" in sound.stderr, "webhook.key" in checked.stderr) == (False, True)


@pytest.mark.clause("WH-91")
def test_a_lost_key_of_webhooks_is_made_anew_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`new-keys` makes it where it alone is missing too, and says what is to be done then."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCKGATE_WEBHOOK_ALLOW", "127.0.0.1/32")
    create = ("webhooks", "create", "--url", "http://127.0.0.1:9/")
    identity = _lockgate(*create).stderr.split()[0]
    shutil.move(tmp_path / "home" / "keys" / "webhook.key", tmp_path / "gone")
    refused = _lockgate(*create)

    renewed = _lockgate("new-keys", "--reason", "the disk is gone", "--yes")
    rotated = _lockgate("webhooks", "rotate", identity, "--force")
    again = _lockgate(*create)

    assert (refused.returncode, "lockgate new-keys" in refused.stderr) == (77, True)
    assert (renewed.returncode, "webhooks rotate ID --force" in renewed.stderr) == (0, True)
    assert (rotated.returncode, again.returncode) == (0, 0)


@pytest.mark.clause("SV-271")
def test_who_lists_a_store_that_goes_on_elsewhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that was forgotten leads to the old one, which still has everything but what came since."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    _lockgate("create", "--app-id", APP, "--baseline", "v36", "--candidate", "abc123")
    before = _lockgate("list")
    assert _lockgate("store", "copy", tmp_path / "home", tmp_path / "new").returncode == 0

    after = _lockgate("list")

    assert (before.returncode, before.stderr, after.returncode) == (0, "", 0)
    assert "was copied to" in after.stderr
