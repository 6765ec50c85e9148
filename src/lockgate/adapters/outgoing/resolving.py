# SPDX-License-Identifier: Apache-2.0
"""The name of a host comes in; its addresses go out, in bounded time.

The system's resolver cannot be stopped, so it runs in a thread that is left behind when it takes too long. How many
are left is bounded, for each who asks and for all, so that nobody's names that answer slowly keep others from theirs.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from lockgate.core.address import Address, read_address

LookUp = Callable[[str], Sequence[Address]]


class Need(Enum):
    """What an address is for; each has threads of its own."""

    CHECK = "check"
    DELIVERY = "delivery"
    ISSUER = "issuer"


# Look-ups that wait for a resolver at once, and those of one organisation among them.
AT_ONCE = {Need.CHECK: 8, Need.DELIVERY: 32, Need.ISSUER: 4}
OF_ORG = {Need.CHECK: 2, Need.DELIVERY: 8, Need.ISSUER: 4}
# Where nobody answers, a host is believed to be where it was; who calls judges that address as any other.
KNOWN_S, MAX_KNOWN = 3_600.0, 1_000
# The resolver's word that there is no such name, unlike that it could not find out.
NO_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and what for."""

    org: str
    need: Need


@dataclass(slots=True, eq=False)
class _Asked:
    """A look-up that is under way, and what it came to."""

    by: Asking
    is_over: threading.Event = field(default_factory=threading.Event)
    found: Sequence[Address] = ()
    fault: OSError | None = None


class Names:
    """Looks hosts up, each once for all who ask meanwhile; `seconds` is a clock that never goes back."""

    def __init__(self, look_up: LookUp | None = None, seconds: Callable[[], float] = time.monotonic) -> None:
        self._look_up, self._seconds = look_up or system_look_up, seconds
        self._turn = threading.Lock()
        self._asked: dict[tuple[str, Need], _Asked] = {}
        self._known: OrderedDict[str, tuple[float, Sequence[Address]]] = OrderedDict()

    def addresses(self, host: str, seconds: float, asking: Asking) -> Sequence[Address]:
        """Return the addresses of a host; OSError when nobody tells them in time."""
        literal = read_address(host)
        if literal is not None:
            return (literal,)
        try:
            return self._asked_now(host, seconds, asking)
        except OSError as error:
            known = self._last(host)
            if known is None or asking.need is Need.CHECK or getattr(error, "errno", None) in NO_NAME:
                raise
            return known

    def _asked_now(self, host: str, seconds: float, asking: Asking) -> Sequence[Address]:
        asked = self._begun(host, asking)
        if not asked.is_over.wait(seconds):
            raise OSError("nobody said its address in time")
        if asked.fault is not None:
            raise asked.fault
        return asked.found

    def _begun(self, host: str, asking: Asking) -> _Asked:
        """Return the look-up of a host that is under way, or begin one where there is room."""
        key = (host, asking.need)
        with self._turn:
            if key in self._asked:
                return self._asked[key]
            beside = [each.by for each in self._asked.values() if each.by.need is asking.need]
            if len(beside) >= AT_ONCE[asking.need] or beside.count(asking) >= OF_ORG[asking.need]:
                raise OSError("too many names are being looked up already")
            asked = self._asked[key] = _Asked(asking)
        threading.Thread(target=self._answer, args=(key, asked), name="resolve", daemon=True).start()
        return asked

    def _answer(self, key: tuple[str, Need], asked: _Asked) -> None:
        host, _ = key
        try:
            asked.found = tuple(self._look_up(host))
        except UnicodeError:
            asked.fault = OSError("it is no name")
        except OSError as error:
            asked.fault = error
        finally:
            with self._turn:
                del self._asked[key]
                if asked.found:
                    self._keep(host, asked.found)
            asked.is_over.set()

    def _keep(self, host: str, found: Sequence[Address]) -> None:
        self._known[host] = (self._seconds(), found)
        self._known.move_to_end(host)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def _last(self, host: str) -> Sequence[Address] | None:
        with self._turn:
            at, found = self._known.get(host, (0.0, None))
        return found if self._seconds() - at <= KNOWN_S else None


def system_look_up(host: str) -> Sequence[Address]:
    """Return what the system's resolver says, for as long as that takes."""
    rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = (read_address(str(row[4][0])) for row in rows)
    return tuple(dict.fromkeys(each for each in addresses if each is not None))
