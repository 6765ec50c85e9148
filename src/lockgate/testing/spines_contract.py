# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether transactions that name spines keep what they may, and decide nothing.

It is a part of StoreContract.
"""

from __future__ import annotations

import pytest

from lockgate.core.app import App
from lockgate.core.batch import Ingested
from lockgate.core.spine import Slot
from lockgate.errors import LockgateError
from lockgate.ports.store import Store
from lockgate.testing.parts_contract import append


class SpinesContract:
    """What every store promises of transactions that name the spines that they write."""

    def test_what_is_written_to_a_spine_is_kept(self, store: Store) -> None:
        """Also of an app that nobody had heard of, and to several at once."""
        with store.writing(spines=["web", "api"]) as work:
            for name in ("web", "api"):
                work.put_app(App(name=name))
                work.put_slot(name, Slot(number=0, opened_at=5, seals_at=65))

        with store.reading() as seen:
            assert [app.name for app in seen.apps()] == ["api", "web"]
            assert [len(seen.slots(name)) for name in ("api", "web")] == [1, 1]

    def test_batches_are_asked_for_at_once(self, store: Store) -> None:
        """Whoever adds runs sees those that were kept and those that it added itself; of others there is nothing."""
        first, second = (Ingested(digest=f"sha256:{name}", at=5, runs=1, apps={"web": 1}) for name in "ab")
        with store.writing(spines=["web"]) as work:
            work.add_batch(first, b"a", [])
        with store.writing("other", spines=["web"]) as work:
            work.add_batch(second, b"b", [])

        with store.writing(spines=["web"]) as work:
            before = work.ingested_of(["sha256:b", "sha256:c"])
            work.add_batch(second, b"b", [])
            after = work.ingested_of(["sha256:b", "sha256:a", "sha256:c"])

        with store.reading() as seen:
            assert (before, after) == ({}, {"sha256:a": first, "sha256:b": second})
            assert (seen.ingested_of(["sha256:b", "sha256:b"]), seen.ingested_of([])) == ({"sha256:b": second}, {})

    def test_a_transaction_for_spines_sees_the_last_checkpoint(self, store: Store) -> None:
        """As it was kept last before, and none of an empty log."""
        with store.writing(spines=["web"]) as work:
            before = work.checkpoint()
        for index in range(2):
            with store.writing() as work:
                append(work, index)
                work.add_checkpoint(index + 1, b"checkpoint %d" % index)

        with store.writing(spines=["web"]) as work:
            after = work.checkpoint(), work.checkpoint(1)

        assert (before, after) == (None, (b"checkpoint 1", b"checkpoint 0"))

    def test_a_transaction_for_spines_appends_no_receipt(self, store: Store) -> None:
        """Others may run beside it, and the log has one end."""
        with pytest.raises(LockgateError, match="decides nothing"), store.writing(spines=["web"]) as work:
            append(work, 0)

        with store.reading() as seen:
            assert seen.tree().size == 0
