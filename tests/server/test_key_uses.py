# SPDX-License-Identifier: Apache-2.0
"""Calls with keys come in; when each key was last used is kept, and nothing waits for that or fails by it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lockgate.core.instant import instant_text
from lockgate.operations.access.api_keys import find_key, list_keys
from lockgate.operations.access.key_uses import keep_uses
from lockgate.operations.access.revoke_key import revoke_key
from lockgate.report.key_listing import render_keys
from lockgate.report.screen import Screen
from lockgate.server.key_uses import KeyUses
from lockgate.testing.faults import FaultyStore, Odds
from lockgate.testing.world import BEGINNING
from tests.server.served import API, Caller, served
from tests.spec.line import world

KEYS = f"{API}/api-keys"


def _used(caller: Caller) -> dict[str, Any]:
    return {each["name"]: each["last_used_at"] for each in caller.get(KEYS).json()["keys"]}


@pytest.mark.clause("KY-111")
def test_when_a_key_was_last_used_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """To whoever lists keys, once it was kept; a key that let nobody in, as for want of a permission, has no use."""
    here = world()
    uses = KeyUses(here.house, print)
    with served(here, used=uses.note) as door:
        admin, refused = door.caller("admin"), door.caller("sdk")
        before = _used(admin)
        assert refused.get(KEYS).status_code == 403
        uses.keep()
        after = _used(admin)

    listed = render_keys(list_keys(here.house), here.clock.now(), Screen())
    assert (before, after) == ({"admin": None, "sdk": None}, {"admin": instant_text(BEGINNING), "sdk": None})
    assert listed.count(", last used ") == listed.count(f", last used {instant_text(BEGINNING)}\n") == 1
    assert capsys.readouterr().out == ""


@pytest.mark.clause("KY-112")
def test_a_use_is_kept_once_a_minute_at_most() -> None:
    """Whichever of two servers hears of it."""
    here = world()
    servers = [KeyUses(here.house, print), KeyUses(here.house, print)]
    with served(here) as door:
        key = door.key("admin").key
    seen = []
    for number, seconds in enumerate((0, 59, 1, 59, 1)):
        here.clock.advance(seconds)
        servers[number % 2].note(key.org, key.id)
        servers[number % 2].keep()
        kept = find_key(key.id, here.house)
        assert kept is not None
        assert kept.last_used_at is not None
        seen.append((kept.last_used_at - BEGINNING) // 1_000)

    assert seen == [0, 0, 60, 60, 120]


@pytest.mark.clause("KY-112")
def test_no_call_fails_because_a_use_cannot_be_kept() -> None:
    """As where the store takes nothing, which whoever needs the store is told; a key that is gone is none."""
    here = world()
    told: list[str] = []
    refused = Odds(crash=0, storm=1, interruption=0)
    refusing = FaultyStore(here.house.store, np.random.default_rng(1), refused, lambda: None)
    uses = KeyUses(replace(here.house, store=refusing), told.append)
    with served(here, used=uses.note) as door:
        admin = door.caller("admin")
        first = admin.get(KEYS).status_code
        uses.keep()
        again = _used(admin)
    keep_uses({"rvk_gone": BEGINNING}, here.house)

    assert (first, again, told) == (200, {"admin": None}, [])


@pytest.mark.clause("KY-112")
def test_a_key_that_was_revoked_since_its_use_stays_revoked() -> None:
    """Its last use joins what it is by then."""
    here = world()
    with served(here) as door:
        key = door.key("admin").key
    revoke_key(key.id, here.house)

    keep_uses({key.id: BEGINNING}, here.house)

    kept = find_key(key.id, here.house)
    assert kept is not None
    assert (kept.revoked_at, kept.last_used_at) == (BEGINNING, BEGINNING)


@pytest.mark.clause("KY-112")
def test_a_server_keeps_uses_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, until it ends."""
    here = world()
    monkeypatch.setattr("lockgate.server.key_uses.EVERY_S", 0.001)
    with served(here) as door:
        key = door.key("admin").key
    uses = KeyUses(here.house, print)
    uses.note(key.org, key.id)

    with uses:
        for _ in range(60_000):
            kept = find_key(key.id, here.house)
            if kept is not None and kept.last_used_at is not None:
                break
            threading.Event().wait(0.001)

    assert kept is not None
    assert kept.last_used_at == BEGINNING
