# SPDX-License-Identifier: Apache-2.0
"""A URL comes in; where a message would be sent goes out, or the refusal of one that nobody should call.

It is read strictly, so that no other program can read another host out of the same text. Whether the addresses of
the host may be called is decided by `Reach.refusal`, of each address that it resolves to at that moment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.core.address import Address, Network, is_public, is_within, read_address, read_networks
from lockgate.errors import RefusedUrlError, UsageError

ALLOW, PORTS = "LOCKGATE_WEBHOOK_ALLOW", "LOCKGATE_WEBHOOK_PORTS"
DEFAULT_PORTS = (443, 8443)
MAX_URL = 2_000
_USUAL = {"https": 443, "http": 80}
# Only what a URL may hold in ASCII: no blank, no control character, no backslash, and no quotes.
_URL = re.compile(r"(https?)://([^/?#]+)(/[!$%&'()*+,\-./0-9:;=@A-Z_a-z~]*)?(\?[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]*)?")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?))(?::([0-9]{1,5}))?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a message is sent: `host` as the receiver's certificate and `Host` header name it, and what is asked."""

    is_secure: bool
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """Return the host, and the port where it is not the usual one: what messages and headers say."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _USUAL["https" if self.is_secure else "http"] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which addresses may be called: those of the internet by https, and `allowed` ones on any port and without.

    `is_dev`: this machine itself may be called as well.
    """

    allowed: tuple[Network, ...] = ()
    ports: tuple[int, ...] = DEFAULT_PORTS
    is_dev: bool = False

    def refusal(self, target: Target, addresses: Sequence[Address]) -> str | None:
        """Return why a target may not be called as its host resolves; every address of it must be allowed."""
        if not addresses:
            return f"{target.host} has no address"
        for address in addresses:
            if is_within(address, self.allowed) or (self.is_dev and address.is_loopback):
                continue
            if not is_public(address):
                where = "" if str(address) == target.host else f" is at {address}, which"
                return f"{target.host}{where} is no address of the internet"
            if not target.is_secure:
                return f"http to {target.host} would be read by everybody on the way: https is needed"
            if target.port not in self.ports:
                return f"port {target.port} of {target.host} is none of {', '.join(map(str, self.ports))}"
        return None


def reach_of(allow: str, ports: str, *, is_dev: bool = False) -> Reach:
    """Return what may be called by settings: networks, and ports beside the usual ones."""
    words = ports.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) < 6 and 1 <= int(word) <= 65_535 for word in words):
        raise UsageError(f"{PORTS} is no list of ports", advice="Write ports such as 9443, with commas.")
    try:
        allowed = read_networks(allow)
    except UsageError as error:
        raise UsageError(f"{ALLOW}: {error.message}", advice=error.advice) from error
    return Reach(allowed=allowed, ports=(*DEFAULT_PORTS, *map(int, words)), is_dev=is_dev)


def unread(what: str) -> RefusedUrlError:
    """Return the refusal of a URL that nothing lets be called as it is written."""
    return RefusedUrlError(what, advice="Write it as https://host/path, with a port and a query where it has them.")


def refused(what: str) -> RefusedUrlError:
    """Return the refusal of a URL, with what lets a private receiver be called."""
    return RefusedUrlError(
        what,
        advice=f"Receivers of a private network are named in {ALLOW}, as networks such as 10.1.0.0/16, and further "
        f"ports of the internet in {PORTS}, where Lockgate runs.",
    )


def read_url(url: str) -> Target:
    """Return the target of a URL, or refuse one that could be read in two ways."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        raise unread(_unread(url))
    scheme, authority, path, query = found.groups()
    if "@" in authority:
        raise unread("the URL holds a user or a password")
    place = _HOST.fullmatch(authority)
    if place is None:
        raise unread("the host of the URL is not written as a name in ASCII or as an address")
    literal, name, port_text = place.groups()
    host = _checked_host(literal, name)
    port = _USUAL[scheme] if port_text is None else int(port_text)
    if not 1 <= port <= 65_535:
        raise unread(f"there is no port {port}")
    return Target(is_secure=scheme == "https", host=host, port=port, path=(path or "/") + (query or ""))


def _unread(url: str) -> str:
    if len(url) > MAX_URL:
        return f"a URL has at most {MAX_URL:,} characters"
    if "#" in url:
        return "the URL has a fragment, which nobody would be sent"
    if not url.startswith(("https://", "http://")):
        return "the URL does not begin with https://"
    if not url.partition("://")[2].partition("/")[0].partition("?")[0]:
        return "the URL has no host"
    return "the URL has a character that none has in ASCII: write it in percent-encoding"


def _checked_host(literal: str | None, name: str) -> str:
    if literal is not None:
        address = read_address(literal)
        if address is None or address.version != 6:
            raise unread(f"[{literal}] is no address")
        return str(address)
    # The system's resolver reads 127.1, 0177.0.0.1 and 2130706433 as addresses, others read them as names.
    if _NUMBER.fullmatch(name.rpartition(".")[2]) and read_address(name) is None:
        raise unread(f"{name} is an address in a form that not everybody reads alike")
    return name.lower()
