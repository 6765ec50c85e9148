# SPDX-License-Identifier: Apache-2.0
"""SQL that no program of ours sends comes in; PostgreSQL must refuse it: docs/spec.md, PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.core.policy.policy import Mode
from lockgate.core.soundness.flaw import Rule
from lockgate.errors import LockgateError, NotPermittedError
from lockgate.testing.access_contract import KEY
from lockgate.testing.store_contract import APP, SLOT, grow, sample_receipt, sample_trial
from tests.adapters.stores.postgres_stores import Opened, by_hand, opened, url
from tests.postgresql import Cluster

__all__ = ["opened", "url"]

pytestmark = pytest.mark.postgres

OURS = "SET LOCAL search_path = lockgate"
DEFAULT = "SET LOCAL lockgate.org = 'default'"
ACME = "SET LOCAL lockgate.org = 'acme'"
TABLES = (
    "SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org'"
    " WHERE relnamespace = 'lockgate'::regnamespace AND relkind = 'r' ORDER BY 1"
)
SERVER = "lockgate_server"


def fill(store: PostgresStore) -> None:
    """Keep something of everything that never changes."""
    grow(store, sample_receipt(0))
    with store.writing() as work:
        work.put_app(APP)
        work.put_api_key(KEY)
        work.save(sample_trial())
        work.put_slot("web", replace(SLOT, sealed_at=70, digest="sha256:aa"))


@pytest.mark.clause("SV-101")
@pytest.mark.parametrize("setting", [ACME, "SET LOCAL lockgate.org = ''", "SELECT 1"])
def test_nothing_of_another_organisation_is_seen_or_changed_by_hand(opened: Opened, url: str, setting: str) -> None:
    """Whoever owns the tables, and whatever is forgotten in a statement: each table shows the organisation alone."""
    fill(opened())
    names = [name for (name,) in by_hand(url, TABLES)]

    seen = {name: by_hand(url, OURS, setting, f"SELECT * FROM {name}") for name in names}  # noqa: S608 -- the names of tables
    by_hand(url, OURS, setting, "UPDATE apps SET body = ''")
    by_hand(url, OURS, setting, "DELETE FROM api_keys")

    with opened().reading() as kept:
        assert (kept.app("web"), kept.api_keys()) == (APP, (KEY,))
    assert {"receipts", "api_keys", "segments"} <= seen.keys()
    assert [name for name, rows in seen.items() if rows] == []


@pytest.mark.clause("SV-101")
def test_nothing_is_written_for_another_organisation_by_hand(opened: Opened, url: str) -> None:
    """A row of one organisation is not made in a transaction of another."""
    opened()

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        by_hand(url, OURS, ACME, "INSERT INTO apps VALUES ('default', 'web', '')")


@pytest.mark.clause("SV-101")
def test_who_passes_by_the_barrier_may_not_serve(postgresql: Cluster, url: str) -> None:
    """A superuser, or a role that row-level security does not hold, is told to name another."""
    database = url.rpartition("/")[2]

    with pytest.raises(NotPermittedError, match="superuser"):
        PostgresStore(postgresql.url(database))


@pytest.mark.clause("SV-102")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE receipts SET body = ''",
        "DELETE FROM receipts",
        "TRUNCATE receipts",
        "UPDATE nodes SET hash = decode(repeat('00', 32), 'hex')",
        "DELETE FROM nodes",
        "TRUNCATE nodes",
        "UPDATE checkpoints SET note = ''",
        "DELETE FROM checkpoints",
        "TRUNCATE checkpoints",
        "UPDATE rollouts SET weight = 101",
        "UPDATE rollouts SET revision = 0",
        "UPDATE slots SET digest = 'sha256:00'",
        "INSERT INTO cells VALUES ('default', 'web', 0, 'v3', '', 1, '')",
        "INSERT INTO tallies (org, app, number, level, runs, body) VALUES ('default', 'web', 0, 0, '', '')",
        "INSERT INTO pairs VALUES ('default', 'web', 0, 'v1', 'v2', '', '')",
        "INSERT INTO cells VALUES ('default', 'web', 9, 'v3', '', 1, '')",
    ],
)
def test_the_schema_refuses_what_no_program_may_do(opened: Opened, url: str, statement: str) -> None:
    """Also to the owner of the tables, in its own organisation."""
    fill(opened())

    with pytest.raises(psycopg.DatabaseError):
        by_hand(url, OURS, DEFAULT, statement)


@pytest.mark.clause("SV-102")
def test_the_schema_knows_one_canary_of_an_app(opened: Opened) -> None:
    """Two at once would move the same traffic; shadows are any number."""
    store, shadow = opened(), sample_trial("rol_3")
    with store.writing() as work:
        work.save(sample_trial())
        work.save(replace(shadow, rollout=replace(shadow.rollout, mode=Mode.SHADOW)))

    with pytest.raises(LockgateError), store.writing() as work:
        work.save(sample_trial("rol_2"))


@pytest.mark.clause("SV-102")
def test_a_server_needs_no_right_to_change_what_is_kept_for_ever(postgresql: Cluster, opened: Opened, url: str) -> None:
    """A role that was granted `lockgate_server` keeps decisions and runs, and cannot even try to rewrite the log."""
    database = url.rpartition("/")[2]
    postgresql.run(f"DO $$ BEGIN CREATE ROLE {SERVER} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    postgresql.run("DROP ROLE IF EXISTS served")
    postgresql.run(f"CREATE ROLE served LOGIN IN ROLE {SERVER}")
    opened()

    fill(opened(url=postgresql.url(database, "served")))
    refused = []
    for table in ("receipts", "nodes", "checkpoints", "messages", "versions", "policies", "contents"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            by_hand(postgresql.url(database, "served"), OURS, DEFAULT, f"DELETE FROM {table}")  # noqa: S608 -- the names of tables
        refused.append(caught.value.diag.message_primary)

    assert len(set(refused)) == 7


@pytest.mark.clause("SV-102")
def test_a_check_tells_of_barriers_that_were_taken_down(opened: Opened, url: str) -> None:
    """Without them nothing else would say that a sealed bucket was written to."""
    store = opened()

    by_hand(url, OURS, "DROP TRIGGER kept_receipt ON receipts")
    by_hand(url, OURS, "ALTER TABLE nodes DISABLE TRIGGER kept_node")
    by_hand(url, OURS, "ALTER TABLE apps DISABLE ROW LEVEL SECURITY")
    hollow = "$$ BEGIN RETURN NEW; END $$"
    by_hand(url, OURS, f"CREATE OR REPLACE FUNCTION refuse_sealed() RETURNS trigger LANGUAGE plpgsql AS {hollow}")

    with store.reading() as seen:
        told = seen.contradictions()
    assert {rule for rule, _ in told} == {Rule.INDEX}
    assert tuple(said for _, said in told) == (
        "the schema: its function refuse_sealed is not there, not in force, or written otherwise",
        "the schema: its trigger kept_node is not there, not in force, or written otherwise",
        "the schema: its trigger kept_receipt is not there, not in force, or written otherwise",
        "the schema: row-level security of apps is not in force",
    )
