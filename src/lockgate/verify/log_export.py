# SPDX-License-Identifier: Apache-2.0
"""The lines of an exported log come in; that they are all of its entries between two sizes goes out, or a refusal.

One portion of the lines is in memory at a time, and of each series what its next receipt is compared by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import NamedTuple

from lockgate.core.canonical import Json
from lockgate.core.checkpoint import Checkpoint
from lockgate.core.contradiction import Footing, footing
from lockgate.core.envelope import PAYLOAD_TYPE, open_envelope
from lockgate.core.export_line import ExportedEntry
from lockgate.core.log_export import Portion, read_portions
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import Statement
from lockgate.core.verdict_text import check_inline_verdict
from lockgate.verify.checkpoint import SignedCheckpoint, refuse_fork, verify_kept, verify_signed_checkpoint
from lockgate.verify.rollout import EVIDENCE_UNREAD, Tell, refuse_contradiction
from lockgate.verify.signature import check_signature
from lockgate.verify.trust import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedExport:
    """An exported log that verifies, from one size of the log to another, with the places that count for nothing."""

    since: int
    size: int
    key_ids: tuple[str, ...]
    uncounted: tuple[int, ...]
    signed: SignedCheckpoint
    proven: tuple[str, ...]
    unproven: tuple[str, ...]

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        log = self.signed.checkpoint
        return {
            "valid": True,
            "kind": "log",
            "entries": self.size - self.since,
            "since": self.since,
            "size": self.size,
            "keyIds": list(self.key_ids),
            "uncounted": list(self.uncounted),
            "log": {"origin": log.origin, "size": log.size},
            "proven": list(self.proven),
            "unproven": list(self.unproven),
        }


# So many places are named one by one.
_FEW = 8


class _Latest(NamedTuple):
    """The last receipt of a series: its place in the log, its number, its envelope's SHA-256, and its footing.

    What counts for nothing has no footing.
    """

    place: int
    seq: int
    sha256: bytes
    footing: Footing | None = None


# What a series begins behind.
_NONE = _Latest(-1, 0, b"")


@dataclass(slots=True)
class _Reading:
    """What the portions so far have shown.

    `ahead` are checkpoints of sizes that no portion has reached, whose heap is `sizes`; `latest` has the last receipts
    of series by organisation and id, behind it those that count for nothing, and `uncounted` the places of these: their
    key had been revoked. `unfooted` are the places of receipts of which the one before them is not here or counts for
    nothing.
    """

    keys: Keys
    kept: Checkpoint | None
    tell: Tell | None
    since: int = -1
    size: int = 0
    is_kept_met: bool = False
    signed: SignedCheckpoint | None = None
    ahead: dict[int, Checkpoint] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    key_ids: dict[str, None] = field(default_factory=dict)
    latest: dict[tuple[str, str], tuple[_Latest, ...]] = field(default_factory=dict)
    uncounted: dict[int, None] = field(default_factory=dict)
    unfooted: list[int] = field(default_factory=list)

    def take(self, portion: Portion) -> None:
        """Take the next portion, or refuse it."""
        end = portion.end
        signed = verify_signed_checkpoint(end.checkpoint, self.keys)
        for entry in portion.entries:
            self._check_entry(entry, signed.checkpoint.origin)
        if self.signed is not None and signed.checkpoint.origin != self.signed.checkpoint.origin:
            raise VerifyError(Reason.FORK, f"the portion from entry {end.since} on is of another log")
        portion.check(signed.checkpoint)
        self.since = end.since if self.since < 0 else self.since
        self.signed, self.size = signed, end.size
        self._look_ahead(signed.checkpoint)
        self._meet(portion)
        for entry in portion.entries:
            self._follow(entry, is_counted=entry.index not in self.uncounted)

    def _check_entry(self, entry: ExportedEntry, origin: str) -> None:
        place = entry.index if self.keys.is_of_manifest(origin) else None
        opened = open_envelope(entry.envelope)
        try:
            key = self.keys.receipt_key(opened.key_id)
            check_signature(opened, key)
            self._count(key.key_id, entry, place)
            if entry.index not in self.uncounted:
                check_inline_verdict(entry.statement.predicate, opened.payload)
        except VerifyError as error:
            raise VerifyError(error.reason, f"entry {entry.index}: {error.message}", advice=error.advice) from error
        if opened.payload_type != PAYLOAD_TYPE:
            raise VerifyError(Reason.PAYLOAD_TYPE, f"entry {entry.index} is signed as another type than {PAYLOAD_TYPE}")
        self.key_ids[key.key_id] = None
        if self.tell is not None:
            self.tell("entries", entry.index)

    def _count(self, key_id: str, entry: ExportedEntry, place: int | None) -> None:
        """Refuse a key that does not count at an entry, or note the place where its revocation is all that it lacks.

        Whoever stole a key may have had something signed: that must not keep the rest of the log from verifying.
        """
        try:
            self.keys.refuse_place(key_id, entry.statement.org, place)
        except VerifyError as error:
            if error.reason is not Reason.KEY_REVOKED or place is None:
                raise
            self.uncounted[entry.index] = None

    def _follow(self, entry: ExportedEntry, *, is_counted: bool) -> None:
        """Refuse a receipt that is not the next one of its series; one that counts for nothing may be any."""
        said = entry.statement
        series = said.org, said.rollout_id
        known = self.latest.get(series, (_NONE,) if self.since == 0 else ())
        before = next((each for each in known if _is_next(each, said)), None)
        sha256 = hashlib.sha256(entry.envelope).digest()
        if is_counted:
            if before is None and known:
                raise _unchained(max(known, key=lambda each: each.seq), entry)
            self._compare(before, entry)
            self.latest[series] = (_Latest(entry.index, said.seq, sha256, footing(said)),)
        elif before is not None:
            # The owner may have gone on from it, or from the one before it.
            self.latest[series] = (known[0], *known[1:][-_FEW:], _Latest(entry.index, said.seq, sha256))

    def _compare(self, before: _Latest | None, entry: ExportedEntry) -> None:
        """Refuse a receipt that contradicts itself or the one before it, as far as that one is known and counts."""
        said = entry.statement
        left = None if before is None else before.footing
        behind = "" if before is None or left is None else f", which is entry {before.place}"
        refuse_contradiction(left, said, f"entry {entry.index}, of {said.rollout_id}: ", behind)
        if left is None and said.seq > 1:
            self.unfooted.append(entry.index)

    def _look_ahead(self, found: Checkpoint) -> None:
        """Keep a checkpoint until the lines reach its size: a log that grows while it is exported shows many."""
        known = self.ahead.setdefault(found.size, found)
        if known is found:
            heappush(self.sizes, found.size)
        refuse_fork(found, known, None, self.keys)

    def _meet(self, portion: Portion) -> None:
        """Compare with the tree of each checkpoint whose size the portion has reached."""
        end, kept = portion.end, self.kept
        if kept is not None and end.since <= kept.size <= end.size:
            refuse_fork(Checkpoint(self._origin, kept.size, portion.tree_at(kept.size).root), kept, None, self.keys)
            self.is_kept_met = True
        while self.sizes and self.sizes[0] <= end.size:
            size = heappop(self.sizes)
            found = Checkpoint(self._origin, size, portion.tree_at(size).root)
            refuse_fork(found, self.ahead.pop(size), None, self.keys)

    @property
    def _origin(self) -> str:
        assert self.signed is not None
        return self.signed.checkpoint.origin


def _is_next(known: _Latest, said: Statement) -> bool:
    """Say whether a receipt says of itself that it follows another one."""
    return known.seq + 1 == said.seq and known.sha256.hex() == (said.previous or "")


def _named(entry: ExportedEntry) -> str:
    return f"entry {entry.index} is receipt {entry.statement.seq} of {entry.statement.rollout_id}"


def _unchained(known: _Latest, entry: ExportedEntry) -> VerifyError:
    """Return why a receipt is not the next one of its series."""
    said, name = entry.statement, _named(entry)
    if not known.seq:
        return VerifyError(Reason.CHAIN, f"{name}, and the log holds none before it")
    if said.seq <= known.seq:
        return VerifyError(
            Reason.CHAIN_DUPLICATE,
            f"{name}, and entry {known.place} was already receipt {known.seq}: the log tells two stories of it",
            advice="Keep the file: it proves that the log's owner signed both.",
        )
    return VerifyError(Reason.CHAIN, f"{name}, which does not follow receipt {known.seq}, entry {known.place}")


def verify_log_export(
    lines: Iterable[bytes],
    keys: Keys,
    checkpoint: bytes | None = None,
    growth: bytes | None = None,
    tell: Tell | None = None,
) -> VerifiedExport:
    """Return what the lines of an exported log prove.

    `checkpoint` is one that the verifier kept from before; where the lines do not reach its size, `growth` proves that
    the log of the last line and that of the kept checkpoint are one.
    """
    kept = None if checkpoint is None else verify_kept(checkpoint, keys)
    reading = _Reading(keys, kept, tell)
    for portion in read_portions(lines):
        reading.take(portion)
    signed = reading.signed
    # Lines without one portion are refused where they are read.
    assert signed is not None
    if kept is not None:
        signed = replace(signed, compared=kept.size)
    if kept is not None and not reading.is_kept_met:
        refuse_fork(signed.checkpoint, kept, growth, keys)
    return VerifiedExport(
        since=reading.since,
        size=reading.size,
        key_ids=tuple(reading.key_ids),
        uncounted=tuple(reading.uncounted),
        signed=signed,
        proven=_proven(reading, signed),
        unproven=_unproven(reading, signed),
    )


def _proven(reading: _Reading, signed: SignedCheckpoint) -> tuple[str, ...]:
    log, manifest = signed.checkpoint, reading.keys.manifest
    that_counts = " that counts" if reading.uncounted else ""
    unfooted = ", but where that is named as not proven" if reading.unfooted else ""
    said = [
        f"{_all_of(reading.size - reading.since)} of the log {log.origin} from entry {reading.since} on.",
        f"Each is a receipt that the holder of one of these keys signed: {', '.join(reading.key_ids) or 'none'}.",
        f"In each series, of a rollout, an app or the organisation, each receipt{that_counts} names the one before it.",
        f"Each{that_counts} begins where the one before it ended{unfooted}.",
        *signed.proven(),
    ]
    is_placed = reading.keys.is_of_manifest(log.origin) and all(map(reading.keys.is_placed, reading.key_ids))
    if manifest is not None and is_placed:
        but = ", but at entries that count for nothing" if reading.uncounted else ""
        said.append(f"Each key counts where it signed{but}, by version {manifest.version} of the key manifest.")
    return tuple(said)


def _all_of(entries: int) -> str:
    return "This is the one entry" if entries == 1 else f"These are all {entries:,} entries"


def _unproven(reading: _Reading, signed: SignedCheckpoint) -> tuple[str, ...]:
    later = f"What the log holds from entry {reading.size} on."
    ahead = sorted({*reading.ahead} - {signed.checkpoint.size})
    between = f"That checkpoints beyond the lines are of that log too, of these sizes: {_places(ahead)}."
    uncounted = (
        f"What these entries say: their key was revoked, they count for nothing: {_places([*reading.uncounted])}."
    )
    unfooted = (
        "That these entries begin where the one before them in their series ended, which is not here or counts for "
        f"nothing: {_places(reading.unfooted)}."
    )
    earlier = [f"What the log holds before entry {reading.since}."] if reading.since else []
    return (
        *([] if reading.keys.manifest else ["Whose keys they are: compare their ids with those that their owner has."]),
        *earlier,
        later,
        *([between] if ahead else []),
        *([uncounted] if reading.uncounted else []),
        *([unfooted] if reading.unfooted else []),
        *signed.unproven(),
        *reading.keys.unproven(),
        EVIDENCE_UNREAD,
        "When it was: decidedAt is the signer's own clock.",
    )


def _places(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers[:_FEW]))
    return named if len(numbers) <= _FEW else f"{named}, … {numbers[-1]} ({len(numbers)} of them)"
