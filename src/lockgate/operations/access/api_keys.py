# SPDX-License-Identifier: Apache-2.0
"""A store comes in; the API keys of its organisation go out, or one of them."""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.core.api_key import ApiKey
from lockgate.core.instant import Instant
from lockgate.ports.house import House


def list_keys(house: House) -> tuple[ApiKey, ...]:
    """Return all keys, the oldest first."""
    with house.store.reading(house.org) as seen:
        return seen.api_keys()


def find_key(key_id: str, house: House) -> ApiKey | None:
    """Return a key; None where the organisation has none of that id."""
    with house.store.reading(house.org) as seen:
        return seen.api_key(key_id)


def made_by(key: ApiKey, keys: Iterable[ApiKey], now: Instant) -> tuple[ApiKey, ...]:
    """Return the keys that a key has made, and that open something still."""
    own = f"({key.id})"
    return tuple(each for each in keys if each.created_by and each.created_by.endswith(own) and each.fault(now) is None)
