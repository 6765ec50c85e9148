# SPDX-License-Identifier: Apache-2.0
"""Keys are stolen at any time of their lives, and their owner does what the page on keys says: nothing forged counts.

Each story is a row: in which state which key is stolen, and what is done then. What a thief can make of it is tried at
every place of the log, by who trusts the root and has the newest manifest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lockgate.adapters.signers.key_folder import FolderSigners, open_signers
from lockgate.core.key_manifest import read_manifests
from lockgate.core.listed_key import Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.refusal import VerifyError
from lockgate.operations.create import create
from lockgate.operations.keys.manifest import Roots, draft_manifest, publish_manifest
from lockgate.operations.keys.revoke_former import Revoking, revoke_former
from lockgate.operations.keys.rotate_key import Rotation, rotate_key
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.vault.custody import renew_keys
from lockgate.operations.vault.proofs import latest_checkpoint, latest_proof
from lockgate.ports.house import House
from lockgate.testing.signers import SeededSigner
from lockgate.testing.world import World
from lockgate.verify import Keys, is_signed, verify_receipt, verify_signed_checkpoint
from tests.spec.line import order
from tests.spec.test_rotation import (
    DAY,
    DAY_S,
    ROOT,
    SECOND_ROOT,
    WHO,
    counted,
    decide,
    entries,
    line,
    public,
    published,
    signed,
    versions,
)
from tests.spec.thief import Thief, forged_checkpoints, forged_manifests, forged_receipts, stolen

ROLES = (Use.RECEIPT, Use.LOG)


@dataclass(slots=True)
class Owner:
    """Somebody who looks after keys in a folder, and for whom time goes on."""

    here: World
    folder: Path

    @property
    def ring(self) -> FolderSigners:
        """Return the keys of the folder as a new call finds them."""
        return open_signers(self.folder, lambda: False)

    @property
    def last(self) -> int:
        """Return the index of the log's last entry."""
        return len(entries(self.here.house)) - 1

    def decides(self, count: int = 2) -> None:
        """Let the line sign something."""
        for _ in range(count):
            decide(self.here, f"app-{self.last}")

    def rotates(self, role: Use, last_good: int | None = None, *, days: int = 0, may_end: bool = False) -> None:
        """Let a key be followed."""
        good = None if last_good is None else {"default": last_good}
        rotation = Rotation(role=role, actor=WHO, overlap=days * DAY, last_good=good, may_end_overlap=may_end)
        rotate_key(rotation, self.here.house, self.ring)

    def revokes(self, role: Use, key_id: str, last_good: int) -> None:
        """Revoke a key that signs no more."""
        revoking = Revoking(role=role, key_id=key_id, last_good={"default": last_good}, actor=WHO)
        revoke_former(revoking, self.here.house)

    def renews(self, *roles: Use) -> None:
        """Move keys out of the folder, and go on by new ones."""
        for role in roles:
            (self.folder / f"{role}.pem").unlink()
        self.here.house = replace(self.here.house, signers=open_signers(self.folder))
        renew_keys(WHO, self.here.house)


Story = Callable[[Owner, Use], tuple[Thief, int]]


def current(owner: Owner, role: Use) -> tuple[Thief, int]:
    """The key that signs is stolen."""
    thief, good = stolen(owner.folder, f"{role}.pem"), owner.last
    owner.decides()
    owner.rotates(role, good)
    return thief, good


def former_in_overlap(owner: Owner, role: Use) -> tuple[Thief, int]:
    """The former key is stolen while that of the log signs beside its follower."""
    owner.rotates(role, days=30)
    owner.decides()
    thief, good = stolen(owner.folder, f"{role}.former.pem"), owner.last
    owner.decides()
    owner.revokes(role, thief.key_id(role), good)
    return thief, good


