# SPDX-License-Identifier: Apache-2.0
"""A token comes in; its key, read anew at each call so that a revoked one ends at once, goes out."""

from __future__ import annotations

from lockgate.core.api_key import NO_DIGEST, ApiKey, is_token_of, key_id
from lockgate.errors import ExpiredKeyError, MalformedKeyError, NotPermittedError, RevokedKeyError
from lockgate.ports.house import Clock
from lockgate.ports.store import Store

ADVICE = "Send `Authorization: Bearer rvk_...` with a key of `lockgate keys create`."


def authenticate(token: str, store: Store, clock: Clock) -> ApiKey:
    """Return the key of a token, or refuse it; whether its id is known is not told to who has not its secret."""
    identity = key_id(token)
    key = None if identity is None else store.api_key(identity)
    is_right = is_token_of(token, NO_DIGEST if key is None else key.digest)
    if identity is None:
        raise MalformedKeyError(
            "the token has not the form of a key, or its checksum is wrong",
            advice="Send it whole, as `lockgate keys create` printed it: `rvk_` and 64 characters.",
        )
    if key is None or not is_right:
        raise NotPermittedError("no key has this token", advice=ADVICE)
    fault = key.fault(clock.now())
    if fault is not None:
        kind = ExpiredKeyError if key.revoked_at is None else RevokedKeyError
        raise kind(fault, advice="Ask for another key: `lockgate keys create` makes one.")
    return key
