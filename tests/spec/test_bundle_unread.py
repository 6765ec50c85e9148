# SPDX-License-Identifier: Apache-2.0
"""Bundles hold what nobody signed or nobody reads here; each of it is named among what is not proven."""

from __future__ import annotations

import pytest

from lockgate.core.checkpoint import LogGrowth
from lockgate.verify import Reason, VerifyError, verify_bundle
from tests.spec.bundled import changed, files, keys

NOTE = files()["checkpoint.txt"]


def growth(note: bytes = NOTE) -> bytes:
    """Return a proof of growth that is made up, but for the checkpoint that it leads to."""
    return LogGrowth(1, (b"\0" * 32,), note).encode()


@pytest.mark.parametrize(
    ("name", "data", "beginning"),
    [
        ("log.consistency", growth(), "That the log grew from a tree of 1: log.consistency is compared only"),
        ("checkpoint.tsr", b"garbage", "When somebody else had seen the checkpoint: checkpoint.tsr was not read"),
        ("missing.json", b"{}", "Why something is missing: missing.json says it, and nobody signed that"),
    ],
)
@pytest.mark.clause("VF-68")
def test_what_was_not_compared_is_named(name: str, data: bytes, beginning: str) -> None:
    """It may hold whatever somebody wrote into it, and proves nothing until it is compared."""
    found = verify_bundle(changed({name: data}), keys())

    assert next(sentence for sentence in found.unproven if name in sentence).startswith(beginning)
    assert not any(name in sentence for sentence in found.proven)
    assert not any(name in sentence for sentence in verify_bundle(files(), keys()).unproven)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (growth(NOTE.replace(b"lockgate/", b"lockgatf/")), Reason.CHECKPOINTS),
        (growth(NOTE[:-3]), Reason.NOTE_SHAPE),
        (b"old 1\n", Reason.GROWTH_SHAPE),
    ],
)
@pytest.mark.clause("VF-68")
def test_a_proof_of_growth_leads_to_the_checkpoint_of_its_bundle(data: bytes, reason: Reason) -> None:
    """One that leads elsewhere, or is none, is refused, although nothing is compared by it."""
    with pytest.raises(VerifyError, match=r"log\.consistency") as refused:
        verify_bundle(changed({"log.consistency": data}), keys())

    assert refused.value.reason is reason
