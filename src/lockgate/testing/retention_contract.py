# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps the promises of what is let go.

It is a part of StoreContract.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.app import App
from lockgate.core.batch import Ingested
from lockgate.core.bucket import Bucket
from lockgate.core.dedupe import Dedupe
from lockgate.core.delivery import State, addressed
from lockgate.core.retention import Pin, Retention
from lockgate.core.spine import Cell, Slot
from lockgate.core.trial import Look
from lockgate.ports.store import Store
from lockgate.testing.outbox_contract import ENDPOINT, sample_message
from lockgate.testing.run_ids_contract import MARKS

PIN = Pin(rollout="rol_1", app="web", first=0, last=1, reason="regressed", at=5)


def fill(store: Store, slots: int = 4) -> None:
    """Keep slots with one batch and one cell in each, at times 0, 10, 20 and so on."""
    with store.writing() as work:
        work.put_app(App(name="web"))
        for number in range(slots):
            slot = Slot(number=number, opened_at=10 * number, seals_at=10 * number + 10)
            work.put_slot("web", slot)
            work.put_cells("web", [Cell(number=number, release="v1", labels=(), bucket=Bucket(runs=1))])
            ingested = Ingested(digest=f"sha256:{number}", at=10 * number, runs=1, apps={"web": 1})
            work.add_batch(ingested, b"raw", [("web", number)])
            work.put_slot("web", replace(slot, sealed_at=slot.seals_at, digest="sha256:aa"))


