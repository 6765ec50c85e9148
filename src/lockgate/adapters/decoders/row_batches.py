# SPDX-License-Identifier: Apache-2.0
"""Typed rows and where they stood come in; batches of the two releases go out, flaws are reported on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.reading import Reading
from lockgate.adapters.decoders.row import MEASURABLE, Row, are_sound, flaw, hint
from lockgate.adapters.decoders.row_columns import batch_of


@dataclass(frozen=True, slots=True)
class PlacedRows:
    """Rows in the order read; `place` and `fields` say where one stood and which fields it was written with."""

    rows: Sequence[Row]
    place: Callable[[int], str]
    fields: Callable[[int], Iterable[str]]


def batches(placed: PlacedRows, reading: Reading) -> Iterator[Batch]:
    """Yield a batch for each of the two releases that has rows."""
    rows = placed.rows if are_sound(placed.rows, reading.score_names) else _sound_rows(placed, reading)
    releases = [str(row.release) for row in rows]
    reading.count(releases)
    for release in reading.arms:
        chosen = [row for row, name in zip(rows, releases, strict=True) if name == release]
        if chosen:
            _check_currency(chosen, placed, reading)
            _look_at(chosen, release, placed, reading)
            yield batch_of(chosen, release, reading.question)


def _look_at(chosen: Sequence[Row], release: str, placed: PlacedRows, reading: Reading) -> None:
    if reading.is_curious_of(release):
        positions = [position for position, row in enumerate(placed.rows) if str(row.release) == release]
        reading.look_at(release, positions, placed.fields)
    if reading.has_slices:
        reading.note_labels(chain.from_iterable(row.labels for row in chosen if row.labels))


def _sound_rows(placed: PlacedRows, reading: Reading) -> list[Row]:
    sound = []
    for position, row in enumerate(placed.rows):
        wrong = flaw(row, reading.score_names)
        if wrong is None:
            sound.append(row)
        else:
            is_asked = wrong.is_unmeasured and not reading.faults.is_full
            nearly = hint(placed.fields(position), MEASURABLE) if is_asked else ""
            reading.faults.add(placed.place(position), f"{wrong.what}{nearly}")
    return sound


def _check_currency(chosen: Sequence[Row], placed: PlacedRows, reading: Reading) -> None:
    currencies = {row.currency for row in chosen if row.cost is not None}
    if not any(reading.currency_flaw(currency) for currency in sorted(filter(None, currencies))):
        return
    for position, row in enumerate(placed.rows):
        wrong = (
            reading.currency_flaw(row.currency) if row.cost is not None and str(row.release) in reading.arms else None
        )
        if wrong:
            reading.faults.add(placed.place(position), wrong)
