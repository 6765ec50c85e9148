# SPDX-License-Identifier: Apache-2.0
"""Keys that may be stolen come in, with calls that are refused; nothing is made, signed or promised that was not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.adapters.marks.state_files import StateFiles
from lockgate.adapters.signers.key_folder import open_signers
from lockgate.core.custody import Custody
from lockgate.core.envelope import open_envelope
from lockgate.core.listed_key import Status, Use
from lockgate.core.note import read_note
from lockgate.errors import NotPermittedError, OlderStoreError, UsageError
from lockgate.operations.keys import last_good
from lockgate.operations.keys.manifest import Roots, draft_manifest
from lockgate.operations.keys.revoke_former import Revoking, named_key, revoke_former
from lockgate.operations.keys.rotate_key import Rotation, rotate_key
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.vault.custody import renew_keys
from lockgate.operations.vault.known_keys import custody
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.test_rotation import (
    DAY,
    DAY_S,
    ROOT,
    WHO,
    checkpoint,
    counted,
    decide,
    ended_at,
    entries,
    line,
    public,
    published,
    ring,
    rotated,
    trusting,
)

ROLES = (Use.RECEIPT, Use.LOG)


def revoked(here: World, role: Use, key_id: str, good: int) -> int:
    """Revoke a key that signs no more; return how many receipts say so."""
    revoking = Revoking(role=role, key_id=key_id, last_good={here.house.org: good}, actor=WHO)
    return len(revoke_former(revoking, here.house))


def stated(here: World) -> Custody:
    """Return the custody that was signed last."""
    with here.house.store.reading(here.house.org) as seen:
        found = custody(seen, here.house.org)
    assert found is not None
    return found


def key_files(folder: Path) -> set[str]:
    """Return the names of the private keys in a folder."""
    return {path.name for path in folder.glob("*.pem")}


@pytest.mark.clause("KY-62")
def test_a_second_rotation_does_not_end_an_overlap_by_itself(tmp_path: Path) -> None:
    """Who knows the log by its first key was promised a time; that is over, or ended by who says so, before a third."""
    here = line(tmp_path)
    decide(here, "one")
    rotated(here, Use.LOG, overlap=30 * DAY)
    before = (key_files(tmp_path), len(entries(here.house)))

    with pytest.raises(UsageError, match="a third key would end that now"):
        rotated(here, Use.LOG, overlap=30 * DAY)

    assert (key_files(tmp_path), len(entries(here.house))) == before
    assert rotated(here, Use.RECEIPT).receipts
    rotation = Rotation(role=Use.LOG, actor=WHO, overlap=30 * DAY, may_end_overlap=True)
    assert rotate_key(rotation, here.house, ring(here)).receipts
    here.clock.advance(31 * DAY_S)
    assert rotated(here, Use.LOG).receipts


@pytest.mark.clause("KY-62", "KY-18")
def test_a_rotation_that_ended_half_way_is_none_within_its_own_overlap(tmp_path: Path) -> None:
    """The same call goes on where it had ended, and so does that of a second machine."""
    here = line(tmp_path)
    decide(here, "one")
    with ended_at("key.aside"):
        rotated(here, Use.LOG, overlap=30 * DAY)
    here.house = replace(here.house, signers=open_signers(tmp_path))

    assert rotated(here, Use.LOG, overlap=30 * DAY).receipts == {}
    assert len(entries(here.house)) == 2


@pytest.mark.clause("KY-63")
def test_a_former_key_is_revoked_by_the_key_that_signs(tmp_path: Path) -> None:
    """Nothing follows, an overlap of it ends with that receipt, and calling again signs nothing."""
    here = line(tmp_path)
    decide(here, "one")
    former = here.house.signers.log.key_id
    rotated(here, Use.LOG, overlap=30 * DAY)
    decide(here, "two")
    files = key_files(tmp_path)

    said = revoked(here, Use.LOG, former, 2), revoked(here, Use.LOG, former[:16], 2)

    assert said == (1, 0)
    assert key_files(tmp_path) == files
    assert entries(here.house)[-1].action == "revoke_key"
    assert stated(here).overlap is None
    assert len(read_note(checkpoint(here.house)).signatures) == 1
    listed = trusting(published(here)).listed(former)
    assert listed is not None
    assert (listed.status, listed.first, listed.last) == (Status.REVOKED, 0, 2)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("KY-85")
@pytest.mark.parametrize("days", [29, 30, 300])
def test_a_key_whose_overlap_is_over_is_revoked_only_by_its_name(tmp_path: Path, days: int) -> None:
    """While it signs beside its follower one call revokes both; later what it covered counts on, as before the call."""
    here = line(tmp_path)
    decide(here, "one")
    former = here.house.signers.log.key_id
    rotated(here, Use.LOG, overlap=30 * DAY)
    decide(here, "two")
    stolen, is_beside = stated(here).log_key, days < 30
    here.clock.advance(days * DAY_S)

    rotated(here, Use.LOG, last_good=2)

    assert [each.key_id for each in stated(here).revoked] == [*([former] if is_beside else []), stolen]
    listed = trusting(published(here)).listed(former)
    assert listed is not None
    assert listed.status is (Status.REVOKED if is_beside else Status.RETIRED)
    said = open_envelope(entries(here.house)[-1].envelope).payload.decode()
    assert (former in said, stolen in said) == (is_beside, True)
    assert revoked(here, Use.LOG, former, 2) == (not is_beside)


@pytest.mark.clause("KY-81")
def test_digits_that_are_of_two_keys_name_none() -> None:
    """Both are named, and a whole id, or enough digits of it, is one."""
    one, other = "ab" * 8 + "0" * 48, "ab" * 8 + "1" * 48

    with pytest.raises(UsageError, match="2 log keys begin with") as refused:
        named_key(Use.LOG, one[:16], [one, other])

    assert refused.value.advice == f"Name one: {one}, {other}."
    assert [named_key(Use.LOG, each, [one, other]) for each in (one, other[:17])] == [one, other]
    with pytest.raises(UsageError, match="no log key whose id begins with"):
        named_key(Use.LOG, one[:15], [one])


@pytest.mark.clause("KY-82")
def test_a_place_that_is_refused_is_refused_by_the_keys_own_places(tmp_path: Path) -> None:
    """A former key's end where another follows; before the first entry of the log there is no place to name."""
    here = line(tmp_path)
    decide(here, "one")
    former = here.house.signers.receipt.key_id
    rotated(here, Use.RECEIPT)
    decide(here, "two")
    second = stated(here).receipt_key
    rotated(here, Use.RECEIPT)

    with pytest.raises(UsageError, match="entries 0 to 1 of the log of default are of this key") as first:
        revoked(here, Use.RECEIPT, former, 9)
    with pytest.raises(UsageError, match="entries 2 to 3 of the log of default are of this key") as later:
        revoked(here, Use.RECEIPT, second, 0)

    assert "one less than the first" not in first.value.advice
    assert "one less than the first where none of them is good" in later.value.advice


