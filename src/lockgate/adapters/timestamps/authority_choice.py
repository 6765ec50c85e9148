# SPDX-License-Identifier: Apache-2.0
"""The environment comes in; the timestamp authority that it names goes out."""

from __future__ import annotations

import os
from pathlib import Path

from lockgate.errors import UsageError
from lockgate.ports.timestamps import Stamp, StampReader, TimestampAuthority

TSA_URL, TSA_CA = "LOCKGATE_TSA_URL", "LOCKGATE_TSA_CA"


def timestamp_authority() -> TimestampAuthority | None:
    """Return the authority of LOCKGATE_TSA_URL, which is known by the certificates of LOCKGATE_TSA_CA."""
    url, known_by = os.environ.get(TSA_URL), os.environ.get(TSA_CA)
    if not url:
        return None
    if not known_by:
        raise UsageError(f"{TSA_URL} is set and {TSA_CA} is not", advice="Name the file of its certificates in PEM.")
    from lockgate.adapters.timestamps.rfc3161 import Rfc3161Authority

    return Rfc3161Authority(url, Path(known_by).expanduser())


def stamp_reader() -> StampReader | None:
    """Return what knows authorities by the certificates of LOCKGATE_TSA_CA; None where it is not set."""
    known_by = os.environ.get(TSA_CA)
    if not known_by:
        return None
    from lockgate.adapters.timestamps.rfc3161 import KnownAuthorities, read_certificates

    return KnownAuthorities(read_certificates(Path(known_by).expanduser()))


def read_timestamp(answer: bytes, data: bytes, pem: bytes) -> Stamp:
    """Return who stamped some bytes and when, by RFC 3161, if one of the certificates in PEM is trusted for it."""
    from lockgate.adapters.timestamps import rfc3161

    return rfc3161.read_timestamp(answer, data, pem)
