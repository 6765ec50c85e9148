# SPDX-License-Identifier: Apache-2.0
"""A world comes in; a server on its store that answers real HTTP on this machine, and keys for it, go out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from lockgate.cli.asked.caller_place import answer_call
from lockgate.core.permission import permissions_of
from lockgate.operations.access.issue_key import IssuedKey, KeyOrder, issue_key
from lockgate.ports.id_tokens import IdTokens
from lockgate.ports.reading import RunBatches
from lockgate.ports.webhooks import Receivers
from lockgate.server.app import Service, make_app
from lockgate.server.body_budget import BodyBudget
from lockgate.server.limits import Limits
from lockgate.server.serving import address_of, listening, server_of
from lockgate.testing.recipients import Recipients
from lockgate.testing.world import World
from lockgate.wiring import run_batches

API = "/api/v1"
NDJSON = {"content-type": "application/x-ndjson"}


@dataclass(frozen=True)
class Served:
    """A world, and a client of the server on its store; `http` sends no key by itself."""

    world: World
    http: httpx.Client

    def key(self, *words: str, apps: Sequence[str] = (), org: str = "default", life_s: int = 90 * 86_400) -> IssuedKey:
        """Return a key for presets and permissions."""
        house = replace(self.world.house, org=org)
        return issue_key(
            KeyOrder(name="+".join(words), permissions=permissions_of(words), apps=tuple(apps), life_s=life_s), house
        )

    def caller(self, *words: str, apps: Sequence[str] = (), org: str = "default") -> Caller:
        """Return who calls with a new key."""
        return Caller(self.http, self.key(*words, apps=apps, org=org).token)


@dataclass(frozen=True)
class Caller:
    """Calls with one token."""

    http: httpx.Client
    token: str

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask for what is at a path."""
        return self.call("GET", path, params=query)

    def post(self, path: str, document: object = None, **headers: str) -> httpx.Response:
        """Send a JSON document to a path; names of headers are written with underscores."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.call("POST", path, json={} if document is None else document, headers=named)

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any) -> httpx.Response:
        """Send any call."""
        sent = {"authorization": f"Bearer {self.token}", **(headers or {})}
        return self.http.request(method, path, headers=sent, **rest)


@contextmanager
def served(
    here: World,
    *,
    is_open: bool = False,
    batches: RunBatches | None = None,
    limits: Limits | None = None,
    most: int | None = None,
    receivers: Receivers | None = None,
    id_tokens: IdTokens | None = None,
    bodies: BodyBudget | None = None,
    used: Callable[[str, str], None] = lambda _org, _key_id: None,
) -> Iterator[Served]:
    """Serve a world's store on a free port of this machine, until the block ends."""
    service = Service(
        house=here.house,
        batches=batches or run_batches(),
        is_open=is_open,
        limits=limits or Limits(),
        receivers=receivers or Recipients(),
        id_tokens=id_tokens,
        bodies=bodies or BodyBudget(),
        ask=answer_call,
        used=used,
    )
    with listening("127.0.0.1", 0) as listener:
        server = server_of(make_app(service), most)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            with httpx.Client(base_url=address_of(listener), timeout=60, trust_env=False) as http:
                yield Served(here, http)
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the type of a problem document that is one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["detail"]
    assert document["title"]
    return answer.status_code, document["type"].removeprefix("urn:lockgate:problem:")
