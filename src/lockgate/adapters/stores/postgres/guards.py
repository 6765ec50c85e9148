# SPDX-License-Identifier: Apache-2.0
"""Migrations come in; what they make goes out, to be compared with what is in force, and how each of it is made again.

Tables hold rows, which nothing makes again; all else only finds and guards them. Our tables have no rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from lockgate.adapters.stores.postgres import constraints
from lockgate.adapters.stores.postgres.connections import SCHEMA
from lockgate.adapters.stores.postgres.schema import scripts

# Kind and name, and what is more to it; but for indexes and functions that begins with their table, by which they are
# named too.
Made = tuple[str, str, str]
# What stands in the schema and is in force; of indexes those that no constraint is made of. The table of versions is
# made by no migration, and is read before all else.
FOUND = """
SELECT 'table', relname, '' FROM pg_class WHERE relnamespace = 'lockgate'::regnamespace AND relkind = 'r'
UNION ALL SELECT 'index', c.relname, CASE WHEN indisunique THEN 'unique ' ELSE '' END || t.relname || ' ('
  || (SELECT string_agg(pg_get_indexdef(indexrelid, n, false), ', ' ORDER BY n) FROM generate_series(1, indnatts) n)
  || ') ' || coalesce(pg_get_expr(indpred, indrelid), '')
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
  WHERE c.relnamespace = 'lockgate'::regnamespace AND indisvalid
  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL SELECT 'constraint', conname, relname || ' ' || pg_get_constraintdef(o.oid)
  FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid
  WHERE relnamespace = 'lockgate'::regnamespace AND relname <> 'versions' AND contype IN ('p', 'u', 'x', 'c', 'f')
UNION ALL SELECT 'rule', rulename, relname || ' ' || pg_get_ruledef(r.oid)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class
  WHERE relnamespace = 'lockgate'::regnamespace AND relkind = 'r' AND ev_enabled <> 'D'
UNION ALL SELECT 'trigger', tgname, relname || ' ' || pg_get_triggerdef(g.oid)
  FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid
  WHERE relnamespace = 'lockgate'::regnamespace AND tgenabled IN ('O', 'A') AND NOT tgisinternal
UNION ALL SELECT 'policy', polname, relname || CASE WHEN polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
  || CASE polcmd WHEN 'r' THEN ' FOR SELECT' WHEN '*' THEN '' ELSE ' FOR ' || polcmd::text END
  || CASE polroles WHEN '{0}' THEN '' ELSE ' TO ' || polroles::text END
  || coalesce(' USING ' || pg_get_expr(polqual, polrelid), '')
  || coalesce(' WITH CHECK ' || pg_get_expr(polwithcheck, polrelid), '')
  FROM pg_policy JOIN pg_class c ON c.oid = polrelid
  WHERE relnamespace = 'lockgate'::regnamespace AND polname <> 'own_org'
UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'lockgate'::regnamespace
"""
# Tables whose rows are not held by their organisation, by the policy that `every_time.sql` makes.
OPEN = r"""
SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org'
WHERE relnamespace = 'lockgate'::regnamespace AND relkind = 'r' AND NOT (
  relrowsecurity AND relforcerowsecurity
  AND EXISTS (
    SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'own_org'
    AND polpermissive AND polcmd = '*' AND polroles = '{0}' AND polwithcheck IS NULL
    AND regexp_replace(pg_get_expr(polqual, polrelid), '::\w+|[()]', '', 'g')
      = 'org = current_setting''lockgate.org'', true'))
