# SPDX-License-Identifier: Apache-2.0
"""A key and the address that it would go to come in; nothing goes out but a refusal where it could be read on its way.

The client and the recorder send keys, and load the standard library only.
"""

from __future__ import annotations

from urllib.parse import SplitResult

from lockgate.errors import UsageError

INSECURE = "LOCKGATE_INSECURE"


def check_key(key: str, url: SplitResult, *, is_insecure: bool) -> None:
    """Refuse what is no secret of one line, or would be read on its way."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("LOCKGATE_API_KEY is no key", advice="Paste the token that `lockgate keys create` printed.")
    if url.scheme == "http" and not is_insecure and not _is_loopback(url.hostname or ""):
        raise UsageError(
            f"the key would travel unencrypted to {url.hostname}",
            advice="Write https://, or set LOCKGATE_INSECURE=1 where the network is trusted.",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    from ipaddress import ip_address  # noqa: PLC0415 -- most calls need none of these, and a command starts by them

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
