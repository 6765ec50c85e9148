# SPDX-License-Identifier: Apache-2.0
"""A log that grew, or went two ways, and a checkpoint that somebody kept come in; only the one log may verify."""

from __future__ import annotations

import pytest

from lockgate.core.checkpoint import LogGrowth, LogProof
from lockgate.core.merkle import plan_consistency, plan_inclusion
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import verify_receipt
from tests.spec.signed import KEYS, VAULT, vault

INDEX = 2
RECEIPT = VAULT.entries[INDEX]
PROOF = VAULT.proof(INDEX)


def refusal(proof: bytes, kept: bytes, since: bytes | None = None) -> Reason:
    """Return why a receipt in its log is refused beside a checkpoint that was kept."""
    with pytest.raises(VerifyError) as refused:
        verify_receipt(RECEIPT, KEYS, proof, kept, since)
    return refused.value.reason


def growth(old: int, new: int = 5) -> bytes:
    """Return the file that proves that the log of a size begins with that of another."""
    hashes = plan_consistency(old, new).hashes(VAULT.kept)
    return LogGrowth(old, hashes, VAULT.checkpoint(new)).encode()


@pytest.mark.clause("RE-110")
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_kept_checkpoint_of_another_size_needs_a_proof(size: int) -> None:
    """Without it a log that was forked after it would verify; with it both are proven to be one."""
    without = refusal(PROOF, VAULT.checkpoint(size))
    proven = verify_receipt(RECEIPT, KEYS, PROOF, VAULT.checkpoint(size), growth(size))

    assert without is Reason.GROWTH_MISSING
    assert any(f"the kept checkpoint, of {size}, are one" in sentence for sentence in proven.proven)


@pytest.mark.clause("RE-110")
def test_an_older_proof_beside_a_newer_checkpoint_needs_the_same() -> None:
    """The kept checkpoint may be the larger one: its tree must begin with that of the receipt's proof."""
    plan = plan_inclusion(INDEX, 3)
    proof = LogProof(INDEX, plan.hashes(VAULT.kept), VAULT.checkpoint(3)).encode()

    assert refusal(proof, VAULT.checkpoint()) is Reason.GROWTH_MISSING
    assert verify_receipt(RECEIPT, KEYS, proof, VAULT.checkpoint(), growth(3)).entry is not None


@pytest.mark.clause("RE-110")
def test_a_log_that_was_forked_after_a_checkpoint_is_caught() -> None:
    """Whoever put an older copy back and went on from it has no proof, of whatever sizes."""
    forked = vault(*VAULT.entries[:3], VAULT.entries[0], VAULT.entries[4])
    hashes = plan_consistency(4, 5).hashes(forked.kept)
    made_up = LogGrowth(4, hashes, forked.checkpoint()).encode()

    assert refusal(forked.proof(INDEX), VAULT.checkpoint(4), made_up) is Reason.CONSISTENCY


@pytest.mark.clause("RE-110")
@pytest.mark.parametrize(
    ("proof", "reason"),
    [
        (growth(3), Reason.CONSISTENCY),
        (growth(4).replace(b"old 4", b"old 04"), Reason.GROWTH_SHAPE),
        (growth(4).removeprefix(b"old "), Reason.GROWTH_SHAPE),
        (growth(4).partition(b"\n\n")[0], Reason.GROWTH_SHAPE),
        (growth(4).replace(b"\n", b"\nAAAA\n", 1), Reason.GROWTH_SHAPE),
        (b"", Reason.GROWTH_SHAPE),
        (b"old 4\n" * 100_000, Reason.GROWTH_SHAPE),
    ],
)
def test_what_is_no_proof_of_consistency_is_refused(proof: bytes, reason: Reason) -> None:
    """It is of these two sizes, in one spelling, with hashes of 32 bytes."""
    assert refusal(PROOF, VAULT.checkpoint(4), proof) is reason
