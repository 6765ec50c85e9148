# SPDX-License-Identifier: Apache-2.0
"""A store comes in; the command line on it, and the same command line on a server of a copy of it, go out."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lockgate import wiring
from lockgate.cli import main
from lockgate.cli.asked.caller_place import answer_call
from lockgate.operations.asking.queries import list_rollouts
from lockgate.server.app import Service, make_app
from lockgate.server.serving import address_of, listening, server_of
from tests.doors.line import APP, BAD, GOOD, write_runs

# Who acts is told by another name over HTTP, and by a word of its own in a receipt.
WHO = re.compile(r"anybody on this machine|ann|\"(open|person)\"")
# So that what was signed, which names who acted, has another signature.
SIGNED = re.compile(r'"(sha256|proof|envelope)": "(?:[^"\\]|\\.)*"')
SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Called:
    """What a call of the command line came to."""

    code: int
    out: str
    err: str

    def plain(self) -> tuple[int, str]:
        """Return the code and what was printed, without who acted."""
        return self.code, SPACES.sub(" ", WHO.sub("WHO", SIGNED.sub(r"\1", self.out)))


@dataclass
class StillClock:
    """Stands still."""

    at: int

    def now(self) -> int:
        """Return the one time that it is."""
        return self.at


@dataclass(frozen=True)
class Made:
    """A store in the folder `home`, the names of what is in it and of files, and the time that it is."""

    folder: Path
    names: dict[str, str]
    clock: StillClock


@dataclass(frozen=True)
class Both:
    """Two equal stores: one is this machine's, the other has a server in front of it."""

    here: Path
    url: str
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def local(self, *words: object) -> Called:
        """Call a command on this machine's store."""
        self.patch.delenv("LOCKGATE_URL", raising=False)
        return self._call(words)

    def remote(self, *words: object) -> Called:
        """Call a command on the server."""
        self.patch.setenv("LOCKGATE_URL", self.url)
        try:
            return self._call(words)
        finally:
            self.patch.delenv("LOCKGATE_URL")

    def _call(self, words: tuple[object, ...]) -> Called:
        self.captured.readouterr()
        code = main.run([str(word) for word in words])
        return Called(code, *self.captured.readouterr())


@contextmanager
def serving_copy(home: Path, copy: Path, port: int = 0) -> Iterator[str]:
    """Serve a copy of a store, open to this machine, and hand out the address."""
    if home.exists():
        shutil.copytree(home, copy)
    service = Service(house=wiring.local_house(copy), batches=wiring.run_batches(), is_open=True, ask=answer_call)
    with listening("127.0.0.1", port) as listener:
        server = server_of(make_app(service))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield address_of(listener)
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Return a store with a candidate that is rolled back and one that is on trial, and files."""
    folder = tmp_path_factory.mktemp("made")
    clock = StillClock(wiring.system_clock().now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "system_clock", lambda: clock)
        patch.setenv("LOCKGATE_HOME", str(folder / "home"))
        patch.setenv("LOCKGATE_STATE", str(folder / "state"))
        patch.setenv("LOCKGATE_ACTOR", "ann")
        first = write_runs(folder / "first.ndjson", {"v36": GOOD, "abc123": GOOD, "worse": BAD}, runs=300)
        assert main.run(["ingest", str(first)]) == 0
        common = ["create", "--app-id", APP, "-b", "v36", "--mode", "canary", "--since", "1h"]
        assert main.run([*common, "-c", "worse"]) == 0
        assert main.run(["tick", "--all"]) == 0
        assert main.run([*common, "-c", "abc123"]) == 0
        ids = _ids()
        yield Made(folder, {**ids, **_files(folder), "first": str(first)}, clock)


def _ids() -> dict[str, str]:
    worse, good = list_rollouts(wiring.house_to_read())
    assert (worse.status.value, good.status.value) == ("rolled_back", "active")
    return {"bad": worse.id, "good": good.id}


def _files(folder: Path) -> dict[str, str]:
    more = write_runs(folder / "more.ndjson", {"v36": GOOD}, runs=20, first=5_000)
    table, broken, policy = folder / "table.csv", folder / "broken.ndjson", folder / "policy.yaml"
    table.write_text("run_id,release,status,latency_ms\na,1,ok,3\nb,2,error,4\n", encoding="utf-8")
    broken.write_text(more.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    policy.write_text("app: billing\nbaseline: v1\ncandidate: v2\nmin_runs: 50\n", encoding="utf-8")
    return {"more": str(more), "table": str(table), "broken": str(broken), "policy": str(policy)}


@pytest.fixture
def both(
    made: Made,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Both]:
    """Return two copies of that store, one of them with a server in front of it; time stands still."""
    monkeypatch.setattr(wiring, "system_clock", lambda: made.clock)
    here = tmp_path / "home"
    shutil.copytree(made.folder / "home", here)
    monkeypatch.setenv("LOCKGATE_HOME", str(here))
    monkeypatch.setenv("LOCKGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LOCKGATE_ACTOR", "ann")
    monkeypatch.delenv("LOCKGATE_API_KEY", raising=False)
    with serving_copy(here, tmp_path / "copy") as url:
        yield Both(here, url, monkeypatch, capsys)
