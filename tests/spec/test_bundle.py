# SPDX-License-Identifier: Apache-2.0
"""Rollouts come in; their bundles must hold all that proves them, and say what they do not hold."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from lockgate.core.canonical import canonicalize, digest
from lockgate.core.checkpoint import LogProof, checkpoint_of, read_log_growth, read_log_proof
from lockgate.core.merkle import check_consistency, check_inclusion, leaf_hash
from lockgate.core.retention import Retention
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.errors import DataError, NotPermittedError, UnsoundError, UsageError
from lockgate.operations.bundle import receipts as bundle_receipts
from lockgate.operations.bundle import sidecars
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.bundle.receipts import ChosenCases, chosen_cases
from lockgate.operations.bundle.spool import MAX_IN_MEMORY, Spool
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import prune
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.report.bundle_pages import bundle_pages
from lockgate.testing.signers import SeededSigner, seeded_signers
from lockgate.testing.world import World
from tests.spec.bundles import ANN, BOB, EVE, bundle_bytes, bundled, promoted, rolled_back, stepped_in
from tests.spec.line import APP, EQUAL, created, predicate, receipts, world


@pytest.mark.clause("EX-02")
def test_a_bundle_holds_receipts_as_they_are_and_proves_each_under_one_checkpoint() -> None:
    """Whoever has the bundle needs nothing else of the store."""
    here, rollout = promoted()

    files, told = bundled(here.house, rollout)

    kept = receipts(here.house, rollout)
    tree = checkpoint_of(files["checkpoint.txt"]).tree
    assert told.receipts == len(kept) >= 4
    for receipt in kept:
        proof = read_log_proof(files[f"proofs/{receipt.seq}.tlog-proof"])
        assert files[f"receipts/{receipt.seq}.json"] == receipt.envelope
        assert proof == LogProof(receipt.index, proof.hashes, files["checkpoint.txt"])
        check_inclusion(leaf_hash(receipt.envelope), proof.index, tree, proof.hashes)
        assert f"replay/{receipt.seq}.json" in files
    policy = hashlib.sha256(files["policy.json"]).hexdigest()
    assert {predicate(receipt)["policy"]["sha256"] for receipt in kept} == {policy}


@pytest.mark.clause("EX-02")
def test_the_looks_of_a_bundle_are_those_that_its_receipts_bind() -> None:
    """Each line is chained to the one before it by the digest that the receipt names."""
    here, rollout = promoted()

    files, _ = bundled(here.house, rollout)

    bound = {receipt.seq: predicate(receipt)["evidence"]["looks"] for receipt in receipts(here.house, rollout)}
    assert any(looks["count"] for looks in bound.values())
    for seq, looks in bound.items():
        lines = files.get(f"looks/{seq}.ndjson", b"").splitlines()
        chained: str | None = None
        for line in lines:
            chained = digest([chained, json.loads(line)])
        assert len(lines) == looks["count"]
        assert chained == (None if looks["sha256"] is None else f"sha256:{looks['sha256']}")


@pytest.mark.clause("EX-02")
@pytest.mark.parametrize("story", [promoted, rolled_back, stepped_in])
def test_one_state_of_a_store_makes_one_bundle(story: Callable[[], tuple[World, str]]) -> None:
    """Two auditors who ask at different times compare one digest."""
    here, rollout = story()
    first = bundle_bytes(here.house, rollout)

    here.clock.advance(3_600)

    assert bundle_bytes(here.house, rollout) == first


@pytest.mark.clause("EX-03")
def test_the_manifest_lists_every_other_file() -> None:
    """A file more or less, or another byte, is seen by the manifest alone."""
    here, rollout = stepped_in()

    files, _ = bundled(here.house, rollout)

    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["format"] == "lockgate-bundle/v1"
    assert (manifest["org"], manifest["rolloutId"], manifest["app"]) == ("default", rollout, APP)
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()
    }


@pytest.mark.clause("EX-04")
def test_what_was_pruned_is_said_to_be_missing() -> None:
    """Who finds no replay case reads that its buckets are gone, and is not left to guess."""
    here, rollout = promoted()
    here.clock.advance(40 * 86_400)
    ingest(here.batch(APP, {"v36": 3}, EQUAL), here.house)
    prune(here.house, Retention(raw_s=86_400, buckets_s=2 * 86_400))

    files, told = bundled(here.house, rollout)

    missing = json.loads(files["missing.json"])
    assert missing == told.missing
    assert missing == {
        "looks": [{"from": 2, "to": 4, "why": "they were pruned"}],
        "replay": [{"from": 1, "to": 4, "why": "the buckets that it was decided on were pruned"}],
    }
    assert not [name for name in files if name.startswith("replay/")]
    assert b"the buckets that it was decided on were pruned" in files["timeline.html"]


class _Keyless(SeededSigner):
    """A signer whose private key is not there."""

    def check(self) -> None:
        raise NotPermittedError("/vault/of/ann/keys is not there")

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 -- nothing is signed
        raise AssertionError("nothing may be signed")


@pytest.mark.clause("EX-04")
def test_without_the_private_key_signatures_of_openssh_are_left_out() -> None:
    """An auditor's copy of a store exports all the rest, and no path of that machine."""
    here, rollout = rolled_back()
    house = replace(here.house, signers=replace(seeded_signers(1), receipt=_Keyless("receipt 1")))

    files, _ = bundled(house, rollout)

    why = "the private key of receipts is not where the bundle was made"
    assert json.loads(files["missing.json"]) == {"sshsig": [{"from": 1, "to": 2, "why": why}]}
    assert not [name for name in files if name.startswith("sshsig/")]
    assert not [name for name, data in files.items() if b"/vault/of/ann" in data]


