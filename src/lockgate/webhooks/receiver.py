# SPDX-License-Identifier: Apache-2.0
"""Secrets and a function that moves a router come in; an HTTP server that obeys signed webhooks goes out.

A webhook is answered by 2xx only when the router has been moved and the weight is on record, so that whatever else
happens it comes again. It loads the standard library only, and speaks plain HTTP: put TLS in front of it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any

from lockgate.errors import LockgateError, UnreachableError, UsageError
from lockgate.webhooks.applied import Applied, Order
from lockgate.webhooks.event import MAX_BODY, Event, Headers, SignatureError, TimestampError, check_secrets, verify

# Who sends gives up after 15 s: the router has had its turn by then, or the next attempt finds it.
REQUEST_S, TURN_S = 10.0, 10.0
# Whoever drips its request is let go all the same.
CONNECTION_S, AT_ONCE = 30.0, 64
# One that was ended gives its place back at once, unless the machine is busy.
GOING_S = 1.0
# A router rounds: 4.96 for 5, but not 0.9 for 1, and for 0 only 0; in millionths of a percent, as Lockgate counts.
NEAR, NEAR_PART = 50_000, 10

# Moves a router to an event's weight, waits until that is live, and returns the weight that the router says it has,
# None where it does not say; raises where it is not done.
Shift = Callable[[Event], float | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request is answered by."""

    status: HTTPStatus
    said: str


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class Receiver:
    """Judges requests, and moves the router for those that are webhooks and newer than what was carried out."""

    def __init__(
        self, secrets: Sequence[str], applied: Applied, shift: Shift, tell: Callable[[str], None] = _tell
    ) -> None:
        check_secrets(secrets)
        self._secrets, self._applied, self._shift, self._tell = tuple(secrets), applied, shift, tell
        # One at a time: what is judged to be the newest must still be that when the router is moved.
        self._turn = threading.Lock()

    def receive(self, headers: Headers, body: bytes) -> Reply:
        """Answer a request whose body has been read whole."""
        found = self.judge(headers, body)
        return self.carry_out(found) if isinstance(found, Event) else found

    def judge(self, headers: Headers, body: bytes) -> Event | Reply:
        """Return what a request says, or what to answer where it is not rightly signed."""
        try:
            return verify(headers, body, self._secrets)
        except (SignatureError, TimestampError) as error:
            return self._said(Reply(HTTPStatus.UNAUTHORIZED, error.message))
        except LockgateError as error:
            return self._said(Reply(HTTPStatus.BAD_REQUEST, error.message))

    def carry_out(self, event: Event) -> Reply:
        """Do what a signed request asks for, and answer it."""
        if not event.is_movement:
            return self._said(Reply(HTTPStatus.OK, f"{event.type}: no weight is asked for"), event)
        if not self._turn.acquire(timeout=TURN_S):
            return self._said(Reply(HTTPStatus.SERVICE_UNAVAILABLE, "the router is still being moved"), event)
        try:
            reply = self._obey(event)
        except Exception as error:  # noqa: BLE001 -- whatever the function raises, the router may not be as it must
            reply = Reply(HTTPStatus.SERVICE_UNAVAILABLE, f"the router was not moved: {error}")
        finally:
            self._turn.release()
        return self._said(reply, event)

    def standing(self) -> dict[str, dict[str, Any]]:
        """Return, by app, what was carried out last."""
        return self._applied.document()

    def _obey(self, event: Event) -> Reply:
        if self._applied.order_of(event) is Order.OLDER:
            return Reply(HTTPStatus.OK, "something newer was carried out before, so this is not")
        live = self._shift(event)
        assert event.weight is not None
        if live is not None and not _is_met(event.weight, live):
            raise UnreachableError(f"it has {live:g} % for {event.candidate}, {event.weight:g} % is asked for")
        # A crash before this line leaves a router that is moved once more, to the same weight.
        self._applied.record(event)
        return Reply(HTTPStatus.OK, f"{event.candidate} has {event.weight:g} %")

    def _said(self, reply: Reply, event: Event | None = None) -> Reply:
        of = "a request" if event is None else event.id
        if event is not None and event.rollout_id is not None:
            of += f" ({event.app} {event.rollout_id} {event.seq})"
        self._tell(f"{reply.status.value} {of}: {reply.said}")
        return reply


