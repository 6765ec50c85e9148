# SPDX-License-Identifier: Apache-2.0
"""The spines that a transaction will lock come in; what it will ask of them, read with the locks in one go, goes out.

Nobody else writes a spine while it is locked, so that what was read stays true until the transaction itself writes.
A batch asks for all of it, and each way to the database and back costs a small batch as much as a tenth of its runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lockgate.adapters.stores.cell_rows import read_counts
from lockgate.adapters.stores.id_window import IdWindows
from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.postgres.connections import Came, Statement
from lockgate.core.app import App
from lockgate.core.spine import Slot

# Of so many apps the new marks are asked for ahead, each by a statement.
MAX_MARKS = 4
_APPS = "SELECT name, body FROM apps WHERE org = %s AND name = ANY(%s::text[])"
_OPEN = (
    "SELECT app, number, opened_at, seals_at, starts_at, sealed_at, digest FROM slots"
    " WHERE org = %s AND app = ANY(%s::text[]) AND sealed_at IS NULL ORDER BY app, number"
)
LATEST = "SELECT note FROM checkpoints WHERE org = %s ORDER BY size DESC LIMIT 1"
_KEY = "SELECT key FROM id_keys WHERE org = %s"
# Of live runs, which all join the slot that is open now; an import may open thousands.
_COUNTS = (
    "WITH live AS MATERIALIZED (SELECT org, app, number FROM slots"
    " WHERE org = %s AND app = ANY(%s::text[]) AND sealed_at IS NULL AND starts_at IS NULL)"
    " SELECT c.app, c.number, c.release, c.runs, NULL, NULL FROM live JOIN cells c USING (org, app, number)"
    " UNION ALL SELECT t.app, t.number, NULL, NULL, t.level, t.runs FROM live JOIN tallies t USING (org, app, number)"
)
MARKS_SINCE = (
    "SELECT place, digest, at, CASE WHEN place > %s THEN marks ELSE '' END FROM id_window"
    " WHERE org = %s AND app = %s AND place >= %s ORDER BY place"
)


def read_slot(row: tuple[Any, ...]) -> Slot:
    """Return the slot that a row is."""
    names = ("number", "opened_at", "seals_at", "starts_at", "sealed_at", "digest")
    return Slot(**dict(zip(names, row, strict=True)))


@dataclass(slots=True)
class Counted:
    """Of one slot: runs of each release, and how many rows of each level stand beside its cells."""

    runs: Counter[str] = field(default_factory=Counter)
    rows: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class Marks:
    """Rows of marks of an app from a place on; those of the place itself are left out."""

    since: int
    rows: Sequence[tuple[Any, ...]]


@dataclass(slots=True)
class Ahead:
    """What was read; what is not in it is asked for."""

    apps: dict[str, App | None] = field(default_factory=dict)
    open: dict[str, tuple[Slot, ...]] = field(default_factory=dict)
    counted: dict[tuple[str, int], Counted] = field(default_factory=dict)
    marks: dict[str, Marks] = field(default_factory=dict)
    id_key: bytes | None = None
    # Of none or one checkpoint, where that was asked for.
    latest: tuple[bytes, ...] | None = None

    def forget(self, app: str) -> None:
        """Forget the slots of an app, which are others now."""
        self.open.pop(app, None)
        self.counted = {place: counted for place, counted in self.counted.items() if place[0] != app}


class Questions:
    """What is asked of some spines of an organisation; nothing where none is named."""

    def __init__(self, org: str, spines: tuple[str, ...], windows: IdWindows) -> None:
        self._spines, names = spines, list(spines)
        self._since = {name: windows.of(org, name).place for name in names[:MAX_MARKS]} if spines else {}
        self.statements: list[Statement] = []
        if spines:
            of = (org, names)
            self.statements = [(_APPS, of), (_OPEN, of), (_COUNTS, of), (_KEY, (org,)), (LATEST, (org,))]
            self.statements += [(MARKS_SINCE, (place, org, name, place)) for name, place in self._since.items()]

    def ahead(self, came: Came) -> Ahead:
        """Return what came of the statements, which were the last that were sent."""
        if not self._spines:
            return Ahead()
        apps, slots, counts, key, latest, *marks = (cursor.fetchall() for cursor in came[-len(self.statements) :])
        found = {name: [read_slot(row[1:]) for row in slots if row[0] == name] for name in self._spines}
        return Ahead(
            apps=dict.fromkeys(self._spines) | {name: unpack(App, body) for name, body in apps},
            open={name: tuple(of_app) for name, of_app in found.items()},
            counted=_counted(found, counts),
            marks={name: Marks(place, rows) for (name, place), rows in zip(self._since.items(), marks, strict=True)},
            id_key=bytes(key[0][0]) if key else None,
            latest=tuple(bytes(note) for (note,) in latest),
        )


def _counted(slots: dict[str, list[Slot]], rows: Sequence[tuple[Any, ...]]) -> dict[tuple[str, int], Counted]:
    found = {place: Counted() for place in _live(slots)}
    for app, number, release, runs, level, added in rows:
        counted = found[app, number]
        if added is None:
            counted.runs[release] += runs
        else:
            counted.runs.update(read_counts(added))
            counted.rows[level] += 1
    return found


def _live(slots: dict[str, list[Slot]]) -> Iterator[tuple[str, int]]:
    for app, of_app in slots.items():
        yield from ((app, slot.number) for slot in of_app if slot.starts_at is None)
