# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; a real PostgreSQL of this machine goes out, made for the tests and thrown away with them.

`cluster()` makes one; the fixture `postgresql` shares one among a session's tests, each with a database of its own.
"""

from __future__ import annotations

import itertools
import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg
import pytest

from lockgate.demo.router import HOST, free_port

OLDEST = 15
SUPERUSER = "postgres"
# Owns the databases of tests, and is as little as a server's own role is: no superuser, held by row-level security.
OWNER = "lockgate"
PATIENCE_S = 60
CONFIG = """
listen_addresses = '{host}'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 200
shared_buffers = 64MB
fsync = {fsync}
log_min_messages = fatal
"""


def binaries() -> Path:
    """Return the folder of the newest PostgreSQL of this machine; fail where there is none."""
    packaged = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    found = [*packaged, *([Path(on_path).resolve().parent] if on_path else [])]
    newest = max(found, key=_version, default=None)
    if newest is None or _version(newest) < OLDEST:
        pytest.fail(f"PostgreSQL {OLDEST} or later is not installed; see `apt-get install postgresql`", pytrace=False)
    return newest


def _version(folder: Path) -> int:
    said = subprocess.run([str(folder / "initdb"), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


@dataclass
class Cluster:
    """A PostgreSQL with databases and roles of its own, on a port of this machine only."""

    folder: Path
    bin: Path
    port: int
    password: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str = "postgres", role: str = SUPERUSER, password: str = "") -> str:
        """Return the address of a database for a role."""
        secret = password or (self.password if role in (SUPERUSER, OWNER) else "")
        return f"postgresql://{role}{':' + secret if secret else ''}@{HOST}:{self.port}/{database}"

    def new_database(self, like: str = "template1") -> str:
        """Make a database that an ordinary role owns, and return its address for that role.

        It is empty, or the copy of one, by its address, from which whoever is connected to it is cut.
        """
        name, source = f"test_{next(self._numbers)}", like.rpartition("/")[2]
        # The server's end of a connection may outlive the process that had it by a moment.
        there = f"pg_stat_activity WHERE datname = '{source}'"
        self.run(f"SELECT pg_terminate_backend(pid, {PATIENCE_S * 1_000}) FROM {there}")  # noqa: S608 -- of our own
        self.run(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {source}")
        return self.url(name, OWNER)

    def run(self, statement: str, database: str = "postgres") -> None:
        """Do one statement as superuser."""
        with psycopg.connect(self.url(database), autocommit=True) as link:
            link.execute(statement.encode())

    def restart_immediate(self) -> None:
        """End every process of it at once, as a crash does, and wait until it has recovered."""
        self._control("restart", "-m", "immediate")

    def stop(self) -> None:
        """End it without waiting for whoever is connected."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._control("start")

    def _control(self, *what: str) -> None:
        data, log = str(self.folder / "data"), str(self.folder / "log")
        _as_owner([str(self.bin / "pg_ctl"), "-D", data, "-l", log, "-w", "-t", str(PATIENCE_S), *what], self.folder)


@contextmanager
def cluster(*, has_fsync: bool = True, auth: Literal["trust", "scram-sha-256"] = "trust") -> Iterator[Cluster]:
    """Give a running PostgreSQL of its own, which ends and leaves nothing behind."""
    at = binaries()
    folder = Path(tempfile.mkdtemp(prefix="lockgate-postgresql-"))
    made = Cluster(folder, at, free_port(), secrets.token_hex(16))
    try:
        _initialise(made, auth, has_fsync=has_fsync)
        made.start()
        made.run(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{made.password}'")
        yield made
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            made.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """Give the cluster that the tests of a session share; what is written need not survive the machine."""
    with cluster(has_fsync=False) as made:
        yield made


def _initialise(made: Cluster, auth: str, *, has_fsync: bool) -> None:
    secret = made.folder / "secret"
    secret.write_text(made.password, encoding="ascii")
    secret.chmod(0o600)
    if os.geteuid() == 0:
        for path in (made.folder, secret):
            shutil.chown(path, SUPERUSER, SUPERUSER)
    data = made.folder / "data"
    options = ["-D", str(data), "-U", SUPERUSER, "-A", auth, "--pwfile", str(secret), "-E", "UTF8", "--locale", "C"]
    _as_owner([str(made.bin / "initdb"), "--no-sync", *options], made.folder)
    settings = CONFIG.format(host=HOST, port=made.port, folder=made.folder, fsync="on" if has_fsync else "off")
    with (data / "postgresql.conf").open("a", encoding="ascii") as file:
        file.write(settings)


def _as_owner(command: list[str], folder: Path) -> None:
    """Run a command of PostgreSQL, which refuses root: as the user that the package made where we are root."""
    user = SUPERUSER if os.geteuid() == 0 else None
    groups = [pwd.getpwnam(SUPERUSER).pw_gid] if user else None
    # What pg_ctl starts holds the streams of pg_ctl open, so that a pipe would never end.
    with (folder / "said").open("a+", encoding="utf-8") as said:
        ran = subprocess.run(
            command,
            cwd=folder,
            user=user,
            group=groups[0] if groups else None,
            extra_groups=groups,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        if ran.returncode:
            said.seek(0)
            log = folder / "log"
            more = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            raise RuntimeError(f"{' '.join(command)}: {said.read()[-2000:]}{more[-2000:]}")
