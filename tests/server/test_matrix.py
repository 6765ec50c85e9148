# SPDX-License-Identifier: Apache-2.0
"""Every endpoint of the table meets every preset, another app's key and another organisation's; nobody learns too much.

Rows are made from the table alone, so that an endpoint that is added is tried without a word here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lockgate.core.permission import PRESETS, is_allowed
from lockgate.core.receipt import Actor
from lockgate.operations.freeze import unfreeze_all
from lockgate.server.table import APP as APPS
from lockgate.server.table import ENDPOINTS, ROLLOUT, Endpoint
from lockgate.testing.world import World
from tests.server.served import Caller, Served, problem, served
from tests.spec.line import APP, created, world

OTHER_APP, OTHER_ORG = "billing", "acme"
CLOSED = [each for each in ENDPOINTS if each.permission is not None]
ANN = Actor("person", "ann", "so that the next one starts")


def _name(each: Endpoint) -> str:
    return f"{each.method} {each.path}"


@pytest.fixture(scope="module")
def shop() -> Iterator[Served]:
    """Return a server with an app on trial in one organisation, and another app in another one."""
    here = world()
    there = World(here.house.store, 2, OTHER_ORG)
    created(there, app=OTHER_APP, candidate="theirs")
    with served(here) as opened:
        yield opened


def _rollout(shop: Served) -> str:
    unfreeze_all(ANN, shop.world.house)
    return created(shop.world).rollout.id


def _send(caller: Caller, row: Endpoint, rollout: str, app: str = APP) -> tuple[int, str]:
    """Call an endpoint as somebody would who means the rollout or app that is there."""
    path = row.path.format_map({"id": rollout, "app": app, "seq": "1"})
    kind = row.body[0] if row.body else ""
    body = (
        f'{{"app_id": "{app}", "release": "v36", "status": "ok"}}' if "ndjson" in kind else '{"reason": "the matrix"}'
    )
    sent = caller.call(row.method, path, {"content-type": kind}, content=body) if row.body else caller.get(path)
    return sent.status_code, sent.text


@pytest.mark.clause("SV-04")
@pytest.mark.parametrize("row", CLOSED, ids=_name)
@pytest.mark.parametrize("preset", PRESETS)
def test_an_endpoint_answers_exactly_those_who_have_its_permission(shop: Served, row: Endpoint, preset: str) -> None:
    """Whoever lacks it is told which one it is; whoever has it is never refused for it."""
    status, text = _send(shop.caller(preset), row, _rollout(shop))

    assert row.permission is not None
    if is_allowed(PRESETS[preset], row.permission):
        assert status not in (401, 403), text
        assert status < 500, text
    else:
        assert status == 403
        assert f"lacks the permission {row.permission}" in text


@pytest.mark.clause("SV-04")
@pytest.mark.parametrize("row", CLOSED, ids=_name)
def test_nobody_without_a_key_is_answered(shop: Served, row: Endpoint) -> None:
    """No header, another scheme, a wrong token, an expired key: each is 401 and says how to call."""
    rollout = _rollout(shop)
    path = row.path.format_map({"id": rollout, "app": APP, "seq": "1"})
    good, short = shop.key("admin").token, shop.key("admin", life_s=1).token
    shop.world.clock.advance(1)
    mistyped = good[:-1] + ("1" if good.endswith("0") else "0")
    wrong = ["", f"Basic {good}", "Bearer", *(f"Bearer {each}" for each in ("rvk_", mistyped, f"{good}x", short))]

    answers = [shop.http.request(row.method, path, headers={"authorization": each} if each else {}) for each in wrong]

    assert {problem(each) for each in answers} == {(401, "key-needed")}
    assert {each.headers["www-authenticate"] for each in answers} == {"Bearer"}


@pytest.mark.clause("SV-05")
@pytest.mark.parametrize("row", CLOSED, ids=_name)
def test_another_organisation_sees_and_changes_nothing(shop: Served, row: Endpoint) -> None:
    """What is of another organisation is not there; lists have none of it."""
    rollout = _rollout(shop)
    stranger = shop.caller("admin", org=OTHER_ORG)

    status, text = _send(stranger, row, rollout, OTHER_APP if row.path.endswith("/runs") else APP)

    if row.path.startswith((ROLLOUT, APPS)):
        assert status == 404
    else:
        assert rollout not in text
    assert "abc123" not in text
    assert created(shop.world).is_existing


@pytest.mark.clause("SV-05")
@pytest.mark.parametrize("row", CLOSED, ids=_name)
def test_a_key_of_another_app_sees_and_changes_nothing(shop: Served, row: Endpoint) -> None:
    """An app that the key is not for is refused or not there, and lists leave it out."""
    rollout = _rollout(shop)
    narrow = shop.caller("admin", apps=[OTHER_APP])

    status, text = _send(narrow, row, rollout)

    assert "abc123" not in text
    if "{id}" in row.path:
        assert status == 404
    elif "{app}" in row.path or row.path.endswith(("/runs", "/kill")):
        assert status == 403
    else:
        assert rollout not in text
        assert APP not in text
    assert created(shop.world).is_existing
