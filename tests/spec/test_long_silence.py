# SPDX-License-Identifier: Apache-2.0
"""Rollouts that nobody looked at for long, or with very many gates, come in; what they sign must be short and whole."""

from __future__ import annotations

import hashlib

import pytest

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import MAX_PAYLOAD_SIZE, open_envelope
from lockgate.core.vault import Receipt
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.tick import tick
from tests.spec.line import APP, EQUAL, at, batch, created, predicate, receipts, verified, world

BUCKETS = 5_000
# Together as many gates as a policy may have.
INTENTS = [f"intent-{number}" for number in range(16)]
METRICS = ("error_rate", "latency_ms:p50", "latency_ms:p95", "latency_ms:p99")


@pytest.mark.slow
@pytest.mark.clause("RE-80")
def test_a_receipt_after_a_long_silence_binds_every_bucket_by_one_digest() -> None:
    """Whoever has the digests of thousands of buckets comes to the one that is signed, and the store is sound."""
    here = world()
    policy = {
        "mode": "shadow",
        "bucket": "1s",
        "gates": ["error_rate"],
        "steps": [{"weight": 5, "min_hold": "30d"}, 100],
    }
    rollout = created(here, policy=policy).rollout
    here.clock.advance(BUCKETS + 60)
    starts = [at(second / 60) for second in range(BUCKETS)]
    runs = [{"release": release, "started_at": start} for start in starts for release in ("v36", "abc123")]
    ingest(batch(*runs), here.house, by_start_time=True)
    here.clock.advance(60)

    tick(rollout.id, here.house)

    receipt = receipts(here.house, rollout.id)[-1]
    with here.house.store.reading() as seen:
        digests = seen.folded(rollout.id, -1)
    bound = predicate(receipt)["evidence"]["buckets"]
    assert bound == {"count": BUCKETS, "sha256": hashlib.sha256(canonicalize(digests)).hexdigest()}
    assert size(receipt) < MAX_PAYLOAD_SIZE / 10
    assert verified(here.house, receipt).entry is not None
    assert fsck(here.house).is_sound


@pytest.mark.clause("RE-81")
def test_a_receipt_of_very_many_gates_stays_short() -> None:
    """The findings that do not fit are counted, and bound with the others by the digest of the whole verdict."""
    here = world()
    gates = [{"metric": metric, "slice": {"intent": intent}} for metric in METRICS for intent in INTENTS]
    rollout = created(here, policy={"mode": "shadow", "bucket": "1s", "gates": gates}).rollout
    for intent in INTENTS:
        made = here.batch(APP, {"v36": 40, "abc123": 40}, EQUAL, (("intent", intent),))
        ingest(made, here.house)
    here.clock.advance(60)

    tick(rollout.id, here.house)

    receipt = receipts(here.house, rollout.id)[-1]
    said = predicate(receipt)["verdict"]
    assert len(said["findings"]) + said["findingsOmitted"] == len(gates)
    assert said["findingsOmitted"] > 0
    assert size(receipt) < MAX_PAYLOAD_SIZE
    assert verified(here.house, receipt).entry is not None
    assert fsck(here.house).is_sound


def size(receipt: Receipt) -> int:
    """Return how many bytes are signed."""
    return len(open_envelope(receipt.envelope).payload)
