# SPDX-License-Identifier: Apache-2.0
"""A store that another process holds comes in; who wants to write waits, and is told so: docs/spec.md, The line."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite import file as sqlite_file
from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.cli import exit_codes
from lockgate.core.app import App
from tests.doors.line import Door


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line on a store that exists, where patience ends at once."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path))
    monkeypatch.setattr(sqlite_file, "PATIENCE_SECONDS", 0.01)
    SqliteStore(tmp_path).close()
    return Door(capsys)


@pytest.mark.clause("LI-115")
def test_who_waits_is_told_once_and_then_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the other process lets go, the writer has its turn."""
    monkeypatch.setattr(sqlite_file, "PATIENCE_SECONDS", 0.01)
    is_held, is_told, told = threading.Event(), threading.Event(), []
    other = SqliteStore(tmp_path)

    def hold() -> None:
        with other.writing() as work:
            work.put_app(App(name="first"))
            is_held.set()
            is_told.wait(10)

    def tell() -> None:
        told.append("waits")
        is_told.set()

    store, holder = SqliteStore(tmp_path, on_wait=tell), threading.Thread(target=hold)
    holder.start()
    is_held.wait(10)

    with store.writing() as work:
        work.put_app(App(name="second"))
        names = [app.name for app in work.apps()]

    holder.join()
    assert (told, names) == (["waits"], ["first", "second"])


@pytest.mark.clause("LI-115")
def test_the_command_line_says_that_it_waits(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time that is set is over, it leaves by the code of a call that may succeed later."""
    monkeypatch.setenv("LOCKGATE_BUSY_SECONDS", "0.03")

    with SqliteStore(tmp_path).writing():
        code = door("create", "--app-id", "web", "-b", "v1", "-c", "v2")

    assert code == exit_codes.TRY_AGAIN.code
    assert door.err.startswith("waiting for another process that holds the store\n")


@pytest.mark.clause("LI-115")
@pytest.mark.parametrize("text", ["soon", "-1", "nan", "4000"])
def test_a_wait_that_cannot_be_meant_is_refused(door: Door, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It is a number of seconds."""
    monkeypatch.setenv("LOCKGATE_BUSY_SECONDS", text)

    code = door("create", "--app-id", "web", "-b", "v1", "-c", "v2")

    assert code == exit_codes.USAGE.code
    assert "LOCKGATE_BUSY_SECONDS" in door.err
