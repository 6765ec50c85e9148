# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it undoes a part of a transaction alone and keeps the log covered.

It is a part of StoreContract.
"""

from __future__ import annotations

import pytest

from lockgate.core.app import App
from lockgate.core.merkle import leaf_hash
from lockgate.core.vault import Receipt
from lockgate.errors import LockgateError
from lockgate.ports.store import Store, Transaction


class PartsContract:
    """What every store promises of transactions that hold several decisions."""

    def test_a_part_that_raises_is_undone_alone(self, store: Store) -> None:
        """What came before it in the transaction, and what comes after, is kept."""
        with store.writing() as work:
            work.put_app(App(name="before"))
            with work.part():
                work.put_app(App(name="first"))
            with pytest.raises(ZeroDivisionError), work.part():  # noqa: PT012 -- the block is what raises
                work.put_app(App(name="before", champion="v9"))
                work.put_app(App(name="undone"))
                append(work, 0)
                raise ZeroDivisionError
            with work.part():
                work.put_app(App(name="second"))

        with store.reading() as seen:
            assert [(app.name, app.champion) for app in seen.apps()] == [
                ("before", None),
                ("first", None),
                ("second", None),
            ]
            assert (seen.tree().size, seen.receipts("rol_1")) == (0, ())

    def test_a_block_that_raises_leaves_nothing_of_its_parts(self, store: Store) -> None:
        """A part that was left is kept only with the whole."""
        with pytest.raises(ZeroDivisionError), store.writing() as work:  # noqa: PT012 -- the block is what raises
            with work.part():
                work.put_app(App(name="first"))
            raise ZeroDivisionError

        with store.reading() as seen:
            assert seen.apps() == ()

    def test_one_checkpoint_covers_several_receipts(self, store: Store) -> None:
        """It is of the size that the log has then; there is none of the sizes between."""
        with store.writing() as work:
            for index in range(3):
                with work.part():
                    append(work, index)
            work.add_checkpoint(3, b"three")

        with store.reading() as seen:
            found = [seen.checkpoint(size) for size in (None, 1, 2, 3)]
            assert (seen.tree().size, found) == (3, [b"three", None, None, b"three"])

    def test_the_last_receipt_is_that_of_the_log_or_of_a_rollout(self, store: Store) -> None:
        """Each is found by itself, in the transaction that appends too; where nothing was signed there is none."""
        with store.writing() as work:
            append(work, 0)
            append(work, 1)
            append(work, 2, "rol_2")
            latest = [work.latest_receipt(name) for name in (None, "rol_1", "rol_2", "rol_3")]
            work.add_checkpoint(3, b"three")

        assert [each and each.index for each in latest] == [2, 1, 2, None]
        with store.reading() as seen:
            assert [seen.latest_receipt(name) for name in (None, "rol_1", "rol_2", "rol_3")] == latest

    @pytest.mark.parametrize("covered", [None, 1, 3])
    def test_a_log_that_nothing_covers_is_not_kept(self, store: Store, covered: int | None) -> None:
        """Neither receipts without a checkpoint, nor a checkpoint of another size than the log's."""
        with pytest.raises(LockgateError, match="no checkpoint covers"), store.writing() as work:  # noqa: PT012 -- the block is what raises
            append(work, 0)
            append(work, 1)
            if covered is not None:
                work.add_checkpoint(covered, b"other")

        with store.reading() as seen:
            assert (seen.tree().size, seen.checkpoint()) == (0, None)


def append(work: Transaction, index: int, rollout_id: str = "rol_1") -> None:
    """Append a receipt to the log."""
    receipt = Receipt(
        id=f"rcp_{index}",
        rollout_id=rollout_id,
        seq=index + 1,
        revision=1,
        action="hold",
        cause="insufficient",
        at=8,
        index=index,
        envelope=b"envelope %d" % index,
    )
    _, nodes = work.tree().append(leaf_hash(receipt.envelope))
    work.append(receipt, nodes)
