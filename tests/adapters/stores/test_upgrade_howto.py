# SPDX-License-Identifier: Apache-2.0
"""A newer version of this very program comes in; stores that are upgraded as the how-to says must go on by it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import lockgate
from lockgate.cli import exit_codes
from tests.doors.line import ID
from tests.packaging.running import running
from tests.postgresql import Cluster, cluster

HOWTO = Path(__file__).resolve().parents[3] / "docs" / "howto"
HERE = Path(next(iter(lockgate.__path__)))
CREATE = ("create", "--app-id", "web", "-b", "v1", "-c", "v2", "--quiet")
# Where the migrations of a store are, and what a newer version adds there.
SCHEMAS = {
    "sqlite/schema/control": "CREATE TABLE more (a INTEGER) STRICT;",
    "sqlite/schema/runs": "CREATE TABLE more (a INTEGER) STRICT;",
    "postgres/schema": "CREATE TABLE lockgate.more (a integer);",
}


@dataclass(frozen=True)
class Version:
    """One version of the program, and the folder with its keys and store."""

    folder: Path
    home: Path
    store: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Return what its processes are told."""
        named = {"LOCKGATE_HOME": str(self.home), "LOCKGATE_STATE": str(self.home / "state")}
        stored = {"LOCKGATE_STORE": self.store} if self.store else {}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PYTHONPATH": str(self.folder), "PATH": path, **named, **stored}

    @property
    def program(self) -> list[str]:
        """Return how it is called."""
        return [sys.executable, "-c", "from lockgate.cli.main import main; main()"]

    def __call__(self, *words: str) -> tuple[int, str]:
        """Call it, and return its exit code and all that it said."""
        ran = subprocess.run(
            [*self.program, *words],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return ran.returncode, ran.stdout.strip()

    def serves(self) -> str:
        """Start a server, end it, and return the rollouts that it showed."""
        with running([*self.program, "serve"], self.environment, self.home.parent) as server:
            made = self("keys", "create", "--name", "looks", "--allow", "rollout.read", "--json")
            key = re.search(r"rvk_\w{20,}", made[1])
            assert key is not None, made
            there = {"LOCKGATE_URL": server.url, "LOCKGATE_API_KEY": key[0], "PYTHONPATH": str(self.folder)}
            listed = subprocess.run(
                [*self.program, "list"], env=os.environ | there, capture_output=True, text=True, timeout=60, check=False
            )
        assert listed.returncode == 0, listed.stderr
        return listed.stdout


def created_by(version: Version) -> str:
    """Put a candidate on trial, and return the rollout's id."""
    code, said = version(*CREATE)
    found = ID.search(said)
    assert code == 0, said
    assert found is not None
    return found[0]


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Return a folder with this program, of the next version: each of its schemas has one migration more."""
    shutil.copytree(HERE, tmp_path / "newer" / "lockgate", ignore=shutil.ignore_patterns("__pycache__"))
    for place, statement in SCHEMAS.items():
        folder = tmp_path / "newer" / "lockgate" / "adapters" / "stores" / place
        last = max(int(each.name[:4]) for each in folder.glob("[0-9]*.sql"))
        (folder / f"{last + 1:04d}_more.sql").write_text(f"{statement}\n", encoding="utf-8")
    return tmp_path / "newer"


@pytest.mark.tampers
@pytest.mark.clause("SV-943")
def test_a_store_in_files_is_brought_up_by_the_first_process_that_writes(newer: Path, tmp_path: Path) -> None:
    """What was on trial goes on, and the older version refuses the store from then on, by 65, and changes nothing."""
    home = tmp_path / "home"
    before, after = Version(HERE.parent, home), Version(newer, home)
    rollout = created_by(before)
    served = before.serves()

    later = after.serves()
    turned = after("tick", "--id", rollout)
    older = before("tick", "--id", rollout)

    assert rollout in served
    assert rollout in later
    assert turned[0] == 0, turned
    assert older[0] == exit_codes.DATA.code
    assert "later version" in older[1]


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """Give a cluster with the roles of the how-to, which trusts whoever calls."""
    (written,) = re.findall(r"```sql\n(.*?)```", (HOWTO / "postgresql.md").read_text(encoding="utf-8"), re.DOTALL)
    with cluster(has_fsync=False) as made:
        made.run("DROP ROLE lockgate")
        for statement in written.strip().splitlines():
            made.run(statement)
        yield made


def steps(own: Cluster) -> str:
    """Return the command of the how-to, for a database of this machine."""
    page = (HOWTO / "upgrade.md").read_text(encoding="utf-8").partition("\n## From files")[0]
    (command,) = re.findall(r"^ *```sh\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    there = own.url("lockgate", "lockgate_owner")
    return str(command.strip().replace("postgresql://lockgate_owner@db.example.com/lockgate", there))


@pytest.mark.postgres
@pytest.mark.tampers
@pytest.mark.clause("SV-943")
def test_a_store_in_a_database_is_brought_up_by_the_role_that_owns_it(
    own: Cluster, newer: Path, tmp_path: Path
) -> None:
    """Before that the server that serves says what is missing; the page's own command is enough for it to start."""
    home, address = tmp_path / "home", own.url("lockgate", "lockgate")
    before, after = Version(HERE.parent, home, address), Version(newer, home, address)
    owner = Version(HERE.parent, home, own.url("lockgate", "lockgate_owner"))
    assert owner("store", "migrate")[0] == 0
    rollout = created_by(before)
    served = before.serves()

    early = after("serve", "--port", "0")
    stub = newer / "bin" / "lockgate"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from lockgate.cli.main import main; main()" "$@"\n', "ascii")
    stub.chmod(0o700)
    subprocess.run(["sh", "-euc", steps(own)], env={**os.environ, **after.environment}, check=True, timeout=60)
    later = after.serves()
    older = before("list")

    assert rollout in served
    assert early[0] == exit_codes.NOT_PERMITTED.code
    assert "lockgate store migrate" in early[1]
    assert rollout in later
    assert older[0] == exit_codes.DATA.code
    assert "later version" in older[1]
