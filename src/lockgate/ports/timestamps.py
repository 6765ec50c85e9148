# SPDX-License-Identifier: Apache-2.0
"""Bytes come in; a timestamp authority's signed word that they were there goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lockgate.core.instant import Instant


@dataclass(frozen=True, slots=True)
class Stamp:
    """When an authority says that it saw something, by its own clock, and the name that its certificate has."""

    at: Instant
    authority: str


class StampReader(Protocol):
    """Knows timestamp authorities by their certificates.

    `read` returns only what has been verified, by a certificate that was valid when the stamp was made, however long
    ago that is; whatever else it is given is a VerifyError.
    """

    def read(self, answer: bytes, data: bytes) -> Stamp:
        """Return who stamped some bytes, and when."""
        ...


class TimestampAuthority(Protocol):
    """Stamps bytes as RFC 3161 says.

    `stamp` ends within the seconds that it is given and returns only what has been verified: by a certificate that is
    trusted here, over these bytes, in answer to this very question. Where nobody answers it raises an
    UnreachableError, and a VerifyError where the answer does not verify.
    """

    @property
    def url(self) -> str:
        """Return where it is asked."""
        ...

    def stamp(self, data: bytes, seconds: float) -> bytes:
        """Return the answer over some bytes, in DER."""
        ...
