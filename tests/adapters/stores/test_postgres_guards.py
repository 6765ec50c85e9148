# SPDX-License-Identifier: Apache-2.0
"""What bears the name of the guard of a store that was left comes in; only that guard itself is no contradiction."""

from __future__ import annotations

import pytest

from lockgate.adapters.stores.postgres.tables import tables_of
from tests.adapters.stores.postgres_stores import Opened, by_hand, opened, url

__all__ = ["opened", "url"]

pytestmark = pytest.mark.postgres

OURS = "SET LOCAL search_path = lockgate"
FUNCTION = "CREATE FUNCTION refuse_left() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"


def told(opened: Opened) -> list[str]:
    """Return what contradicts the schema."""
    with opened().reading() as seen:
        return [said for _, said in seen.contradictions()]


@pytest.mark.clause("LI-717")
@pytest.mark.parametrize(
    ("what", "statement"),
    [
        ("rule refuse_left", "CREATE RULE refuse_left AS ON INSERT TO looks DO INSTEAD NOTHING"),
        ("constraint refuse_left", "ALTER TABLE looks ADD CONSTRAINT refuse_left CHECK (number < 3)"),
        ("index refuse_left", "CREATE UNIQUE INDEX refuse_left ON looks (org)"),
        ("policy refuse_left", "CREATE POLICY refuse_left ON looks USING (true)"),
        (
            "trigger refuse_left",
            "CREATE TRIGGER refuse_left BEFORE INSERT ON looks FOR EACH ROW EXECUTE FUNCTION refuse_left()",
        ),
        (
            "trigger a_left_store",
            "CREATE TRIGGER a_left_store BEFORE INSERT ON looks FOR EACH ROW EXECUTE FUNCTION refuse_left()",
        ),
    ],
)
def test_what_has_the_name_of_the_guard_is_found(opened: Opened, url: str, what: str, statement: str) -> None:
    """It refuses, changes or shows rows, and no store was left."""
    opened()
    by_hand(url, OURS, FUNCTION, statement)

    assert told(opened) == [f"the schema: its {what} is not one of this version"]


@pytest.mark.clause("LI-717")
def test_a_store_that_was_left_contradicts_nothing(opened: Opened, url: str) -> None:
    """Its guard stands on each of its tables."""
    opened()
    with tables_of(url, 10.0) as tables:
        tables.leave("elsewhere")
        count = len(tables.columns())

    guards = by_hand(url, "SELECT 1 FROM pg_trigger WHERE tgname = 'a_left_store' AND tgenabled = 'O'")
    assert len(guards) == count > 0
    assert told(opened) == []
