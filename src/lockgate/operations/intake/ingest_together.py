# SPDX-License-Identifier: Apache-2.0
"""Batches of several callers come in; in one transaction each joins open buckets, and what became of each goes out.

The disk is waited for once, whatever their number.
"""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.batch import Ingested, RunBatch
from lockgate.errors import LockgateError
from lockgate.operations.intake.ingest import add_batch, ingest, spines_of
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House


def ingest_together(batches: Sequence[RunBatch], house: House) -> list[Ingested | LockgateError]:
    """Ingest each batch as if it came alone, in their order; a fault in one is its own, and nothing of it is kept."""
    if len(batches) == 1:
        return [ingest(batches[0], house)]
    with changing(house, spines_of(*batches)) as work:
        found: list[Ingested | LockgateError] = []
        for batch in batches:
            try:
                with work.part():
                    found.append(add_batch(work, batch, house.clock))
            except LockgateError as error:
                found.append(error)
    return found
