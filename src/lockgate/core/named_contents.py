# SPDX-License-Identifier: Apache-2.0
"""What a receipt states comes in; the digests of the bytes that it names and does not hold go out."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.canonical import Json


def named_contents(predicate: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the digests, `sha256:<hex>`, of what must be kept beside a receipt."""
    verdict, standing = _members(predicate.get("verdict")), _members(predicate.get("to"))
    full, manifest = _members(verdict.get("full")), _members(standing.get("manifest"))
    named = (*([full] if full.get("inline") is False else []), *([manifest] if manifest else []))
    return tuple(f"sha256:{each.get('sha256')}" for each in named)


def _members(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
