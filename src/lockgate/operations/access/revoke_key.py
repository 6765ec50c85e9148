# SPDX-License-Identifier: Apache-2.0
"""The id of a key comes in; from the next call on it opens nothing, and it goes out as it stands.

An older copy of a store takes this too, and nothing else: keys that were revoked since it was made open it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.api_key import ApiKey
from lockgate.errors import LockgateError, UnknownError, UnreachableError, UnsoundError
from lockgate.operations.vault.high_water import refuse_older
from lockgate.operations.vault.keeping import closing
from lockgate.ports.house import House


@dataclass(frozen=True, slots=True)
class Revoked:
    """A key that opens nothing, and why the store that says so may be replaced by one that does not; None: it is not.

    Where a second store is the newer one, the key is revoked there too.
    """

    key: ApiKey
    doubt: LockgateError | None


def revoke_key(key_id: str, house: House) -> Revoked:
    """Let a key open nothing any more, for good; one that is revoked already stays as it is."""
    with closing(house) as work:
        key = work.api_key(key_id)
        if key is None:
            raise UnknownError(f"there is no key {key_id!r}", advice="`lockgate keys list` shows those that there are.")
        if key.revoked_at is None:
            key = replace(key, revoked_at=house.clock.now())
            work.put_api_key(key)
    return Revoked(key, _doubt(house))


def _doubt(house: House) -> LockgateError | None:
    try:
        refuse_older(house)
    # The key is revoked, whatever else is found of the store.
    except (UnsoundError, UnreachableError) as error:
        return error
    return None
