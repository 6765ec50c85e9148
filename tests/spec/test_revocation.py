# SPDX-License-Identifier: Apache-2.0
"""Keys that others may sign by, and keys that are gone, come in; what still counts, and is still read, goes out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.adapters.signers.key_folder import open_signers
from lockgate.core.custody import MAX_REVOKED, Custody, CustodyAct, Overlap, Published, Revocation, draft_custody
from lockgate.core.decision.decision import Action
from lockgate.core.envelope import MAX_PAYLOAD_SIZE, signer_of
from lockgate.core.listed_key import MAX_INDEX, Status, Use
from lockgate.core.receipt import Actor
from lockgate.errors import NotPermittedError, UsageError
from lockgate.operations.keys import last_good
from lockgate.operations.keys.manifest import Roots, draft_manifest
from lockgate.operations.keys.public_keys import public_keys
from lockgate.operations.soundness.fsck import fsck
from lockgate.testing.world import World
from tests.spec.test_rotation import ROOT, counted, decide, entries, line, public, published, rotated, trusting


@pytest.mark.clause("KY-51")
def test_a_key_that_was_stolen_before_its_first_entry_counts_nowhere(tmp_path: Path) -> None:
    """The place before its first is its last good one; what it has signed is believed nothing, all the rest is."""
    here = line(tmp_path)
    decide(here, "good")
    stolen = rotated(here, Use.RECEIPT).key_id
    decide(here, "bad")
    rotated(here, Use.RECEIPT, last_good=1)
    decide(here, "more")

    manifest = trusting(published(here))

    listed = manifest.listed(stolen)
    assert listed is not None
    assert (listed.status, listed.first, listed.last) == (Status.REVOKED, 2, 1)
    assert signer_of(entries(here.house)[2].envelope) == stolen
    assert counted(manifest, entries(here.house)) == [0, 1, 3, 4, 5]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("KY-52")
def test_as_many_revocations_as_are_let_in_fit_into_a_receipt() -> None:
    """Together with the longest reasons, names and claims that a receipt of custody keeps."""
    revoked = tuple(Revocation(f"{number:064x}", MAX_INDEX) for number in range(MAX_REVOKED))
    key_id, digest = "f" * 64, f"sha256:{'f' * 64}"
    full = Custody(
        receipt_key=key_id,
        log_key=key_id,
        raw_until=MAX_INDEX,
        deliveries_until=MAX_INDEX,
        webhooks=digest,
        trust=digest,
        manifest=Published(MAX_INDEX, digest),
        overlap=Overlap(key_id, MAX_INDEX),
        revoked=revoked,
    )
    act = CustodyAct(
        org="o" * 64,
        before=full,
        after=full,
        action=Action.PUBLISH_MANIFEST,
        reason="\U0001f511" * 800,
        at=MAX_INDEX // 1_000,
        seq=MAX_INDEX,
        previous=digest,
        engine="0.0.0",
    )
    long = "\U0001f511" * 800

    drafted = draft_custody(act, Actor("job", long, long, tuple((f"claim {number}", long) for number in range(8))))

    assert len(drafted.payload) <= MAX_PAYLOAD_SIZE


@pytest.mark.clause("KY-52")
def test_a_revocation_more_is_refused_before_anything_is_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log in which no receipt of custody fits any more could never say anything of its keys again."""
    monkeypatch.setattr(last_good, "MAX_REVOKED", 1)
    here = line(tmp_path)
    decide(here, "one")
    rotated(here, Use.RECEIPT, last_good=0)
    decide(here, "two")

    with pytest.raises(UsageError, match="1 keys of the log of default are revoked"):
        rotated(here, Use.RECEIPT, last_good=2)

    assert len(entries(here.house)) == 3
    assert rotated(here, Use.RECEIPT).receipts


def without_private_keys(folder: Path) -> World:
    """Return a line of which the public halves alone are left."""
    here = line(folder)
    decide(here, "one")
    for path in folder.glob("*.pem"):
        path.unlink()
    here.house = replace(here.house, signers=open_signers(folder, lambda: False))
    return here


@pytest.mark.clause("KY-53")
def test_what_was_signed_is_read_by_the_public_halves_that_are_left(tmp_path: Path) -> None:
    """Whoever lost the private keys still checks the store and knows which keys signed it."""
    here = without_private_keys(tmp_path)

    assert fsck(here.house).flaws == ()
    assert [len(keys) for keys in public_keys(here.house).values()] == [1, 1]
    drafted = draft_manifest(here.house, Roots((public(ROOT),)))
    assert [each.status for each in drafted.keys] == [Status.ACTIVE, Status.ACTIVE]


@pytest.mark.clause("KY-53")
@pytest.mark.parametrize("role", Use)
@pytest.mark.parametrize("has_folder", [True, False])
def test_lost_keys_hand_nothing_on(tmp_path: Path, role: Use, *, has_folder: bool) -> None:
    """Nothing is made and nothing signed, and whoever asks is told of the call that goes on by new keys."""
    here = without_private_keys(tmp_path)
    if not has_folder:
        shutil.rmtree(tmp_path)

    with pytest.raises(NotPermittedError) as refused:
        rotated(here, role)

    assert "lockgate new-keys" in str(refused.value.advice)
    assert [*tmp_path.glob("*.pem")] == []
    assert len(entries(here.house)) == 1
