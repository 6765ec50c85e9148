# SPDX-License-Identifier: Apache-2.0
"""Imports that are spread over many slices of time come in; what they read goes out: docs/spec.md, Kept runs."""

from __future__ import annotations

import pytest

from lockgate.core.spine import Slot
from lockgate.operations.intake.ingest import ingest
from lockgate.ports.store import Transaction
from tests.spec.line import APP, at, batch, world


@pytest.mark.clause("BU-220")
@pytest.mark.parametrize("minutes", [3, 300])
def test_an_import_reads_the_open_slots_of_an_app_once(minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many slots it opens, it is linear in them and holds the store no longer than that takes."""
    here, asked = world(), []
    with here.house.store.writing() as work:
        kind = type(work)
    ask = kind.open_slots

    def counted(work: Transaction, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        asked.append(app)
        return ask(work, app, limit)

    monkeypatch.setattr(kind, "open_slots", counted)
    runs = [{"run_id": str(minute), "started_at": at(-minute)} for minute in range(1, minutes + 1)]

    ingest(batch(*runs), here.house, by_start_time=True)

    with here.house.store.reading() as seen:
        assert len(seen.slots(APP)) == minutes
    # Once to seal what is over, once to find where runs belong.
    assert asked == [APP, APP]
