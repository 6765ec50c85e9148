# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds API keys comes in by their ids; the keys, without their tokens, go out."""

from __future__ import annotations

from typing import Protocol

from lockgate.core.api_key import ApiKey


class ApiKeysReading(Protocol):
    """Keys of an organisation, as they were at one moment."""

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key."""

    def api_keys(self) -> tuple[ApiKey, ...]:
        """Return all keys, also those that open nothing any more, the oldest first."""


class ApiKeysWriting(ApiKeysReading, Protocol):
    """Keys, to be kept."""

    def put_api_key(self, key: ApiKey) -> None:
        """Keep a key; one that is known is kept as it is now."""
