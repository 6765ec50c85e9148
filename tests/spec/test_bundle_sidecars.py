# SPDX-License-Identifier: Apache-2.0
"""What a key of receipts signs when a bundle is made: docs/spec.md, Bundles."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import open_envelope
from lockgate.core.listed_key import Use
from lockgate.core.vault import Receipt
from lockgate.errors import TryAgainError, UnsoundError
from lockgate.operations.bundle import sidecars
from lockgate.operations.replay.replay import replay_stored
from lockgate.operations.soundness.fsck import fsck
from lockgate.testing.signers import SeededSigner, seeded_signers
from lockgate.testing.world import World
from tests.spec.bundles import bundled, promoted, rolled_back
from tests.spec.forged import entries, in_files, made_whole, rewritten
from tests.spec.line import WORSE, created
from tests.spec.test_rotation import line, rotated

CHANGES = {
    "the reason": (b"rose", b"fell"),
    "the action": (b'"action":"rollback"', b'"action":"rollbuck"'),
    "the cause": (b'"cause":"', b'"cause":"no '),
    "the outcome": (b'"outcome":"regressed"', b'"outcome":"regrossed"'),
    "the time": (b'"decidedAt":"20', b'"decidedAt":"19'),
    "the way back": (b'"kind":"baseline"', b'"kind":"basement"'),
    "the form of JSON": (b'{"_type"', b'["_type"'),
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[World, str]]:
    """Return a world on a store in files, and its rollout, which was rolled back."""
    store = SqliteStore(tmp_path)
    found = World(store, 1)
    rollout = created(found).rollout.id
    found.walk(rollout, WORSE, runs=400, minutes=100)
    yield found, rollout
    store.close()


class _Counting(SeededSigner):
    """A signer that notes what it signs, and may end to answer."""

    asked = 0
    answers = 99

    def sign(self, message: bytes) -> bytes:
        self.asked += 1
        if self.asked > self.answers:
            raise TryAgainError("the signer did not answer in time")
        return super().sign(message)


def changed(receipt: Receipt, old: bytes, new: bytes) -> Receipt:
    """Return a receipt with other bytes in its payload, and the signature of the ones before."""
    document: Any = json.loads(receipt.envelope)
    payload = b64decode(document["payload"])
    assert old in payload
    document["payload"] = b64encode(payload.replace(old, new)).decode()
    return replace(receipt, envelope=canonicalize(document))


def forged(here: World, change: str) -> list[Receipt]:
    """Return the log with its last receipt changed as somebody does who may write to the database and has no key."""
    log = entries(here.house)
    return [*log[:-1], changed(log[-1], *CHANGES[change])]


@pytest.mark.tampers
@pytest.mark.clause("EX-100")
@pytest.mark.parametrize("change", CHANGES)
def test_bytes_that_were_changed_in_the_store_are_signed_by_no_export(
    here: tuple[World, str], tmp_path: Path, change: str
) -> None:
    """The receipt is named as fsck names it, and the key is asked for nothing that was not signed before."""
    world, rollout = here
    signer = _Counting("receipt 1")
    house = replace(world.house, signers=replace(seeded_signers(1), receipt=signer))
    in_files(tmp_path)(rewritten(forged(world, change)))

    with pytest.raises(UnsoundError, match=r"receipt 2 of .*, entry 1 of the log, is not as it was signed"):
        bundled(house, rollout)

    assert signer.asked <= 1
    assert fsck(house).flaws


@pytest.mark.tampers
@pytest.mark.clause("EX-100")
def test_a_receipt_that_stands_in_a_log_made_for_it_is_signed_by_no_export(
    here: tuple[World, str], tmp_path: Path
) -> None:
    """Whoever makes nodes and checkpoint anew, even with the log's key, has not the signature of the receipt."""
    world, rollout = here
    in_files(tmp_path)(made_whole(forged(world, "the reason"), world.house))

    with pytest.raises(UnsoundError, match="is not as it was signed"):
        bundled(world.house, rollout)


@pytest.mark.tampers
@pytest.mark.clause("RP-110")
@pytest.mark.parametrize("change", CHANGES)
def test_bytes_that_were_changed_in_the_store_are_no_decision_to_replay(
    here: tuple[World, str], tmp_path: Path, change: str
) -> None:
    """It is told which receipt was changed, whatever the change makes of its words."""
    world, rollout = here
    in_files(tmp_path)(rewritten(forged(world, change)))

    with pytest.raises(UnsoundError, match=r"receipt 2 of .* is not as it was signed"):
        replay_stored(rollout, world.house, lambda _what, _number: None)


@pytest.mark.tampers
@pytest.mark.clause("RP-110")
@pytest.mark.parametrize("change", ["the action", "the way back", "the form of JSON"])
def test_words_that_no_rule_knows_are_no_fault_of_ours(here: tuple[World, str], tmp_path: Path, change: str) -> None:
    """Also where the log was made to fit them."""
    world, rollout = here
    in_files(tmp_path)(made_whole(forged(world, change), world.house))

    with pytest.raises(UnsoundError, match="is not as it was signed"):
        replay_stored(rollout, world.house, lambda _what, _number: None)


@pytest.mark.clause("EX-101")
def test_a_key_answers_for_no_receipt_of_the_key_before_it(tmp_path: Path) -> None:
    """After a key was followed, or revoked, what it signed has no signature for OpenSSH by the one that signs now."""
    here = line(tmp_path)
    rollout = created(here).rollout.id
    rotated(here, Use.RECEIPT)
    here.walk(rollout, WORSE, runs=400, minutes=100)

    files, told = bundled(here.house, rollout)

    assert {name for name in files if name.startswith("sshsig/")} == {"sshsig/2.sig"}
    assert told.missing["sshsig"] == [{"from": 1, "to": 1, "why": "the key that signed it signs no more"}]
    assert open_envelope(files["receipts/2.json"]).key_id == here.house.signers.receipt.key_id


@pytest.mark.clause("KY-102")
def test_an_export_asks_a_signer_once_for_each_of_the_last_that_it_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service far away may charge for each: of those before, and of another key's, nothing is asked."""
    monkeypatch.setattr(sidecars, "MAX_SIGNED", 2)
    here, rollout = promoted()
    signer, another = _Counting("receipt 1"), _Counting("receipt 2")

    for each in (signer, another):
        bundled(replace(here.house, signers=replace(seeded_signers(1), receipt=each)), rollout)

    assert (signer.asked, another.asked) == (2, 0)


@pytest.mark.clause("EX-101")
def test_a_signer_that_does_not_answer_ends_no_export() -> None:
    """What it signed stays, what it did not is told, and it is asked no more."""
    here, rollout = rolled_back()
    signer = _Counting("receipt 1")
    signer.answers = 1
    house = replace(here.house, signers=replace(seeded_signers(1), receipt=signer))

    files, told = bundled(house, rollout)

    why = "the signer of receipts did not answer when the bundle was made"
    assert {name for name in files if name.startswith("sshsig/")} == {"sshsig/1.sig"}
    assert told.missing["sshsig"] == [{"from": 2, "to": 2, "why": why}]
    assert signer.asked == 2
