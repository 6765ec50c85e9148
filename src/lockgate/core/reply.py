# SPDX-License-Identifier: Apache-2.0
"""What a call was and what it was answered come in; a reply that the same call is given again goes out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lockgate.core.instant import HOUR, Instant

# A client that tries again does so within a day.
KEPT: Instant = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a call with an idempotency key was answered: `key` names the caller and its key.

    `call` is the digest of what was asked for: another call by the same key is a mistake.
    """

    key: str
    call: str
    at: Instant
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes


def call_digest(*parts: bytes) -> str:
    """Return what tells a call from another one with the same key."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
