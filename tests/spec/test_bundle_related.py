# SPDX-License-Identifier: Apache-2.0
"""Receipts of an app and an organisation that their own signer wrote stand in a bundle; each must follow from one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from lockgate.core.bundle_layout import Series, related_file, related_proof_file
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import Keys, read_public_key
from lockgate.verify.bundle_related import Related, related
from lockgate.verify.listed_files import Listed
from lockgate.verify.receipt import checkpoints
from tests.spec.signed import KEYS, vault
from tools.receipt_contradictions import put, series, signed_again
from tools.receipt_samples import RECEIPTS

TRUSTED = Keys((read_public_key(RECEIPTS.public_key_pem),), KEYS.log)


def verified(kind: Series, links: Sequence[bytes], first: int = 1) -> Related:
    """Return what receipts of one series prove, of a bundle that holds those from one number on."""
    log = vault(*links)
    files = {related_file(kind, seq): links[seq - 1] for seq in range(first, len(links) + 1)}
    files |= {related_proof_file(kind, seq): log.proof(seq - 1) for seq in range(first, len(links) + 1)}
    digests = {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()}
    listed = Listed({"org": "acme", "app": "claims-agent"}, files, digests)
    return related(listed, log.checkpoint(), checkpoints(TRUSTED))


@pytest.mark.parametrize(("kind", "name"), [("app", "app"), ("org", "custody")])
@pytest.mark.clause("VF-92")
def test_receipts_beside_a_rollout_follow_from_the_first_that_is_there(kind: Series, name: str) -> None:
    """A bundle holds those of a rollout's time: before the first of them there may be others."""
    links = signed_again(series(name), 0, put("", ""))

    found = [verified(kind, links, first) for first in (1, 2)]

    assert [len(each.entries) for each in found] == [len(links), len(links) - 1]


@pytest.mark.parametrize(("kind", "name", "path"), [("app", "app", "from.frozen"), ("org", "custody", "from.rawUntil")])
@pytest.mark.clause("VF-92")
def test_receipts_beside_a_rollout_do_not_contradict_each_other(kind: Series, name: str, path: str) -> None:
    """One that begins elsewhere than the one before it ended is refused by its file, though its signer chained it."""
    value = "something else" if kind == "app" else 7

    with pytest.raises(VerifyError, match=rf"related/{kind}/2\.json") as refused:
        verified(kind, signed_again(series(name), 2, put(path, value)))

    assert refused.value.reason is Reason.CHAIN_CONTRADICTION
