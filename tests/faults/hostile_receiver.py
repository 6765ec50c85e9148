# SPDX-License-Identifier: Apache-2.0
"""Ways to mistreat a sender come in; a receiver on a port of this machine that uses them, and its journal, go out.

It speaks over bare sockets, so that it can do what no server would.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from lockgate.webhooks import Event, verify

PATIENCE_S = 120.0
DRIP_S = 0.1
START = b"POST /hook HTTP/1.1\r\n"


@dataclass(frozen=True, slots=True)
class Came:
    """One request as it was read: when it had come whole, and how long the sender then stayed."""

    at: float
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Return the id of the webhook."""
        return self.headers["webhook-id"]

    def event(self, secret: str) -> Event:
        """Return what it says, verified as of the moment at which it came."""
        return verify(self.headers, self.body, secret, now=self.at)


Way = Callable[[socket.socket], None]


def says(head: str, body: str = "") -> Way:
    """Answer by some bytes, and close."""

    def way(link: socket.socket) -> None:
        link.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    return way


OK, FAILS, GONE = says("200 OK"), says("500 Internal Server Error"), says("410 Gone")


def late(seconds: float) -> Way:
    """Answer by 200 after some seconds, if the sender still listens then."""

    def way(link: socket.socket) -> None:
        time.sleep(seconds)
        OK(link)

    return way


def drops(_link: socket.socket) -> None:
    """Read all of it, and say nothing."""


def resets(link: socket.socket) -> None:
    """Read all of it, and break the connection."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def redirects(place: str) -> Way:
    """Send the sender elsewhere."""
    return says(f"307 Temporary Redirect\r\nLocation: {place}")


def drips(link: socket.socket) -> None:
    """Send one more byte of an answer now and then, without end."""
    _endless(link, b"HTTP/1.1 200 OK\r\nX: ", b"y", DRIP_S)


def pours(link: socket.socket) -> None:
    """Say 200, and send a body without end."""
    _endless(link, b"HTTP/1.1 200 OK\r\n\r\n", b"y" * 65_536, 0.0)


def pours_heads(link: socket.socket) -> None:
    """Send headers without end."""
    _endless(link, b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 1_000 + b"\r\n", 0.0)


def garbles(link: socket.socket) -> None:
    """Say what is no HTTP."""
    link.sendall(b"\x16\x03\x01 lorem ipsum\r\n\r\n")


def _endless(link: socket.socket, first: bytes, more: bytes, pause_s: float) -> None:
    link.sendall(first)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        link.sendall(more)
        time.sleep(pause_s)


@dataclass(slots=True)
class HostileReceiver:
    """Mistreats each of the next requests in one of the ways, and answers all that follow by 200."""

    port: int
    ways: list[Way]
    came: list[Came] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    def waited(self, count: int, seconds: float = PATIENCE_S) -> list[Came]:
        """Return what came, once that is so many."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.came) >= count, seconds):
                raise AssertionError(f"{len(self.came)} came in {seconds:g} s, {count} were waited for")
            return list(self.came)

    def heard(self, event: str, seconds: float = PATIENCE_S) -> Came:
        """Return the first webhook of a type, once one came."""
        sought = f'"type":"{event}"'.encode()
        with self._changed:
            if not self._changed.wait_for(lambda: any(sought in each.body for each in self.came), seconds):
                raise AssertionError(f"no {event} came in {seconds:g} s")
            return next(each for each in self.came if sought in each.body)

    def ids(self) -> list[str]:
        """Return the ids of what came, in the order of its arrival."""
        return [each.id for each in self.came]

    def take(self, link: socket.socket) -> None:
        """Read a request whole, note it, and answer."""
        with link, suppress(OSError):
            link.settimeout(PATIENCE_S)
            came = _read(link)
            with self._changed:
                self.came.append(came)
                way = self.ways.pop(0) if self.ways else OK
                self._changed.notify_all()
            way(link)


@contextmanager
def receiving(*ways: Way, at: int = 0) -> Iterator[HostileReceiver]:
    """Listen on a port of this machine, by default a free one, until the block ends."""
    with socket.create_server(("127.0.0.1", at)) as listener:
        receiver = HostileReceiver(listener.getsockname()[1], list(ways))
        thread = threading.Thread(target=_accept, args=(listener, receiver), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)


def _accept(listener: socket.socket, receiver: HostileReceiver) -> None:
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=receiver.take, args=(link,), daemon=True).start()


def _read(link: socket.socket) -> Came:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(link)
        if not data.startswith(START[: len(data)]):
            link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            raise ConnectionResetError("it speaks something else, such as TLS")
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")[1:]
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _more(link)
    return Came(time.time(), headers, body)


def _more(link: socket.socket) -> bytes:
    data = link.recv(65_536)
    if not data:
        raise ConnectionResetError("the sender went away")
    return data
