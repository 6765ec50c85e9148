# SPDX-License-Identifier: Apache-2.0
"""The claims of a signed token, and the time, come in; who a job says that it is goes out, or why that is refused.

Whether the signature is right was found out before. Claims are compared as they are, letter by letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.instant import HOUR, SECOND, Instant
from lockgate.errors import NotPermittedError, UnreachableError

# Clocks of issuers and of servers differ by so much.
SKEW: Instant = 60 * SECOND
# Until it ends a token is remembered, so that it is used once; replies are kept for a day.
MAX_LIFE: Instant = 23 * HOUR
MAX_CLAIM = 1_024
MAX_SECONDS = 2**40
ADVICE = "Ask the CI system for a new token in this very job, and send it once."
USED_ADVICE = (
    "Keep the key for the whole job, as `lockgate keys exchange` prints it, or ask the CI system for another token."
)
NO_RULE = "`lockgate trust list` shows which jobs are trusted; its claims must be as they are pinned there."


class RefusedTokenError(NotPermittedError):
    """The token of a job opens nothing."""


class UsedTokenError(RefusedTokenError):
    """The token of a job was exchanged before."""


class SilentIssuerError(UnreachableError):
    """Who signs the tokens of jobs does not tell its keys."""


class ClosedIssuerError(SilentIssuerError):
    """Who signs the tokens of jobs is where this server may not call, until whoever runs it lets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdToken:
    """Who a job is, as its issuer says; `claims` are those that are texts."""

    issuer: str
    audience: str
    id: str
    expires_at: Instant
    claims: Mapping[str, str]

    def mark(self) -> str:
        """Return what tells this token from every other one."""
        text = f"{len(self.issuer)} {self.issuer} {self.id}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_id_token(claims: Mapping[str, object], now: Instant) -> IdToken:
    """Return the token that some claims are, or refuse claims that are incomplete, too early or too late."""
    texts = {name: text for name, text in claims.items() if isinstance(text, str) and len(text) <= MAX_CLAIM}
    for name in ("iss", "jti"):
        if not texts.get(name):
            raise refused(f"the token has no {name}")
    begins, ends = _moment(claims, "iat"), _moment(claims, "exp")
    if "nbf" in claims:
        begins = max(begins, _moment(claims, "nbf"))
    if begins > now + SKEW:
        raise refused("the token is not valid yet")
    if ends <= now - SKEW:
        raise refused("the token has expired")
    if ends - begins > MAX_LIFE:
        raise refused("the token is valid for more than 23 hours")
    return IdToken(
        issuer=texts["iss"], audience=_audience(claims.get("aud")), id=texts["jti"], expires_at=ends, claims=texts
    )


def refused(reason: str, advice: str = ADVICE) -> RefusedTokenError:
    """Return the refusal of a token."""
    return RefusedTokenError(reason, advice=advice)


def used() -> UsedTokenError:
    """Return the refusal of a token that was exchanged before."""
    return UsedTokenError("the token was used before, and is good for one key", advice=USED_ADVICE)


def stranger() -> RefusedTokenError:
    """Return the refusal of whoever is not of a place that is trusted: in one text, so that they learn of no rule."""
    return refused("no trust rule is for this job, or nobody who is trusted signed its token", NO_RULE)


def _audience(value: object) -> str:
    """Return for whom the token was made; one that is for others as well may come from any of them."""
    found = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(found, str) or not found:
        raise refused("the token is not for one audience alone", "Ask for it with the audience of the trust rule.")
    return found


def _moment(claims: Mapping[str, object], name: str) -> Instant:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:
        raise refused(f"{name} of the token is no time")
    return round(value * SECOND)
