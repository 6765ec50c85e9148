# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds runs comes in by keys; apps, spines, tallies and raw runs go out.

What is added must not be there yet; what is put may be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from lockgate.core.app import App, Release
from lockgate.core.batch import Ingested
from lockgate.core.spine import Cell, Slot
from lockgate.core.tallies import Tallies


class EvidenceReading(Protocol):
    """Apps, their spines and their raw runs, as they were at one moment."""

    def app(self, name: str) -> App | None:
        """Return an app."""

    def apps(self) -> tuple[App, ...]:
        """Return all apps by name."""

    def releases(self, app: str) -> tuple[Release, ...]:
        """Return the releases of an app, the first seen first."""

    def slots(self, app: str, after: int = -1, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots of an app with a higher number, in order; at most so many."""

    def last_slot(self, app: str) -> Slot | None:
        """Return the slot with the highest number."""

    def open_slots(self, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots that are not sealed, in order; at most so many."""

    def cells(self, app: str, first: int, last: int) -> tuple[Cell, ...]:
        """Return the cells of the slots from one number to another."""

    def run_counts(self, app: str, number: int) -> Mapping[str, int]:
        """Return how many runs of each release are in a slot, at a cost that does not grow with what they carry."""

    def segments(self, app: str, number: int) -> tuple[str, ...]:
        """Return the digests of the batches that went into a slot."""

    def segment(self, digest: str) -> bytes | None:
        """Return the bytes of a batch as they came."""

    def ingested(self, digest: str) -> Ingested | None:
        """Return what became of a batch."""

    def ingested_of(self, digests: Collection[str]) -> Mapping[str, Ingested]:
        """Return what became of batches, by their digests; of one that is not there nothing, at the cost of one."""


class EvidenceWriting(EvidenceReading, Protocol):
    """Apps, their spines and their raw runs, to be kept."""

    def put_app(self, app: App) -> None:
        """Keep an app."""

    def put_release(self, release: Release) -> None:
        """Keep a release; one that is known stays as it was first seen."""

    def put_slot(self, app: str, slot: Slot) -> None:
        """Keep a slot; a sealed one never changes again, and neither do its cells."""

    def put_cells(self, app: str, cells: Iterable[Cell]) -> None:
        """Keep cells of open slots, each in place of what it was.

        A slot is sealed after all of its cells were put.
        """

    def add_tallies(self, app: str, number: int, tallies: Tallies) -> None:
        """Add tallies exactly to the cells of an open slot; a cell that is not there yet begins with them."""

    def add_batch(self, ingested: Ingested, body: bytes, slots: Iterable[tuple[str, int]]) -> None:
        """Keep a batch, its bytes, and which slots (app, number) it went into.

        The bytes are durable before anything that names them; bytes that nothing names do no harm.
        """