def former_after_overlap(owner: Owner, role: Use) -> tuple[Thief, int]:
    """The former key is stolen when it signs no more."""
    owner.rotates(role, days=30)
    owner.decides()
    owner.here.clock.advance(31 * DAY_S)
    owner.decides()
    thief, good = stolen(owner.folder, f"{role}.former.pem"), owner.last
    owner.revokes(role, thief.key_id(role)[:16], good)
    return thief, good


def both_in_overlap(owner: Owner, role: Use) -> tuple[Thief, int]:
    """The key that signs and its former one are stolen; of the log's keys one call revokes both."""
    owner.rotates(role, days=30)
    owner.decides()
    former = stolen(owner.folder, f"{role}.former.pem")
    thief, good = former.and_also(stolen(owner.folder, f"{role}.pem")), owner.last
    owner.decides()
    owner.rotates(role, good)
    if role is Use.RECEIPT:
        owner.revokes(role, former.key_id(role), good)
    return thief, good


def retired(owner: Owner, role: Use) -> tuple[Thief, int]:
    """A key is stolen that was followed twice."""
    owner.rotates(role, days=30)
    owner.decides()
    owner.rotates(role, days=30, may_end=True)
    owner.decides()
    [path] = (owner.folder / "retired").glob(f"{role}-*.pem")
    thief, good = stolen(owner.folder, f"retired/{path.name}"), owner.last
    owner.revokes(role, thief.key_id(role), good)
    return thief, good


def followed_since(owner: Owner, role: Use) -> tuple[Thief, int]:
    """The theft is noticed when the key was followed as every year."""
    thief, good = stolen(owner.folder, f"{role}.pem"), owner.last
    owner.decides()
    owner.rotates(role, days=30)
    owner.decides()
    owner.revokes(role, thief.key_id(role), good)
    return thief, good


def prepared(owner: Owner, role: Use) -> tuple[Thief, int]:
    """A prepared key is stolen, and its file removed before its turn."""
    owner.ring.prepare(role)
    thief = stolen(owner.folder, f"{role}.next.pem")
    (owner.folder / f"{role}.next.pem").unlink()
    owner.rotates(role)
    owner.decides()
    return thief, owner.last


def prepared_and_followed(owner: Owner, role: Use) -> tuple[Thief, int]:
    """A prepared key is stolen before its turn, and that is noticed when it signs: nothing of it is good."""
    owner.ring.prepare(role)
    thief = stolen(owner.folder, f"{role}.next.pem")
    owner.rotates(role, days=30)
    good = owner.last if role is Use.RECEIPT else owner.last - 1
    owner.decides()
    owner.rotates(role, good)
    return thief, good


def lost(owner: Owner, role: Use) -> tuple[Thief, int]:
    """A key is moved away, others follow by `new-keys`, and it was stolen."""
    thief, good = stolen(owner.folder, f"{role}.pem"), owner.last
    owner.decides()
    owner.renews(role)
    owner.decides()
    owner.revokes(role, thief.key_id(role), good)
    return thief, good


def earlier_than_thought(owner: Owner, role: Use) -> tuple[Thief, int]:
    """A stolen key was revoked, and then turns out to have been stolen before that place."""
    thief, good = stolen(owner.folder, f"{role}.pem"), owner.last
    owner.decides()
    owner.rotates(role, owner.last)
    owner.revokes(role, thief.key_id(role), good)
    return thief, good


def folder(owner: Owner, role: Use) -> tuple[Thief, int]:
    """The whole folder is stolen, with what followed and was followed; `role` is of the key that is revoked first."""
    for each in (*ROLES, *ROLES):
        owner.rotates(each, days=30, may_end=each is Use.LOG)
        owner.decides(1)
    thief, good = stolen(owner.folder), owner.last
    owner.decides()
    ids = {Use.RECEIPT: [key.key_id for key in thief.receipt], Use.LOG: [key.key_id for key in thief.log]}
    for each in sorted(ROLES, key=lambda each: each is not role):
        owner.rotates(each, good)
        for key_id in ids[each]:
            owner.revokes(each, key_id, good)
    return thief, good


