# SPDX-License-Identifier: Apache-2.0
"""The bytes of a case come in; in words which bound they are beyond goes out, for who reads and who only compares."""

from __future__ import annotations

# The buckets of a rollout that imports weeks of runs at once, and not more than a laptop holds and replays in a minute.
MAX_CASE_SIZE = 64 * 1024 * 1024
# Each takes a hundred bytes of memory where its text may take three; a case of ours has one in nine bytes.
MAX_VALUES = 5_000_000


def too_large(data: bytes) -> str | None:
    """Return, in words, which bound the bytes of a case are beyond; nothing has been made of them."""
    if len(data) > MAX_CASE_SIZE:
        return f"the case is larger than {MAX_CASE_SIZE:,} bytes"
    return f"the case holds more than {MAX_VALUES:,} values" if too_many(data) else None


def too_many(data: bytes) -> bool:
    """Say whether JSON may hold more values than are made of any one file."""
    return data.count(b"{") + data.count(b"[") + data.count(b",") > MAX_VALUES