def _is_met(asked: float, live: float) -> bool:
    wanted, found = round(asked * 1_000_000), round(live * 1_000_000)
    return abs(found - wanted) <= min(NEAR, wanted // NEAR_PART)


class _Server(ThreadingHTTPServer):
    """Answers so many requests at once for so long; who comes beyond them takes the place of the oldest stranger."""

    daemon_threads = True
    request_queue_size = 2 * AT_ONCE

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        self._rooms = threading.BoundedSemaphore(AT_ONCE)
        # Connections by their age, without those whose request was signed.
        self._strangers: dict[socket, None] = {}
        self._ends: dict[socket, float] = {}
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 -- as the standard library has it
        if self._rooms.acquire(blocking=False) or (self._let_go_oldest() and self._rooms.acquire(timeout=GOING_S)):
            self._strangers[request] = None
            self._ends[request] = time.monotonic() + CONNECTION_S
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def welcome(self, request: socket) -> None:
        """Keep a connection whose request is signed, however many come."""
        self._strangers.pop(request, None)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 -- as above
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._strangers.pop(request, None)
            self._ends.pop(request, None)
            self._rooms.release()

    def service_actions(self) -> None:
        """Let go of connections whose time is over; the server calls this twice a second."""
        now = time.monotonic()
        for request in [request for request, end in tuple(self._ends.items()) if end < now]:
            with suppress(OSError):
                request.shutdown(SHUT_RDWR)

    def _let_go_oldest(self) -> bool:
        """End the oldest connection of whom nobody knows, and say whether there was one."""
        for request in tuple(self._strangers)[:1]:
            with suppress(OSError):
                request.shutdown(SHUT_RDWR)
            return True
        return False

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 -- as above
        """Let go of a client that has gone."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: _Server
    timeout = REQUEST_S
    server_version, sys_version = "lockgate-receiver", ""

    def do_POST(self) -> None:
        """Take a webhook."""
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 10):
            self._answer(Reply(HTTPStatus.LENGTH_REQUIRED, "the length of the body is not given"))
        elif int(length) > MAX_BODY:
            self._answer(Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_BODY:,} bytes are taken"))
        else:
            body = self._body(int(length))
            if body is not None:
                self._answer(self._judged(body))

    def do_GET(self) -> None:
        """Say of how many apps something was carried out, for health checks; which, nobody is told who is not known."""
        self._send(HTTPStatus.OK, {"apps": len(self.server.receiver.standing())})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the standard library has it
        """Say nothing: what was done is told by the receiver."""

    def _judged(self, body: bytes) -> Reply:
        found = self.server.receiver.judge(self.headers, body)
        if isinstance(found, Reply):
            return found
        self.server.welcome(self.connection)
        return self.server.receiver.carry_out(found)

    def _body(self, length: int) -> bytes | None:
        until, chunks, left = time.monotonic() + REQUEST_S, [], length
        while left and time.monotonic() < until:
            chunk = self.rfile.read1(left)
            if not chunk:
                return None
            chunks.append(chunk)
            left -= len(chunk)
        return None if left else b"".join(chunks)

    def _answer(self, reply: Reply) -> None:
        self._send(reply.status, {"said": reply.said})

    def _send(self, status: HTTPStatus, document: object) -> None:
        text = json.dumps(document).encode() + b"\n"
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def listening(receiver: Receiver, host: str, port: int) -> ThreadingHTTPServer:
    """Return a server that listens; it answers while its `serve_forever` runs."""
    try:
        return _Server((host, port), receiver)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"nothing can listen at {host} port {port}: {reason}", advice="Name another --host or --port."
        ) from error
