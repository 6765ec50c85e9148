# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether transactions that name spines keep what they may, and decide nothing.

It is a part of StoreContract.
"""

from __future__ import annotations

import pytest

from lockgate.core.app import App
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

    def test_a_transaction_for_spines_appends_no_receipt(self, store: Store) -> None:
        """Others may run beside it, and the log has one end."""
        with pytest.raises(LockgateError, match="decides nothing"), store.writing(spines=["web"]) as work:
            append(work, 0)

        with store.reading() as seen:
            assert seen.tree().size == 0
