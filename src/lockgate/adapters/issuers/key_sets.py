# SPDX-License-Identifier: Apache-2.0
"""The address of an issuer's keys and the id of one come in; the public key goes out, fetched when it is new.

Whoever sends tokens chooses the id, so an unknown one fetches the keys again only every half a minute.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt

from lockgate.core.id_token import ClosedIssuerError
from lockgate.errors import UnreachableError

ALGORITHM = "RS256"
MAX_AGE_S, REFRESH_S = 3_600.0, 30.0
MAX_KEYS = 100
MIN_BITS, MAX_BITS = 2_048, 8_192


@dataclass(slots=True)
class _Held:
    """What is known of one address; `tried_at` is when it was last asked, `at` when it last answered.

    `closed` is why it may not be asked, where it may not.
    """

    turn: threading.Lock
    keys: dict[str, jwt.PyJWK]
    at: float = float("-inf")
    closed: ClosedIssuerError | None = None
    tried_at: float = float("-inf")


class KeySets:
    """Public keys of issuers; `seconds` is a clock that never goes back."""

    def __init__(self, fetch: Callable[[str], bytes], seconds: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._seconds = fetch, seconds
        self._held: dict[str, _Held] = {}
        self._turn = threading.Lock()

    def key(self, url: str, key_id: str) -> jwt.PyJWK | None:
        """Return a key; None where the issuer has none of that id. UnreachableError where it does not tell."""
        with self._turn:
            held = self._held.setdefault(url, _Held(threading.Lock(), {}))
        # Who comes while keys are fetched waits for them.
        with held.turn:
            now = self._seconds()
            is_fresh = now - held.at < MAX_AGE_S
            if is_fresh and (key_id in held.keys or now - held.tried_at < REFRESH_S):
                return held.keys.get(key_id)
            if now - held.tried_at < REFRESH_S:
                if held.closed is not None:
                    raise ClosedIssuerError(held.closed.message, advice=held.closed.advice)
                raise UnreachableError("the issuer did not tell its keys a moment ago", advice="Try again in 30 s.")
            held.tried_at, held.closed = now, None
            try:
                held.keys = read_keys(self._fetch(url))
            except ClosedIssuerError as error:
                held.closed = error
                raise
            held.at = now
            return held.keys.get(key_id)


def read_keys(document: bytes) -> dict[str, jwt.PyJWK]:
    """Return the keys of a set by their ids; those that sign otherwise, or too weakly, are left out."""
    try:
        listed = json.loads(document)["keys"]
        found = [_read(each) for each in listed[:MAX_KEYS]]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UnreachableError("the issuer's keys are no key set", advice="Try again.") from error
    return {key.key_id: key for key in found if key is not None and key.key_id}


def _read(each: dict[str, object]) -> jwt.PyJWK | None:
    is_meant = each.get("kty") == "RSA" and each.get("use", "sig") == "sig" and each.get("alg", ALGORITHM) == ALGORITHM
    if not is_meant or not isinstance(each.get("kid"), str):
        return None
    try:
        key = jwt.PyJWK({str(name): text for name, text in each.items()}, algorithm=ALGORITHM)
    except jwt.PyJWTError:
        return None
    return key if MIN_BITS <= key.key.key_size <= MAX_BITS else None
