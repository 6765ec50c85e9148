# SPDX-License-Identifier: Apache-2.0
"""Tables in memory come in; their rows go out, or into copies of the tables that one transaction writes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lockgate.adapters.stores.refusals import held_already

# By the name of a table and what its rows belong to (an app, a rollout, or nothing): rows by key, in order of arrival.
Tables = dict[tuple[str, str], dict[Any, Any]]


@dataclass(slots=True)
class MemoryTablesReading:
    """Tables that nobody writes to."""

    tables: Tables

    def _table(self, name: str, owner: str = "") -> Mapping[Any, Any]:
        return self.tables.get((name, owner), {})


@dataclass(slots=True)
class MemoryTablesWriting(MemoryTablesReading):
    """Tables of a transaction's own where it writes, and the kept ones elsewhere."""

    _own: set[tuple[str, str]] = field(default_factory=set)

    def _writable(self, name: str, owner: str = "") -> dict[Any, Any]:
        key = (name, owner)
        if key not in self._own:
            self.tables[key] = dict(self.tables.get(key, {}))
            self._own.add(key)
        return self.tables[key]

    def _add(self, name: str, owner: str, key: object, row: object) -> None:
        """Add a row that must not be there yet."""
        table = self._writable(name, owner)
        if key in table:
            raise held_already(name, key)
        table[key] = row
