# SPDX-License-Identifier: Apache-2.0
"""A request and the addresses that it may go to come in; the answer goes out, or what kept it from coming.

Everything is bounded: the time to connect, the time of the whole exchange whatever the other end does, and what is
read. No proxy is asked, no cookie is kept, and nothing is followed.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httptools

from lockgate.core.address import Address
from lockgate.core.webhook_url import Target

CONNECT_S = 5.0
MAX_READ, MAX_KEPT = 64 * 1_024, 1_024
CHUNK = 16 * 1_024


class ExchangeError(Exception):
    """What went wrong between here and there, in one sentence."""


@dataclass(slots=True)
class Answered:
    """An answer as far as it was read: `kept` is the beginning of its body.

    `retry_after`: when it wants to be called again, and `content_type`: what its body is, as it wrote them.
    """

    code: int = 0
    kept: bytes = b""
    retry_after: str = ""
    content_type: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent, with headers that are checked already, and how much of the answer is read, and of its body kept."""

    target: Target
    headers: Sequence[tuple[str, str]]
    method: str = "POST"
    body: bytes = field(default=b"", repr=False)
    max_read: int = MAX_READ
    max_kept: int = MAX_KEPT

    def encoded(self) -> bytes:
        """Return the bytes of the request."""
        lines = [f"{self.method} {self.target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        if any(ord(letter) < 0x20 or ord(letter) > 0x7E for line in lines for letter in line):
            raise ExchangeError("a header would hold what no header may")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


def exchange(request: Request, addresses: Sequence[Address], context: ssl.SSLContext, until: float) -> Answered:
    """Send a request to the first of some addresses that answers, and return the answer; `until` is monotonic."""
    try:
        with _connected(request.target, addresses, context, until) as connection:
            _send(connection, request.encoded(), until)
            return _answer(connection, request, until)
    except TimeoutError as error:
        raise ExchangeError("it did not answer in time") from error
    except ssl.SSLCertVerificationError as error:
        raise ExchangeError(f"its certificate does not verify: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise ExchangeError(f"no TLS: {(error.reason or 'unknown').lower().replace('_', ' ')}") from error
    except OSError as error:
        raise ExchangeError(f"the connection failed: {(error.strerror or 'it was closed').lower()}") from error


def _connected(target: Target, addresses: Sequence[Address], context: ssl.SSLContext, until: float) -> socket.socket:
    """Return a connection to one of the addresses themselves, in TLS under the name of the host where it is secure."""
    latest = min(until, time.monotonic() + CONNECT_S)
    failure: OSError = OSError("it has no address")
    for place, address in enumerate(addresses):
        # Each gets its part of the time, so that one that does not answer leaves some to the next.
        seconds = _left(latest) / (len(addresses) - place)
        try:
            plain = socket.create_connection((str(address), target.port), timeout=seconds)
        except OSError as error:
            failure = error
            continue
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(_left(latest))
            return context.wrap_socket(plain, server_hostname=target.host) if target.is_secure else plain
        except BaseException:
            plain.close()
            raise
    raise failure


def _send(connection: socket.socket, data: bytes, until: float) -> None:
    left = memoryview(data)
    while left:
        connection.settimeout(_left(until))
        left = left[connection.send(left[:CHUNK]) :]


def _answer(connection: socket.socket, request: Request, until: float) -> Answered:
    reading = _Reading(request.max_kept)
    reading.parser = parser = httptools.HttpResponseParser(reading)
    read = 0
    while not reading.answered.is_whole and read < request.max_read:
        connection.settimeout(_left(until))
        chunk = connection.recv(min(CHUNK, request.max_read - read))
        if not chunk:
            return _ended(reading)
        read += len(chunk)
        try:
            parser.feed_data(chunk)
        except httptools.HttpParserUpgrade as error:
            raise ExchangeError("it asks for another protocol") from error
        except httptools.HttpParserError as error:
            raise ExchangeError("its answer is not HTTP") from error
    if not reading.has_head:
        raise ExchangeError(f"the head of its answer is longer than {request.max_read:,} bytes")
    return reading.answered


def _ended(reading: _Reading) -> Answered:
    if not reading.has_head or reading.has_length:
        raise ExchangeError("it closed the connection before its answer was whole")
    reading.answered.is_whole = True
    return reading.answered


class _Reading:
    """What the parser tells of an answer, as it comes."""

    def __init__(self, max_kept: int) -> None:
        self.answered = Answered()
        self._max_kept = max_kept
        self.has_head = self.has_length = False
        self.parser: httptools.HttpResponseParser | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        self.has_length = self.has_length or lower in (b"content-length", b"transfer-encoding")
        if lower == b"retry-after":
            self.answered.retry_after = value.decode("latin-1").strip()
        if lower == b"content-type":
            self.answered.content_type = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        assert self.parser is not None
        self.answered.code = self.parser.get_status_code()
        # An interim answer, such as 103, comes before the answer.
        self.has_head = not 100 <= self.answered.code <= 199

    def on_body(self, body: bytes) -> None:
        self.answered.kept = (self.answered.kept + body)[: self._max_kept]

    def on_message_complete(self) -> None:
        self.answered.is_whole = self.has_head


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
