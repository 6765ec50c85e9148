# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; trust rules go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.memory.api_keys import TABLE as API_KEYS
from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.trust_rule import TrustRule

TABLE = "trust rules"


class MemoryTrustReading(MemoryTablesReading):
    """Trust rules in tables that nobody writes to."""

    __slots__ = ()

    def trust_rules(self) -> tuple[TrustRule, ...]:
        """Return all rules."""
        return tuple(self._table(TABLE).values())


class MemoryTrustWriting(MemoryTrustReading, MemoryTablesWriting):
    """Trust rules in tables of a transaction's own."""

    __slots__ = ()

    def put_trust_rule(self, rule: TrustRule) -> None:
        """Keep a rule."""
        self._writable(TABLE)[rule.id] = rule

    def drop_trust_rule(self, rule_id: str) -> None:
        """Forget a rule."""
        self._writable(TABLE).pop(rule_id, None)

    def drop_api_key(self, key_id: str) -> None:
        """Forget a key."""
        self._writable(API_KEYS).pop(key_id, None)
