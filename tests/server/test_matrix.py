# SPDX-License-Identifier: Apache-2.0
"""Every endpoint meets every preset, another app's key and another organisation's; nobody learns too much."""

from __future__ import annotations

import httpx
import pytest

from lockgate.core.app import DEFAULT_ORG
from lockgate.core.permission import PRESETS, is_allowed
from lockgate.server.schema_names import SCHEMA_NAMES
from lockgate.server.table import ENDPOINTS, Endpoint
from tests.server.rows import (
    CLOSED,
    NAMED,
    OTHER_APP,
    OTHER_ORG,
    QUERIES,
    name_of,
    path_of,
    rollout_of,
    send,
    send_with,
)
from tests.server.served import Served, problem
from tests.spec.line import APP, created

# What is of all apps together, so that no key of some alone is answered.
OF_EVERY_APP = ("/{tile}", "/log/export")


@pytest.mark.clause("SV-04")
@pytest.mark.parametrize("row", CLOSED, ids=name_of)
@pytest.mark.parametrize("preset", PRESETS)
def test_an_endpoint_answers_exactly_those_who_have_its_permission(shop: Served, row: Endpoint, preset: str) -> None:
    """Whoever lacks it is told which one it is; whoever has it is never refused for it."""
    answer = send(shop, shop.caller(preset), row)

    assert row.permission is not None
    if is_allowed(PRESETS[preset], row.permission):
        # The example of its body can be meant, though it may not be done as things stand.
        assert answer.status_code in (*SCHEMA_NAMES[row.handler].succeeds, 409), answer.text
    else:
        assert answer.status_code == 403
        assert f"lacks the permission {row.permission}" in answer.text


@pytest.mark.clause("SV-04")
@pytest.mark.parametrize("row", CLOSED, ids=name_of)
def test_nobody_without_a_key_is_answered(shop: Served, row: Endpoint) -> None:
    """No header, another scheme, a wrong token, an expired key: each is 401 and says how to call."""
    path = path_of(shop, row)
    good, short = shop.key("admin").token, shop.key("admin", life_s=1).token
    shop.world.clock.advance(1)
    mistyped = good[:-1] + ("1" if good.endswith("0") else "0")
    wrong = ["", f"Basic {good}", "Bearer", *(f"Bearer {each}" for each in ("rvk_", mistyped, f"{good}x", short))]

    answers = [shop.http.request(row.method, path, headers={"authorization": each} if each else {}) for each in wrong]

    kinds = [*["key-needed"] * 3, *["key-malformed"] * 3, "key-expired"]
    assert [problem(each) for each in answers] == [(401, kind) for kind in kinds]
    assert {each.headers["www-authenticate"] for each in answers} == {"Bearer"}


@pytest.mark.clause("SV-11")
@pytest.mark.parametrize("row", ENDPOINTS, ids=name_of)
def test_a_parameter_that_nobody_knows_is_refused_and_nothing_is_done(shop: Served, row: Endpoint) -> None:
    """`?dry_run=1` is not answered as if it had not been said, by any row."""
    path, admin = path_of(shop, row), shop.caller("admin")
    with shop.world.house.store.reading(DEFAULT_ORG) as seen:
        before = seen.tree()

    answer = send_with(QUERIES.get(row.path, {}) | {"dry_run": "1"}, path, admin, row)

    assert problem(answer) == (400, "unknown-field")
    assert "there is no parameter 'dry_run'" in answer.json()["detail"]
    with shop.world.house.store.reading(DEFAULT_ORG) as seen:
        assert seen.tree() == before


@pytest.mark.clause("SV-05")
@pytest.mark.parametrize("row", CLOSED, ids=name_of)
def test_another_organisation_sees_and_changes_nothing(shop: Served, row: Endpoint) -> None:
    """What is of another organisation is not there; lists have none of it."""
    rollout = rollout_of(shop)
    # One of its own for each row: what one row makes there, another would show.
    stranger = shop.caller("admin", org=f"{OTHER_ORG}-{ENDPOINTS.index(row)}")

    answer = send(shop, stranger, row)

    if NAMED.search(row.path):
        assert answer.status_code == 404
    assert _tells(answer, rollout, "abc123", APP) == []
    assert created(shop.world).is_existing


@pytest.mark.clause("SV-05")
@pytest.mark.parametrize("row", CLOSED, ids=name_of)
def test_a_key_of_another_app_sees_and_changes_nothing(shop: Served, row: Endpoint) -> None:
    """An app that the key is not for is refused or not there, and lists leave it out."""
    rollout = rollout_of(shop)
    narrow = shop.caller("admin", apps=[OTHER_APP])

    answer = send(shop, narrow, row)

    if row.path.endswith(OF_EVERY_APP) or "{app}" in row.path or f'"{APP}"' in answer.request.read().decode():
        assert answer.status_code == 403
    elif NAMED.search(row.path):
        assert answer.status_code == 404
    assert _tells(answer, rollout, "abc123", APP) == []
    assert created(shop.world).is_existing


def _tells(answer: httpx.Response, *secrets: str) -> list[str]:
    """Return which words an answer tells that the caller did not say."""
    sent = f"{answer.request.url} {answer.request.read().decode()}"
    return [word for word in secrets if word in answer.text and word not in sent]
