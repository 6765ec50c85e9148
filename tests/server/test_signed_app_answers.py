# SPDX-License-Identifier: Apache-2.0
"""Apps are frozen and killed; each answer must carry the receipts that it wrote, and what proves them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from lockgate.core.canonical import name_of
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.merkle import check_inclusion
from lockgate.verify import verify_checkpoint, verify_receipt
from tests.server.served import API, Caller, Served
from tests.server.test_log import all_keys, log_keys
from tests.server.test_signed_answers import NAMES, WHY, check, rollout_of
from tests.spec.line import APP

SERIES = name_of("app", "default", APP)


def check_proven(door: Served, signed: Mapping[str, Any], series: str) -> None:
    """Follow what an answer says of a receipt to the root of a checkpoint that the log's key signed."""
    read = read_log_proof(signed["proof"].encode())
    entry = door.caller("admin").get(f"{API}/log/entries/{signed['log_index']}").content
    checkpoint = verify_checkpoint(read.checkpoint, log_keys(door))
    assert set(signed) == NAMES
    assert hashlib.sha256(entry).hexdigest() == signed["sha256"]
    check_inclusion(hashlib.sha256(b"\0" + entry).digest(), signed["log_index"], checkpoint.tree, read.hashes)
    said = verify_receipt(entry, all_keys(door)).statement
    assert (said.rollout_id, said.seq) == (series, signed["seq"])


@pytest.mark.clause("LG-60")
def test_a_freeze_carries_the_receipt_that_it_wrote(door: Served, admin: Caller) -> None:
    """So does its end; one that changes nothing says that it wrote none."""
    rollout_of(door)
    path = f"{API}/apps/{APP}"

    answers = [admin.post(f"{path}/{verb}", WHY).json() for verb in ("freeze", "freeze", "unfreeze")]

    frozen, again, thawed = answers
    assert [check(door, each["signed"], SERIES) for each in (frozen, thawed)] == [1, 2]
    assert (again["signed"], again["receipt"]) == (None, 1)
    assert [each["rolled_back"] for each in answers] == [[], [], []]


@pytest.mark.clause("LG-60")
def test_a_kill_carries_the_receipts_of_what_it_rolled_back_too(door: Served, admin: Caller) -> None:
    """Each rollout by its id; a second kill rolls nothing back and writes nothing."""
    rollout = rollout_of(door)

    killed, again = (admin.post(f"{API}/apps/{APP}/kill", WHY).json() for _ in range(2))

    (ended,) = killed["rolled_back"]
    assert (check(door, killed["signed"], SERIES), ended["id"], ended["signed"]["seq"]) == (1, rollout, 2)
    check_proven(door, ended["signed"], rollout)
    assert (again["signed"], again["rolled_back"]) == (None, [])


@pytest.mark.clause("LG-60")
@pytest.mark.parametrize("verbs", [("freeze",), ("freeze", "unfreeze"), ("kill",)])
def test_what_is_done_to_all_apps_carries_digests_and_proofs(
    door: Served, admin: Caller, verbs: tuple[str, ...]
) -> None:
    """Without the bytes of the receipts, which are in the log."""
    rollout_of(door)

    *_, answer = (admin.post(f"{API}/{verb}", WHY).json() for verb in verbs)

    (app,) = answer["apps"]
    check_proven(door, app["signed"], SERIES)
    assert app["signed"]["seq"] == len(verbs)
    for each in app["rolled_back"]:
        check_proven(door, each["signed"], each["id"])
    assert len(app["rolled_back"]) == (verbs == ("kill",))


@pytest.mark.clause("LG-61")
def test_the_same_call_to_kill_gets_the_same_proof(door: Served, admin: Caller) -> None:
    """Byte for byte by its key, though nothing is left to be killed."""
    rollout_of(door)

    first = admin.post(f"{API}/kill", WHY, idempotency_key="one")
    admin.post(f"{API}/unfreeze", WHY)
    again = admin.post(f"{API}/kill", WHY, idempotency_key="one")

    assert (again.headers["idempotency-replayed"], again.content) == ("true", first.content)
    assert len(first.json()["apps"][0]["rolled_back"]) == 1
