# SPDX-License-Identifier: Apache-2.0
"""Clients and servers come in after a drill; what the servers say in the end, verified, goes out as a history."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import open_envelope
from lockgate.testing.history import Call, CallOutcome, Decided, History, Kind, Told, read_message, read_statement
from lockgate.verify import Keys, read_note_key, read_public_key, verify_chain, verify_receipt
from lockgate.wiring import local_house
from tests.servers.clients import API, Client, Fleet, seen_app
from tests.servers.process import Server

PATIENCE_S = 60.0
TOLD = "told"


def history_of(fleet: Fleet, server: Server, *, beside: Sequence[Server] = (), has_own_turns: bool = False) -> History:
    """Return everything that clients were told and what servers hold in the end; every receipt was verified."""
    headers = {"authorization": f"Bearer {fleet.token}"}
    with httpx.Client(base_url=server.address, headers=headers, timeout=30, trust_env=False) as http:
        apps = {rollout["id"]: rollout["app"] for rollout in _pages(http, "/rollouts", "rollouts")}
        receipts = {rollout: _verified(http, rollout, app) for rollout, app in apps.items()}
    # One after another, and the first of them again: what none says lower than the one before is the same for all.
    looks = [look for each in (server, *beside, server) for look in _looks(fleet, each)]
    return History(
        calls=(*fleet.calls, *looks),
        receipts=receipts,
        runs=_counted(server),
        told=tuple(_told(Path(server.environment["HOME"]))),
        has_own_turns=has_own_turns,
    )


def _looks(fleet: Fleet, server: Server) -> Iterator[Call]:
    """Yield what a server says of each app when all is over."""
    with httpx.Client(base_url=server.address, timeout=30, trust_env=False) as http:
        for app in fleet.apps:
            client = Client(fleet, server.address, http, Random(0))  # noqa: S311 -- nothing is drawn
            reply = client.ask("GET", f"/apps/{app}")
            assert reply.outcome is CallOutcome.DONE, reply.body
            yield client.noted(Kind.LOOK, reply, app=app, **seen_app(reply.document))


def all_told(server: Server) -> str:
    """Wait until nothing is left to be told, also what a server that died had claimed; return what is left."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        said = server.lockgate("deliver", "--now", "--json")
        left = json.loads(said.stdout)["untold"]
        if not left or time.monotonic() > ends:
            return "" if not left else said.stdout
        time.sleep(1)


def _pages(http: httpx.Client, path: str, name: str) -> Iterator[Mapping[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        found = http.get(f"{API}{path}", params={"limit": 100, **cursor})
        assert found.status_code == httpx.codes.OK, found.text
        yield from found.json()[name]
        if found.json()["cursor"] is None:
            return
        cursor = {"cursor": found.json()["cursor"]}


def _verified(http: httpx.Client, rollout: str, app: str) -> tuple[Decided, ...]:
    """Return what the receipts of a rollout say, whose signatures, chain and places in the log were verified."""
    envelopes, keys = [], Keys(())
    for listed in _pages(http, f"/rollouts/{rollout}/receipts", "receipts"):
        files = http.get(f"{API}/rollouts/{rollout}/receipts/{listed['seq']}").json()
        keys = Keys((read_public_key(files["receipt_key"].encode()),), (read_note_key(files["log_key"]),))
        envelope = canonicalize(files["receipt"])
        verify_receipt(envelope, keys, files["proof"].encode())
        envelopes.append(envelope)
    verify_chain(envelopes, keys)
    return tuple(read_statement(open_envelope(each).payload, app) for each in envelopes)


def _counted(server: Server) -> dict[str, int]:
    """Return how many runs the buckets of each app hold."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        house = local_house()
        with house.store.reading(house.org) as seen:
            return {
                app.name: sum(
                    cell.bucket.runs
                    for slot in seen.slots(app.name)
                    for cell in seen.cells(app.name, slot.number, slot.number)
                )
                for app in seen.apps()
            }


def _told(folder: Path) -> Iterator[Told]:
    """Yield what receivers got, whole; a sender that was killed before it had sent anything left an empty line."""
    for path in sorted(folder.glob(f"*.{TOLD}")):
        for line in filter(None, path.read_bytes().split(b"\n")):
            told = read_message(line)
            if told is not None:
                yield told
