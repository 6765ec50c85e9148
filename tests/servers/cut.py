# SPDX-License-Identifier: Apache-2.0
"""The port of a database comes in; a port that leads there goes out, whose connections break when they are told to.

A connection can break at once, or when it says COMMIT: before the database hears it, or after it has and before the
answer is back. In the last two nobody on this side can tell whether the transaction was kept.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum

from lockgate.demo.router import HOST

CHUNK = 1 << 16
# The statement as psycopg sends it, in a simple or an extended query.
COMMIT = b"COMMIT"


class Moment(Enum):
    """When the next connection breaks that commits."""

    BEFORE = "before the database hears of it"
    AFTER = "before the answer is back"


class CutProxy:
    """A way to a database that can be cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._links: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._moment: Moment | None = None
        self.cuts = 0
        self.commits_cut = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection at once."""
        with self._lock:
            links = list(self._links.values())
        self.cuts += len(links)
        for link in links:
            _break(*link)

    def cut_at_commit(self, moment: Moment) -> None:
        """Break the next connection that commits."""
        self._moment = moment

    def close(self) -> None:
        """Take no more connections, and break those that there are."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection((HOST, self._target), timeout=5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._links[id(near)] = (near, far)
        back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
        back.start()
        self._copy(near, far, is_watched=True)
        back.join()
        with self._lock:
            del self._links[id(near)]
        near.close()
        far.close()

    def _copy(self, source: socket.socket, target: socket.socket, *, is_watched: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if is_watched and COMMIT in data and (moment := self._taken()) is not None:
                    if moment is Moment.AFTER:
                        # Nothing comes back any more, while the database carries it out.
                        source.shutdown(socket.SHUT_RDWR)
                        target.sendall(data)
                        target.shutdown(socket.SHUT_WR)
                    self.commits_cut += 1
                    break
                target.sendall(data)
        _break(source, target)

    def _taken(self) -> Moment | None:
        with self._lock:
            moment, self._moment = self._moment, None
            return moment


def _break(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
