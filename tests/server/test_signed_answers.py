# SPDX-License-Identifier: Apache-2.0
"""Calls that decide something are made; each answer must carry the receipt that it wrote, and what proves that."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from lockgate.core.checkpoint import read_log_proof
from lockgate.core.merkle import check_inclusion
from lockgate.operations.asking.queries import receipts_of
from lockgate.verify import verify_checkpoint, verify_receipt
from tests.server.served import API, Caller, Served
from tests.server.test_log import all_keys, log_keys
from tests.spec.line import APP, EQUAL, created

WHY = {"reason": "errors at checkout"}
NAMES = {"receipt_id", "seq", "sha256", "log_index", "proof"}


def rollout_of(door: Served, mode: str = "canary") -> str:
    """Put a candidate on trial, with traffic, and return its id."""
    door.world.serve_both(APP, {"v36": 60, "abc123": 60}, EQUAL, minutes=1)
    return created(door.world, policy={"mode": mode}).rollout.id


def check(door: Served, signed: dict[str, Any], rollout: str) -> int:
    """Verify what an answer carries by the keys that the server publishes, and return the receipt's number."""
    envelope = signed["envelope"].encode()
    verified = verify_receipt(envelope, all_keys(door), signed["proof"].encode())
    assert verified.entry is not None
    assert (verified.statement.rollout_id, verified.statement.receipt_id) == (rollout, signed["receipt_id"])
    assert (verified.statement.seq, verified.entry.index) == (signed["seq"], signed["log_index"])
    assert signed["sha256"] == hashlib.sha256(envelope).hexdigest()
    return verified.statement.seq


@pytest.mark.clause("LG-10")
def test_an_answer_carries_the_receipt_that_it_wrote(door: Served, admin: Caller) -> None:
    """A start, a turn that signs and each action: the bytes, and the proof under the checkpoint signed with them."""
    door.world.serve_both(APP, {"v36": 60, "abc123": 60}, EQUAL, minutes=1)
    start = admin.post(f"{API}/rollouts", {"app_id": APP, "baseline": "v36", "candidate": "abc123"}).json()
    path = f"{API}/rollouts/{start['id']}"

    answers = [start, *(admin.post(f"{path}/{verb}", body).json() for verb, body in (("evaluate", {}), ("pause", WHY)))]

    assert [check(door, each["signed"], start["id"]) for each in answers] == [1, 2, 3]
    notes = [read_log_proof(each["signed"]["proof"].encode()).checkpoint for each in answers]
    sizes = [verify_checkpoint(note, log_keys(door)).size for note in notes]
    assert sizes == [each["signed"]["log_index"] + 1 for each in answers]


@pytest.mark.clause("LG-10")
def test_an_answer_that_wrote_no_receipt_says_so(door: Served, admin: Caller) -> None:
    """A look, an action that was done already, and a rollout that was there."""
    rollout = rollout_of(door)
    path = f"{API}/rollouts/{rollout}"

    look = admin.post(f"{path}/evaluate").json()
    again = [admin.post(f"{path}/pause", WHY).json() for _ in range(2)][1]
    order = {"app_id": APP, "baseline": "v36", "candidate": "abc123", "policy": {"mode": "canary"}}
    same = admin.post(f"{API}/rollouts", order)

    assert (look["receipt"], look["signed"]) == (1, None)
    assert (again["receipt"], again["signed"]) == (2, None)
    assert (same.json()["existing"], same.json()["signed"]) == (True, None)


@pytest.mark.clause("LG-11")
def test_the_same_call_gets_the_same_proof(door: Served, admin: Caller) -> None:
    """Byte for byte by its key, though the log has grown; and the proof can be made again from the log."""
    rollout = rollout_of(door, "shadow")
    path = f"{API}/rollouts/{rollout}"

    first = admin.post(f"{path}/evaluate", idempotency_key="one")
    admin.post(f"{path}/pause", WHY)
    again = admin.post(f"{path}/evaluate", idempotency_key="one")

    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert check(door, again.json()["signed"], rollout) == 2


@pytest.mark.clause("LG-12")
def test_a_round_carries_proofs(door: Served, admin: Caller) -> None:
    """Of each rollout whose turn wrote a receipt, under one checkpoint; the bytes are in the log."""
    advised = rollout_of(door, "shadow")
    acting = created(door.world, policy={"mode": "canary"}).rollout.id

    found = {each["id"]: each["signed"] for each in admin.post(f"{API}/rollouts/evaluate").json()["rollouts"]}

    signed = found[advised]
    read = read_log_proof(signed["proof"].encode())
    envelope = admin.get(f"{API}/rollouts/{advised}/receipts/{signed['seq']}/envelope").content
    checkpoint = verify_checkpoint(read.checkpoint, log_keys(door))
    assert (found[acting], set(signed)) == (None, NAMES)
    assert hashlib.sha256(envelope).hexdigest() == signed["sha256"]
    check_inclusion(hashlib.sha256(b"\0" + envelope).digest(), signed["log_index"], checkpoint.tree, read.hashes)
    assert [each.id for each in receipts_of(advised, door.world.house)][-1] == signed["receipt_id"]
