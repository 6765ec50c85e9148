# SPDX-License-Identifier: Apache-2.0
"""Migrations come in; what they make goes out, to be compared with what is in force, and how each of it is made again.

Tables hold rows, which nothing makes again; indexes, triggers, functions and policies only find and guard them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from lockgate.adapters.stores.postgres.schema import scripts

# Kind and name, and what is more to it.
Made = tuple[str, str, str]
# What stands in the schema and is in force; of a trigger nobody's own constraint is.
FOUND = """
SELECT 'table', relname, '' FROM pg_class WHERE relnamespace = 'lockgate'::regnamespace AND relkind = 'r'
UNION ALL SELECT 'index', c.relname, CASE WHEN indisunique THEN 'unique ' ELSE '' END || t.relname || ' ('
  || (SELECT string_agg(pg_get_indexdef(indexrelid, n, false), ', ' ORDER BY n) FROM generate_series(1, indnatts) n)
  || ') ' || coalesce(pg_get_expr(indpred, indrelid), '')
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
  WHERE c.relnamespace = 'lockgate'::regnamespace AND indisvalid
UNION ALL SELECT 'trigger', tgname, relname || ' ' || proname
  FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid JOIN pg_proc p ON p.oid = tgfoid
  WHERE relnamespace = 'lockgate'::regnamespace AND tgenabled IN ('O', 'A') AND NOT tgisinternal
UNION ALL SELECT 'policy', polname, relname FROM pg_policy JOIN pg_class c ON c.oid = polrelid
  WHERE relnamespace = 'lockgate'::regnamespace AND polname <> 'own_org'
UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'lockgate'::regnamespace
"""
# Tables whose rows are not held by their organisation.
OPEN = """
SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org'
WHERE relnamespace = 'lockgate'::regnamespace AND relkind = 'r' AND NOT (
  relrowsecurity AND relforcerowsecurity
  AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'own_org'))
ORDER BY relname
"""
# What stands in our files, each as it is written there.
_TABLE = re.compile(r"^CREATE TABLE (\w+) \(", re.MULTILINE)
_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX (\w+) ON (\w+) \(([^)]*)\)(?: WHERE ([^;]+))?;", re.MULTILINE)
_TRIGGER = re.compile(r"^CREATE TRIGGER (\w+) [A-Z ]+ ON (\w+)[^;]+EXECUTE FUNCTION (\w+)[^;]*;", re.MULTILINE)
_POLICY = re.compile(r"^CREATE POLICY (\w+) ON (\w+)[^;]*;", re.MULTILINE)
_FUNCTION = re.compile(r"^CREATE (FUNCTION (\w+)\(.*?\$\$(.*?)\$\$;)", re.MULTILINE | re.DOTALL)
# Who leaves a store lets this one refuse every write; where it went is asked elsewhere.
_LEFT = "refuse_left"


@cache
def made() -> dict[Made, str]:
    """Return everything that migrations make, as far as it is compared, with the statement that makes it again."""
    whole = "\n".join(scripts())
    found: dict[Made, str] = {("table", name, ""): "" for name in _TABLE.findall(whole)}
    for each in _INDEX.finditer(whole):
        unique, name, table, columns, where = (part or "" for part in each.groups())
        found["index", name, _plain(f"{unique.lower()}{table} ({columns}) {where}")] = each.group()
    for each in _TRIGGER.finditer(whole):
        name, table, called = each.groups()
        found["trigger", name, f"{table} {called}"] = f"DROP TRIGGER IF EXISTS {name} ON {table};\n{each.group()}"
    for each in _POLICY.finditer(whole):
        name, table = each.groups()
        found["policy", name, table] = each.group()
    for each in _FUNCTION.finditer(whole):
        written, name, body = each.groups()
        found["function", name, body] = f"CREATE OR REPLACE {written}"
    return found


def read(rows: Iterable[tuple[str, str, str]]) -> set[Made]:
    """Return what is in force, of the rows of `FOUND`, but for what a store that was left is guarded by."""
    return {
        (kind, name, _plain(more) if kind == "index" else more)
        for kind, name, more in rows
        if _LEFT not in (name, *more.split(" ")[-1:])
    }


def lacking(there: set[Made]) -> Iterator[Made]:
    """Yield what is not in force of the schema, in an order in which it can be made again."""
    order = ("table", "function", "index", "trigger", "policy")
    yield from sorted(made().keys() - there, key=lambda each: (order.index(each[0]), each))


def foreign(there: set[Made]) -> Iterator[Made]:
    """Yield triggers and policies that are none of the schema: they change, hide or show what is kept."""
    known = {each[:2] for each in made()}
    yield from sorted(each for each in there if each[0] in ("trigger", "policy") and each[:2] not in known)


def _plain(written: str) -> str:
    """Return an index's columns and condition without what PostgreSQL adds where it shows them."""
    bare = re.sub(r"::(\w+\.)?\w+|[()]", "", written)
    return " ".join(bare.split())
