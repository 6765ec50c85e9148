# SPDX-License-Identifier: Apache-2.0
"""A store comes in; in a thread of its own, those outside who sign its checkpoints are asked until the server ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from lockgate.errors import LockgateError
from lockgate.operations.witness.vouching import LONGEST_WAIT_S, Vouching
from lockgate.ports.house import House
from lockgate.ports.timestamps import TimestampAuthority
from lockgate.ports.witness import Witnesses
from lockgate.server.complaints import Complaints

GLANCE_S, END_S = 2.0, 1.0


class VouchingLoop:
    """One thread, for which neither a call nor a turn waits, and the end of the server no longer than a moment."""

    def __init__(
        self, house: House, witnesses: Witnesses, authority: TimestampAuthority | None, tell: Callable[[str], None]
    ) -> None:
        self._house, self._is_over = house, threading.Event()
        self._complaints = Complaints(tell, over_s=2.5 * LONGEST_WAIT_S)
        self._vouching = Vouching(witnesses, authority, lambda said: self._complaints.hear(said, ""))
        self._thread = threading.Thread(target=self._run, name="vouching", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        # What is just being kept is finished; an answer that does not come is not waited for.
        self._thread.join(END_S)

    def _run(self) -> None:
        while not self._is_over.wait(GLANCE_S):
            try:
                for org in sorted({self._house.org, *self._house.store.orgs()}):
                    self._vouching.turn(replace(self._house, org=org))
            except LockgateError as error:
                self._complaints.hear(f"witnesses: {error.message}", error.advice)
            except Exception as error:  # noqa: BLE001 -- a fault in one turn must not end all that follow
                kind = type(error).__name__
                self._complaints.hear(f"witnesses: a fault in Lockgate, please report it: {kind}: {error}", "")
            self._complaints.look()
