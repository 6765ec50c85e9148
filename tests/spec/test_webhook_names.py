# SPDX-License-Identifier: Apache-2.0
"""Resolvers that dawdle, fail or forget come in; who asks for other names is answered all the same: docs/spec.md."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest

from lockgate.adapters.outgoing.resolving import AT_ONCE, KNOWN_S, OF_ORG, Asking, Names, Need
from lockgate.core.address import Address

HERE = (ip_address("8.8.8.8"),)
SOON = 20.0


class Resolver:
    """A resolver: `faults` are names that it fails for, and names that begin with `slow` wait until it is over."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.faults: dict[str, OSError] = {}
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[Address]:
        """Return the addresses of a host."""
        self.asked.append(host)
        if host in self.faults:
            raise self.faults[host]
        assert not host.startswith("slow") or self.is_over.wait(SOON)
        return HERE


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    """Return a resolver that ends with the test."""
    found = Resolver()
    yield found
    found.is_over.set()


def _fault(names: Names, host: str, asking: Asking, seconds: float = 0.0) -> str:
    with pytest.raises(OSError, match=r".") as raised:
        names.addresses(host, seconds, asking)
    return str(raised.value)


@pytest.mark.clause("WH-44")
@pytest.mark.parametrize("need", [Need.CHECK, Need.DELIVERY])
def test_names_that_are_found_slowly_keep_no_other_organisation_from_its_own(resolver: Resolver, need: Need) -> None:
    """However many one asks for, for either need; who has too many is told so at once."""
    names, many = Names(resolver), AT_ONCE[need] + 1
    other = next(each for each in Need if each is not need)
    said = [_fault(names, f"slow{number}.example", Asking("aaa", need)) for number in range(many)]

    assert said[: OF_ORG[need]] == ["nobody said its address in time"] * OF_ORG[need]
    assert set(said[OF_ORG[need] :]) == {"too many names are being looked up already"}
    assert names.addresses("sound.example", SOON, Asking("zzz", need)) == HERE
    assert names.addresses("sound.example", SOON, Asking("aaa", other)) == HERE


@pytest.mark.clause("WH-44")
def test_a_name_is_asked_for_once_at_a_time(resolver: Resolver) -> None:
    """Who asks for it meanwhile waits for the same answer, and holds no room."""
    names, found = Names(resolver), list[Sequence[Address]]()
    asking = Asking("aaa", Need.DELIVERY)
    _fault(names, "slow.example", asking)
    askers = [
        threading.Thread(target=lambda: found.append(names.addresses("slow.example", SOON, asking))) for _ in range(20)
    ]
    for each in askers:
        each.start()
    resolver.is_over.set()
    for each in askers:
        each.join(SOON)

    assert found == [HERE] * 20
    assert len(resolver.asked) <= 2


@pytest.mark.clause("WH-23")
def test_a_host_is_where_it_was_while_nobody_answers(resolver: Resolver) -> None:
    """For an hour, and for messages alone; a resolver that says that there is no such name is believed."""
    now = 1_000.0
    names, asking = Names(resolver, lambda: now), Asking("default", Need.DELIVERY)
    assert names.addresses("hooks.example", SOON, asking) == HERE
    resolver.faults["hooks.example"] = socket.gaierror(socket.EAI_AGAIN, "try again")
    now += KNOWN_S
    beside = names.addresses("hooks.example", SOON, asking)
    checked = _fault(names, "hooks.example", Asking("default", Need.CHECK), SOON)
    now += 1.0
    late = _fault(names, "hooks.example", asking, SOON)

    resolver.faults.clear()
    names.addresses("hooks.example", SOON, asking)
    resolver.faults["hooks.example"] = socket.gaierror(socket.EAI_NONAME, "no such name")
    gone = _fault(names, "hooks.example", asking, SOON)

    assert beside == HERE
    assert "try again" in checked
    assert "try again" in late
    assert "no such name" in gone
