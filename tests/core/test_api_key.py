# SPDX-License-Identifier: Apache-2.0
"""Tokens come in; each must be read as the published vectors say, and nothing else may pass for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.api_key import (
    ID_BYTES,
    NO_DIGEST,
    SECRET_BYTES,
    ApiKey,
    check_apps,
    check_key_name,
    is_token_of,
    key_id,
    token_digest,
    token_of,
)
from lockgate.core.permission import PRESETS, Permission, is_allowed, permissions_of
from lockgate.errors import UsageError

VECTORS = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "trust_api_token.json").read_text(encoding="utf-8")
)
KEY = ApiKey(org="acme", id="rvk_0", name="ci", digest=NO_DIGEST, permissions=(), created_at=1, expires_at=9)


@pytest.mark.clause("SV-01")
@pytest.mark.parametrize("case", VECTORS["cases"])
def test_a_published_token_is_read_and_found(case: dict[str, Any]) -> None:
    """Its id and what is kept of it are those of the vectors."""
    token = case["token"]

    assert (key_id(token), token_digest(token)) == (case["key_id"], case["stored_hash_sha256"])
    assert is_token_of(token, case["stored_hash_sha256"])
    assert (key_id(token), case["crc_ok"]) == (case["lookup_key"], True)


@pytest.mark.clause("SV-01")
@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES), st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES))
def test_a_made_token_is_read_back(identity: bytes, secret: bytes) -> None:
    """Whatever the random bytes are, a token has 68 characters and its id is the part before the secret."""
    token = token_of(identity, secret)

    assert len(token) == 68
    assert key_id(token) == token[:18]


@pytest.mark.clause("SV-01")
@pytest.mark.parametrize(("identity", "secret"), [(ID_BYTES + 1, SECRET_BYTES), (ID_BYTES, SECRET_BYTES - 1), (0, 0)])
def test_a_token_is_made_of_so_many_random_bytes(identity: int, secret: int) -> None:
    """Fewer would be guessed, and more would not fit."""
    with pytest.raises(ValueError, match="10 and 32 bytes"):
        token_of(bytes(identity), bytes(secret))


@pytest.mark.clause("SV-01")
@given(st.sampled_from(VECTORS["cases"]), st.integers(0, 67), st.sampled_from("0aZ_ \n\N{SNOWMAN}"))
def test_one_other_character_is_noticed(case: dict[str, Any], place: int, letter: str) -> None:
    """The checksum tells a mistyped token before anybody looks it up."""
    token = case["token"]
    other = token[:place] + letter + token[place + 1 :]

    assert (key_id(other) == case["key_id"]) is (other == token)
    assert is_token_of(other, case["stored_hash_sha256"]) is (other == token)


@pytest.mark.clause("SV-01")
@pytest.mark.parametrize("text", ["", "rvk_", VECTORS["bad_checksum"], VECTORS["cases"][0]["token"] + "\n", "\ud800"])
def test_what_is_no_token_has_no_key(text: str) -> None:
    """Nothing is looked up for it, and it is compared all the same."""
    assert key_id(text) is None
    assert not is_token_of(text, VECTORS["cases"][0]["stored_hash_sha256"])


@pytest.mark.clause("SV-01")
def test_a_key_opens_nothing_before_it_is_made_for_it_or_after_its_end() -> None:
    """It expires at its moment, and a revoked one says so first."""
    assert KEY.fault(8) is None
    assert "expired" in str(KEY.fault(9))
    assert "revoked" in str(replace(KEY, revoked_at=3).fault(10))


def test_a_key_for_some_apps_covers_no_other() -> None:
    """One for which none is named covers all; a name counts once."""
    some = replace(KEY, apps=check_apps(("checkout", "search", "checkout")))

    assert some.apps == ("checkout", "search")
    assert (some.covers("search"), some.covers("other")) == (True, False)
    assert check_apps(()) is None
    assert KEY.covers("other")
    with pytest.raises(UsageError, match="an app"):
        check_apps(("checkout", "a\nb"))


@pytest.mark.parametrize("name", ["", " ", "a\nb", "n" * 101])
def test_a_key_has_a_name_that_a_receipt_can_show(name: str) -> None:
    """What is blank, too long or not printable is refused, and what is just short enough is kept as it is."""
    with pytest.raises(UsageError, match="cannot name a key"):
        check_key_name(name)
    assert check_key_name("n" * 100) == "n" * 100
    assert check_key_name(" ci") == " ci"


def test_presets_and_permissions_add_up() -> None:
    """Words may be mixed, what one includes is allowed, and an unknown one is refused with those that there are."""
    both = permissions_of(["sdk", "rollout.manage"])

    assert both == (Permission.MANAGE, Permission.WRITE_RUNS)
    assert all(isinstance(each, Permission) for each in both)
    assert {each for each in Permission if replace(KEY, permissions=both).allows(each)} == {
        Permission.READ,
        Permission.TICK,
        Permission.MANAGE,
        Permission.WRITE_WEIGHT,
        Permission.WRITE_RUNS,
    }
    assert all(is_allowed(PRESETS["admin"], each) for each in Permission)
    with pytest.raises(UsageError, match="no permission") as refused:
        permissions_of(["root"])
    assert "auditor" in refused.value.advice
