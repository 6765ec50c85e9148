# SPDX-License-Identifier: Apache-2.0
"""A connection comes in; the database that it is to has the tables of this version when it goes out.

Migrations only go forward: `schema/postgres/0001_*.sql` and so on. They are all carried out in one transaction, under a
lock, so that several servers may start at once.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from psycopg import errors

from lockgate.adapters.stores.postgres.connections import SCHEMA, Link
from lockgate.adapters.stores.refusals import later
from lockgate.crash_point import reach
from lockgate.errors import ClosedStoreError, DataError

# Any number, the same in each server.
_LOCK = 0x6C6F636B67617465
_EVERY_TIME = "every_time.sql"


def scripts() -> list[str]:
    """Return all migrations in order."""
    folder = files(__package__) / "schema"
    found = sorted((each for each in folder.iterdir() if re.match(r"\d{4}_.*\.sql$", each.name)), key=lambda x: x.name)
    return [each.read_text(encoding="utf-8") for each in found]


@cache
def known() -> int:
    """Return the version that this program knows."""
    return len(scripts())


def version(link: Link, place: str) -> int:
    """Return the version of the tables, 0 where there are none; a later one than ours is refused."""
    if not _has(link, "versions"):
        return 0
    found = link.execute("SELECT coalesce(max(number), 0) FROM lockgate.versions").fetchone()
    number = int(found[0]) if found else 0
    if number > known():
        raise later(place, number, known())
    return number


def migrate(link: Link, place: str) -> None:
    """Make the tables of this version, or what is missing of them."""
    if version(link, place) == known() and not _lacks_grants(link):
        return
    try:
        with link.transaction():
            _migrate(link, place)
            reach("schema.written")
    except errors.InsufficientPrivilege as error:
        raise ClosedStoreError(
            f"the tables of {place} are not those of this version, and its role may not make them",
            advice="Call `lockgate store migrate` with the role that owns them: see docs/howto/postgresql.md.",
        ) from error


def _migrate(link: Link, place: str) -> None:
    link.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    # Another server may have been first.
    before, migrations = version(link, place), scripts()
    if before == 0:
        _make_schema(link, place)
    for number, migration in enumerate(migrations[before:], before + 1):
        link.execute(migration.encode())
        link.execute("INSERT INTO lockgate.versions (number) VALUES (%s)", (number,))
    close(link)


def close(link: Link) -> None:
    """Let each table be held by its organisation, and a server have no more rights than it needs."""
    link.execute((files(__package__) / "schema" / _EVERY_TIME).read_bytes())


def _make_schema(link: Link, place: str) -> None:
    found = link.execute("SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(%s)", (SCHEMA,)).fetchone()
    if found and found[0]:
        raise DataError(f"the schema {SCHEMA} of {place} belongs to another program", advice="Choose another database.")
    # Whoever may not make schemas can be given an empty one.
    if not (link.execute("SELECT to_regnamespace(%s) IS NOT NULL", (SCHEMA,)).fetchone() or [False])[0]:
        link.execute("CREATE SCHEMA lockgate")
    link.execute(
        "CREATE TABLE lockgate.versions (number bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )


def _has(link: Link, table: str) -> bool:
    found = link.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.{table}",)).fetchone()
    return bool(found and found[0])


def _lacks_grants(link: Link) -> bool:
    """Say whether the role of servers was made after the tables, which only their owner can mend."""
    found = link.execute(
        "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'lockgate_server'"
        " AND NOT has_table_privilege(oid, 'lockgate.versions', 'SELECT'))"
        " AND (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'lockgate.versions'::regclass)"
    ).fetchone()
    return bool(found and found[0])
