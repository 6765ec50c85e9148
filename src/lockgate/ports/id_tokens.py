# SPDX-License-Identifier: Apache-2.0
"""The token of a job comes in; the claims that its issuer has signed go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class IdTokens(Protocol):
    """Checks who signed a token.

    Duties: only RS256, whatever the token asks for; only keys that the issuer publishes where `keys` says, fetched by
    https from addresses that may be called, no more often than a stranger's tokens may cause, in bounded time and
    size, with no redirect followed. A token that is not signed so raises a RefusedTokenError, and an issuer whose keys
    cannot be fetched an UnreachableError. What the claims say is not judged.
    """

    def claims(self, token: str, keys: Mapping[str, str]) -> Mapping[str, object]:
        """Return the claims of a token that an issuer among the names of `keys` has signed."""
        ...