ORDER BY relname
"""
# What stands in our files, each as it is written there.
_TABLE = re.compile(r"^CREATE TABLE (\w+) \(", re.MULTILINE)
_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX (\w+) ON (\w+) \(([^)]*)\)(?: WHERE ([^;]+))?;", re.MULTILINE)
_TRIGGER = re.compile(r"^CREATE TRIGGER (\w+) [A-Z ]+ ON (\w+)[^;]+EXECUTE FUNCTION [^;]+;", re.MULTILINE)
_POLICY = re.compile(r"^CREATE POLICY (\w+) ON (\w+)([^;]*);", re.MULTILINE)
_FUNCTION = re.compile(r"^CREATE (FUNCTION (\w+)\(.*?\$\$(.*?)\$\$;)", re.MULTILINE | re.DOTALL)
_EVENTS = re.compile(r"\b(before|after) (.+?) on ")
# Who leaves a store lets it refuse every write by this; where it went is asked elsewhere.
LEFT = (
    "CREATE OR REPLACE TRIGGER a_left_store BEFORE INSERT OR UPDATE OR DELETE ON {}"
    " FOR EACH STATEMENT EXECUTE FUNCTION lockgate.refuse_left()"
)


@cache
def made() -> dict[Made, str]:
    """Return everything that migrations make, as far as it is compared, with the statement that makes it again."""
    whole = "\n".join(scripts())
    found: dict[Made, str] = {("table", name, ""): "" for name in _TABLE.findall(whole)}
    for table, written in constraints.constraints(whole):
        shown = _plain("constraint", f"{table} {written}")
        found["constraint", shown, shown] = f"ALTER TABLE {table} ADD {written}"
    for each in _INDEX.finditer(whole):
        unique, name, table, columns, where = (part or "" for part in each.groups())
        found["index", name, _plain("index", f"{unique.lower()}{table} ({columns}) {where}")] = each.group()
    for each in _TRIGGER.finditer(whole):
        name, table = each.groups()
        shown = _plain("trigger", f"{table} {each.group()[:-1]}")
        found["trigger", name, shown] = f"DROP TRIGGER IF EXISTS {name} ON {table};\n{each.group()}"
    for each in _POLICY.finditer(whole):
        name, table, held = each.groups()
        shown = _plain("policy", table + held)
        found["policy", name, shown] = f"DROP POLICY IF EXISTS {name} ON {table};\n{each.group()}"
    for each in _FUNCTION.finditer(whole):
        written, name, body = each.groups()
        found["function", name, body] = f"CREATE OR REPLACE {written}"
    return found


def read(rows: Iterable[tuple[str, str, str]]) -> set[Made]:
    """Return what is in force, of the rows of `FOUND`, but for what a store that was left is guarded by."""
    there = ((kind, name, _plain(kind, more)) for kind, name, more in rows)
    return {each for each in there if each != _left(table_of(each))}


def lacking(there: set[Made]) -> Iterator[Made]:
    """Yield what is not in force of the schema, in an order in which it can be made again."""
    order = ("table", "function", "index", "constraint", "trigger", "policy")
    known = {_whole(each) for each in there}
    # What refers to a key is made after that.
    yield from sorted(
        (each for each in made() if _whole(each) not in known),
        key=lambda each: (order.index(each[0]), " FOREIGN KEY " in each[2], each),
    )


def foreign(there: set[Made]) -> Iterator[Made]:
    """Yield what is none of the schema, but for tables and functions: it refuses, changes, hides or shows rows."""
    known = {_named(each) for each in made()}
    found = (each for each in there if each[0] not in ("table", "function") and _named(each) not in known)
    # What refers to a key goes before that.
    yield from sorted(found, key=lambda each: (" FOREIGN KEY " not in each[2], each))


def table_of(each: Made) -> str:
    """Return the table of a constraint, a rule, a trigger or a policy."""
    return each[2].split(" ", 1)[0]


def _whole(each: Made) -> Made:
    """Return all that is compared: constraints are what they say, because PostgreSQL names those of our files."""
    kind, name, more = each
    return (kind, "" if kind == "constraint" else name, more)


def _named(each: Made) -> tuple[str, str, str]:
    """Return that by which there is one only: names of triggers and policies are those of their table."""
    if each[0] == "constraint":
        return _whole(each)
    return (*each[:2], table_of(each) if each[0] in ("trigger", "policy") else "")


def _plain(kind: str, written: str) -> str:
    """Return what is written in our files, or shown by PostgreSQL, without that in which the two differ."""
    if kind in ("function", "rule"):
        return written
    if kind == "constraint":
        return constraints.plain(written.replace(f"{SCHEMA}.", ""))
    bare = " ".join(re.sub(r"::(\w+\.)?\w+|[()]", "", written).split())
    return _EVENTS.sub(_in_order, bare.replace(f"{SCHEMA}.", "").lower()) if kind == "trigger" else bare


def _left(table: str) -> Made:
    """Return what guards a table of a store that was left, as PostgreSQL shows it."""
    shown = LEFT.format(table).replace(" OR REPLACE", "")
    return ("trigger", "a_left_store", _plain("trigger", f"{table} {shown}"))


def _in_order(events: re.Match[str]) -> str:
    return f"{events[1]} {' or '.join(sorted(events[2].split(' or ')))} on "
