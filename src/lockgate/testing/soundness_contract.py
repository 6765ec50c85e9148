# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether all that it holds can be read in portions, as the port promises.

It is a part of StoreContract.
"""

from __future__ import annotations

from lockgate.core.batch import Ingested
from lockgate.core.canonical import byte_digest
from lockgate.core.merkle import Node, leaf_hash
from lockgate.core.outbox import Message
from lockgate.core.spine import Slot
from lockgate.core.transition import Event
from lockgate.core.trial import Look
from lockgate.core.vault import Receipt
from lockgate.ports.store import Store
from lockgate.testing.contents_contract import ContentsContract

SERIES = ("rol_b", "rol_a", "rol_a")
BODIES = (b"one", b"two", b"three")


def _receipt(index: int) -> Receipt:
    series = SERIES[index]
    return Receipt(
        id=f"rcp_{index}",
        rollout_id=series,
        seq=SERIES[: index + 1].count(series),
        revision=1,
        action="promote",
        cause="satisfied",
        at=index,
        index=index,
        envelope=b"%d" % index,
    )


def _look(number: int) -> Look:
    return Look(number=number, at=1, action="hold", cause="settle", reason="thin", outcome="clean", last_bucket=0)


def _message(number: int) -> Message:
    return Message(id=f"evt_{number}", app="web", rollout_id="rol_a", seq=number, event=Event.PROMOTE, at=1, body=b"{}")


def fill(store: Store) -> None:
    """Keep three of everything, in one transaction."""
    with store.writing() as work:
        for index in range(len(SERIES)):
            receipt = _receipt(index)
            tree, nodes = work.tree().append(leaf_hash(receipt.envelope))
            work.append(receipt, nodes)
        work.add_checkpoint(tree.size, b"checkpoint")
        work.put_slot("web", Slot(number=0, opened_at=5, seals_at=65))
        for body in BODIES:
            work.add_batch(Ingested(digest=byte_digest(body), at=6, runs=1, apps={"web": 1}), body, [("web", 0)])
        for number in (1, 2, 3):
            work.add_look("rol_a", _look(number))
            work.add_message(_message(number))
        work.add_folded("rol_a", [(number, f"sha256:{number}") for number in (1, 2, 3)])


class SoundnessContract(ContentsContract):
    """What every store promises of reading everything."""

    def test_everything_is_read_in_portions_in_the_order_of_its_keys(self, store: Store) -> None:
        """Each portion begins after the last key of the one before, and the one behind the end is empty."""
        fill(store)

        with store.reading() as seen:
            assert (seen.series_after("", 5), seen.series_after("rol_a", 5)) == (("rol_a", "rol_b"), ("rol_b",))
            assert [each.id for each in seen.receipts_after("rol_a", 0, 1)] == ["rcp_1"]
            assert [each.id for each in seen.receipts_after("rol_a", 1, 5)] == ["rcp_2"]
            assert [each.index for each in seen.entries_after(-1, 2)] == [0, 1]
            assert [each.index for each in seen.entries_after(1, 5)] == [2]
            assert seen.looks_after("rol_a", 1, 1) == (_look(2),)
            assert seen.folded_after("rol_a", 1, 5) == ((2, "sha256:2"), (3, "sha256:3"))
            assert seen.checkpoints_after(0, 5) == ((3, b"checkpoint"),)
            assert seen.checkpoints_after(3, 5) == ()
            digests = sorted(byte_digest(body) for body in BODIES)
            assert [each.digest for each in seen.batches_after("", 2)] == digests[:2]
            assert [each.digest for each in seen.batches_after(digests[1], 2)] == digests[2:]
            places = [place for place, _ in seen.messages_after(-1, 5)]
            assert [each.seq for _, each in seen.messages_after(places[0], 1)] == [2]
            assert seen.messages_after(places[-1], 5) == ()

    def test_nodes_of_the_log_are_counted_and_those_not_there_left_out(self, store: Store) -> None:
        """A log of three entries has four whole nodes."""
        fill(store)

        with store.reading() as seen:
            found = seen.hashes_of([Node(0, 2), Node(1, 1), Node(9, 9)])
            assert (seen.node_count(), found) == (4, {Node(0, 2): leaf_hash(b"2")})

    def test_raw_runs_are_their_own_bytes_or_not_there(self, store: Store) -> None:
        """None is another answer than no."""
        fill(store)

        with store.reading() as seen:
            found = [seen.is_segment_sound(byte_digest(body)) for body in (b"one", b"none")]
        assert found == [True, None]

    def test_a_store_in_use_contradicts_nothing(self, store: Store) -> None:
        """What its own files say of themselves."""
        fill(store)

        with store.reading() as seen:
            assert (seen.contradictions(), seen.left_for()) == ((), None)
