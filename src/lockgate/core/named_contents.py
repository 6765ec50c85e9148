# SPDX-License-Identifier: Apache-2.0
"""What a receipt states comes in; the digests of the bytes that it names and does not hold go out."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.canonical import Json


def named_contents(predicate: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the digests, `sha256:<hex>`, of what must be kept beside a receipt."""
    verdict = predicate.get("verdict")
    full = verdict.get("full") if isinstance(verdict, Mapping) else None
    if not isinstance(full, Mapping) or full.get("inline") is not False:
        return ()
    return (f"sha256:{full['sha256']}",)