def folder_and_store(owner: Owner, role: Use) -> tuple[Thief, int]:
    """A thief of the folder who reaches the store too has let keys of their own follow."""
    thief, good = stolen(owner.folder), owner.last
    den = owner.folder.parent / "den"
    shutil.copytree(owner.folder, den)
    theirs = replace(owner.here.house, signers=open_signers(den))
    before = {}
    for each in (role, *(other for other in ROLES if other is not role)):
        before[each] = owner.last + (1 if each is Use.RECEIPT else 0)
        rotate_key(Rotation(role=each, actor=WHO), theirs, open_signers(den))
    create(order(app="theirs"), theirs)
    den_keys = stolen(den, "receipt.pem", "log.pem")
    owner.renews(*ROLES)
    owner.decides()
    for each in ROLES:
        owner.revokes(each, thief.key_id(each), good)
        owner.revokes(each, den_keys.key_id(each), before[each])
    return thief.and_also(den_keys), good


STORIES: tuple[Story, ...] = (
    current,
    former_in_overlap,
    former_after_overlap,
    both_in_overlap,
    retired,
    followed_since,
    prepared,
    prepared_and_followed,
    lost,
    earlier_than_thought,
    folder,
    folder_and_store,
)


def newest(house: House) -> KeyManifest:
    """Return the manifest as one who trusts the root reads all of its versions."""
    return read_manifests(versions(house), [public(ROOT)], is_signed)


def believed(thief: Thief, house: House, keys: Keys) -> list[str]:
    """Return in words whatever a verifier believes of what a thief makes."""
    found = []
    for envelope, proof in forged_receipts(thief, house):
        try:
            place = verify_receipt(envelope, keys, proof).entry
        except VerifyError:
            continue
        found.append(f"a receipt {'without a proof' if place is None else f'at entry {place.index}'}")
    for note in forged_checkpoints(thief, house):
        try:
            found.append(f"a checkpoint of {verify_signed_checkpoint(note, keys).checkpoint.size} entries")
        except VerifyError:
            continue
    return found


@pytest.mark.clause("KY-61")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_nothing_that_a_thief_makes_is_believed_after_the_owners_answer(
    tmp_path: Path, story: Story, role: Use
) -> None:
    """Forged receipts and checkpoints are refused at every place; what is good stays so, and so does the last entry."""
    owner = Owner(line(tmp_path / "keys"), tmp_path / "keys")
    owner.decides(3)
    published(owner.here)

    thief, good = story(owner, role)
    published(owner.here)
    owner.decides(1)

    manifest, house = newest(owner.here.house), owner.here.house
    assert believed(thief, house, Keys(manifest=manifest)) == []
    count = counted(manifest, entries(house))
    assert {*range(good + 1), owner.last} <= {*count}
    with house.store.reading(house.org) as seen:
        proofs = [(each, latest_proof(seen, each)) for each in entries(house) if each.index in count]
        note = latest_checkpoint(seen)
    assert verify_signed_checkpoint(note, Keys(manifest=manifest)).checkpoint.size == owner.last + 1
    assert all(verify_receipt(each.envelope, Keys(manifest=manifest), proof).entry for each, proof in proofs)
    assert story is folder_and_store or fsck(house).flaws == ()


@pytest.mark.clause("KY-61")
@pytest.mark.parametrize("role", ROLES)
def test_before_the_owners_answer_a_stolen_key_is_believed(tmp_path: Path, role: Use) -> None:
    """So that the table above is no table of things that are refused anyway."""
    owner = Owner(line(tmp_path / "keys"), tmp_path / "keys")
    owner.decides(3)
    published(owner.here)

    thief = stolen(owner.folder, f"{role}.pem")

    assert believed(thief, owner.here.house, Keys(manifest=newest(owner.here.house)))


