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
from lockgate.server.app import Service, make_app
from lockgate.server.serving import address_of, listening, server_of

# Who acts is told by another name over HTTP, and by a word of its own in a receipt.
WHO = re.compile(r"anybody on this machine|ann|\"(open|person)\"")
SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Called:
    """What a call of the command line came to."""

    code: int
    out: str
    err: str

    def plain(self) -> tuple[int, str]:
        """Return the code and what was printed, without who acted."""
        return self.code, SPACES.sub(" ", WHO.sub("WHO", self.out))


@dataclass
class StillClock:
    """Stands still."""

    at: int

    def now(self) -> int:
        """Return the one time that it is."""
        return self.at


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
def serving_copy(home: Path, copy: Path) -> Iterator[str]:
    """Serve a copy of a store, open to this machine, and hand out the address."""
    if home.exists():
        shutil.copytree(home, copy)
    service = Service(house=wiring.local_house(copy), batches=wiring.run_batches(), is_open=True, ask=answer_call)
    with listening("127.0.0.1", 0) as listener:
        server = server_of(make_app(service))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield address_of(listener)
        finally:
            server.should_exit = True
            thread.join(20)
