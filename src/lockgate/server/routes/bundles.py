# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its bundle goes out, made whole before its first byte is sent."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Lock

from lockgate.errors import UsageError
from lockgate.operations.bundle.bundle import Bundle, Wanted, bundle
from lockgate.report.bundle_pages import bundle_pages
from lockgate.server.call import Answer, Call
from lockgate.server.caller import Caller
from lockgate.server.problem import TOO_MANY, ProblemError
from lockgate.server.sending import Sending

PARAMETERS = ("checkpoint",)
ZIP = "application/zip"
# Each that is being sent takes a file on the disk, and one thread: of all, of one organisation, and of one key.
MAX_OPEN, MAX_OF_ORG, MAX_OF_KEY = 8, 4, 2
RETRY = {"retry-after": "10"}
# So much is sent at once.
PIECE = 1 << 16


class Open:
    """How many bundles are being sent, and to whom: nobody's slow reading keeps those of others waiting."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = Counter[str]()

    def take(self, caller: Caller) -> None:
        """Count one more for who calls, or refuse it."""
        with self._lock:
            for whose, most, words in _shares(caller):
                if self._taken[whose] >= most:
                    raise ProblemError(
                        TOO_MANY, f"{most} bundles {words} are being sent already", "Read those to their ends.", RETRY
                    )
            self._taken.update(whose for whose, _, _ in _shares(caller))

    def give_back(self, caller: Caller) -> None:
        """Count one less."""
        with self._lock:
            self._taken.subtract(whose for whose, _, _ in _shares(caller))
            # Nothing is kept of who has none.
            self._taken += Counter()


OPEN = Open()


def _shares(caller: Caller) -> tuple[tuple[str, int, str], ...]:
    """Return among whom bundles are shared: a name, how many are theirs at most, and words."""
    return (
        (f"key {caller.org} {caller.owner}", MAX_OF_KEY, "of the key"),
        (f"org {caller.org}", MAX_OF_ORG, "of the organisation"),
        ("all", MAX_OPEN, "of all organisations"),
    )


def send(call: Call) -> Answer:
    """Return a rollout's bundle; to a key that is for some apps only, without receipts of the organisation itself."""
    with ExitStack() as stack:
        OPEN.take(call.caller)
        stack.callback(OPEN.give_back, call.caller)
        rollout_id = call.named["id"]
        wanted = Wanted(rollout_id=rollout_id, pages=bundle_pages, since=_since(call), has_org=call.caller.apps is None)
        made = stack.enter_context(bundle(wanted, call.house))
        sending = Sending(_joined(made), stack.pop_all().close)
    named = {"content-disposition": f'attachment; filename="{rollout_id}.zip"', "cache-control": "private, no-cache"}
    return Answer(sending=sending, kind=ZIP, headers=named)


def _joined(made: Bundle) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in made.pieces():
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _since(call: Call) -> bytes | None:
    text = call.text("checkpoint")
    if text is None:
        return None
    try:
        return b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise UsageError("checkpoint is none in base64url", advice="Encode the file that you kept.") from error
