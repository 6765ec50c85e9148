# SPDX-License-Identifier: Apache-2.0
"""Every endpoint of the table meets every preset, another app's key and another organisation's; nobody learns too much.

Rows are made from the table, so that an endpoint that is added is tried without a word here; what its path names is
made by `MADE`, and what it is sent is the example of its body's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from lockgate.core.permission import PRESETS, is_allowed
from lockgate.core.receipt import Actor
from lockgate.operations.freeze import unfreeze_all
from lockgate.server.asked import ASKED
from lockgate.server.bodies import BODIES
from lockgate.server.table import ENDPOINTS, Endpoint
from tests.server.served import Caller, Served, problem, served
from tests.spec.line import APP, EQUAL, created, world

OTHER_APP, OTHER_ORG = "billing", "acme"
CLOSED = [each for each in ENDPOINTS if each.permission is not None]
ANN = Actor("person", "ann", "so that the next one starts")


def _name(each: Endpoint) -> str:
    return f"{each.method} {each.path}"


@pytest.fixture(scope="module")
def shop() -> Iterator[Served]:
    """Return a server with an app on trial in one organisation, and another app in another one."""
    here = world()
    here.serve_both(APP, {"v36": 60, "abc123": 60}, EQUAL, minutes=1)
    created(here, app=OTHER_APP, candidate="theirs")
    with served(here) as opened:
        yield opened


def _rollout(shop: Served) -> str:
    unfreeze_all(ANN, shop.world.house)
    return created(shop.world).rollout.id


# What the names in paths stand for: something of the app on trial.
MADE: dict[str, Callable[[Served], str]] = {
    "id": _rollout,
    "app": lambda _: APP,
    "seq": lambda _: "1",
    "key": lambda shop: shop.key("viewer", apps=[APP]).key.id,
}
# What a query has to have.
QUERIES = {"/api/v1/releases": {"app_id": APP}}
RENAMED = {"v37": "abc123", "web": APP}
NAMED = re.compile(r"\{(\w+)\}")


def _path(shop: Served, row: Endpoint) -> str:
    names = NAMED.findall(row.path)
    missing = [name for name in names if name not in MADE]
    assert not missing, f"{_name(row)}: say in MADE what {missing} stands for"
    _rollout(shop)
    return row.path.format_map({name: MADE[name](shop) for name in names})


def _body(row: Endpoint, app: str) -> str:
    assert row.handler in BODIES, f"{_name(row)}: name the schemas of its bodies in server/bodies.py"
    takes = BODIES[row.handler].takes
    assert takes in ASKED, f"{_name(row)}: say in server/asked.py what its body is, with an example"
    text = json.dumps(ASKED[takes]["examples"][0])
    for word, other in {**RENAMED, "web": app}.items():
        text = text.replace(f'"{word}"', f'"{other}"')
    return text


def _send(shop: Served, caller: Caller, row: Endpoint, app: str = APP) -> httpx.Response:
    """Call an endpoint as somebody would who means what is there."""
    path, query = _path(shop, row), QUERIES.get(row.path, {})
    if not row.body:
        return caller.call(row.method, path, params=query)
    return caller.call(row.method, path, {"content-type": row.body[0]}, content=_body(row, app), params=query)


@pytest.mark.clause("SV-04")
@pytest.mark.parametrize("row", CLOSED, ids=_name)
@pytest.mark.parametrize("preset", PRESETS)
def test_an_endpoint_answers_exactly_those_who_have_its_permission(shop: Served, row: Endpoint, preset: str) -> None:
    """Whoever lacks it is told which one it is; whoever has it is never refused for it."""
    answer = _send(shop, shop.caller(preset), row)

    assert row.permission is not None
    if is_allowed(PRESETS[preset], row.permission):
        # The example of its body can be meant, though it may not be done as things stand.
        assert answer.status_code in (*BODIES[row.handler].succeeds, 409), answer.text
    else:
        assert answer.status_code == 403
        assert f"lacks the permission {row.permission}" in answer.text


@pytest.mark.clause("SV-04")
@pytest.mark.parametrize("row", CLOSED, ids=_name)
def test_nobody_without_a_key_is_answered(shop: Served, row: Endpoint) -> None:
    """No header, another scheme, a wrong token, an expired key: each is 401 and says how to call."""
    path = _path(shop, row)
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
    # One of its own for each row: what one row makes there, another would show.
    stranger = shop.caller("admin", org=f"{OTHER_ORG}-{ENDPOINTS.index(row)}")

    answer = _send(shop, stranger, row)

    if NAMED.search(row.path):
        assert answer.status_code == 404
    assert _tells(answer, rollout, "abc123", APP) == []
    assert created(shop.world).is_existing


@pytest.mark.clause("SV-05")
@pytest.mark.parametrize("row", CLOSED, ids=_name)
def test_a_key_of_another_app_sees_and_changes_nothing(shop: Served, row: Endpoint) -> None:
    """An app that the key is not for is refused or not there, and lists leave it out."""
    rollout = _rollout(shop)
    narrow = shop.caller("admin", apps=[OTHER_APP])

    answer = _send(shop, narrow, row)

    if "{app}" in row.path or f'"{APP}"' in answer.request.read().decode():
        assert answer.status_code == 403
    elif NAMED.search(row.path):
        assert answer.status_code == 404
    assert _tells(answer, rollout, "abc123", APP) == []
    assert created(shop.world).is_existing


def _tells(answer: httpx.Response, *secrets: str) -> list[str]:
    """Return which words an answer tells that the caller did not say."""
    sent = f"{answer.request.url} {answer.request.read().decode()}"
    return [word for word in secrets if word in answer.text and word not in sent]
