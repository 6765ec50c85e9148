# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; API keys go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.api_key import ApiKey

TABLE = "api keys"


class MemoryApiKeysReading(MemoryTablesReading):
    """API keys in tables that nobody writes to."""

    __slots__ = ()

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key."""
        return self._table(TABLE).get(key_id)

    def api_keys(self) -> tuple[ApiKey, ...]:
        """Return all keys."""
        return tuple(self._table(TABLE).values())


class MemoryApiKeysWriting(MemoryApiKeysReading, MemoryTablesWriting):
    """API keys in tables of a transaction's own."""

    __slots__ = ()

    def put_api_key(self, key: ApiKey) -> None:
        """Keep a key."""
        self._writable(TABLE)[key.id] = key
