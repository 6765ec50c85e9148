# SPDX-License-Identifier: Apache-2.0
"""Keys are followed by others while a line goes on; whoever verifies by the last manifest must find every receipt."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate import crash_point
from lockgate.adapters.signers.key_folder import ROLES, FolderSigners, open_signers
from lockgate.core.custody import custody_series
from lockgate.core.envelope import signer_of
from lockgate.core.key_manifest import SignedManifest, open_manifest, read_manifest, read_manifests
from lockgate.core.listed_key import Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.note import NoteKey, read_note
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.receipt import operator
from lockgate.core.retention import Retention
from lockgate.core.vault import Receipt
from lockgate.errors import DataError, NotPermittedError, UnsoundError, UsageError
from lockgate.operations.create import create
from lockgate.operations.keys.manifest import (
    Roots,
    current_manifest,
    draft_manifest,
    manifests_in,
    publish_manifest,
    with_signature,
)
from lockgate.operations.keys.rotate_key import Rotated, Rotation, rotate_key
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.vault.known_keys import heir
from lockgate.ports.house import House
from lockgate.ports.signing import Aside
from lockgate.testing.signers import SeededSigner
from lockgate.testing.world import World
from lockgate.verify import Keys, is_signed, verify_checkpoint, verify_receipt
from lockgate.wiring import memory_store, sqlite_store
from tests.spec.line import APP, EQUAL, order

WHO = operator("ada", "drill")
ROOT, SECOND_ROOT = SeededSigner("root"), SeededSigner("second root")
DAY_S = 86_400
DAY = DAY_S * 1_000


@contextmanager
def ended_at(place: str) -> Iterator[None]:
    """End what is called within at a place, as a process ends that somebody kills."""

    def end(name: str) -> None:
        if name == place:
            raise KeyboardInterrupt

    crash_point.handle(end)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        crash_point.handle(None)


def line(folder: Path, seed: int = 1) -> World:
    """Return a world whose keys are in a folder."""
    here = World(memory_store(), seed)
    here.house = replace(here.house, signers=open_signers(folder))
    return here


def ring(here: World) -> FolderSigners:
    """Return the keys of a world."""
    found = here.house.signers
    assert isinstance(found, FolderSigners)
    return found


def rotated(here: World, role: Use, overlap: int = 0, last_good: int | None = None) -> Rotated:
    """Let a key be followed."""
    good = None if last_good is None else {here.house.org: last_good}
    return rotate_key(Rotation(role=role, actor=WHO, overlap=overlap, last_good=good), here.house, ring(here))


def decide(here: World, name: str) -> None:
    """Let the line sign something."""
    create(order(app=name), here.house)


def entries(house: House) -> tuple[Receipt, ...]:
    """Return the whole log."""
    with house.store.reading(house.org) as seen:
        return seen.entries_after(-1, 10_000)


def checkpoint(house: House, size: int | None = None) -> bytes:
    """Return a signed checkpoint."""
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint(size)
    assert note is not None
    return note


def public(signer: SeededSigner) -> PublicKey:
    """Return a root's public key."""
    return read_public_key(signer.public_key_pem)


def signed(manifest: KeyManifest, *roots: SeededSigner) -> bytes:
    """Return a manifest that roots have signed."""
    found = SignedManifest(manifest)
    for root in roots:
        found = with_signature(found, root.key_id, root.sign(manifest.signed_bytes()))
    return found.encode()


def published(here: World, roots: Roots | None = None, *signers: SeededSigner) -> bytes:
    """Publish the next manifest."""
    data = signed(draft_manifest(here.house, roots or Roots((public(ROOT),))), *(signers or (ROOT,)))
    publish_manifest(data, WHO, here.house)
    return data


def trusting(data: bytes) -> KeyManifest:
    """Return a manifest as one who trusts the root reads it."""
    return read_manifest(data, [public(ROOT)], is_signed)


def versions(house: House) -> tuple[bytes, ...]:
    """Return every version of the manifest that was published."""
    with house.store.reading(house.org) as seen:
        return manifests_in(seen, house.org)


def counted(manifest: KeyManifest, receipts: tuple[Receipt, ...]) -> list[int]:
    """Return the places of the receipts that verify by the key that counts there."""
    found = []
    for each in receipts:
        keys = manifest.keys_at(each.index, "receipt")
        if signer_of(each.envelope) in {key.key_id for key in keys}:
            verify_receipt(each.envelope, Keys(keys))
            found.append(each.index)
    return found


