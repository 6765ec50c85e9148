# SPDX-License-Identifier: Apache-2.0
"""An entry of a log, or the end of a portion of them, comes in; a line of JSON goes out, and the other way round.

What an entry's line says beside the envelope is read from it, for programs that know no envelopes; nobody signed it
again, and a line that says something else than its envelope is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.base64_text import from_base64, to_base64
from lockgate.core.canonical import Json, name_of
from lockgate.core.checkpoint import MAX_PROOF_HASHES, MAX_SIZE
from lockgate.core.envelope import MAX_ENVELOPE_SIZE, open_envelope
from lockgate.core.merkle import HASH_SIZE, leaf_hash
from lockgate.core.note import MAX_NOTE_SIZE
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import Statement, read_statement

# What is read from a receipt is most of a line twice over where every character of it is escaped.
MAX_LINE = 8 * MAX_ENVELOPE_SIZE
_END = ("since", "size", "before", "consistency", "checkpoint")


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """One entry: its place in the log, the bytes of its envelope, and what these state; nothing has been verified."""

    index: int
    envelope: bytes
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """From which size of the log to which a portion goes, and what ties it to both and to a signed checkpoint.

    `before` are the whole subtrees of the tree of `since`, as `Tree.peaks` has them; `consistency` leads from the tree
    of `size` to that of the checkpoint, and is empty where they are one.
    """

    since: int
    size: int
    before: tuple[bytes, ...]
    consistency: tuple[bytes, ...]
    checkpoint: bytes


def entry_line(index: int, envelope: bytes) -> bytes:
    """Return the line of an entry; the envelope is in it byte for byte."""
    payload = json.loads(from_base64(json.loads(envelope)["payload"]))
    return _entry_line(index, envelope, _fields(payload["predicate"], payload["subject"][0]["name"]))


def end_line(end: End) -> bytes:
    """Return the last line of a portion."""
    document: dict[str, Json] = {
        "since": end.since,
        "size": end.size,
        "before": [to_base64(each) for each in end.before],
        "consistency": [to_base64(each) for each in end.consistency],
        "checkpoint": end.checkpoint.decode("utf-8"),
    }
    return _encode(document) + b"\n"


def read_line(line: bytes, number: int) -> ExportedEntry | End:
    """Return what a line says, if it is in the one form that it has; `number` names it in the refusal."""
    if len(line) > MAX_LINE:
        raise _bad(number, f"it is longer than {MAX_LINE:,} bytes")
    try:
        document = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise _bad(number, "it is not JSON in ASCII") from error
    if not isinstance(document, dict):
        raise _bad(number, "it is not an object")
    return _read_entry(line, document, number) if "index" in document else _read_end(line, document, number)


def _read_entry(line: bytes, document: Mapping[str, object], number: int) -> ExportedEntry:
    index, envelope = document["index"], document.get("envelope")
    if not _is_count(index) or not isinstance(index, int) or not isinstance(envelope, dict):
        raise _bad(number, "an entry has an index and an envelope")
    try:
        # Of texts alone, which an envelope holds, this is the canonical form; whatever else it holds is refused next.
        text = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError as error:
        raise _bad(number, "its envelope is none") from error
    data = text.encode("utf-8", "replace")
    statement = read_statement(open_envelope(data).payload)
    fields = _fields(statement.predicate, statement.subjects[0][0])
    if line != _entry_line(index, data, fields):
        raise VerifyError(
            Reason.LOG_EXPORT_FIELDS, f"line {number} says something else than its envelope, or says it in another form"
        )
    return ExportedEntry(index, data, statement)


def _read_end(line: bytes, document: Mapping[str, object], number: int) -> End:
    since, size, checkpoint = document.get("since"), document.get("size"), document.get("checkpoint")
    if tuple(document) != _END or not isinstance(since, int) or not isinstance(size, int):
        raise _bad(number, f"it has neither an index nor {', '.join(_END)}")
    if (
        not isinstance(checkpoint, str)
        or len(checkpoint) > MAX_NOTE_SIZE
        or not _is_count(since)
        or not _is_count(size)
    ):
        raise _bad(number, "its sizes and its checkpoint are none")
    before, consistency = _hashes(document["before"], number), _hashes(document["consistency"], number)
    if len(before) != since.bit_count():
        raise _bad(number, f"a tree of {since} entries has another number of whole subtrees")
    end = End(
        since=since,
        size=size,
        before=before,
        consistency=consistency,
        checkpoint=checkpoint.encode("utf-8", "replace"),
    )
    if line != end_line(end):
        raise _bad(number, "it is not in the one form that such a line has")
    return end


def _hashes(value: object, number: int) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAX_PROOF_HASHES or not all(isinstance(each, str) for each in value):
        raise _bad(number, f"hashes are a list of at most {MAX_PROOF_HASHES} texts")
    try:
        found = tuple(from_base64(each) for each in value)
    except ValueError as error:
        raise _bad(number, "a hash is not padded standard base64") from error
    if any(len(each) != HASH_SIZE for each in found):
        raise _bad(number, f"a hash has {HASH_SIZE} bytes")
    return found


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SIZE


def _entry_line(index: int, envelope: bytes, fields: Mapping[str, Json]) -> bytes:
    leaf = leaf_hash(envelope).hex()
    rest = _encode(fields)[1:]
    return b'{"index":%d,"leaf":"%b","envelope":%b,%b\n' % (index, leaf.encode("ascii"), envelope, rest)


def _encode(document: Mapping[str, Json]) -> bytes:
    # Only ASCII leaves, so that no terminal and no log obeys a name.
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")


def _fields(predicate: Mapping[str, Json], subject: str) -> dict[str, Json]:
    """Return what a receipt states that programs look for first."""
    decision = predicate["decision"]
    assert isinstance(decision, Mapping)
    return {
        "time": predicate["decidedAt"],
        "org": predicate["org"],
        "app": app_of(predicate, subject),
        "rollout": predicate["rolloutId"],
        "seq": predicate["seq"],
        "mode": predicate["mode"],
        "action": decision["action"],
        "cause": decision["cause"],
        "reason": decision["reason"],
        "actor": predicate["actor"],
    }


def app_of(predicate: Mapping[str, Json], subject: str) -> str | None:
    """Return the app that a receipt is about; None where it is about the organisation itself."""
    if predicate["rolloutId"] == name_of("org", predicate["org"]):
        return None
    candidate = predicate["candidate"]
    release = candidate.get("release") if isinstance(candidate, Mapping) else None
    return subject.removesuffix(f"@{release}") if isinstance(release, str) else subject


def _bad(number: int, message: str) -> VerifyError:
    return VerifyError(
        Reason.LOG_EXPORT_SHAPE,
        f"line {number} is not of an exported log: {message}",
        advice="Keep the file byte for byte, as `lockgate log export` writes it.",
    )
