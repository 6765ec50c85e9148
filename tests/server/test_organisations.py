# SPDX-License-Identifier: Apache-2.0
"""Two organisations share a store and a server; each is served, and random calls of one show nothing of the other."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.core.permission import PRESETS
from lockgate.operations.access.issue_key import KeyOrder, issue_key
from lockgate.operations.asking.queries import list_rollouts
from lockgate.server.loop import Loop
from lockgate.server.table import ENDPOINTS, Endpoint
from lockgate.testing.world import World
from tests.server.rows import NAMED
from tests.server.served import Caller, Served, served
from tests.spec.line import created, world

SECONDS = 60.0
OTHER = "acme"


@pytest.mark.clause("SV-70")
def test_a_server_ticks_for_every_organisation() -> None:
    """Also for one that was made after it had begun."""
    here = world()
    ours = created(here).rollout.id
    with Loop(here.house, {}, 0.02, lambda _: None):
        there = World(here.house.store, 1, OTHER)
        theirs = created(there).rollout.id
        issue_key(KeyOrder(name="first", permissions=PRESETS["admin"]), there.house)
        here.clock.advance(60)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            with here.house.store.reading() as seen, here.house.store.reading(OTHER) as beside:
                ticked = (seen.last_ticks()[ours], beside.last_ticks()[theirs])
            if ticked == (here.clock.now(),) * 2:
                break
            time.sleep(0.02)

    assert ticked == (here.clock.now(),) * 2


@dataclass(frozen=True)
class Both:
    """A server, a key for everything of each organisation by its name, and words that each alone may hear.

    What an organisation itself wrote down, of either, is its own from then on.
    """

    door: Served
    callers: dict[str, Caller]
    secret: dict[str, tuple[str, str, str, str]]
    wrote: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """Return a server with an app, a rollout and a key in each of two organisations."""
    here = world()
    there = World(here.house.store, 1, OTHER)
    ids = {
        "default": created(here, app="our-app", candidate="our-candidate").rollout.id,
        OTHER: created(there, app="their-app", candidate="their-candidate").rollout.id,
    }
    with served(here) as door:
        keys = {org: door.key("admin", org=org) for org in ids}
        secret = {
            "default": (ids["default"], "our-app", "our-candidate", keys["default"].key.id),
            OTHER: (ids[OTHER], "their-app", "their-candidate", keys[OTHER].key.id),
        }
        # By keys that no call can name, because one that revoked its own would be refused from then on.
        yield Both(door, {org: door.caller("admin", org=org) for org in ids}, secret)


ROWS = [row for row in ENDPOINTS if row.path != "/metrics"]


@pytest.mark.clause("SV-71")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(data=st.data())
def test_no_call_shows_a_word_of_another_organisation(both: Both, data: st.DataObject) -> None:
    """Any row, with names of either in its path, query and body; only what its own organisation said comes back."""
    org = data.draw(st.sampled_from(sorted(both.callers)))
    other = next(name for name in both.callers if name != org)
    words = [*both.secret[org], *both.secret[other], "0", "1", "x", "web"]
    row: Endpoint = data.draw(st.sampled_from(ROWS))
    names = st.sampled_from(words)
    path = row.path.format_map({name: data.draw(names) for name in NAMED.findall(row.path)})
    query = {name: data.draw(names) for name in row.query if data.draw(st.booleans())}
    fields = ("app_id", "candidate", "baseline", "release", "status", "reason", "name", "org", "token", "cursor")
    body = data.draw(st.dictionaries(st.sampled_from(fields), names))
    headers = {"content-type": row.body[0]} if row.body else {}
    content = json.dumps(body).encode() if row.body else b""

    answer = both.callers[org].call(row.method, path, headers, params=query, content=content)

    told = {path, *query.values(), *body.values()}
    said = " ".join((*told, *both.wrote[org]))
    heard = answer.text + " ".join(answer.headers.values())
    assert answer.status_code < 500 or answer.status_code == 503, heard
    assert [word for word in both.secret[other] if word in heard and word not in said] == []
    if row.method != "GET" and answer.is_success:
        both.wrote[org] |= told


@pytest.mark.clause("SV-71")
def test_what_is_of_another_organisation_stays_as_it_is(both: Both) -> None:
    """After all of that each still has its own alone, whatever was done to it by its own key."""
    for org, (rollout, *_) in both.secret.items():
        other = next(name for name in both.callers if name != org)
        found = {each["id"] for each in both.callers[other].get("/api/v1/rollouts").json()["rollouts"]}

        assert rollout not in found
    assert len(list_rollouts(both.door.world.house)) >= 1