class RetentionContract:
    """What every store promises of what is kept no longer."""

    def test_spans_are_kept(self, store: Store) -> None:
        """The defaults, until others are put."""
        kept = Retention(raw_s=5, buckets_s=7, raw_until=9)
        with store.reading() as seen:
            before = seen.retention()
        with store.writing() as work:
            work.put_retention(kept)

        with store.reading() as seen:
            assert (before, seen.retention()) == (Retention(), kept)

    def test_batches_come_the_latest_first(self, store: Store) -> None:
        """From before a row, in portions."""
        fill(store)
        with store.reading() as seen:
            first = seen.batches_before(10**9, "", 3)
            second = seen.batches_before(first[-1].at, first[-1].digest, 3)

        assert [each.digest for each in (*first, *second)] == [f"sha256:{number}" for number in (3, 2, 1, 0)]

    def test_raw_runs_come_the_oldest_first(self, store: Store) -> None:
        """Those before a time, in portions, without those that were dropped."""
        fill(store)
        with store.writing() as work:
            work.drop_segments(["sha256:1"])

        with store.reading() as seen:
            assert seen.segments_before(30, (-1, ""), 9) == ((0, "sha256:0"), (20, "sha256:2"))
            assert seen.segments_before(30, (0, "sha256:0"), 9) == ((20, "sha256:2"),)
            assert seen.segments_before(30, (-1, ""), 1) == ((0, "sha256:0"),)
            assert (seen.segment("sha256:1"), seen.segment("sha256:2")) == (None, b"raw")

    def test_a_pin_names_the_batches_of_its_slots(self, store: Store) -> None:
        """Until it is dropped; another of the same rollout from the same slot on takes its place."""
        fill(store)
        with store.writing() as work:
            work.put_pin(PIN)
            work.put_pin(replace(PIN, last=2))

        with store.reading() as seen:
            assert seen.pins() == (replace(PIN, last=2),)
            assert seen.pinned() == {"sha256:0", "sha256:1", "sha256:2"}
        with store.writing() as work:
            dropped = [work.drop_pin("rol_1"), work.drop_pin("rol_1")]
        with store.reading() as seen:
            assert (dropped, seen.pinned()) == ([True, False], frozenset())

    def test_a_pin_names_nothing_that_was_gone_before(self, store: Store) -> None:
        """And a rollout may have several, which are dropped together."""
        fill(store)
        with store.writing() as work:
            work.put_pin(PIN)
            work.put_pin(replace(PIN, first=2, last=3, raw_from=25))
            before = work.pinned()
            dropped = work.drop_pin("rol_1")

        with store.reading() as seen:
            assert before == {"sha256:0", "sha256:1", "sha256:3"}
            assert (dropped, seen.pins()) == (True, ())

    def test_slots_go_with_all_that_stands_in_them(self, store: Store) -> None:
        """And what became of their batches after them."""
        fill(store)
        with store.writing() as work:
            work.drop_slots("web", 0, 1)
            counts = [work.drop_batches(20, 1), work.drop_batches(20, 9)]

        with store.reading() as seen:
            assert [slot.number for slot in seen.slots("web")] == [2, 3]
            assert (seen.oldest_slot("web"), seen.oldest_slot("other")) == (20, None)
            assert [cell.number for cell in seen.cells("web", 0, 9)] == [2, 3]
            assert (seen.segments("web", 0), seen.segments("web", 2)) == ((), ("sha256:2",))
            assert (seen.ingested("sha256:1"), counts) == (None, [1, 1])
            assert seen.ingested("sha256:2") is not None

    def test_raw_runs_that_outlived_their_batch_are_as_old_as_the_one_that_comes_again(self, store: Store) -> None:
        """By which they are pruned."""
        fill(store)
        with store.writing() as work:
            work.drop_slots("web", 0, 1)
            work.drop_batches(20, 9)
            work.add_batch(Ingested(digest="sha256:1", at=25, runs=1, apps={"web": 1}), b"raw", [])

        with store.reading() as seen:
            assert seen.segments_before(30, (15, ""), 9) == ((20, "sha256:2"), (25, "sha256:1"))
            assert (10, "sha256:1") not in seen.segments_before(30, (-1, ""), 9)

    def test_old_marks_go(self, store: Store) -> None:
        """Of the window and strict ones, those before a time."""
        strict = Dedupe(is_strict=True)
        with store.writing() as work:
            work.add_ids("web", "sha256:old", MARKS[:1], Dedupe(), 0)
            work.add_ids("web", "sha256:new", MARKS[1:2], Dedupe(), 9)
            work.add_ids("web", "", MARKS[:1], strict, 0)
            work.add_ids("web", "", MARKS[1:2], strict, 9)

        with store.writing() as work:
            while work.drop_ids(5, 1):
                pass
            found = [work.known_ids("web", MARKS[:2], rule, 9).tolist() for rule in (Dedupe(), strict)]

        assert found == [[False, True], [False, True]]

    def test_looks_go_by_rollout(self, store: Store) -> None:
        """The oldest first and so many at a time; those of other rollouts stay."""
        look = Look(number=1, at=1, action="hold", cause="settle", reason="thin", outcome="clean", last_bucket=0)
        with store.writing() as work:
            for number in (1, 2, 3):
                work.add_look("rol_a", replace(look, number=number))
            work.add_look("rol_b", look)

        with store.reading() as seen:
            names = [
                seen.rollouts_with_looks("", 9),
                seen.rollouts_with_looks("rol_a", 9),
                seen.rollouts_with_looks("", 1),
            ]
        with store.writing() as work:
            counts = [work.drop_looks("rol_a", 2), work.drop_looks("rol_c", 2)]

        with store.reading() as seen:
            assert names == [("rol_a", "rol_b"), ("rol_b",), ("rol_a",)]
            assert (counts, seen.looks("rol_a"), seen.looks("rol_b")) == ([2, 0], (replace(look, number=3),), (look,))
        with store.writing() as work:
            work.drop_looks("rol_a", 2)
        with store.reading() as seen:
            assert seen.rollouts_with_looks("", 9) == ("rol_b",)

    def test_what_was_told_goes(self, store: Store) -> None:
        """In the order of commits, up to the first of a time; what may still be told stays, and messages do."""
        states = (State.DELIVERED, State.DEAD, State.SUPERSEDED, State.DUE, State.DELIVERED, State.DELIVERED)
        times = (1, 2, 3, 4, 9, 5)
        with store.writing() as work:
            for number, (state, at) in enumerate(zip(states, times, strict=True)):
                message = replace(sample_message(number), at=at)
                work.add_message(message)
                for delivery in addressed(message, [ENDPOINT]):
                    work.put_delivery(replace(delivery, state=state))

        with store.writing() as work:
            before = [work.has_settled(1), work.has_settled(2)]
            counts = [work.drop_deliveries(9, 1), work.drop_deliveries(9, 9), work.drop_deliveries(9, 9)]

        with store.reading() as seen:
            assert (before, counts, seen.has_settled(9)) == ([False, True], [1, 1, 0], False)
            assert [delivery.at for delivery in seen.deliveries()] == [2, 4, 9, 5]
            assert len(seen.messages()) == len(states)

    def test_room_is_given_back(self, store: Store) -> None:
        """What is kept is as it was."""
        fill(store)
        with store.writing() as work:
            work.drop_segments(["sha256:1"])

        store.give_back()

        with store.reading() as seen:
            assert [seen.segment(f"sha256:{number}") for number in range(4)] == [b"raw", None, b"raw", b"raw"]
