# SPDX-License-Identifier: Apache-2.0
"""Something long that was made comes in; it is sent piece by piece and given back, whoever reads it however slowly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

# Whoever reads more slowly is cut off, and sees that the end is missing: bytes a second after the first moments.
MAX_S, GRACE_S = 600.0, 20.0
LEAST_RATE = 64 << 10


class Sending:
    """Pieces to be sent, and how what they are made of is given back."""

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], None]) -> None:
        self._pieces = pieces
        self._began = time.monotonic()
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for piece in self._pieces:
            if time.monotonic() - self._began > min(MAX_S, GRACE_S + sent / LEAST_RATE):
                raise TimeoutError("the answer was read too slowly")
            yield piece
            sent += len(piece)


class SentResponse(StreamingResponse):
    """An answer that is sent piece by piece."""

    def __init__(self, sending: Sending, status: int, headers: Mapping[str, str], kind: str) -> None:
        super().__init__(sending, status, headers, kind)
        self._sending = sending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and give back what it was made of."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._sending.close()
