# SPDX-License-Identifier: Apache-2.0
"""Names and addresses come in; the links that a rollout and its receipts carry, checked, go out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lockgate.errors import UsageError

MAX_LINKS = 16
MAX_URL = 1_024
# Names and addresses together, which every receipt of a rollout repeats.
MAX_LINKS_SIZE = 8_000
# A name, and an address on the web.
Link = tuple[str, str]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# A host, perhaps a port, and whatever ASCII follows that a page can show as it stands.
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:[/?#][!#-;=?-~]*)?")


def check_links(links: Iterable[Link]) -> tuple[Link, ...]:
    """Return links in the order of their names, of several with one name the last; refuse what is no link."""
    kept = dict(links)
    if len(kept) > MAX_LINKS:
        raise UsageError(f"there are {len(kept)} links", advice=f"At most {MAX_LINKS} are kept.")
    for name, url in kept.items():
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name[:80]!r} is no name of a link",
                advice="Use letters, digits, dots, dashes and underscores, at most 64.",
            )
        if len(url) > MAX_URL or not _URL.fullmatch(url):
            raise UsageError(
                f"the link {name} is not an address on the web",
                advice=f"Write http:// or https:// and a host, without user or password, at most {MAX_URL} characters.",
            )
    size = sum(len(name) + len(url) for name, url in kept.items())
    if size > MAX_LINKS_SIZE:
        raise UsageError(f"the links have {size:,} characters", advice=f"At most {MAX_LINKS_SIZE:,} are kept.")
    return tuple(sorted(kept.items()))
