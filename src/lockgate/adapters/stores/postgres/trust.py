# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; trust rules of an organisation go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres.connections import Link
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.adapters.stores.postgres.schema import known
from lockgate.core.trust_rule import TrustRule


def orgs(link: Link) -> tuple[str, ...]:
    """Return the organisations that have an API key; the policy of their table knows this question."""
    with link.pipeline():
        link.execute("SELECT set_config('lockgate.question', 'orgs', true), lockgate.refuse_older(%s)", (known(),))
        rows = link.execute("SELECT DISTINCT org FROM api_keys ORDER BY org").fetchall()
    return tuple(str(org) for (org,) in rows)


class PostgresTrustReading(PostgresRowsReading):
    """Trust rules as they are seen by the transaction."""

    def trust_rules(self) -> tuple[TrustRule, ...]:
        """Return all rules."""
        return self._all(TrustRule, "SELECT body FROM trust_rules WHERE org = %s ORDER BY place")


class PostgresTrustWriting(PostgresTrustReading, PostgresRowsWriting):
    """Trust rules, to be kept."""

    def put_trust_rule(self, rule: TrustRule) -> None:
        """Keep a rule."""
        sql = "INSERT INTO trust_rules VALUES (%s, %s, %s) ON CONFLICT (org, id) DO UPDATE SET body = excluded.body"
        self._later(sql, rule.id, pack(rule))

    def drop_trust_rule(self, rule_id: str) -> None:
        """Forget a rule."""
        self._later("DELETE FROM trust_rules WHERE org = %s AND id = %s", rule_id)

    def drop_api_key(self, key_id: str) -> None:
        """Forget a key."""
        self._later("DELETE FROM api_keys WHERE org = %s AND id = %s", key_id)
