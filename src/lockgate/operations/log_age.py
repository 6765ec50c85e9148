# SPDX-License-Identifier: Apache-2.0
"""A house that is about to serve comes in; a store that is older than what others remember of its logs is refused."""

from __future__ import annotations

from dataclasses import replace

from lockgate.operations.fsck import log_origin
from lockgate.operations.high_water import refuse_older
from lockgate.operations.witnessing import refuse_contradicted
from lockgate.ports.house import House
from lockgate.ports.witness import Witnesses

# All witnesses are asked at once, so that a start is kept waiting for no longer.
ASK_S = 3.0


def refuse_older_logs(house: House, witnesses: Witnesses) -> tuple[str, ...]:
    """Refuse where a mark, or a witness, knows more of a log than the store; return in words who did not answer."""
    said: list[str] = []
    for org in sorted({house.org, *house.store.orgs()}):
        each = replace(house, org=org)
        origin = log_origin(each)
        with each.store.reading(org) as seen:
            refuse_older(seen, each, origin, seen.tree())
        said += (asked.said for asked in refuse_contradicted(each, witnesses, ASK_S) if asked.said)
    return tuple(said)
