# SPDX-License-Identifier: Apache-2.0
"""The tables of a whole store, of every organisation, go out as rows, and come in as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

Row = tuple[object, ...]
# A column that says in which order rows came, where the store has it; others order them by what they hold.
PLACE = "place"


class Tables(Protocol):
    """A store that nobody else writes to, from when it was opened until the block that opened it ends."""

    @property
    def name(self) -> str:
        """Return which store it is, for people; no secret is in it."""

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Return each table with its columns, in an order in which rows may be put."""

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """Return the rows of a table, a bounded number of them in memory."""


class Source(Tables, Protocol):
    """A store that is copied."""

    def left_for(self) -> str | None:
        """Return the name of the store in which it goes on already; None where it was not left."""

    def leave(self, name: str) -> None:
        """Let nobody write to it any more, because it goes on elsewhere; kept at once, and for good."""


class Target(Tables, Protocol):
    """A store that is copied to; nothing of it is there before it is kept, whatever happens."""

    def put(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Put rows into a table."""

    def keep(self) -> None:
        """Keep everything that was put, whole."""
