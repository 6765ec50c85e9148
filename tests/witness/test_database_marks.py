# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of many machines come in at once; the database of marks keeps the largest of each log."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from lockgate.adapters.marks import database
from lockgate.adapters.marks.database import DatabaseMarks
from lockgate.adapters.marks.state_files import StateFiles
from lockgate.errors import UnreachableError
from tests.postgresql import Cluster
from tests.witness.witnessed import ORIGIN, log_of

pytestmark = [pytest.mark.postgres, pytest.mark.clause("WT-21")]
LOG = log_of(40)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no machine that stands still for two seconds go on by its own mark."""
    monkeypatch.setattr(database, "CONNECT_S", 60)
    monkeypatch.setattr(database, "STATEMENT_MS", 60_000)


@pytest.mark.usefixtures("patient")
def test_a_mark_is_only_ever_raised(tmp_path: Path, postgresql: Cluster) -> None:
    """By machines that begin at once, in any order; each sees the largest, also those that never lifted it."""
    url = postgresql.new_database()
    machines = [DatabaseMarks(url, StateFiles(tmp_path / str(number))) for number in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda size: machines[size % 4].lift(ORIGIN, LOG.checkpoint(size)), [*range(1, 41), 7, 1]))
    machines[1].lift(ORIGIN, LOG.checkpoint(3))

    fresh = DatabaseMarks(url, StateFiles(tmp_path / "new"))
    assert [each.held(ORIGIN) for each in (*machines, fresh)] == [LOG.checkpoint(40)] * 5
    assert fresh.held("log.example/two") is None


@pytest.mark.usefixtures("patient")
def test_a_database_that_comes_back_is_lifted_by_what_was_missed(
    tmp_path: Path, postgresql: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """While it is away the machine's own mark counts and that is told once; nobody asks again for some seconds."""
    url, now = postgresql.new_database(), [0.0]
    near = StateFiles(tmp_path / "near")
    marks = DatabaseMarks(url, near, lambda: now[0])
    marks.lift(ORIGIN, LOG.checkpoint(1))
    name = url.rpartition("/")[2]
    postgresql.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgresql.run(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 -- our own name
    with caplog.at_level(logging.WARNING):
        marks.lift(ORIGIN, LOG.checkpoint(2))
        away = marks.held(ORIGIN)
    postgresql.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    resting = marks.held(ORIGIN)
    now[0] += 6
    marks.lift(ORIGIN, LOG.checkpoint(3))

    assert (away, resting) == (LOG.checkpoint(2), LOG.checkpoint(2))
    assert len(caplog.records) == 1
    assert DatabaseMarks(url, StateFiles(tmp_path / "new")).held(ORIGIN) == LOG.checkpoint(3)


def test_without_the_database_a_machine_that_knows_nothing_knows_that(tmp_path: Path, postgresql: Cluster) -> None:
    """It is told what to see to, without the password."""
    url = re.sub(r":\d+/", ":1/", postgresql.url("none", "lockgate", "s3cret"))

    with pytest.raises(UnreachableError, match="never seen it") as refused:
        DatabaseMarks(url, StateFiles(tmp_path / "near")).held(ORIGIN)

    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in DatabaseMarks(url, StateFiles(tmp_path / "near")).place(ORIGIN)


@pytest.mark.clause("WT-50")
@pytest.mark.parametrize("own", ["-c%20work_mem%3D8MB", "-c%20statement_timeout%3D0&connect_timeout=0"])
def test_no_setting_of_the_address_lets_a_decision_wait_for_the_database(
    tmp_path: Path, postgresql: Cluster, own: str
) -> None:
    """While somebody holds its table, the machine's own mark counts."""
    url = postgresql.new_database()
    marks = DatabaseMarks(f"{url}?options={own}", StateFiles(tmp_path / "near"))
    marks.lift(ORIGIN, LOG.checkpoint(1))

    with psycopg.connect(url) as holding:
        holding.execute("LOCK TABLE lockgate_marks.marks IN ACCESS EXCLUSIVE MODE")
        held = marks.held(ORIGIN)

    assert held == LOG.checkpoint(1)
