# SPDX-License-Identifier: Apache-2.0
"""The id of a key comes in; from the next call on it opens nothing, and it goes out as it stands."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.api_key import ApiKey
from lockgate.errors import UnknownError
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House


def revoke_key(key_id: str, house: House) -> ApiKey:
    """Let a key open nothing any more, for good; one that is revoked already stays as it is."""
    with changing(house) as work:
        key = work.api_key(key_id)
        if key is None:
            raise UnknownError(f"there is no key {key_id!r}", advice="`lockgate keys list` shows those that there are.")
        if key.revoked_at is None:
            key = replace(key, revoked_at=house.clock.now())
            work.put_api_key(key)
        return key
