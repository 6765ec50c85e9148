# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; trust rules of an organisation go out, or in."""

from __future__ import annotations

import sqlite3

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.trust_rule import TrustRule


def orgs(control: sqlite3.Connection) -> tuple[str, ...]:
    """Return the organisations that have an API key."""
    return tuple(str(org) for (org,) in control.execute("SELECT DISTINCT org FROM api_keys ORDER BY org"))


class SqliteTrustReading(SqliteRowsReading):
    """Trust rules as they were when the transaction began to read."""

    def trust_rules(self) -> tuple[TrustRule, ...]:
        """Return all rules."""
        return self._all(TrustRule, "SELECT body FROM trust_rules WHERE org = ? ORDER BY rowid")


class SqliteTrustWriting(SqliteTrustReading, SqliteRowsWriting):
    """Trust rules, to be kept."""

    def put_trust_rule(self, rule: TrustRule) -> None:
        """Keep a rule."""
        sql = "INSERT INTO trust_rules VALUES (?, ?, ?) ON CONFLICT (org, id) DO UPDATE SET body = excluded.body"
        self._change(sql, rule.id, pack(rule))

    def drop_trust_rule(self, rule_id: str) -> None:
        """Forget a rule."""
        self._change("DELETE FROM trust_rules WHERE org = ? AND id = ?", rule_id)

    def drop_api_key(self, key_id: str) -> None:
        """Forget a key."""
        self._change("DELETE FROM api_keys WHERE org = ? AND id = ?", key_id)
