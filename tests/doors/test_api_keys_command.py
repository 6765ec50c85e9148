# SPDX-License-Identifier: Apache-2.0
"""Calls of `lockgate keys` come in; a token is shown once, and nothing that was printed later may hold it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.core.api_key import key_id
from lockgate.core.permission import Permission
from lockgate.errors import NotPermittedError
from lockgate.operations.access.authenticate import authenticate
from lockgate.operations.access.issue_key import KeyOrder, issue_first_key, issue_key
from lockgate.wiring import local_house
from tests.doors.line import Door


@pytest.mark.clause("SV-03")
def test_a_token_is_shown_once(door: Door, home: Path) -> None:
    """Standard output is the token alone; the list, and the whole store, do not hold it."""
    assert door("keys", "create", "--name", "ci of web", "--allow", "ci", "--app-id", "web") == 0
    token = door.out.strip()

    listed = door.read("keys", "list")["keys"]

    assert [(each["id"], each["name"], each["apps"]) for each in listed] == [(key_id(token), "ci of web", ["web"])]
    assert listed[0]["permissions"] == ["rollout.manage"]
    assert token not in str(listed)
    kept = b"".join(path.read_bytes() for path in (home / "home").rglob("*") if path.is_file())
    assert token[:18].encode() in kept
    assert token.encode() not in kept


@pytest.mark.clause("SV-962")
def test_a_key_that_makes_a_store_says_so(door: Door, home: Path) -> None:
    """The server that was meant may have another store, and will not know the key; the next key makes none."""
    call = ("keys", "create", "--name", "ci", "--allow", "ci")
    assert door(*call) == 0
    first = door.err
    assert door(*call) == 0

    assert f"a new store was made for it in {home / 'home'}" in first
    assert "new store" not in door.err


@pytest.mark.clause("SV-03")
def test_a_revoked_key_opens_nothing(door: Door) -> None:
    """From the next look on; once more changes nothing, and an unknown id is refused."""
    issued = door.read("keys", "create", "--name", "sdk", "--allow", "sdk")
    house = local_house()
    before = authenticate(issued["token"], house.store, house.clock)

    assert door("keys", "revoke", issued["id"]) == door("keys", "revoke", issued["id"]) == 0

    assert before.id == issued["id"]
    with pytest.raises(NotPermittedError, match="revoked"):
        authenticate(issued["token"], house.store, house.clock)
    assert "revoked" in door.out
    assert door("keys", "revoke", "rvk_0") == 64


@pytest.mark.clause("SV-03")
@pytest.mark.parametrize(
    "words",
    [
        ("--name", "x", "--allow", "root"),
        ("--name", " ", "--allow", "ci"),
        ("--name", "x\x1b", "--allow", "ci"),
        ("--name", "x", "--allow", "ci", "--app-id", "a b"),
        ("--name", "x", "--allow", "ci", "--expires", "0"),
    ],
)
def test_a_key_that_cannot_be_meant_is_not_made(door: Door, words: tuple[str, ...]) -> None:
    """The call is refused and no key is kept."""
    assert door("keys", "create", *words) == 64

    assert door.read("keys", "create", "--name", "a", "--allow", "ci")["name"] == "a"
    assert len(door.read("keys", "list")["keys"]) == 1


@pytest.mark.clause("SV-01")
def test_a_wrong_secret_is_told_no_more_than_an_unknown_key(home: Path) -> None:
    """The id alone opens nothing and tells nothing."""
    house = local_house()
    first = issue_first_key(house)
    other = issue_key(KeyOrder(name="x", permissions=(Permission.READ,)), house)
    assert first is not None
    swapped = first.token[:18] + other.token[18:]

    said = set()
    for wrong in (swapped, "rvk_", "", first.token[:-1]):
        with pytest.raises(NotPermittedError) as refused:
            authenticate(wrong, house.store, house.clock)
        said.add(str(refused.value))

    assert len(said) == 1
    assert issue_first_key(house) is None
