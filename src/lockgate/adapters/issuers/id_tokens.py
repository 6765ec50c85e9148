# SPDX-License-Identifier: Apache-2.0
"""A token comes in; what its issuer has signed goes out, or the refusal of what nobody signed.

The algorithm is the one that is expected, never the one that the token names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

from lockgate.adapters.issuers.key_sets import ALGORITHM, KeySets
from lockgate.core.id_token import refused, stranger

MAX_TOKEN = 16 * 1024
# What claims say of time and audience is judged elsewhere, by the time that comes in there.
_SIGNATURE_ALONE: Any = {
    "verify_signature": True,
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False),
    **dict.fromkeys(("verify_sub", "verify_jti"), False),
}


class SignedIdTokens:
    """Checks tokens by the keys that issuers publish."""

    def __init__(self, keys: KeySets) -> None:
        self._keys = keys

    def claims(self, token: str, keys: Mapping[str, str]) -> Mapping[str, object]:
        """Return the claims of a token that one of some issuers has signed."""
        if not 0 < len(token) <= MAX_TOKEN or not token.isascii():
            raise refused(f"what was sent is no token of at most {MAX_TOKEN:,} characters")
        try:
            header = jwt.get_unverified_header(token)
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
            if header.get("alg") != ALGORITHM or not isinstance(header.get("kid"), str):
                raise refused(f"the token is not signed by {ALGORITHM} with a key that has an id")
        except (jwt.PyJWTError, RecursionError, ValueError, TypeError) as error:
            raise refused("what was sent is no token") from error
        key = self._keys.key(keys[issuer], header["kid"]) if isinstance(issuer, str) and issuer in keys else None
        if key is None:
            raise stranger()
        try:
            return dict(jwt.decode(token, key, algorithms=[ALGORITHM], options=_SIGNATURE_ALONE))
        except (jwt.PyJWTError, RecursionError, ValueError, TypeError) as error:
            raise stranger() from error
