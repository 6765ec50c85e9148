# SPDX-License-Identifier: Apache-2.0
"""An address comes in; whether anybody on the internet may be meant by it goes out.

`ipaddress` alone lets through what is no place of the internet, or leads back to one's own network in another form.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from lockgate.errors import UsageError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Protocol assignments and relays for 6to4, which is_global of some versions of Python lets through.
_DENIED_V4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10")))
# What is unicast on the internet; without Teredo and its neighbours, examples, and 6to4.
_UNICAST_V6 = IPv6Network("2000::/3")
_DENIED_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def is_public(address: Address) -> bool:
    """Say whether an address is one of the internet, and carries no other one within it."""
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in each for each in _DENIED_V4)
    return address in _UNICAST_V6 and not any(address in each for each in _DENIED_V6)


def is_within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Say whether an address is in one of some networks; one of IPv4 that is written as IPv6 is in none."""
    return any(address.version == each.version and address in each for each in networks)


def read_address(text: str) -> Address | None:
    """Return the address that a text is in the one form that every program reads alike; else None."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return None if getattr(found, "scope_id", None) else found


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the networks that a list such as `10.1.0.0/16, fd00::7` names."""
    found: list[Network] = []
    for word in text.replace(",", " ").split():
        try:
            found.append(ip_network(word))
        except ValueError as error:
            raise UsageError(
                f"{word[:60]!r} is no network: {error}", advice="Write networks such as 10.1.0.0/16, with commas."
            ) from error
    return tuple(found)
