# SPDX-License-Identifier: Apache-2.0
"""Names and SHA-256 digests come in; the digests of a release's parts, checked, go out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lockgate.errors import UsageError

MAX_DIGESTS = 16
# A name, such as `model` or `config`, and 64 hexadecimal digits.
ReleaseDigest = tuple[str, str]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def check_digests(digests: Iterable[ReleaseDigest]) -> tuple[ReleaseDigest, ...]:
    """Return digests, written `sha256:<hex>`, as names and hex in the order of their names; refuse what is none.

    Of several with one name the last is kept.
    """
    kept = dict(digests)
    if len(kept) > MAX_DIGESTS:
        raise UsageError(f"there are {len(kept)} digests", advice=f"At most {MAX_DIGESTS} are kept.")
    return tuple(sorted((_checked_name(name), _hex(name, text)) for name, text in kept.items()))


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no name of a digest",
            advice="Use letters, digits, dots, dashes and underscores, at most 64.",
        )
    return name


def _hex(name: str, text: str) -> str:
    found = _DIGEST.fullmatch(text)
    if found is None:
        raise UsageError(
            f"the digest {name} is no SHA-256",
            advice="Write sha256: and 64 digits in lower-case hexadecimal, as `sha256sum` prints them.",
        )
    return found[1]
