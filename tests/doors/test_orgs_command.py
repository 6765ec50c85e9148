# SPDX-License-Identifier: Apache-2.0
"""Calls of `lockgate orgs` come in; each organisation has a key, a line and a log of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockgate.operations.access.authenticate import authenticate
from lockgate.operations.soundness.fsck import fsck
from lockgate.wiring import local_house
from tests.doors.line import Door


@pytest.mark.clause("SV-70")
def test_an_organisation_is_made_once_and_its_first_key_shown_once(door: Door) -> None:
    """The key is for everything in it; the default one is always there and is not made."""
    made = door.read("orgs", "create", "acme")
    house = local_house()
    key = authenticate(made["token"], house.store, house.clock)

    assert (key.org, key.allows(key.permissions[0]), key.apps) == ("acme", True, None)
    assert door.read("orgs", "list") == {"orgs": ["acme", "default"]}
    assert [door("orgs", "create", name) for name in ("acme", "default", "a b", "")] == [64] * 4
    assert door.read("orgs", "list") == {"orgs": ["acme", "default"]}


@pytest.mark.clause("SV-70")
def test_commands_work_in_the_organisation_that_is_named(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done in one is not in another; each signs a log of its own, and one that is not there is refused."""
    door.read("orgs", "create", "acme")
    monkeypatch.setenv("LOCKGATE_ORG", "acme")
    made = door.read("create", "--app-id", "web", "--baseline", "v1", "--candidate", "v2")
    ours, keys = door.read("list")["rollouts"], door.read("keys", "list")["keys"]
    monkeypatch.setenv("LOCKGATE_ORG", "nobody")
    refused = door("list")
    monkeypatch.delenv("LOCKGATE_ORG")
    theirs, none = door.read("list")["rollouts"], door.read("keys", "list")["keys"]
    house = local_house()

    assert ([each["id"] for each in ours], len(keys)) == ([made["id"]], 1)
    assert (refused, theirs, none) == (64, [], [])
    with house.store.reading() as here, house.store.reading("acme") as there:
        assert (here.checkpoint(), there.checkpoint() is None) == (None, False)
    assert fsck(replace(house, org="acme")).flaws == ()


@pytest.mark.clause("LI-691")
def test_fsck_says_of_which_organisation_it_speaks(door: Door) -> None:
    """Nobody takes what it says of one for what it did not look at."""
    door("orgs", "create", "acme")

    status = door("fsck")
    said = door.out
    found = door.read("fsck")

    assert status == 0
    assert "Not looked at: acme; LOCKGATE_ORG=NAME lets fsck check another organisation." in said
    assert said.endswith("Sound: everything of default agrees.\n")
    assert (found["org"], found["otherOrgs"], found["sound"]) == ("default", ["acme"], True)
