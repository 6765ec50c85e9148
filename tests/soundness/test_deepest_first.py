# SPDX-License-Identifier: Apache-2.0
"""Stores in which one thing was broken come in; fsck names it before what came of it, and says what mends it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lockgate.core.soundness.flaw import Rule
from lockgate.errors import OlderStoreError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.once import Came, Once, answered_before, do_once
from lockgate.operations.vault import checking
from tests.faults import steps
from tests.postgresql import Cluster
from tests.soundness.everything import AFTER, fill
from tests.witness.machine import CREATE, Machine
from tests.witness.test_repair import change

pytestmark = pytest.mark.tampers
CHECK = ("fsck", "--json")
MEND = ("fsck", "--repair", "--yes")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a machine whose log has four entries, of which each test takes a copy."""
    here = Machine(tmp_path_factory.mktemp("lived") / "home")
    here.act(here.create("v2"), "pause", "resume", "pause")
    return here


@pytest.fixture
def machine(lived: Machine, tmp_path: Path) -> Machine:
    """Return a copy of that machine, with what it remembers outside of its home."""
    for each in ("home", "home-state"):
        shutil.copytree(lived.home.parent / each, tmp_path / each)
    return Machine(tmp_path / "home")


def told(here: Machine) -> list[dict[str, Any]]:
    """Return the flaws that the command prints."""
    found: list[dict[str, Any]] = json.loads(here.call(*CHECK).stdout)["flaws"]
    return found


@pytest.mark.clause("IO-31")
def test_a_row_that_holds_another_key_ends_no_check_in_a_circle(tmp_path: Path) -> None:
    """The last batch of a table that is read in portions: the check ends, and names the row."""
    fill(tmp_path / "home")
    change(
        tmp_path / "home", "UPDATE batches SET digest = digest || 'x' WHERE digest = (SELECT max(digest) FROM batches)"
    )

    found = fsck(steps.house_of(tmp_path / "home", AFTER + 40))

    assert Rule.ROW in {flaw.rule for flaw in found.flaws}
    assert any("of batches is found by something else than it holds" in flaw.what for flaw in found.flaws)


@pytest.mark.clause("WT-70")
def test_a_node_that_is_gone_makes_no_older_copy_of_a_store(machine: Machine) -> None:
    """Nobody is sent to a backup: the flaw is of the node, what refuses names the repair, and that mends it."""
    change(machine.home, "DELETE FROM nodes WHERE level = 2")

    found, refused = told(machine), machine.call(*CREATE, "v3")
    mended, went_on = machine.call(*MEND), machine.call(*CREATE, "v3")

    assert {flaw["rule"] for flaw in found} == {"node"}
    assert (refused.returncode, "fsck --repair --yes` makes it again" in refused.stderr) == (65, True)
    assert (mended.returncode, went_on.returncode) == (0, 0)


@pytest.mark.clause("WT-70")
def test_an_older_copy_whose_nodes_are_wrong_is_an_older_copy_all_the_same(machine: Machine, tmp_path: Path) -> None:
    """Its size says so."""
    shutil.copytree(machine.home, tmp_path / "copy")
    assert machine.call(*CREATE, "v3").returncode == 0
    shutil.rmtree(machine.home)
    shutil.copytree(tmp_path / "copy", machine.home)
    change(machine.home, "DELETE FROM nodes WHERE level = 2")

    assert [flaw["rule"] for flaw in told(machine)] == ["node", "node", "age"]


INDEXES = [
    "DROP INDEX rollouts_of_app",
    "DROP INDEX rollouts_of_app; CREATE INDEX rollouts_of_app ON rollouts (weight)",
    "DROP TRIGGER kept_receipt",
    "CREATE TRIGGER quiet AFTER INSERT ON looks BEGIN DELETE FROM looks; END",
    "CREATE INDEX more ON rollouts (weight)",
]


@pytest.mark.clause("WT-71")
@pytest.mark.parametrize("statements", INDEXES)
def test_what_finds_and_guards_rows_is_made_again_as_the_schema_has_it(machine: Machine, statements: str) -> None:
    """One that is gone, written otherwise, or more than there should be: no backup is needed."""
    with closing(sqlite3.connect(machine.home / "lockgate.db")) as file:
        file.executescript(statements)

    found, mended = told(machine), machine.call(*MEND)

    assert [(flaw["rule"], "--repair" in flaw["advice"]) for flaw in found] == [("index", True)]
    assert mended.returncode == 0, mended.stdout


