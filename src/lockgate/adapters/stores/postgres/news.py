# SPDX-License-Identifier: Apache-2.0
"""The address of a PostgreSQL store comes in; that other servers committed something there is heard of.

A connection of its own listens. It is made anew when it was cut or the database began again, and what was committed
meanwhile is taken for news.
"""

from __future__ import annotations

import time
from contextlib import suppress

import psycopg
from psycopg.conninfo import make_conninfo

CHANNEL = "lockgate_news"
# Whoever listens sends nothing, so that only this finds out that the other end is gone without a word.
_ALIVE: dict[str, str | int] = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "fallback_application_name": "lockgate",
}


class PostgresNews:
    """What transactions notify of, by one connection that is made when it is needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link: psycopg.Connection[tuple[object, ...]] | None = None

    def wait(self, seconds: float) -> bool:
        """Wait for a notification; a new connection may have missed some."""
        ends = time.monotonic() + seconds
        try:
            if self._link is None:
                self._link = self._listening()
                return True
            return any(True for _ in self._link.notifies(timeout=seconds, stop_after=1))
        except (psycopg.Error, OSError):
            self.close()
            time.sleep(max(0.0, ends - time.monotonic()))
            return False

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            with suppress(psycopg.Error, OSError):
                self._link.close()
            self._link = None

    def _listening(self) -> psycopg.Connection[tuple[object, ...]]:
        link = psycopg.connect(make_conninfo(self._url, **_ALIVE), autocommit=True)
        try:
            link.execute(f"LISTEN {CHANNEL}")
        except BaseException:
            link.close()
            raise
        return link