@pytest.mark.clause("KY-10")
def test_the_key_that_signed_so_far_signs_that_another_follows_it(tmp_path: Path) -> None:
    """The receipt of the change is the last one of the old key, the next one is the first of the new."""
    here = line(tmp_path)
    decide(here, "one")
    old = here.house.signers.receipt.key_id

    made = rotated(here, Use.RECEIPT)
    decide(here, "two")

    receipts = entries(here.house)
    change = made.receipts["default"]
    assert [signer_of(each.envelope) for each in receipts] == [old, old, made.key_id]
    assert (change.index, change.action, change.rollout_id) == (1, "rotate_key", custody_series("default"))
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("KY-10")
def test_the_former_private_key_is_put_aside_and_its_public_half_is_kept(tmp_path: Path) -> None:
    """It signs nothing any more, is not deleted, and a third key moves it on."""
    here = line(tmp_path)
    decide(here, "one")
    old = here.house.signers.receipt

    made = rotated(here, Use.RECEIPT)
    again = rotated(here, Use.RECEIPT)

    assert made.aside == again.aside == Aside(str(tmp_path / "receipt.former.pem"), is_program=False)
    assert (tmp_path / "retired" / f"receipt-{old.key_id[:16]}.pem").exists()
    assert old.public_key_pem in here.house.signers.kept.receipt
    assert here.house.signers.receipt.key_id == again.key_id
    assert sorted(path.name for path in tmp_path.glob("*.pem")) == ["log.pem", "receipt.former.pem", "receipt.pem"]


@pytest.mark.clause("KY-11")
def test_whoever_began_before_finds_the_key_that_follows(tmp_path: Path) -> None:
    """A process that holds the old keys in memory signs by the new ones, without a restart."""
    here = line(tmp_path)
    decide(here, "one")
    early = replace(here.house, signers=open_signers(tmp_path))
    early_old = early.signers.receipt.key_id

    receipt, log = rotated(here, Use.RECEIPT), rotated(here, Use.LOG)
    assert early.signers.receipt.key_id == early_old
    create(order(app="two"), early)

    assert signer_of(entries(here.house)[-1].envelope) == receipt.key_id
    name = read_note(checkpoint(early)).body.split("\n")[0]
    key = NoteKey(name, read_public_key(ring(here).log.public_key_pem).raw)
    assert ring(here).log.key_id == log.key_id
    assert verify_checkpoint(checkpoint(early), [key]).size == 4
    assert early.signers.receipt.key_id == receipt.key_id


@pytest.mark.clause("KY-11")
def test_a_machine_without_the_key_signs_nothing_until_it_is_copied(tmp_path: Path) -> None:
    """Two servers with folders of their own: the second refuses in words, and goes on when the file is there."""
    here = line(tmp_path / "first")
    decide(here, "one")
    (tmp_path / "second").mkdir()
    for name in ("receipt.pem", "log.pem"):
        (tmp_path / "second" / name).write_bytes((tmp_path / "first" / name).read_bytes())
        (tmp_path / "second" / name).chmod(0o600)
    other = replace(here.house, signers=open_signers(tmp_path / "second"))

    made = rotated(here, Use.RECEIPT)
    with pytest.raises(NotPermittedError, match="is not in the keys folder here"):
        create(order(app="two"), other)
    (tmp_path / "second" / "receipt.next.pem").write_bytes((tmp_path / "first" / "receipt.pem").read_bytes())
    (tmp_path / "second" / "receipt.next.pem").chmod(0o600)
    create(order(app="two"), other)

    assert signer_of(entries(here.house)[-1].envelope) == made.key_id
    finished = rotate_key(Rotation(role=Use.RECEIPT, actor=WHO), other, open_signers(tmp_path / "second"))
    assert (finished.key_id, finished.receipts) == (made.key_id, {})
    assert open_signers(tmp_path / "second").receipt.key_id == made.key_id


@pytest.mark.clause("KY-11")
def test_a_row_that_only_says_that_a_key_changed_is_not_believed(tmp_path: Path) -> None:
    """The receipt itself states who follows; one that states nothing of it is told and followed by nobody."""
    here = line(tmp_path)
    decide(here, "one")

    with pytest.raises(UnsoundError, match="states none"):
        heir(replace(entries(here.house)[0], action="rotate_key"))


