# SPDX-License-Identifier: Apache-2.0
"""Requests over HTTP come in; a release's answers go out, and a run of each is kept until somebody takes it.

What a release answers follows from the seed and the number of the request.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from lockgate.demo.scene import Behaviour

END = b"\r\n\r\n"
ANSWERS = {
    "ok": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
}
SPREAD = 0.4


@dataclass(frozen=True, slots=True)
class Answered:
    """One request that a release has answered."""

    number: int
    release: str
    started: float
    status: str
    latency_ms: float

    def document(self, app: str) -> dict[str, object]:
        """Return the run as files have it."""
        return {
            "run_id": f"{self.release}-{self.number}",
            "app_id": app,
            "release": self.release,
            "started_at": datetime.fromtimestamp(self.started, UTC).isoformat(timespec="milliseconds"),
            "status": self.status,
            "latency_ms": round(self.latency_ms, 3),
        }


class Serving:
    """One release that runs."""

    def __init__(self, release: str, behaviour: Behaviour, seed: int, answered: deque[Answered]) -> None:
        self._release = release
        self._behaviour = behaviour
        self._drawn = Random(f"{seed} {release}")  # noqa: S311 -- the same answers in every run
        self._answered = answered
        self._number = 0

    def answer(self) -> tuple[Answered, bytes]:
        """Return how the next request goes."""
        self._number += 1
        status = "error" if self._drawn.random() < self._behaviour.error_rate else "ok"
        latency_ms = self._behaviour.latency_ms * self._drawn.lognormvariate(0.0, SPREAD)
        return Answered(self._number, self._release, time.time(), status, latency_ms), ANSWERS[status]

    def keep(self, run: Answered) -> None:
        """Keep a run that has ended."""
        self._answered.append(run)


class Connection(asyncio.Protocol):
    """One connection of a release, among all that are open; a client waits for an answer before it asks again."""

    def __init__(self, service: Serving, among: set[Connection]) -> None:
        self._service = service
        self._among = among
        self._asked = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._among.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Be open no more."""
        self._among.discard(self)

    def end(self) -> None:
        """Answer nothing more."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer a request that is whole, after its latency."""
        self._asked += data
        if self._asked.endswith(END):
            self._asked = b""
            run, text = self._service.answer()
            asyncio.get_running_loop().call_later(run.latency_ms / 1_000, self._send, run, text)

    def _send(self, run: Answered, text: bytes) -> None:
        self._service.keep(run)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(text)
