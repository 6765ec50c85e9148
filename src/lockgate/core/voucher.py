# SPDX-License-Identifier: Apache-2.0
"""What somebody outside has signed over a checkpoint, and when it was kept, come in; one value goes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lockgate.core.instant import Instant


class VoucherKind(Enum):
    """Who vouches: a witness by a cosignature, or a timestamp authority by a token."""

    COSIGNATURE = "cosignature"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """One outside signature over the checkpoint of a size.

    `by` is the key of a witness as text, or the address of a timestamp authority. `body` is the signature line with
    its line break, or the answer of RFC 3161 in DER. `at` is when it was kept, by the clock of who kept it.
    """

    kind: VoucherKind
    by: str
    size: int
    body: bytes
    at: Instant
