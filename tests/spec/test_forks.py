# SPDX-License-Identifier: Apache-2.0
"""A log in which an entry was edited, deleted or moved, or that a backup took back, comes in; someone must notice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.core.checkpoint import LogGrowth, checkpoint_of
from lockgate.core.merkle import plan_consistency
from lockgate.core.note import read_note_key
from lockgate.core.public_key import read_public_key
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.soundness.flaw import Flaw
from lockgate.core.vault import Receipt
from lockgate.errors import DataError
from lockgate.operations.bundle.saved_receipts import CHECKPOINT, GROWTH, LOG_KEY, RECEIPT_KEY, saved_receipts
from lockgate.operations.soundness.fsck import fsck
from lockgate.ports.house import House
from lockgate.ports.store import Store
from lockgate.testing.world import World
from lockgate.verify import Keys, verify_receipt
from tests.postgresql import OWNER, Cluster
from tests.spec.forged import ByHand, edited, entries, in_files, in_postgres, made_whole, rewritten
from tests.spec.line import created

ENTRIES, PLACE = 7, 3
# Of a log that became shorter nothing can be shown to begin with the longer one.
EXPOSED = (Reason.FORK, Reason.CONSISTENCY, Reason.GROWTH_MISSING)
Change = Callable[[list[Receipt], House], list[Receipt]]


@dataclass(frozen=True)
class Kept:
    """A world whose log has some entries, what changes its rows, and what opens its store once more."""

    here: World
    by_hand: ByHand
    again: Callable[[], Store]


@pytest.fixture(params=["a folder", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """Return a world of some rollouts, on each kind of store that lasts."""
    opened: list[SqliteStore | PostgresStore] = []
    if request.param == "a folder":
        by_hand = in_files(tmp_path)
        made: Callable[[], SqliteStore | PostgresStore] = lambda: SqliteStore(tmp_path)  # noqa: E731 -- one of two
    else:
        cluster: Cluster = request.getfixturevalue("postgresql")
        url = cluster.new_database()
        by_hand = in_postgres(url.replace(f"//{OWNER}:{cluster.password}@", f"//postgres:{cluster.password}@"))
        made = lambda: PostgresStore(url)  # noqa: E731 -- one of two

    def again() -> Store:
        opened.append(made())
        return opened[-1]

    here = World(again(), 1)
    for number in range(ENTRIES):
        created(here, app=f"app-{number}")
    yield Kept(here, by_hand, again)
    for store in opened:
        store.close()


def edit(log: list[Receipt], house: House) -> list[Receipt]:
    """Let one entry say something else, under a good signature."""
    return [*log[:PLACE], edited(log[PLACE], house), *log[PLACE + 1 :]]


def flip(log: list[Receipt], _: House) -> list[Receipt]:
    """Change a letter of one entry."""
    envelope = log[PLACE].envelope.replace(b'"sig":"', b'"sig":"A', 1)[: len(log[PLACE].envelope)]
    return [*log[:PLACE], replace(log[PLACE], envelope=envelope), *log[PLACE + 1 :]]


def delete(log: list[Receipt], _: House) -> list[Receipt]:
    """Take one entry away, and leave the others where they are."""
    return [*log[:PLACE], *log[PLACE + 1 :]]


def swap(log: list[Receipt], _: House) -> list[Receipt]:
    """Let two entries change places."""
    one, other = replace(log[PLACE], index=PLACE + 1), replace(log[PLACE + 1], index=PLACE)
    return [*log[:PLACE], other, one, *log[PLACE + 2 :]]


def closed(change: Change) -> Change:
    """Return a change that leaves no gap behind."""
    return lambda log, house: [replace(each, index=index) for index, each in enumerate(change(log, house))]


def names(flaw: Flaw, index: int) -> bool:
    """Say whether a flaw names an entry of the log."""
    return flaw.index == index or f"entry {index} of the log" in flaw.sentence


@pytest.mark.tampers
@pytest.mark.clause("IO-10")
@pytest.mark.parametrize("change", [edit, flip, delete, swap])
def test_a_check_names_the_entry_that_was_changed(kept: Kept, change: Change) -> None:
    """Edited under a good signature or a bad one, deleted, or moved: the flaws name its index, and none before it."""
    house = kept.here.house
    kept.by_hand(rewritten(change(entries(house), house)))

    found = fsck(replace(house, store=kept.again()))

    assert any(names(flaw, PLACE) for flaw in found.flaws)
    assert not any(names(flaw, index) for flaw in found.flaws for index in range(PLACE))


@pytest.mark.tampers
@pytest.mark.clause("IO-11")
@pytest.mark.parametrize("change", [edit, closed(delete), swap], ids=["edit", "delete", "swap"])
@pytest.mark.parametrize("more", [0, 1, 5])
def test_a_kept_checkpoint_exposes_a_log_that_was_made_whole_again(kept: Kept, change: Change, more: int) -> None:
    """Whoever has every key and rewrites nodes and checkpoints too cannot lead back to what they once signed."""
    house = kept.here.house
    saved = files(house)[CHECKPOINT]
    forged = replace(house, store=kept.again())
    kept.by_hand(made_whole(change(entries(house), house), house))
    here = World(forged.store, 1)
    for number in range(more):
        created(here, app=f"later-{number}")

    with pytest.raises(DataError, match="never was that tree"):
        files(forged, saved)
    assert exposed(forged, saved) in EXPOSED


@pytest.mark.clause("IO-11")
def test_a_log_that_only_grew_leads_back_to_a_kept_checkpoint(kept: Kept) -> None:
    """The same questions to an honest log are answered, and verify."""
    saved = files(kept.here.house)[CHECKPOINT]
    created(kept.here, app="later")

    found = files(kept.here.house, saved)

    assert exposed(kept.here.house, saved) is None
    assert GROWTH in found


@pytest.mark.clause("IO-12")
def test_a_backup_that_was_put_back_and_grew_is_exposed(tmp_path: Path) -> None:
    """Nothing in it contradicts itself; a checkpoint from before it was put back does."""
    home, copy = tmp_path / "home", tmp_path / "copy"
    with closing(SqliteStore(home)) as store:
        lived = World(store, 1)
        for number in range(ENTRIES):
            created(lived, app=f"app-{number}")
        shutil.copytree(home, copy)
        created(lived, app="lost")
        saved = files(lived.house)[CHECKPOINT]

    with closing(SqliteStore(copy)) as store:
        restored = World(store, 1)
        shorter = exposed(restored.house, saved)
        for number in range(3):
            created(restored, app=f"instead-{number}")

        assert shorter is Reason.GROWTH_MISSING
        assert fsck(restored.house).is_sound
        with pytest.raises(DataError, match="never was that tree"):
            files(restored.house, saved)
        assert exposed(restored.house, saved) is Reason.CONSISTENCY


def files(house: House, since: bytes | None = None) -> dict[str, bytes]:
    """Return what somebody is handed of the first rollout."""
    return dict(saved_receipts(entries(house)[0].rollout_id, house, since=since))


def exposed(house: House, saved: bytes) -> Reason | None:
    """Return why a receipt is refused beside a checkpoint that was kept, with the best proof that can be made up."""
    found = files(house)
    keys = Keys((read_public_key(found[RECEIPT_KEY]),), (read_note_key(found[LOG_KEY].decode()),))
    old, new = (checkpoint_of(each).size for each in (saved, found[CHECKPOINT]))
    with house.store.reading(house.org) as seen:
        plan = plan_consistency(old, new) if old < new else None
        hashes = () if plan is None else plan.hashes(seen.nodes(plan.nodes))
    growth = None if plan is None else LogGrowth(old, hashes, found[CHECKPOINT]).encode()
    try:
        verify_receipt(found["receipt-1.json"], keys, found["receipt-1.tlog-proof"], saved, growth)
    except VerifyError as error:
        return error.reason
    return None
