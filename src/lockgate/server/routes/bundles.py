# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its bundle goes out, made whole before its first byte is sent."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from threading import BoundedSemaphore

from lockgate.errors import TryAgainError, UsageError
from lockgate.operations.bundle import Bundle, Wanted, bundle
from lockgate.report.bundle_pages import bundle_pages
from lockgate.server.call import Answer, Call, check_names
from lockgate.server.sending import Sending

PARAMETERS = ("checkpoint",)
ZIP = "application/zip"
# Each that is being sent takes a file on the disk, and one thread.
MAX_OPEN = 8
_OPEN = BoundedSemaphore(MAX_OPEN)
# So much is sent at once.
PIECE = 1 << 16


def send(call: Call) -> Answer:
    """Return a rollout's bundle; to a key that is for some apps only, without receipts of the organisation itself."""
    check_names("parameter", call.query, PARAMETERS)
    if not _OPEN.acquire(blocking=False):
        raise TryAgainError(f"{MAX_OPEN} bundles are being sent already", advice="Call again in a minute.")
    with ExitStack() as stack:
        stack.callback(_OPEN.release)
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
