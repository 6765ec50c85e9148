# SPDX-License-Identifier: Apache-2.0
"""What a key is to be for comes in; the key goes out with its token, which is kept nowhere."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from lockgate.core.api_key import ID_BYTES, SECRET_BYTES, ApiKey, check_apps, check_key_name, token_digest, token_of
from lockgate.core.api_key import key_id as id_of
from lockgate.core.instant import SECOND, Instant
from lockgate.core.permission import Permission, permissions_of
from lockgate.errors import UsageError
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

DAY_S = 86_400
DEFAULT_LIFE_S = 90 * DAY_S
MAX_LIFE_S = 366 * DAY_S
FIRST = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder:
    """A key to be: who uses it, for which permissions and apps (none: all), for how long, and who asked for it.

    A job asks by a trust rule, and what its token claims is kept with the key. `until`: when it ends at the latest,
    because what asked for it ends then.
    """

    name: str
    permissions: tuple[Permission, ...]
    apps: tuple[str, ...] = ()
    life_s: int = DEFAULT_LIFE_S
    created_by: str | None = None
    rule: str | None = None
    claims: tuple[tuple[str, str], ...] = ()
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its token, to be shown once."""

    key: ApiKey
    token: str


def issue_key(order: KeyOrder, house: House) -> IssuedKey:
    """Make and keep a key."""
    with changing(house) as work:
        return issue(work, order, house)


def issue_first_key(house: House, created_by: str | None = None) -> IssuedKey | None:
    """Make a key for everything where the organisation never had one; None where it had."""
    with house.store.reading(house.org) as seen:
        # A server that begins again waits for nobody who writes, and needs no disk with room.
        if seen.api_keys():
            return None
    with changing(house) as work:
        if work.api_keys():
            return None
        return issue(work, KeyOrder(name=FIRST, permissions=permissions_of([FIRST]), created_by=created_by), house)


def issue(work: Transaction, order: KeyOrder, house: House) -> IssuedKey:
    """Make and keep a key, within a transaction."""
    if not order.permissions:
        raise UsageError("a key without a permission opens nothing", advice="Name a preset or a permission.")
    if not 1 <= order.life_s <= MAX_LIFE_S:
        raise UsageError("a key is for at least a second and at most 366 days", advice="Give another span.")
    token = token_of(secrets.token_bytes(ID_BYTES), secrets.token_bytes(SECRET_BYTES))
    identity, now = id_of(token), house.clock.now()
    assert identity is not None
    expires_at = now + order.life_s * SECOND
    key = ApiKey(
        org=house.org,
        id=identity,
        name=check_key_name(order.name),
        digest=token_digest(token),
        permissions=order.permissions,
        apps=check_apps(order.apps),
        created_at=now,
        created_by=order.created_by,
        expires_at=expires_at if order.until is None else min(expires_at, order.until),
        rule=order.rule,
        claims=order.claims,
    )
    work.put_api_key(key)
    return IssuedKey(key, token)
