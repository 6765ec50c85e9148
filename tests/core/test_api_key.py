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

from lockgate.core.api_key import ID_BYTES, NO_DIGEST, SECRET_BYTES, ApiKey, is_token_of, key_id, token_digest, token_of
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


@pytest.mark.clause("SV-01")
@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES), st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES))
def test_a_made_token_is_read_back(identity: bytes, secret: bytes) -> None:
    """Whatever the random bytes are, a token has 68 characters and its id is the part before the secret."""
    token = token_of(identity, secret)

    assert len(token) == 68
    assert key_id(token) == token[:18]


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


def test_presets_and_permissions_add_up() -> None:
    """Words may be mixed, what one includes is allowed, and an unknown one is refused with those that there are."""
    both = permissions_of(["sdk", "rollout.manage"])

    assert both == (Permission.MANAGE, Permission.WRITE_RUNS)
    assert {each for each in Permission if is_allowed(both, each)} == {
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
