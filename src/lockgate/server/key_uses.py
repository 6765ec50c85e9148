# SPDX-License-Identifier: Apache-2.0
"""The keys of calls that were let in come in; in a thread of its own, their uses are kept, also when the server ends.

No call waits for it and none fails by it: what cannot be kept is forgotten, and the next use of the key says it again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from lockgate.core.instant import Instant
from lockgate.errors import LockgateError
from lockgate.operations.access.key_uses import keep_uses
from lockgate.ports.house import House
from lockgate.server.background import background

# Longer than what is too soon, so that a key that is used all the time is due each time.
EVERY_S = 90.0
# For the last uses; only a store that another process holds, or that does not answer, takes so long.
END_S = 5.0
# Keys beyond that wait for the next time.
MOST = 10_000


class KeyUses:
    """When keys were used since it was last kept; `tell` hears of a fault."""

    def __init__(self, house: House, tell: Callable[[str], None]) -> None:
        self._house, self._tell = house, tell
        self._uses: dict[tuple[str, str], Instant] = {}
        self._turn = threading.Lock()

    def note(self, org: str, key_id: str) -> None:
        """Remember that a key of an organisation is used now."""
        now = self._house.clock.now()
        with self._turn:
            if len(self._uses) < MOST or (org, key_id) in self._uses:
                self._uses[org, key_id] = now

    def keep(self) -> None:
        """Keep what was remembered, of each organisation by itself, whatever becomes of the others."""
        with self._turn:
            uses, self._uses = self._uses, {}
        by_org: dict[str, dict[str, Instant]] = {}
        for (org, key_id), at in uses.items():
            by_org.setdefault(org, {})[key_id] = at
        for org, of_org in by_org.items():
            try:
                keep_uses(of_org, replace(self._house, org=org))
            except LockgateError:
                # Of a store that takes nothing callers and turns are told.
                continue
            except Exception as error:  # noqa: BLE001 -- a fault in one turn must not end all that follow
                kind = type(error).__name__
                self._tell(f"uses of keys: a fault in Lockgate, please report it: {kind}: {error}")


@contextmanager
def kept_uses(house: House, tell: Callable[[str], None]) -> Iterator[KeyUses]:
    """Return uses that are kept every so often, and at the end, which waits for that a few seconds at most."""
    uses = KeyUses(house, tell)
    with background("key uses", uses.keep, EVERY_S, end_s=END_S, has_last=True):
        yield uses
