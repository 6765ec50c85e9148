# SPDX-License-Identifier: Apache-2.0
"""What a server has just done comes in to be counted; what was counted goes out, which here is nothing."""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.operations.soundness.store_gauges import Gauges
from lockgate.operations.tick import Turn


class Meter:
    """Hears what is done; one that counts overrides these."""

    def turned(self, turns: Iterable[Turn], problems: int, seconds: float) -> None:
        """Count turns of the loop, those that could not be taken, and how long they took together."""

    def ingested(self, runs: int) -> None:
        """Count runs that are kept."""

    def exposition(self, gauges: Gauges, accept: str, *, has_process: bool) -> tuple[bytes, str]:  # noqa: ARG002 -- for those that count
        """Return what was counted, if asked for, and how much there is, with its media type, by what is accepted."""
        return b"", "text/plain"


DEAF = Meter()