DATABASE = [
    "DROP INDEX rollouts_of_app",
    "DROP INDEX one_canary_of_app; CREATE UNIQUE INDEX one_canary_of_app ON rollouts (org, app) WHERE is_active = 1",
    "ALTER TABLE nodes DISABLE TRIGGER kept_node",
    "ALTER TABLE apps DISABLE ROW LEVEL SECURITY",
    "DROP POLICY by_its_id ON api_keys",
    "CREATE POLICY every_row ON apps USING (true)",
    "CREATE OR REPLACE FUNCTION refuse_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "CREATE TRIGGER kept_node BEFORE INSERT ON looks FOR EACH ROW EXECUTE FUNCTION refuse_change('no')",
    (
        "DROP TRIGGER kept_node ON nodes;"
        " CREATE TRIGGER kept_node BEFORE UPDATE ON nodes FOR EACH ROW"
        " EXECUTE FUNCTION refuse_change('the log is kept as it is')"
    ),
    (
        "DROP TRIGGER kept_receipt ON receipts; CREATE TRIGGER kept_receipt AFTER UPDATE OR DELETE ON receipts"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change('receipts are kept as they are')"
    ),
    (
        "DROP TRIGGER sealed_slot ON slots; CREATE TRIGGER sealed_slot BEFORE UPDATE ON slots"
        " FOR EACH ROW WHEN (OLD.sealed_at IS NULL) EXECUTE FUNCTION refuse_sealed()"
    ),
    "CREATE POLICY by_its_id ON apps FOR SELECT USING (true)",
    "ALTER POLICY by_its_id ON api_keys USING (true)",
    (
        "DROP POLICY every_name ON api_keys;"
        " CREATE POLICY every_name ON api_keys USING (current_setting('lockgate.question', true) = 'orgs')"
    ),
    "ALTER POLICY own_org ON apps USING (true)",
    "ALTER POLICY own_org ON apps WITH CHECK (true)",
    "ALTER POLICY own_org ON apps TO CURRENT_USER",
    "CREATE UNIQUE INDEX one_rollout_of_app ON rollouts (org, app)",
    "ALTER TABLE messages ADD CONSTRAINT one_message UNIQUE (org, app)",
    "ALTER TABLE messages ADD CHECK (length(id) < 0) NOT VALID",
    "ALTER TABLE looks ADD FOREIGN KEY (org, rollout) REFERENCES rollouts (org, id) ON DELETE CASCADE",
    "ALTER TABLE apps ADD EXCLUDE USING btree (name WITH =)",
    "CREATE RULE silent AS ON INSERT TO looks DO INSTEAD NOTHING",
    "CREATE RULE dear AS ON UPDATE TO rollouts WHERE NEW.weight = 0 DO INSTEAD NOTHING",
    "ALTER TABLE receipts DROP CONSTRAINT receipts_org_log_index_key",
    "ALTER TABLE rollouts DROP CONSTRAINT rollouts_weight_check",
    "ALTER TABLE deliveries DROP CONSTRAINT deliveries_org_message_fkey",
    "ALTER TABLE api_keys DROP CONSTRAINT api_keys_id_key",
]


@pytest.mark.postgres
@pytest.mark.clause("WT-71", "WT-81")
def test_what_finds_and_guards_rows_of_a_database_is_made_again(tmp_path: Path, postgresql: Cluster) -> None:
    """Also functions, policies, and that rows are held by their organisation."""
    url = postgresql.new_database()
    here = Machine(tmp_path / "home", LOCKGATE_STORE=url)
    here.act(here.create("v2"), "pause")
    assert told(here) == []
    seen = []
    for statements in DATABASE:
        with psycopg.connect(url, autocommit=True) as link:
            link.execute("SET search_path = lockgate")
            link.execute(statements.encode())
        seen.append(([flaw["rule"] for flaw in told(here)], here.call(*MEND).returncode))

    assert seen == [(["index"], 0)] * len(DATABASE)
    assert told(here) == []


ALTERED = [
    "ALTER TABLE receipts DROP CONSTRAINT receipts_org_id_key; ALTER TABLE receipts ADD UNIQUE (org, id, seq)",
    "ALTER TABLE slots DROP CONSTRAINT slots_check, ADD CHECK (seals_at <> opened_at)",
    "ALTER TABLE deliveries ALTER CONSTRAINT deliveries_org_message_fkey DEFERRABLE",
    "ALTER TABLE messages DROP CONSTRAINT messages_org_id_key CASCADE",
]