@pytest.mark.clause("KY-61")
def test_a_stolen_folder_is_believed_at_every_place_before_the_owners_answer(tmp_path: Path) -> None:
    """Whoever has both keys makes a log of their own."""
    owner = Owner(line(tmp_path / "keys"), tmp_path / "keys")
    owner.decides(3)
    published(owner.here)

    found = believed(stolen(owner.folder), owner.here.house, Keys(manifest=newest(owner.here.house)))

    assert {"a receipt without a proof", "a receipt at entry 0", "a checkpoint of 1 entries"} <= {*found}


THIRD_ROOT, OWN = SeededSigner("third root"), SeededSigner("a thief's own")


def misled(manifests: tuple[bytes, ...], stolen_root: SeededSigner, trusted: list[SeededSigner], threshold: int) -> int:
    """Return how many manifests lead who trusts some roots to a thief's own key."""
    believed_of = 0
    for each in manifests:
        for forged in forged_manifests(each, [stolen_root], OWN):
            try:
                found = read_manifests(forged, [public(root) for root in trusted], is_signed, threshold)
            except VerifyError:
                continue
            believed_of += found.listed(OWN.key_id) is not None
    return believed_of


@pytest.mark.clause("KY-66")
def test_a_stolen_root_that_another_took_the_place_of_leads_nobody_who_trusts_that_one(tmp_path: Path) -> None:
    """Who trusts the new root alone reads all versions, and none that the stolen one signs."""
    here = line(tmp_path)
    decide(here, "one")
    published(here)
    was = misled(versions(here.house), ROOT, [ROOT], 1)
    published(here, Roots((public(SECOND_ROOT),), (ROOT.key_id,)), ROOT, SECOND_ROOT)

    read = read_manifests(versions(here.house), [public(SECOND_ROOT)], is_signed)

    assert (was, misled(versions(here.house), ROOT, [SECOND_ROOT], 1)) == (2, 0)
    assert (read.version, read.roots) == (2, (public(SECOND_ROOT),))


@pytest.mark.clause("KY-66")
def test_one_of_two_roots_leads_nobody_who_demands_two(tmp_path: Path) -> None:
    """Before the others leave it out and after; who demands one signature only is led by the one that is stolen."""
    here = line(tmp_path)
    decide(here, "one")
    three = Roots((public(ROOT), public(SECOND_ROOT), public(THIRD_ROOT)), (), 2)
    published(here, three, ROOT, SECOND_ROOT)
    everybody = [ROOT, SECOND_ROOT, THIRD_ROOT]
    before = misled(versions(here.house), ROOT, everybody, 2)
    leaving = draft_manifest(here.house, Roots((), (ROOT.key_id,), 2))
    publish_manifest(signed(leaving, SECOND_ROOT, THIRD_ROOT), WHO, here.house)

    read = read_manifests(versions(here.house), [public(root) for root in everybody], is_signed, 2)

    assert (before, misled(versions(here.house), ROOT, everybody, 2)) == (0, 0)
    assert misled(versions(here.house), ROOT, everybody, 1) > 0
    assert read.roots == (public(SECOND_ROOT), public(THIRD_ROOT))


@pytest.mark.clause("KY-62")
def test_a_second_rotation_in_an_overlap_leaves_no_key_that_signs_nothing_active(tmp_path: Path) -> None:
    """The first key counts up to its last line, and a checkpoint that it signs behind that is refused."""
    owner = Owner(line(tmp_path), tmp_path)
    owner.decides(2)
    owner.rotates(Use.LOG, days=30)
    thief = stolen(owner.folder, "log.former.pem")
    owner.decides(1)
    owner.rotates(Use.LOG, days=30, may_end=True)
    owner.decides(2)

    published(owner.here)

    manifest = newest(owner.here.house)
    log = [(each.status, each.first, each.last) for each in manifest.keys if each.use is Use.LOG]
    assert log == [(Status.RETIRED, 0, 3), (Status.ACTIVE, 2, None), (Status.ACTIVE, 4, None)]
    sizes = [int(each.split()[3]) for each in believed(thief, owner.here.house, Keys(manifest=manifest))]
    assert max(sizes) == 4
