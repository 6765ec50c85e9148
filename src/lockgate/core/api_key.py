# SPDX-License-Identifier: Apache-2.0
"""Random bytes come in and an API token goes out; a token comes in and the id of its key, and its digest, go out.

A token is `rvk_<id>_<secret><checksum>`: 14, 43 and 6 digits of base 62. The checksum is the CRC-32 of all before it,
so that scanners for secrets know one when they see it. Only its SHA-256 is kept: 256 random bits need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass

from lockgate.core.app import check_name
from lockgate.core.instant import Instant, instant_text
from lockgate.core.permission import Permission, is_allowed
from lockgate.errors import UsageError

PREFIX = "rvk_"
ID_BYTES, SECRET_BYTES = 10, 32
ID_DIGITS, SECRET_DIGITS, CHECK_DIGITS = 14, 43, 6
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(rf"({PREFIX}[0-9A-Za-z]{{{ID_DIGITS}}})_[0-9A-Za-z]{{{SECRET_DIGITS + CHECK_DIGITS}}}")
# What a token is compared with where no key has its id, so that it takes as long to refuse.
NO_DIGEST = hashlib.sha256(b"").hexdigest()
MAX_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: `digest` is the SHA-256 of its token; `apps` are those that it is for, None for all.

    The key of a job names the trust rule that it got it by, and `claims` of the job, which receipts keep.
    `last_used_at` is late by a minute or two: it is for whoever asks which key may go, and for nothing else.
    """

    org: str
    id: str
    name: str
    digest: str
    permissions: tuple[Permission, ...]
    apps: tuple[str, ...] | None = None
    created_at: Instant
    created_by: str | None = None
    expires_at: Instant
    revoked_at: Instant | None = None
    rule: str | None = None
    claims: tuple[tuple[str, str], ...] = ()
    last_used_at: Instant | None = None

    def allows(self, permission: Permission) -> bool:
        """Say whether the key has a permission."""
        return is_allowed(self.permissions, permission)

    def covers(self, app: str) -> bool:
        """Say whether the key is for an app."""
        return self.apps is None or app in self.apps

    def fault(self, now: Instant) -> str | None:
        """Return why the key opens nothing at a moment; None where it does."""
        if self.revoked_at is not None:
            return f"the key was revoked at {instant_text(self.revoked_at)}"
        return f"the key expired at {instant_text(self.expires_at)}" if now >= self.expires_at else None


def token_of(identity: bytes, secret: bytes) -> str:
    """Return the token of random bytes."""
    if (len(identity), len(secret)) != (ID_BYTES, SECRET_BYTES):
        raise ValueError(f"a token is made of {ID_BYTES} and {SECRET_BYTES} bytes")
    of_id, of_secret = int.from_bytes(identity, "big"), int.from_bytes(secret, "big")
    body = f"{PREFIX}{_base62(of_id, ID_DIGITS)}_{_base62(of_secret, SECRET_DIGITS)}"
    return body + _checksum(body)


def key_id(token: str) -> str | None:
    """Return the id of a token's key; None where its form or its checksum is wrong."""
    found = _TOKEN.fullmatch(token)
    if found is None or _checksum(token[:-CHECK_DIGITS]) != token[-CHECK_DIGITS:]:
        return None
    return found[1]


def token_digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_token_of(token: str, digest: str) -> bool:
    """Say whether a token has a digest, in a time that tells nothing of either."""
    return hmac.compare_digest(token_digest(token), digest)


def check_key_name(name: str) -> str:
    """Return the name of a key, or refuse one that a receipt could not show."""
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise UsageError(
            f"{name!r} cannot name a key", advice=f"Name who uses it, in at most {MAX_NAME} printable characters."
        )
    return name


def check_apps(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the apps that a key is for; none are named where it is for all."""
    return tuple(dict.fromkeys(check_name("an app", name) for name in names)) or None


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    found = ""
    for _ in range(digits):
        number, digit = divmod(number, len(DIGITS))
        found = DIGITS[digit] + found
    return found