@pytest.mark.postgres
@pytest.mark.clause("WT-81")
def test_a_constraint_that_says_something_else_is_named_by_both(tmp_path: Path, postgresql: Cluster) -> None:
    """The one that is there and the one that is not; of a key that others referred to, what went with it too."""
    url = postgresql.new_database()
    here = Machine(tmp_path / "home", LOCKGATE_STORE=url)
    here.act(here.create("v2"), "pause")
    seen = []
    for statements in ALTERED:
        with psycopg.connect(url, autocommit=True) as link:
            link.execute("SET search_path = lockgate")
            link.execute(statements.encode())
        found = told(here)
        assert all("constraint" in flaw["what"] for flaw in found)
        seen.append(([flaw["rule"] for flaw in found], here.call(*MEND).returncode))

    assert seen == [(["index", "index"], 0)] * len(ALTERED)
    assert told(here) == []
    assert here.call(*CREATE, "v3").returncode == 0


UNSEEN = [
    "ALTER TABLE looks ALTER body DROP NOT NULL",
    "ALTER TABLE looks ALTER body SET DEFAULT ''",
    "CREATE TABLE more (x int)",
    "GRANT UPDATE ON receipts TO PUBLIC",
]


@pytest.mark.postgres
@pytest.mark.clause("WT-81")
@pytest.mark.parametrize("statement", UNSEEN)
def test_what_the_page_names_as_not_compared_is_not(tmp_path: Path, postgresql: Cluster, statement: str) -> None:
    """Whoever compares it one day takes it from the page."""
    url = postgresql.new_database()
    here = Machine(tmp_path / "home", LOCKGATE_STORE=url)
    here.create("v2")
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("SET search_path = lockgate")
        link.execute(statement.encode())

    assert told(here) == []


@pytest.mark.clause("WT-72")
def test_many_flaws_of_one_rule_hide_none_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is bounded of each rule: signatures that do not verify, and a node that is found after them."""
    monkeypatch.setattr(checking, "MAX_FLAWS", 1)
    home = tmp_path / "home"
    fill(home)
    # The last four of the signature's digits.
    forged = "UPDATE checkpoints SET note = CAST(substr(note, 1, length(note) - 5) || 'AAA=' || char(10) AS BLOB)"
    change(home, forged, "DELETE FROM nodes WHERE level = 1")

    found = fsck(steps.house_of(home, AFTER + 40))

    assert [flaw.rule for flaw in found.flaws] == [Rule.NODE, Rule.SIGNATURE]
    assert found.further > 1


@pytest.mark.clause("WT-72")
@pytest.mark.parametrize(
    "more", [(), ("DELETE FROM checkpoints WHERE size = 4",)], ids=["under its checkpoint", "without it"]
)
def test_the_last_entry_that_is_gone_is_named_by_its_index(machine: Machine, more: tuple[str, ...]) -> None:
    """Before what came of it; and no repair takes away the leaf that shows it."""
    change(machine.home, "DELETE FROM receipts WHERE log_index = 3", *more)

    found, mended = told(machine), machine.call(*MEND)

    assert (found[0]["rule"], found[0]["index"]) == ("log", 3)
    assert found[0]["what"].startswith("entry 3 of the log is missing")
    assert (mended.returncode, "nothing of what was found can be made again" in mended.stderr) == (65, True)


@pytest.mark.clause("WT-73")
def test_on_an_older_copy_nobody_is_told_that_it_was_so_already(tmp_path: Path) -> None:
    """What operators ask for may stand there as it was asked for, and in the newer store otherwise."""
    here = Machine(tmp_path / "home")
    rollout, why = here.create("v2"), ("--reason", "drill")
    assert here.call("freeze", "--app-id", "web", *why).returncode == 0
    shutil.copytree(here.home, tmp_path / "copy")
    here.act(rollout, "pause")
    assert here.call("unfreeze", "--app-id", "web", *why).returncode == 0
    shutil.rmtree(here.home)
    shutil.copytree(tmp_path / "copy", here.home)
    asked = [
        ("resume", "--id", rollout, *why),
        ("freeze", "--app-id", "web", *why),
        (*CREATE, "v2"),
        ("actuator", "remove", "--app-id", "web", *why),
        ("deliver",),
    ]

    done = [here.call(*words) for words in asked]

    assert [(each.returncode, "it is an older copy" in each.stderr) for each in done] == [(65, True)] * len(asked)


@pytest.mark.clause("WT-73")
def test_on_an_older_copy_no_call_is_answered_as_it_was_before(tmp_path: Path) -> None:
    """The reply that is kept for its key was true in a store that is gone."""
    home, once = tmp_path / "home", Once("key", "sha256:x")
    steps.do(home, "create")
    do_once(steps.house_of(home), once, lambda _work, _house: Came(status=200, headers=(), body=b"{}"))
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    steps.do(home, "kill")
    shutil.rmtree(copy / "state")
    shutil.copytree(home / "state", copy / "state")

    with pytest.raises(OlderStoreError):
        answered_before(steps.house_of(copy), once)
