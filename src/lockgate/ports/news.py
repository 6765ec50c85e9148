# SPDX-License-Identifier: Apache-2.0
"""How long somebody would wait comes in; whether another process has put something into a store's outbox goes out."""

from __future__ import annotations

from typing import Protocol


class News(Protocol):
    """Hears of what other processes commit, so that nobody has to look all the time.

    News may be lost, where a connection was cut or while there is none: whoever waits looks now and then all the same.
    """

    def wait(self, seconds: float) -> bool:
        """Wait for news, and say whether there is some, or was some that nobody heard; never raises, and ends in time.

        Where nothing can be heard it waits as long as it is told, so that its caller does not run in circles.
        """

    def close(self) -> None:
        """Listen no more; called by whoever waits."""
