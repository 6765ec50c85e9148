# SPDX-License-Identifier: Apache-2.0
"""Calls about the log of the caller's organisation come in; checkpoints, tiles, proofs and entries go out, as bytes.

The layout below `/log` is that of c2sp.org/tlog-tiles, so that tools which mirror or read such logs read this one.
What a path names never changes, but for the checkpoint and what is proven under the latest one.
"""

from __future__ import annotations

import hashlib

from lockgate.core.envelope import open_envelope
from lockgate.core.export_line import app_of
from lockgate.core.log_export import MAX_ENTRIES
from lockgate.core.statement import read_statement
from lockgate.core.tile import read_tile_place
from lockgate.core.vault import Receipt
from lockgate.errors import UnknownError, UsageError
from lockgate.operations.vault import proofs
from lockgate.operations.vault.exported_log import export_since
from lockgate.operations.vault.tiles import tile_bytes
from lockgate.server.call import Answer, Call
from lockgate.server.routes.runs import NDJSON_TYPES

TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
# As in-toto names an envelope of DSSE.
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
# By whoever asked, for a year: what the path names is the same for ever.
FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}
# Kept, and asked for again before it is used.
FOR_NOW = {"cache-control": "private, no-cache"}
ENTRIES = "entries"
SPAN = ("old", "new")
SINCE = ("since", "limit")
# SQLite and PostgreSQL count no further.
MAX_DIGITS = 18


def show_checkpoint(call: Call) -> Answer:
    """Return the latest signed checkpoint."""
    with call.house.store.reading(call.house.org) as seen:
        note = proofs.latest_checkpoint(seen)
    return text_answer(note)


def show_tile(call: Call) -> Answer:
    """Return the hashes that a tile holds, 32 bytes each."""
    return _tile(call, call.named["level"])


def show_entries(call: Call) -> Answer:
    """Return the entries that a tile of them holds, each behind its length in two bytes."""
    return _tile(call, ENTRIES)


def show_growth(call: Call) -> Answer:
    """Return the proof that the log at one size begins with the log at another."""
    old = _count(call, "old")
    if old is None:
        raise UsageError("old is missing in the query", advice="Name the size of the checkpoint that you kept.")
    return text_answer(proofs.growth(old, _count(call, "new"), call.house))


def show_entry(call: Call) -> Answer:
    """Return an entry of the log: an envelope, byte for byte."""
    with call.house.store.reading(call.house.org) as seen:
        found = proofs.entry(seen, _index(call))
    _check_covered(call, found)
    return envelope_answer(found)


def show_proof(call: Call) -> Answer:
    """Return the proof that an entry is in the log, under the latest checkpoint."""
    with call.house.store.reading(call.house.org) as seen:
        found = proofs.entry(seen, _index(call))
        proof = proofs.latest_proof(seen, found)
    _check_covered(call, found)
    return text_answer(proof)


def export_lines(call: Call) -> Answer:
    """Return the next portion of the log after a size, as lines that prove themselves."""
    call.caller.check_every_app()
    since = _count(call, "since") or 0
    found = export_since(since, call.house, call.whole("limit", MAX_ENTRIES, MAX_ENTRIES))
    sizes = {"lockgate-size": str(found.size), "lockgate-log-size": str(found.log_size)}
    return Answer(body=found.lines, kind=NDJSON_TYPES[0], headers={**FOR_NOW, **sizes})


def envelope_answer(receipt: Receipt) -> Answer:
    """Return the bytes of a receipt, which are the entry of the log."""
    return Answer(body=receipt.envelope, kind=ENVELOPE, headers={**FOR_EVER, "etag": f'"{receipt.digest}"'})


def text_answer(data: bytes) -> Answer:
    """Return a text that may be another one the next time."""
    tag = f'"sha256:{hashlib.sha256(data).hexdigest()}"'
    return Answer(body=data, kind=TEXT, headers={**FOR_NOW, "etag": tag})


def _tile(call: Call, level: str) -> Answer:
    # Hashes of all entries, and the entries, are of every app.
    call.caller.check_every_app()
    return Answer(
        body=tile_bytes(read_tile_place(level, call.named["tile"]), call.house), kind=OCTETS, headers=FOR_EVER
    )


def _check_covered(call: Call, receipt: Receipt) -> None:
    """Refuse, as one that is not there, an entry of an app that the key is not for, or of the organisation itself."""
    if call.caller.apps is None:
        return
    statement = read_statement(open_envelope(receipt.envelope).payload)
    app = app_of(statement.predicate, statement.subjects[0][0])
    if app is None or not call.caller.covers(app):
        raise UnknownError(f"the log has no entry {receipt.index}")


def _index(call: Call) -> int:
    return _whole("the index", call.named["index"])


def _count(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    return None if text is None else _whole(name, text)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise UsageError(f"{name} is {text!r}", advice="It is a whole number from 0 up.")
    return int(text)