@pytest.mark.clause("KY-63")
def test_a_place_that_counted_for_nothing_never_counts_again(tmp_path: Path) -> None:
    """Whoever learns of an earlier theft names an earlier place; a later one changes nothing."""
    here = line(tmp_path)
    for name in ("one", "two", "three"):
        decide(here, name)
    stolen = here.house.signers.receipt.key_id
    rotated(here, Use.RECEIPT, last_good=2)

    said = [revoked(here, Use.RECEIPT, stolen, good) for good in (2, 0, 1)]

    assert said == [0, 1, 0]
    assert [(each.key_id, each.last) for each in stated(here).revoked] == [(stolen, 0)]
    assert counted(trusting(published(here)), entries(here.house)) == [0, 3, 4, 5]


@pytest.mark.clause("KY-63")
def test_what_cannot_be_said_of_a_key_is_refused(tmp_path: Path) -> None:
    """One that signs, one that never signed, one of the other use, too few digits, and a place that is none of it."""
    here = line(tmp_path)
    decide(here, "one")
    decide(here, "two")
    former = here.house.signers.receipt.key_id
    rotated(here, Use.RECEIPT)
    decide(here, "three")
    signs = here.house.signers.receipt.key_id
    before = len(entries(here.house))

    for role, key_id, good, said in (
        (Use.RECEIPT, signs, 2, "signs now"),
        (Use.RECEIPT, "0" * 64, 1, "has signed"),
        (Use.LOG, former, 1, "has signed"),
        (Use.RECEIPT, former[:15], 1, "has signed"),
        (Use.RECEIPT, former, before, "last good one"),
        (Use.RECEIPT, former, -1, "last good one"),
    ):
        with pytest.raises(UsageError, match=said):
            revoked(here, role, key_id, good)

    assert len(entries(here.house)) == before


