# SPDX-License-Identifier: Apache-2.0
"""Calls with keys come in; when each key was last used is kept, and nothing waits for that or fails by it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lockgate.core.app import DEFAULT_ORG
from lockgate.core.instant import instant_text
from lockgate.errors import (
    LaterStoreError,
    LeftError,
    LockgateError,
    OlderStoreError,
    TryAgainError,
    UnreachableError,
)
from lockgate.operations.access.api_keys import find_key, list_keys
from lockgate.operations.access.key_uses import AT_ONCE, keep_uses
from lockgate.operations.access.revoke_key import revoke_key
from lockgate.ports.store import Snapshot, Store
from lockgate.report.key_listing import render_keys
from lockgate.report.screen import Screen
from lockgate.server import key_uses
from lockgate.server.key_uses import KeyUses, kept_uses
from lockgate.testing.faults import FaultyStore, Odds
from lockgate.testing.world import BEGINNING, World
from tests.server.served import API, Caller, served
from tests.spec.line import world

KEYS = f"{API}/api-keys"
PATIENCE_S = 60.0


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
    assert listed.count("last used ") == listed.count(f"\n  last used {instant_text(BEGINNING)}; ") == 1
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
def test_others_who_write_wait_for_200_keys_at_most() -> None:
    """However many were used: between two such portions whoever waits for the store has it."""
    here = world()
    with served(here) as door:
        key = door.key("admin").key
    names = [f"{key.id}{number}" for number in range(2 * AT_ONCE + 1)]
    with here.house.store.writing(key.org) as work:
        for name in names:
            work.put_api_key(replace(key, id=name))
    seen: list[int] = []
    store = _store(here, lambda: seen.append(_used_keys(here)))

    keep_uses(dict.fromkeys(names, BEGINNING), replace(here.house, store=store))

    assert AT_ONCE == 200
    assert seen == [0, 0, AT_ONCE, AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE]
    assert _used_keys(here) == len(names)


@pytest.mark.clause("KY-112")
def test_a_fault_in_one_organisation_is_told_and_the_uses_of_others_are_kept() -> None:
    """Also of one that comes after it."""
    here, told = world(), list[str]()
    with served(here) as door:
        broken, sound = door.key("admin", org="acme").key, door.key("admin").key
    uses = KeyUses(replace(here.house, store=_BrokenStore(here.house.store, broken.org)), told.append)

    uses.note(broken.org, broken.id)
    uses.note(sound.org, sound.id)
    uses.keep()

    kept = [here.house.store.api_key(each.id) for each in (broken, sound)]
    assert [each and each.last_used_at for each in kept] == [None, BEGINNING]
    assert told == ["uses of keys: a fault in Lockgate, please report it: RuntimeError: it broke"]


@pytest.mark.clause("KY-112")
def test_a_server_keeps_uses_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, before it ends."""
    here, is_met = world(), threading.Event()
    monkeypatch.setattr(key_uses, "EVERY_S", 0.001)
    with served(here) as door:
        key = door.key("admin").key

    with kept_uses(replace(here.house, store=_store(here, is_met.set)), print) as uses:
        uses.note(key.org, key.id)
        assert is_met.wait(PATIENCE_S)

    assert _used_keys(here) == 1


@pytest.mark.clause("KY-112")
def test_the_end_of_a_server_keeps_the_last_uses() -> None:
    """What was noted since they were kept last, long before it would be kept again."""
    here = world()
    with served(here) as door:
        key = door.key("admin").key

    with kept_uses(here.house, print) as uses:
        uses.note(key.org, key.id)
        before = _used_keys(here)

    assert (before, _used_keys(here)) == (0, 1)


@pytest.mark.clause("KY-112")
@pytest.mark.parametrize("kind", [TryAgainError, OlderStoreError, LaterStoreError, UnreachableError, LeftError])
def test_no_end_fails_because_a_use_cannot_be_kept(kind: type[LockgateError]) -> None:
    """Whatever the store says, it is told to nobody."""
    here, told = world(), list[str]()

    def refuse() -> None:
        raise kind("the store takes nothing", advice="Wait.")

    with served(here) as door:
        key = door.key("admin").key
    with kept_uses(replace(here.house, store=_store(here, refuse)), told.append) as uses:
        uses.note(key.org, key.id)

    assert (told, _used_keys(here)) == ([], 0)


@pytest.mark.clause("KY-112")
def test_an_end_does_not_wait_for_a_store_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is over while the store still answers nothing."""
    here, is_met, is_free = world(), threading.Event(), threading.Event()
    monkeypatch.setattr(key_uses, "END_S", 0.001)

    def hang() -> None:
        is_met.set()
        is_free.wait()

    with served(here) as door:
        key = door.key("admin").key
    try:
        with kept_uses(replace(here.house, store=_store(here, hang)), print) as uses:
            uses.note(key.org, key.id)
        assert is_met.wait(PATIENCE_S)
        kept = _used_keys(here)
    finally:
        is_free.set()

    assert kept == 0


def test_the_first_line_of_a_key_fits_a_terminal() -> None:
    """Also of one that was used: when that was begins the second line."""
    here = world()
    with served(here) as door:
        key = replace(door.key("admin").key, name="deploys of the claims agent", last_used_at=BEGINNING)

    first, second, *_ = render_keys([key], here.clock.now(), Screen()).splitlines()

    assert len(first) <= 80
    assert second.startswith(f"  last used {instant_text(BEGINNING)}; rollout.read, ")


class _BrokenStore(FaultyStore):
    """A store that breaks for one organisation."""

    def __init__(self, store: Store, org: str) -> None:
        super().__init__(store, np.random.default_rng(1), Odds(crash=0, storm=0, interruption=0), lambda: None)
        self._broken = org

    @contextmanager
    def reading(self, org: str = DEFAULT_ORG) -> Iterator[Snapshot]:
        if org == self._broken:
            raise RuntimeError("it broke")
        with super().reading(org) as seen:
            yield seen


def _store(here: World, meet: Callable[[], None]) -> FaultyStore:
    """Return a world's store, which does something before each snapshot and transaction."""
    certain = Odds(crash=0, storm=0, interruption=1)
    return FaultyStore(here.house.store, np.random.default_rng(1), certain, meet)


def _used_keys(here: World) -> int:
    return sum(each.last_used_at is not None for each in list_keys(here.house))