@pytest.mark.clause("KY-11")
def test_keys_change_among_many_who_sign_at_once(tmp_path: Path) -> None:
    """Six writers who each hold keys in memory, and both keys change under them: each entry is signed by its own."""
    here = World(sqlite_store(tmp_path), seed=1)
    here.house = replace(here.house, signers=open_signers(tmp_path / "keys"))
    decide(here, "one")

    def writer(number: int) -> None:
        own = replace(here.house, signers=open_signers(tmp_path / "keys"))
        for turn in range(6):
            create(order(app=f"app-{number}-{turn}"), own)

    def changer(role: Use) -> None:
        for _ in range(3):
            own = open_signers(tmp_path / "keys")
            rotate_key(
                Rotation(role=role, actor=WHO, overlap=DAY, may_end_overlap=True), replace(here.house, signers=own), own
            )

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(writer, number) for number in range(6)]
        done += [pool.submit(changer, role) for role in ROLES]
        for each in done:
            each.result()

    receipts = entries(here.house)
    manifest = trusting(published(here))
    assert len(receipts) == 1 + 6 * 6 + 2 * 3
    assert counted(manifest, receipts) == list(range(len(receipts)))
    assert len({signer_of(each.envelope) for each in receipts}) == 4
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("KY-12")
def test_a_former_key_of_the_log_signs_beside_its_follower_for_a_while(tmp_path: Path) -> None:
    """Who knows either key accepts a checkpoint of the overlap; after it only the new one signs, under one origin."""
    here = line(tmp_path)
    decide(here, "one")
    origin = read_note(checkpoint(here.house)).body.split("\n")[0]
    old = NoteKey(origin, read_public_key(here.house.signers.log.public_key_pem).raw)

    made = rotated(here, Use.LOG, overlap=30 * DAY)
    decide(here, "two")
    new = NoteKey(origin, read_public_key(here.house.signers.log.public_key_pem).raw)
    during = checkpoint(here.house)
    here.clock.advance(31 * DAY_S)
    decide(here, "three")
    after = checkpoint(here.house)

    assert here.house.signers.log.key_id == made.key_id
    assert [verify_checkpoint(during, [key]).origin for key in (old, new)] == [origin, origin]
    assert [line.key_hash for line in read_note(during).signatures] == [new.key_hash, old.key_hash]
    assert [line.key_hash for line in read_note(after).signatures] == [new.key_hash]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("KY-13")
def test_a_manifest_says_what_the_log_says(tmp_path: Path) -> None:
    """Each key counts from its first to its last place, as receipts of custody have it."""
    here = line(tmp_path)
    decide(here, "one")
    rotated(here, Use.RECEIPT)
    rotated(here, Use.LOG, overlap=DAY)
    decide(here, "two")

    during = draft_manifest(here.house, Roots((public(ROOT),)))
    here.clock.advance(2 * DAY_S)
    decide(here, "three")
    after = draft_manifest(here.house, Roots((public(ROOT),)))

    spans = [(each.use.value, each.status.value, each.first, each.last) for each in during.keys]
    assert spans == [
        ("receipt", "retired", 0, 1),
        ("receipt", "active", 2, None),
        ("log", "active", 0, None),
        ("log", "active", 2, None),
    ]
    assert [(each.first, each.last) for each in after.keys][2:] == [(0, 3), (2, None)]


@pytest.mark.clause("KY-14")
def test_a_published_manifest_is_bound_by_a_receipt(tmp_path: Path) -> None:
    """It is kept as it was signed, each version after the one before, and custody names its digest."""
    here = line(tmp_path)
    decide(here, "one")

    first = published(here)
    rotated(here, Use.RECEIPT)
    second = published(here)

    assert current_manifest(here.house) == second
    assert versions(here.house) == (first, second)
    assert read_manifests(versions(here.house), [public(ROOT)], is_signed).version == 2
    latest = entries(here.house)[-1]
    assert latest.action == "publish_manifest"
    assert open_manifest(second).digest.encode() in _payload(latest)
    assert fsck(here.house).flaws == ()


def _payload(receipt: Receipt) -> bytes:
    from lockgate.core.envelope import open_envelope

    return open_envelope(receipt.envelope).payload


@pytest.mark.clause("KY-14")
def test_another_manifest_than_the_logs_is_not_published(tmp_path: Path) -> None:
    """One that was signed before a key changed, one too few have signed, and one that does not follow are refused."""
    here = line(tmp_path)
    decide(here, "one")
    stale = signed(draft_manifest(here.house, Roots((public(ROOT),))), ROOT)
    rotated(here, Use.RECEIPT)
    unsigned = signed(draft_manifest(here.house, Roots((public(ROOT), public(SECOND_ROOT)), (), 2)), ROOT)

    for data, reason in ((stale, "not what the log says"), (unsigned, "not signed by enough")):
        with pytest.raises(DataError, match=reason):
            publish_manifest(data, WHO, here.house)
    published(here)
    with pytest.raises(DataError):
        publish_manifest(stale, WHO, here.house)

    assert len(versions(here.house)) == 1


