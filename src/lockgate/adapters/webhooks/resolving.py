# SPDX-License-Identifier: Apache-2.0
"""The name of a host comes in; its addresses go out, in bounded time.

The system's resolver cannot be stopped, so it runs in a thread that is left behind when it takes too long.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Sequence

from lockgate.core.address import Address, read_address

Resolve = Callable[[str, float], Sequence[Address]]

# Threads that wait for a resolver that does not answer, in the whole process.
AT_ONCE = 32
_FREE = threading.BoundedSemaphore(AT_ONCE)


def resolve(host: str, seconds: float) -> Sequence[Address]:
    """Return the addresses of a host; OSError when nobody tells them in time."""
    literal = read_address(host)
    if literal is not None:
        return (literal,)
    if not _FREE.acquire(blocking=False):
        raise OSError("too many names are being looked up already")
    answer: queue.SimpleQueue[Sequence[Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, answer), name="resolve", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise OSError("nobody said its address in time") from None
    if isinstance(found, OSError):
        raise found
    return found


def _look_up(host: str, answer: queue.SimpleQueue[Sequence[Address] | OSError]) -> None:
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        addresses = (read_address(str(row[4][0])) for row in rows)
        answer.put(tuple(dict.fromkeys(each for each in addresses if each is not None)))
    except UnicodeError:
        answer.put(OSError("it is no name"))
    except OSError as error:
        answer.put(error)
    finally:
        _FREE.release()
