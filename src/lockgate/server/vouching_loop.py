# SPDX-License-Identifier: Apache-2.0
"""A store comes in; in a thread of its own, those outside who sign its checkpoints are asked until the server ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from lockgate.errors import LockgateError
from lockgate.operations.witness.vouching import LONGEST_WAIT_S, Vouching
from lockgate.ports.house import House
from lockgate.ports.timestamps import TimestampAuthority
from lockgate.ports.witness import Witnesses
from lockgate.server.background import background
from lockgate.server.complaints import Complaints

# What is just being kept is finished at the end; an answer that does not come is not waited for.
GLANCE_S, END_S = 2.0, 1.0


@contextmanager
def vouching_loop(
    house: House, witnesses: Witnesses, authority: TimestampAuthority | None, tell: Callable[[str], None]
) -> Iterator[None]:
    """Ask until the block ends; neither a call nor a turn waits for it, and the end no longer than a moment."""
    complaints = Complaints(tell, over_s=2.5 * LONGEST_WAIT_S)
    vouching = Vouching(witnesses, authority, lambda said: complaints.hear(said, ""))

    def ask() -> None:
        try:
            for org in sorted({house.org, *house.store.orgs()}):
                vouching.turn(replace(house, org=org))
        except LockgateError as error:
            complaints.hear(f"witnesses: {error.message}", error.advice)
        except Exception as error:  # noqa: BLE001 -- a fault in one turn must not end all that follow
            kind = type(error).__name__
            complaints.hear(f"witnesses: a fault in Lockgate, please report it: {kind}: {error}", "")
        complaints.look()

    with background("vouching", ask, GLANCE_S, end_s=END_S):
        yield
