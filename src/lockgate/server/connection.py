# SPDX-License-Identifier: Apache-2.0
"""Bytes of a connection come in; requests of HTTP/1.1 go out, and problems for what is none, too long or too slow.

uvicorn reads heads of any length for any time, and says nothing of its own faults by a problem document.
Nobody is served before their whole head is there. Where as many are connected as may be, somebody makes room for who
comes: first whoever has shown no key that opened anything, then who asks nothing, then who sends or reads too slowly.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from lockgate.server.call import encode
from lockgate.server.problem import (
    CONTENT_TYPE,
    CROWDED,
    HEAD_TOO_LARGE,
    HEAD_TOO_SLOW,
    NOT_HTTP,
    Problem,
)

MAX_HEAD = 32 * 1024
HEAD_SECONDS = 10.0
# Whoever reads nothing of what was answered for so long does not want it.
UNREAD_SECONDS = 30.0
MOST = 4_000
# For so long what still comes is thrown away; if it met a closed socket, the refusal would be thrown away instead.
LINGER_SECONDS = 1.0
_ADVICE = "Send it by a client of HTTP."
# By what an application finds in the state of a request how to say that its key opened something.
OPENED = "opened"


class Connection(HttpToolsProtocol):
    """One connection; `most` of them may be open at once."""

    most = MOST
    head_seconds = HEAD_SECONDS
    unread_seconds = UNREAD_SECONDS

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 -- as uvicorn hands it over
        super().__init__(**given)
        self.since = self.loop.time()
        self._is_in_head = False
        self._head = 0
        self._ended = 0
        self._is_over = False
        self._patience: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._opened_at: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Say whether no request is in hand."""
        return self._in_hand is None or self._in_hand.response_complete

    @property
    def is_at_work(self) -> bool:
        """Say whether a request that somebody with a key has sent whole is in hand, and what is answered is read."""
        latest = self._in_hand
        if latest is None or latest.response_complete or self._opened_at is None:
            return False
        return not (latest.more_body or self.flow.write_paused)

    @property
    def standing(self) -> tuple[int, float]:
        """Return how a connection stands among those that make room: the least one goes first."""
        if self._opened_at is None:
            # When it last asked says nothing: strangers may ask as often as they like.
            return 0, self.since
        return (1 if self.is_waiting else 2), self._opened_at

    @property
    def _in_hand(self) -> RequestResponseCycle | None:
        """Return the latest request; before the first there is none, whatever uvicorn declares."""
        return self.cycle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a head, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > self.most and not self._make_room():
            self._refuse(Problem(CROWDED, "as many are connected as may be", "Try again in a second."))
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what waits."""
        self._wait_no_more()
        self._stop_counting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; what is no HTTP, or a head without end, ends the connection."""
        if self._is_over:
            return
        self._unset_keepalive_if_required()
        ended = self._ended
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing else than HTTP/1.1 is spoken: the request is answered as if it had not asked, and is the last.
            if self._in_hand is not None:
                self._in_hand.keep_alive = False
            return
        except httptools.HttpParserError:
            self._refuse(Problem(NOT_HTTP, "what was sent is no request of HTTP/1.1", _ADVICE))
            return
        # Where a request ended within these bytes, those before its end are none of this head.
        self._head += len(data) if ended == self._ended else 0
        if self._is_in_head and self._head > MAX_HEAD:
            self._refuse_head()
        elif self.is_waiting:
            self._wait()

    def pause_writing(self) -> None:
        """Give an answer that nobody reads some time, and then up."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with an answer that is read."""
        super().resume_writing()
        self._stop_counting()

    def _stop_counting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        self.scope["state"][OPENED] = self._open
        self._is_in_head, self._head = True, 0

    def on_headers_complete(self) -> None:
        """Begin to answer a request whose head is there, unless it is longer than any is."""
        self._is_in_head = False
        self._wait_no_more()
        if self._is_over:
            return
        if not self._is_plain():
            self._refuse(Problem(NOT_HTTP, "the request is of another version or coding, or not for one host", _ADVICE))
            return
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep what comes of a body, of a request that is in hand."""
        if self._in_hand is not None and not self._is_over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request that is in hand."""
        self._ended += 1
        if self._in_hand is not None and not self._is_over:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what uvicorn itself finds wrong."""
        self._refuse(Problem(NOT_HTTP, msg))

    def _open(self) -> None:
        """Remember that a key has opened something on this connection just now."""
        self._opened_at = self.loop.time()

    def _is_plain(self) -> bool:
        """Say whether a request is of a version that is spoken, for one host, and chunked as a whole or not at all."""
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        hosts = sum(name == b"host" for name, _ in self.headers)
        if self.parser.get_http_version() == "1.1":
            return hosts == 1 and codings in ([], [b"chunked"])
        return self.parser.get_http_version() == "1.0" and hosts <= 1 and not codings

    def _make_room(self) -> bool:
        """Close the connection that stands least, unless all are at work; say whether there was one."""
        others = [each for each in self.connections if isinstance(each, Connection) and each is not self]
        idle = (each for each in others if not each.is_at_work)
        least = min(idle, key=lambda each: each.standing, default=None)
        if least is None:
            return False
        self.connections.discard(least)
        least.transport.abort()
        return True

    def _wait(self) -> None:
        """Wait for the rest of a head, once for all of it."""
        if self._patience is None and not self._is_over:
            self._patience = self.loop.call_later(self.head_seconds, self._lose_patience)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        self._patience = None
        if self.is_waiting:
            said = f"the head of a request did not come within {self.head_seconds:g} s"
            self._refuse(Problem(HEAD_TOO_SLOW, said, "Send a request in one piece."))

    def _refuse_head(self) -> None:
        said = f"the head of a request is larger than {MAX_HEAD:,} bytes"
        self._refuse(Problem(HEAD_TOO_LARGE, said, "Send fewer or shorter headers, and a shorter path."))

    def _refuse(self, problem: Problem) -> None:
        """Answer a problem where nothing else is being answered, and close."""
        if self._is_over or self.transport.is_closing():
            return
        self._is_over = True
        self._wait_no_more()
        if self.is_waiting or self._let_go():
            body = encode(problem.document())
            lines = (
                b"content-type: " + CONTENT_TYPE.encode(),
                b"content-length: %d" % len(body),
                b"connection: close",
            )
            self.transport.write(STATUS_LINE[problem.kind.status] + b"\r\n".join((*lines, b"", body)))
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def _let_go(self) -> bool:
        """Let go of the one request in hand where nothing of its answer has left, and say whether that is so.

        Its body will never be whole, so whoever reads it finds that the caller has gone, and does nothing.
        """
        only = self._in_hand
        if only is None or only.response_started or self.pipeline:
            return False
        only.disconnected = True
        only.message_event.set()
        self.flow.resume_reading()
        return True
