# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds bytes by their digest comes in; bytes that receipts name go out.

What a receipt binds but is too long to hold rests here: whole verdicts, key manifests.
"""

from __future__ import annotations

from typing import Protocol


class ContentsReading(Protocol):
    """Contents of an organisation, as they were at one moment."""

    def content(self, digest: str) -> bytes | None:
        """Return the bytes with a digest, `sha256:<hex>`; None where they are not there.

        Bytes that cannot be read any more raise a DataError; who trusts nobody digests them again.
        """

    def content_digests(self, after: str, count: int) -> tuple[str, ...]:
        """Return so many digests that are kept after one, in order."""


class ContentsWriting(ContentsReading, Protocol):
    """Contents, to be kept for ever."""

    def put_content(self, data: bytes) -> str:
        """Keep bytes and return their digest; those that are there already need nothing."""
