# SPDX-License-Identifier: Apache-2.0
"""Signed checkpoints of a log come in; the largest that this machine ever saw goes out."""

from __future__ import annotations

from typing import Protocol


class HighWater(Protocol):
    """Remembers, outside of the store, how far each log had come.

    Duties. A checkpoint that was raised is held until a larger one of the same origin is, whatever becomes of the
    store. A mark that cannot be read or written on this machine is told once, and the line goes on without it; one of
    another machine that cannot be read is an UnreachableError where this machine knows none of that log itself.
    """

    def held(self, origin: str) -> bytes | None:
        """Return the largest signed checkpoint of a log."""
        ...

    def lift(self, origin: str, note: bytes) -> None:
        """Hold a signed checkpoint, unless a larger one is held."""
        ...

    def place(self, origin: str) -> str:
        """Return, for a person, where the checkpoint of a log is held."""
        ...
