# SPDX-License-Identifier: Apache-2.0
"""The roles of docs/howto/postgresql.md come in; they must do what the page says, and no more: docs/spec.md."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.core.retention import Retention
from lockgate.errors import NotPermittedError
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.testing.world import World
from tests.adapters.stores.postgres_stores import by_hand
from tests.doors.line import Door
from tests.postgresql import SUPERUSER, Cluster, cluster
from tests.spec.line import EQUAL, created, receipts

pytestmark = pytest.mark.postgres

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "postgresql.md"
DAY = 86_400


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """Give a cluster on which the page's statements were carried out, and that trusts whoever calls."""
    (written,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with cluster(has_fsync=False) as made:
        made.run("DROP ROLE lockgate")
        for statement in written.strip().splitlines():
            made.run(statement)
        yield made


@pytest.mark.clause("SV-113")
def test_the_roles_of_the_how_to_are_enough_and_not_too_much(own: Cluster, tmp_path: Path) -> None:
    """The owner makes the tables, the server takes a rollout to its end and lets go, the last role dumps."""
    as_server = own.url("lockgate", "lockgate")
    with pytest.raises(NotPermittedError, match="may not make them"):
        PostgresStore(as_server)
    PostgresStore(own.url("lockgate", "lockgate_owner")).close()

    with closing(PostgresStore(as_server)) as store:
        here = World(store, seed=1)
        rollout = created(here).rollout
        here.walk(rollout.id, EQUAL, runs=400, minutes=600)
        here.clock.advance(400 * DAY)
        prune(here.house, Retention())
        assert fsck(here.house).flaws == ()
        assert receipts(here.house, rollout.id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        by_hand(as_server, "CREATE TABLE lockgate.more (a int)")
    dump = [str(own.bin / "pg_dump"), "-Fc", "-n", "lockgate", "-f", str(tmp_path / "dump")]
    subprocess.run([*dump, own.url("lockgate", "lockgate_backup")], check=True)
    refused = subprocess.run(
        [*dump, own.url("lockgate", "lockgate_owner")], check=False, capture_output=True, text=True
    )
    assert "row-level security" in refused.stderr


@pytest.mark.clause("SV-113")
def test_store_migrate_makes_the_tables(
    own: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of the database that is named, once; without one it says what to name, and a superuser is told to name a role."""
    own.run("CREATE DATABASE other OWNER lockgate_owner")
    door, codes, said = Door(capsys), [], []
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path))

    for address in (
        own.url("other", "lockgate_owner"),
        own.url("other", "lockgate_owner"),
        own.url("other", SUPERUSER),
        "",
    ):
        monkeypatch.setenv("LOCKGATE_STORE", address)
        codes.append(door("store", "migrate"))
        said.append(door.out)

    assert codes == [0, 0, 77, 64]
    assert said == ["The tables of the store are those of this version.\n"] * 2 + [""] * 2
    assert by_hand(own.url("other"), "SELECT count(*) > 0 FROM lockgate.versions") == [(True,)]
    assert list(tmp_path.iterdir()) == []
