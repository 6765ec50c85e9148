# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps the port's promises.

class TestMine(StoreContract):
    def open(self, folder: Path) -> Store: ...
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.app import OTHER, App, Release
from lockgate.core.batch import Ingested
from lockgate.core.bucket import Bucket, Events, Pairs, Values
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.progress import Waiting, begin
from lockgate.core.evidence.sealed import Arms
from lockgate.core.evidence.state import Carry, Extent, Nuisance
from lockgate.core.evidence.totals import Cohorts, Totals
from lockgate.core.evidence.window import Span
from lockgate.core.instant import SECOND
from lockgate.core.merkle import EMPTY_ROOT, Tree, leaf_hash
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Declaration, Status, Waiver, start
from lockgate.core.spine import Cell, Slot
from lockgate.core.trial import Chain, Look, Trial
from lockgate.core.vault import Receipt
from lockgate.errors import LockgateError, TryAgainError
from lockgate.ports.store import Store
from lockgate.testing.cells_contract import CellsContract
from lockgate.testing.listing_contract import ListingContract
from lockgate.testing.outbox_contract import OutboxContract
from lockgate.testing.parts_contract import PartsContract
from lockgate.testing.probes_contract import ProbesContract
from lockgate.testing.retention_contract import RetentionContract
from lockgate.testing.run_ids_contract import MARKS, RunIdsContract, add, known
from lockgate.testing.soundness_contract import SoundnessContract
from lockgate.testing.spines_contract import SpinesContract
from lockgate.testing.trust_contract import TrustContract

APP = App(name="web", champion="v1", slices=((("intent", "medical"),), OTHER))
SLOT = Slot(number=0, opened_at=5, seals_at=65)
SEALED = replace(SLOT, sealed_at=70, digest="sha256:aa")
WIDE = Values(3, -(10**25), 10**30, ((-3, 1), (7, 2)), (0, 10**20))
BUCKET = Bucket(3, {"ok": 2, "error": 1}, {"error_rate": Events(3, 1)}, {"latency_ms": WIDE})
CELL = Cell(number=0, release="v1", labels=(("intent", "medical"), ("region", "eu")), bucket=BUCKET)
INGESTED = Ingested(digest="sha256:b1", at=6, runs=3, duplicates=1, apps={"web": 3})
POLICY: Policy = declare(
    {
        "mode": "canary",
        "gates": ["error_rate", {"metric": "latency_ms:p99.9", "min_runs": 2000}, {"metric": "cost", "margin": "10%"}],
        "limits": {"spend": "200 EUR", "time": "7d"},
    }
)
LOOK = Look(number=2, at=9, action="hold", cause="insufficient", reason="thin", outcome="insufficient", last_bucket=0)


def sample_trial(rollout_id: str = "rol_1") -> Trial:
    """Return a trial that uses every field."""
    rollout = start(Declaration(id=rollout_id, app="web", baseline="v1", candidate="v2"), POLICY, 7)
    progress = begin(plan(POLICY))
    first, *rest = progress.state.gates
    nuisance = Nuisance(1, 2, 10**20, 10**40, ((1, 2),), Extent(0, 10**6))
    gates = (replace(first, carry=Carry(Events(4, 1), WIDE, 5, 6), nuisance=nuisance), *rest)
    cohorts = Cohorts({(): Arms(BUCKET, Bucket()), CELL.labels: Arms(Bucket(), BUCKET)}, {("cost", ()): Pairs(1, 2, 3)})
    return Trial(
        rollout=replace(
            rollout, revision=1, waived=(Waiver(what="cost", harm=1.5),), approved_step=0, acknowledged=5.0
        ),
        progress=replace(
            progress,
            state=replace(progress.state, gates=gates, last_bucket=0),
            totals=Totals(0, cohorts, cohorts, 0),
            waiting=Waiting(5, is_candidate=True),
            together=1,
        ),
        spans=(Span(first=0, step=0, is_moved=True, settles_at=9),),
        chain=Chain(state="sha256:00", seq=1, receipt="sha256:01", looks=1, looks_digest="sha256:02"),
        turn=1,
        ticked_at=9,
    )


def sample_receipt(index: int, rollout_id: str = "rol_1", seq: int | None = None) -> Receipt:
    """Return a receipt at a place in the log."""
    number = index + 1 if seq is None else seq
    return Receipt(
        id=f"rcp_{rollout_id}_{number}",
        rollout_id=rollout_id,
        seq=number,
        revision=number,
        action="promote",
        cause="satisfied",
        at=8,
        index=index,
        envelope=f"envelope {rollout_id} {number}".encode(),
    )


def grow(store: Store, receipt: Receipt) -> Tree:
    """Append a receipt in a transaction of its own; return the tree that was written."""
    with store.writing() as work:
        tree, nodes = work.tree().append(leaf_hash(receipt.envelope))
        work.append(receipt, nodes)
        work.add_checkpoint(tree.size, b"checkpoint %d" % tree.size)
    return tree