@pytest.mark.clause("EX-04")
def test_a_key_that_was_not_kept_is_said_to_be_missing() -> None:
    """Whoever verifies asks its owner for that key, because the bundle names it by its id."""
    here, rollout = rolled_back()
    house = replace(here.house, signers=seeded_signers(2))

    files, _ = bundled(house, rollout)

    lost = here.house.signers.receipt.key_id
    why = "it was not kept where the bundle was made"
    assert json.loads(files["missing.json"])["keys"] == [{"keyid": lost, "why": why}]


@pytest.mark.clause("EX-20")
def test_of_many_receipts_the_last_are_signed_for_openssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signer far away is not asked without end: what came before is bound by what the signed ones name."""
    monkeypatch.setattr(sidecars, "MAX_SIGNED", 2)
    here, rollout = promoted()

    files, told = bundled(here.house, rollout)

    signed = {name for name in files if name.startswith("sshsig/")}
    assert signed == {f"sshsig/{told.receipts - 1}.sig", f"sshsig/{told.receipts}.sig"}
    assert told.missing["sshsig"] == [
        {"from": 1, "to": told.receipts - 2, "why": "only the last 2 receipts are signed so"}
    ]


@pytest.mark.clause("EX-20")
def test_each_receipt_is_a_bundle_of_sigstore_around_the_same_bytes() -> None:
    """What npm's verifier accepts is byte for byte what the log holds."""
    here, rollout = rolled_back()

    files, _ = bundled(here.house, rollout)

    for receipt in receipts(here.house, rollout):
        data = files[f"sigstore/{receipt.seq}.sigstore.json"]
        document = json.loads(data)
        assert document["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
        assert document["verificationMaterial"]["publicKey"] == {"hint": here.house.signers.receipt.key_id}
        assert document["dsseEnvelope"] == json.loads(receipt.envelope)
        assert receipt.envelope in data
        assert data == canonicalize(document)


@pytest.mark.clause("EX-05")
def test_what_was_done_to_the_app_meanwhile_is_beside() -> None:
    """A freeze explains a hold; one from before the rollout, or from after it, is nobody's business here."""
    here = world()
    rollout = created(here).rollout.id
    freeze(APP, ANN, here.house)
    unfreeze(APP, BOB, here.house)
    here.walk(rollout, EQUAL, runs=400, minutes=100)
    freeze(APP, EVE, here.house)

    files, _ = bundled(here.house, rollout)

    related = sorted(name for name in files if name.startswith("related/"))
    assert related == [f"related/app/{seq}{end}" for seq in (1, 2) for end in (".json", ".tlog-proof")]
    tree = checkpoint_of(files["checkpoint.txt"]).tree
    proof = read_log_proof(files["related/app/2.tlog-proof"])
    check_inclusion(leaf_hash(files["related/app/2.json"]), proof.index, tree, proof.hashes)


@pytest.mark.clause("EX-05")
def test_the_freeze_of_a_kill_is_beside() -> None:
    """It stands in the log behind the rollback that it belongs to."""
    here, rollout = stepped_in()

    files, _ = bundled(here.house, rollout)

    assert "related/app/1.json" in files


@pytest.mark.clause("EX-06")
def test_with_a_kept_checkpoint_growth_is_proven() -> None:
    """Who kept the checkpoint of a year ago sees that nothing was taken out since."""
    here = world()
    rollout = created(here).rollout.id
    with here.house.store.reading() as seen:
        kept = seen.checkpoint()
    assert kept is not None
    here.walk(rollout, EQUAL, runs=400, minutes=100)

    files, _ = bundled(here.house, rollout, since=kept)

    growth = read_log_growth(files["log.consistency"])
    old, new = (checkpoint_of(note).tree for note in (kept, files["checkpoint.txt"]))
    check_consistency(old, new, growth.hashes)
    assert growth.checkpoint == files["checkpoint.txt"]


@pytest.mark.clause("EX-06")
def test_a_checkpoint_of_another_log_is_refused() -> None:
    """It proves that the log went another way, and nobody may lose it by an export."""
    (here, rollout), (other, _) = rolled_back(), rolled_back()
    with other.house.store.reading() as seen:
        note = seen.checkpoint()
    assert note is not None
    forged = note.replace(b"\n2\n", b"\n1\n")

    with pytest.raises(DataError, match="never was that tree"):
        bundled(here.house, rollout, since=forged)


@pytest.mark.clause("EX-02")
def test_a_rollout_that_is_not_there_has_no_bundle() -> None:
    """Nor has the series of an app: a bundle is of one decision about one candidate."""
    here, _ = rolled_back()

    with pytest.raises(UsageError, match="there is no rollout rol_nobody"):
        bundled(here.house, "rol_nobody")


@pytest.mark.clause("EX-07")
def test_a_spool_holds_what_is_longer_on_the_disk() -> None:
    """What is gathered grows with the rollout, and memory does not."""
    tracemalloc.start()
    with Spool() as spool:
        for number in range(4):
            spool.add(f"{number}", bytes([number]) * (MAX_IN_MEMORY // 2))

        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < MAX_IN_MEMORY
        assert [spool[f"{number}"][:1] for number in range(4)] == [bytes([number]) for number in range(4)]
        assert len(spool["3"]) == MAX_IN_MEMORY // 2


@pytest.mark.clause("EX-07")
def test_the_snapshot_is_closed_before_the_bytes_leave() -> None:
    """A slow reader keeps no store from giving back room."""
    here, rollout = rolled_back()
    with bundle(Wanted(rollout_id=rollout, pages=bundle_pages), here.house) as made:
        pieces = made.pieces()
        next(pieces)
        freeze(APP, ANN, here.house)

        rest = b"".join(pieces)

    assert rest.count(b"receipts/2.json") == 3


@pytest.mark.clause("EX-33")
def test_of_many_receipts_the_first_and_the_latest_have_replay_cases() -> None:
    """An export ends in time, and its last decisions are made again; the rest where the store is, or when asked for."""
    here, rollout = promoted()

    with bundle(Wanted(rollout_id=rollout, pages=bundle_pages, max_cases=2), here.house) as made:
        some = {name for name in made.files if name.startswith("replay/")}
        told, readme, page = made.missing, made.files["README.txt"].decode(), made.files["timeline.html"].decode()
    with bundle(Wanted(rollout_id=rollout, pages=bundle_pages, max_cases=None), here.house) as made:
        every = {name for name in made.files if name.startswith("replay/")}

    assert some == {"replay/1.json", "replay/4.json"}
    why = "of so many receipts a bundle holds the cases up to 1 and from 4 on"
    assert told == {"replay": [{"from": 2, "to": 3, "why": why}]}
    assert len(every) == 4
    assert f"  replay: 2 not there, of receipts 2 to 3, because {why}\n" in readme
    assert f"replay: 2 not there, of receipts 2 to 3, because {why}" in page


@pytest.mark.clause("EX-70")
@pytest.mark.parametrize(
    ("newest", "most", "chosen"),
    [(4, None, ChosenCases(4, 4)), (10, 10, ChosenCases(10, 10)), (30_000, 10_000, ChosenCases(1_000, 21_001))],
)
def test_of_too_many_receipts_those_in_the_middle_have_no_cases(
    newest: int, most: int | None, chosen: ChosenCases
) -> None:
    """So many have one as there may be, the latest nine in ten of them."""
    found = chosen_cases(newest, most)

    assert found == chosen
    assert sum(found.has(seq) for seq in range(1, newest + 1)) == min(newest, most or newest)


@pytest.mark.clause("EX-08")
def test_a_bundle_is_under_the_latest_checkpoint_that_somebody_outside_signed() -> None:
    """What a witness has seen is worth more than what came after it, as long as it covers the rollout."""
    here, rollout = rolled_back()
    signed = "\N{EM DASH} witness.example AAAAAAAAAAAA\n".encode()
    line = Voucher(kind=VoucherKind.COSIGNATURE, by="witness", size=2, body=signed, at=here.clock.now())
    stamp = replace(line, kind=VoucherKind.TIMESTAMP, by="authority", body=b"token")
    with here.house.store.writing() as work:
        work.put_voucher(line)
        work.put_voucher(stamp)
    freeze(APP, ANN, here.house)

    files, _ = bundled(here.house, rollout)

    assert checkpoint_of(files["checkpoint.txt"]).size == 2
    assert files["checkpoint.txt"].endswith(line.body)
    assert files["checkpoint.tsr"] == b"token"


@pytest.mark.clause("EX-02")
def test_a_receipt_that_cannot_be_read_makes_no_bundle() -> None:
    """Half of the truth is not handed to an auditor; fsck says what else is wrong."""
    here, rollout = rolled_back()
    broken = replace(receipts(here.house, rollout)[-1], envelope=b"{}")

    with pytest.raises(UnsoundError, match=f"receipt 2 of {rollout}, entry 1 of the log, is not as it was signed"):
        bundle_receipts.kept_statement(broken)