@pytest.mark.clause("KY-52", "KY-63")
def test_as_many_former_keys_as_a_receipt_holds_are_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused before anything is signed."""
    monkeypatch.setattr(last_good, "MAX_REVOKED", 1)
    here = line(tmp_path)
    decide(here, "one")
    ids = []
    for _ in range(2):
        ids.append(here.house.signers.receipt.key_id)
        rotated(here, Use.RECEIPT)

    assert revoked(here, Use.RECEIPT, ids[0], 0) == 1
    with pytest.raises(UsageError, match="1 keys of the log of default are revoked"):
        revoked(here, Use.RECEIPT, ids[1], 2)


@pytest.mark.clause("KY-64")
@pytest.mark.parametrize("good", [None, 0])
@pytest.mark.parametrize(("role", "other"), [(Use.RECEIPT, Use.LOG), (Use.LOG, Use.RECEIPT)])
def test_a_rotation_that_another_lost_key_refuses_makes_none(
    tmp_path: Path, role: Use, other: Use, good: int | None
) -> None:
    """What is left would be taken by the next call, whoever has read it meanwhile."""
    here = line(tmp_path)
    decide(here, "one")
    (tmp_path / f"{other}.pem").unlink()
    here.house = replace(here.house, signers=open_signers(tmp_path, lambda: False))

    with pytest.raises(NotPermittedError, match="is not there"):
        rotated(here, role, last_good=good)

    assert key_files(tmp_path) == {f"{role}.pem"}
    assert len(entries(here.house)) == 1


@pytest.mark.clause("KY-64")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("good", [-1, 9])
def test_a_last_good_place_that_is_none_makes_no_key(tmp_path: Path, role: Use, good: int) -> None:
    """The refusal comes before the key."""
    here = line(tmp_path)
    decide(here, "one")

    with pytest.raises(UsageError, match="last good one"):
        rotated(here, role, last_good=good)

    assert key_files(tmp_path) == {"receipt.pem", "log.pem"}


@pytest.mark.clause("KY-64")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("good", [None, 0])
def test_an_older_copy_of_the_store_gets_no_key(tmp_path: Path, role: Use, good: int | None) -> None:
    """Nothing may be signed there, so that a key would only lie in wait for the next call."""
    home, keys, older = tmp_path / "home", tmp_path / "keys", tmp_path / "older"
    lived = World(sqlite_store(home), 1)
    lived.house = replace(lived.house, signers=open_signers(keys), high_water=StateFiles(tmp_path / "state"))
    decide(lived, "one")
    shutil.copytree(home, older)
    decide(lived, "two")
    lived.house = replace(lived.house, store=sqlite_store(older))

    with pytest.raises(OlderStoreError):
        rotated(lived, role, last_good=good)

    assert key_files(keys) == {"receipt.pem", "log.pem"}


@pytest.mark.clause("KY-64")
@pytest.mark.parametrize("role", ROLES)
def test_a_stolen_key_is_not_followed_by_one_that_was_prepared_before(tmp_path: Path, role: Use) -> None:
    """The thief may have read both; who knows better says so, and who removes it gets another."""
    here = line(tmp_path)
    decide(here, "one")
    prepared = ring(here).prepare(role).key_id
    rotation = Rotation(role=role, actor=WHO, last_good={"default": 0})

    with pytest.raises(UsageError, match=rf"{role}\.next\.pem .* was prepared before this call"):
        rotate_key(rotation, here.house, ring(here))

    assert len(entries(here.house)) == 1
    made = rotate_key(replace(rotation, may_use_prepared=True), here.house, ring(here))
    assert made.key_id == prepared


@pytest.mark.clause("KY-64")
def test_a_stolen_key_is_not_taken_for_revoked_where_it_was_only_followed(tmp_path: Path) -> None:
    """A routine call that ended half way is finished first: it said nothing of a theft."""
    here = line(tmp_path)
    decide(here, "one")
    stolen = here.house.signers.receipt.key_id
    with ended_at("key.aside"):
        rotated(here, Use.RECEIPT)
    here.house = replace(here.house, signers=open_signers(tmp_path))

    with pytest.raises(UsageError, match="without a word that the one before it is stolen"):
        rotated(here, Use.RECEIPT, last_good=0)

    assert rotated(here, Use.RECEIPT).receipts == {}
    assert revoked(here, Use.RECEIPT, stolen, 0) == 1


@pytest.mark.clause("KY-65")
@pytest.mark.parametrize("role", ROLES)
def test_a_former_key_never_signs_again(tmp_path: Path, role: Use) -> None:
    """Neither as a prepared one nor as a new one: no manifest could say where it counts."""
    here = line(tmp_path)
    decide(here, "one")
    own = tmp_path / f"{role}.pem"
    first = own.read_bytes()
    rotated(here, role)
    decide(here, "two")
    before = len(entries(here.house))

    (tmp_path / f"{role}.next.pem").write_bytes(first)
    (tmp_path / f"{role}.next.pem").chmod(0o600)
    with pytest.raises(UsageError, match="a key has one span"):
        rotated(here, role)
    (tmp_path / f"{role}.next.pem").unlink()
    own.write_bytes(first)
    here.house = replace(here.house, signers=open_signers(tmp_path))
    with pytest.raises(UsageError, match="a key has one span"):
        renew_keys(WHO, here.house)

    assert len(entries(here.house)) == before
    own.unlink()
    here.house = replace(here.house, signers=open_signers(tmp_path))
    renew_keys(WHO, here.house)
    assert len(draft_manifest(here.house, Roots((public(ROOT),))).keys) == 4