class StoreContract(
    TrustContract,
    CellsContract,
    ListingContract,
    OutboxContract,
    PartsContract,
    ProbesContract,
    RetentionContract,
    RunIdsContract,
    SoundnessContract,
    SpinesContract,
):
    """What every store promises."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder; the same folder is the same store for as long as it promises to last."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        """Return an empty store."""
        return self.open(tmp_path)

    def test_what_was_put_is_read_as_it_was(self, store: Store) -> None:
        """Every value comes back equal, whatever the size of its numbers."""
        trial = sample_trial()
        with store.writing() as work:
            work.put_app(APP)
            work.put_slot("web", SLOT)
            work.put_cells("web", [CELL])
            work.add_batch(INGESTED, b"raw runs\n", [("web", 0)])
            work.put_policy(POLICY)
            work.save(trial)
            work.add_folded("rol_1", [(0, "sha256:f0"), (3, "sha256:f3")])
            work.add_look("rol_1", LOOK)

        with store.reading() as seen:
            assert (seen.app("web"), seen.apps()) == (APP, (APP,))
            assert (seen.slots("web"), seen.last_slot("web"), seen.open_slots("web")) == ((SLOT,), SLOT, (SLOT,))
            assert seen.cells("web", 0, 0) == (CELL,)
            assert (seen.ingested("sha256:b1"), seen.segment("sha256:b1")) == (INGESTED, b"raw runs\n")
            assert seen.segments("web", 0) == ("sha256:b1",)
            assert seen.policy(POLICY.digest()) == POLICY
            assert (seen.trial("rol_1"), seen.rollouts()) == (trial, (trial.rollout,))
            assert seen.folded("rol_1", 0) == ("sha256:f3",)
            assert seen.looks("rol_1") == (LOOK,)

    def test_what_is_not_there_is_none(self, store: Store) -> None:
        """An empty store answers every question."""
        with store.reading() as seen:
            found = (
                seen.app("web"),
                seen.last_slot("web"),
                seen.ingested("x"),
                seen.segment("x"),
                seen.policy("x"),
                seen.trial("x"),
                seen.receipt("x"),
                seen.checkpoint(),
            )
            empty = (seen.apps(), seen.releases("web"), seen.slots("web"), seen.cells("web", 0, 9), seen.rollouts())
            root = seen.tree().root

        assert found == (None,) * len(found)
        assert empty == ((),) * len(empty)
        assert root == EMPTY_ROOT

    def test_a_block_that_raises_leaves_nothing(self, store: Store) -> None:
        """A transaction is kept whole or not at all."""
        with pytest.raises(ZeroDivisionError), store.writing() as work:  # noqa: PT012 -- the block is what raises
            work.put_app(APP)
            work.save(sample_trial())
            raise ZeroDivisionError

        with store.reading() as seen:
            assert (seen.app("web"), seen.trial("rol_1")) == (None, None)

    def test_nothing_shows_before_it_is_kept(self, store: Store) -> None:
        """A transaction sees its own writes; a snapshot sees none of them, not even after."""
        with store.reading() as before:
            with store.writing() as work:
                work.put_app(APP)
                own = work.app("web")
                with store.reading() as beside:
                    meanwhile = beside.app("web")
            after = before.app("web")
        with store.reading() as later:
            kept = later.app("web")

        assert (own, meanwhile, after, kept) == (APP, None, None, APP)

    def test_organisations_do_not_see_each_other(self, store: Store) -> None:
        """The same names in two organisations are two things."""
        with store.writing("acme") as work:
            work.put_app(APP)
            work.save(sample_trial())
            tree, nodes = work.tree().append(leaf_hash(b"x"))
            work.append(sample_receipt(0), nodes)
            work.add_checkpoint(1, b"acme")
        with store.writing("other") as work:
            work.put_app(replace(APP, champion="v9"))

        with store.reading("other") as seen:
            assert seen.app("web") == replace(APP, champion="v9")
            assert (seen.rollouts(), seen.receipts("rol_1"), seen.tree().size) == ((), (), 0)
        assert tree.size == 1

    def test_of_two_turns_one_wins(self, store: Store) -> None:
        """A trial is kept only as the next turn of the one that is stored."""
        first = sample_trial()
        with store.writing() as work:
            work.save(first)
        with store.writing() as work:
            work.save(replace(first, turn=2, rollout=replace(first.rollout, step=1)))

        with pytest.raises(TryAgainError), store.writing() as work:
            work.save(replace(first, turn=2, rollout=replace(first.rollout, step=3)))
        with pytest.raises(TryAgainError), store.writing() as work:
            work.save(first)

        with store.reading() as seen:
            trial = seen.trial("rol_1")
        assert trial is not None
        assert trial.rollout.step == 1

    def test_the_active_rollouts_of_an_app(self, store: Store) -> None:
        """Those that have ended are left out when asked, and other apps always."""
        first = sample_trial()
        ended = replace(first, rollout=replace(first.rollout, status=Status.ROLLED_BACK))
        second = sample_trial("rol_2")
        with store.writing() as work:
            work.save(ended)
            work.save(second)
        with store.writing() as work:
            work.save(replace(second, turn=2, ticked_at=11))

        with store.reading() as seen:
            assert dict(seen.last_ticks()) == {"rol_2": 11}
            assert seen.rollouts("web") == (ended.rollout, second.rollout)
            assert seen.rollouts("web", active=True) == (second.rollout,)
            assert seen.rollouts("api") == ()

    def test_a_sealed_bucket_never_changes(self, store: Store) -> None:
        """Neither the slot nor a cell of it, whoever tries."""
        with store.writing() as work:
            work.put_slot("web", SLOT)
            work.put_cells("web", [CELL])
            work.put_slot("web", SEALED)

        with pytest.raises(LockgateError), store.writing() as work:
            work.put_slot("web", replace(SEALED, digest="sha256:bb"))
        with pytest.raises(LockgateError), store.writing() as work:
            work.put_cells("web", [replace(CELL, bucket=Bucket(1))])
        with pytest.raises(LockgateError), store.writing() as work:
            work.put_cells("web", [replace(CELL, release="v7")])

        with store.reading() as seen:
            assert (seen.slots("web"), seen.cells("web", 0, 0)) == ((SEALED,), (CELL,))
            assert seen.open_slots("web") == ()

    def test_cells_are_replaced_while_the_bucket_is_open(self, store: Store) -> None:
        """The last tallies that were put are those that are read, in the order of slots."""
        later = replace(CELL, number=1, bucket=Bucket(9))
        with store.writing() as work:
            work.put_slot("web", SLOT)
            work.put_slot("web", replace(SLOT, number=1))
            work.put_cells("web", [CELL, later])
            work.put_cells("web", [replace(CELL, bucket=Bucket(4))])

        with store.reading() as seen:
            assert seen.cells("web", 0, 1) == (replace(CELL, bucket=Bucket(4)), later)
            assert seen.slots("web", 0) == (replace(SLOT, number=1),)

    def test_a_batch_is_kept_once(self, store: Store) -> None:
        """The same digest a second time is refused whole."""
        with store.writing() as work:
            work.put_slot("web", SLOT)
            work.add_batch(INGESTED, b"raw", [("web", 0)])

        with pytest.raises(LockgateError), store.writing() as work:  # noqa: PT012 -- the block is what raises
            work.put_app(APP)
            work.add_batch(INGESTED, b"raw", [("web", 0)])

        with store.reading() as seen:
            assert (seen.app("web"), seen.segment(INGESTED.digest)) == (None, b"raw")

    def test_the_log_grows_by_one_and_never_changes(self, store: Store) -> None:
        """Places have no gap, a receipt is appended once, and every checkpoint stays."""
        grown = [grow(store, sample_receipt(index)) for index in range(5)]

        for wrong in (sample_receipt(4), sample_receipt(6), replace(sample_receipt(5), seq=2)):
            with pytest.raises(LockgateError):
                grow(store, wrong)

        with store.reading() as seen:
            assert seen.tree() == grown[-1]
            assert (seen.checkpoint(), seen.checkpoint(2)) == (b"checkpoint 5", b"checkpoint 2")
            assert seen.receipts("rol_1", 3) == (sample_receipt(3), sample_receipt(4))
            assert seen.receipt("rcp_rol_1_1") == sample_receipt(0)

    def test_a_release_stays_as_it_was_first_seen(self, store: Store) -> None:
        """Being named again changes nothing."""
        first = Release(app="web", name="v1", first_seen_at=5)
        with store.writing() as work:
            work.put_release(first)
            work.put_release(replace(first, first_seen_at=9))
            work.put_release(Release(app="web", name="v0", first_seen_at=7))

        with store.reading() as seen:
            assert [release.first_seen_at for release in seen.releases("web")] == [5, 7]


class LastingStoreContract(StoreContract):
    """What a store promises besides when it outlives its process."""

    def test_what_was_kept_is_there_when_it_is_opened_again(self, tmp_path: Path) -> None:
        """Another process with the same folder reads the same."""
        with self.open(tmp_path).writing() as work:
            work.put_app(APP)
            work.save(sample_trial())

        with self.open(tmp_path).reading() as seen:
            assert (seen.app("web"), seen.trial("rol_1")) == (APP, sample_trial())

    def test_marks_of_another_process_are_known(self, tmp_path: Path) -> None:
        """And what it forgot is forgotten."""
        here, there = self.open(tmp_path), self.open(tmp_path)
        add(here, "web", 0, MARKS[:1])
        add(there, "web", SECOND, MARKS[1:2])
        first = known(here, "web", SECOND)
        add(there, "web", 2 * SECOND, MARKS[2:3])

        assert first == [True, True, False, False]
        assert known(here, "web", 2 * SECOND) == [True, True, True, False]
        assert known(there, "web", 11 * SECOND) == known(here, "web", 11 * SECOND) == [False, True, True, False]
        assert known(there, "web", 60 * SECOND) == known(here, "web", 2 * SECOND) == [False] * 4
