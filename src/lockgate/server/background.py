# SPDX-License-Identifier: Apache-2.0
"""Something to do comes in; a thread of its own does it every so many seconds, until a block ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def background(
    name: str, act: Callable[[], None], every_s: float, *, end_s: float, has_last: bool = False
) -> Iterator[None]:
    """Act every so many seconds, and where `has_last` once more at the end; `act` raises nothing.

    The end waits `end_s` seconds at most: what is under way then ends with the process.
    """
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(every_s):
            act()
        if has_last:
            act()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(end_s)
