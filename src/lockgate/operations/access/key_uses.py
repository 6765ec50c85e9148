# SPDX-License-Identifier: Apache-2.0
"""When keys were used comes in, by their ids; it is kept with the keys, at most once a minute for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from lockgate.core.api_key import ApiKey
from lockgate.core.instant import Instant
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House

# Several servers hear of one key, and each would write.
COARSE: Instant = 60_000
# Whoever decides in the organisation waits for no more keys than these.
AT_ONCE = 200


def keep_uses(uses: Mapping[str, Instant], house: House) -> None:
    """Keep the latest use of keys of an organisation; a key that is gone, or has a use as late as that, stays so."""
    left = iter(uses.items())
    while portion := dict(islice(left, AT_ONCE)):
        _keep_portion(portion, house)


def _keep_portion(uses: Mapping[str, Instant], house: House) -> None:
    with house.store.reading(house.org) as seen:
        due = [name for name, at in uses.items() if _is_due(seen.api_key(name), at)]
    if not due:
        return
    with changing(house) as work:
        for name in due:
            key, at = work.api_key(name), uses[name]
            # Whoever revoked it meanwhile is not undone: all else of the key is as it is now.
            if key is not None and _is_due(key, at):
                work.put_api_key(replace(key, last_used_at=at))


def _is_due(key: ApiKey | None, at: Instant) -> bool:
    return key is not None and (key.last_used_at is None or at - key.last_used_at >= COARSE)