@pytest.mark.clause("KY-14")
def test_two_people_sign_in_turn_and_roots_change(tmp_path: Path) -> None:
    """Two of two sign one body; later one leaves, and the other alone cannot say so."""
    here = line(tmp_path)
    decide(here, "one")
    both = Roots((public(ROOT), public(SECOND_ROOT)), (), 2)
    published(here, both, ROOT, SECOND_ROOT)

    leaving = draft_manifest(here.house, Roots((), (ROOT.key_id,), 1))
    with pytest.raises(DataError, match="not signed by enough"):
        publish_manifest(signed(leaving, SECOND_ROOT), WHO, here.house)
    publish_manifest(signed(leaving, SECOND_ROOT, ROOT), WHO, here.house)

    assert read_manifests(versions(here.house), [public(ROOT), public(SECOND_ROOT)], is_signed).roots == (
        public(SECOND_ROOT),
    )


@pytest.mark.clause("KY-15")
def test_rotation_drill(tmp_path: Path) -> None:
    """Keys change mid load: all receipts verify with the last manifest, and the first verifies only what it knew."""
    here = line(tmp_path)
    rollout = create(order(), here.house).rollout
    here.serve(APP, 4_000, EQUAL, "v36")
    first = trusting(published(here))
    before = len(entries(here.house))

    for number, role in enumerate((*ROLES, *ROLES)):
        made = rotated(here, role, overlap=DAY)
        assert made.receipts
        here.walk(rollout.id, EQUAL, runs=4_000, minutes=2)
        decide(here, f"more-{number}")
        here.clock.advance(2 * DAY_S)
    prune(here.house, Retention())
    last = trusting(published(here))

    receipts = entries(here.house)
    assert counted(last, receipts) == list(range(len(receipts)))
    assert counted(first, receipts) == list(range(before + 1))
    assert len({signer_of(each.envelope) for each in receipts}) == 3
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("KY-16")
def test_what_a_stolen_key_signed_behind_the_last_good_place_counts_for_nothing(tmp_path: Path) -> None:
    """The following key signs the change itself, and the manifest ends the stolen one at that place."""
    here = line(tmp_path)
    for name in ("one", "two", "three"):
        decide(here, name)
    stolen = here.house.signers.receipt.key_id

    made = rotated(here, Use.RECEIPT, last_good=1)
    decide(here, "four")
    manifest = trusting(published(here))

    listed = manifest.listed(stolen)
    assert listed is not None
    assert (listed.status, listed.last) == (Status.REVOKED, 1)
    assert signer_of(made.receipts["default"].envelope) == made.key_id
    assert counted(manifest, entries(here.house)) == [0, 1, 3, 4, 5]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("KY-16", "KY-18")
def test_a_revocation_that_ended_half_way_goes_on_by_the_same_call(tmp_path: Path) -> None:
    """The log says it already; the second call puts the files into their places, and signs nothing twice."""
    here = line(tmp_path)
    decide(here, "one")
    with ended_at("key.aside"):
        rotated(here, Use.RECEIPT, last_good=0)
    here.house = replace(here.house, signers=open_signers(tmp_path))
    again = rotated(here, Use.RECEIPT, last_good=0)
    decide(here, "two")

    receipts = entries(here.house)
    assert again.receipts == {}
    assert [each.action for each in receipts].count("new_keys") == 1
    assert open_signers(tmp_path).receipt.key_id == again.key_id == signer_of(receipts[-1].envelope)


@pytest.mark.clause("KY-16")
@pytest.mark.parametrize("last_good", [-1, 3, 4])
def test_a_last_good_place_is_one_of_the_keys_own(tmp_path: Path, last_good: int) -> None:
    """Before its first or behind the end of the log no place is good, and nothing is signed."""
    here = line(tmp_path)
    for name in ("one", "two", "three"):
        decide(here, name)

    with pytest.raises(UsageError, match="last good one"):
        rotated(here, Use.RECEIPT, last_good=last_good)

    assert len(entries(here.house)) == 3


@pytest.mark.clause("KY-10")
def test_every_organisation_is_told(tmp_path: Path) -> None:
    """The keys are those of the store: each log that they sign says who follows."""
    here = line(tmp_path)
    decide(here, "one")
    from lockgate.operations.access.organisations import create_organisation

    create_organisation("other", here.house)
    other = replace(here.house, org="other")
    create(order(app="two"), other)

    made = rotated(here, Use.RECEIPT)
    create(order(app="three"), other)

    assert set(made.receipts) == {"default", "other"}
    assert signer_of(entries(other)[-1].envelope) == made.key_id
    assert fsck(other).flaws == ()


@pytest.mark.clause("KY-10")
def test_nothing_is_rotated_before_something_was_signed(tmp_path: Path) -> None:
    """The first receipt is signed by whichever keys are there."""
    here = line(tmp_path)

    with pytest.raises(UsageError, match="nothing was signed yet"):
        rotated(here, Use.RECEIPT)
