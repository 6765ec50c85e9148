# SPDX-License-Identifier: Apache-2.0
"""The lines of an exported log come in; that they are all of its entries between two sizes goes out, or a refusal.

One portion of the lines is in memory at a time, so that a log of any size verifies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lockgate.core.canonical import Json
from lockgate.core.checkpoint import Checkpoint
from lockgate.core.envelope import PAYLOAD_TYPE, open_envelope
from lockgate.core.export_line import ExportedEntry
from lockgate.core.inline_verdict import check_inline_verdict
from lockgate.core.log_export import Portion, read_portions
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify.checkpoint import SignedCheckpoint, refuse_fork, verify_kept, verify_signed_checkpoint
from lockgate.verify.rollout import EVIDENCE_UNREAD, Tell
from lockgate.verify.signature import check_signature
from lockgate.verify.trust import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedExport:
    """An exported log that verifies, from one size of the log to another."""

    since: int
    size: int
    key_ids: tuple[str, ...]
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
            "log": {"origin": log.origin, "size": log.size},
            "proven": list(self.proven),
            "unproven": list(self.unproven),
        }


@dataclass(slots=True)
class _Reading:
    """What the portions so far have shown; `ahead` are checkpoints of sizes that no portion has reached."""

    keys: Keys
    kept: Checkpoint | None
    tell: Tell | None
    since: int = -1
    size: int = 0
    is_kept_met: bool = False
    signed: SignedCheckpoint | None = None
    ahead: dict[int, Checkpoint] = field(default_factory=dict)
    key_ids: dict[str, None] = field(default_factory=dict)

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
        known = self.ahead.setdefault(signed.checkpoint.size, signed.checkpoint)
        refuse_fork(signed.checkpoint, known, None, self.keys)
        self._meet(portion)

    def _check_entry(self, entry: ExportedEntry, origin: str) -> None:
        place = entry.index if self.keys.is_of_manifest(origin) else None
        opened = open_envelope(entry.envelope)
        try:
            key = self.keys.receipt_key(opened.key_id)
            check_signature(opened, key)
            check_inline_verdict(entry.statement.predicate, opened.payload)
            self.keys.refuse_place(key.key_id, entry.statement.org, place)
        except VerifyError as error:
            raise VerifyError(error.reason, f"entry {entry.index}: {error.message}", advice=error.advice) from error
        if opened.payload_type != PAYLOAD_TYPE:
            raise VerifyError(Reason.PAYLOAD_TYPE, f"entry {entry.index} is signed as another type than {PAYLOAD_TYPE}")
        self.key_ids[key.key_id] = None
        if self.tell is not None:
            self.tell("entries", entry.index)

    def _meet(self, portion: Portion) -> None:
        """Compare with the tree of each checkpoint whose size the portion has reached."""
        end, kept = portion.end, self.kept
        if kept is not None and end.since <= kept.size <= end.size:
            refuse_fork(Checkpoint(self._origin, kept.size, portion.tree_at(kept.size).root), kept, None, self.keys)
            self.is_kept_met = True
        for size in sorted(self.ahead):
            if end.since <= size <= end.size:
                found = Checkpoint(self._origin, size, portion.tree_at(size).root)
                refuse_fork(found, self.ahead.pop(size), None, self.keys)

    @property
    def _origin(self) -> str:
        assert self.signed is not None
        return self.signed.checkpoint.origin


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
    if kept is not None and not reading.is_kept_met:
        refuse_fork(signed.checkpoint, kept, growth, keys)
    return VerifiedExport(
        since=reading.since,
        size=reading.size,
        key_ids=tuple(reading.key_ids),
        signed=signed,
        proven=_proven(reading, signed),
        unproven=_unproven(reading, signed),
    )


def _proven(reading: _Reading, signed: SignedCheckpoint) -> tuple[str, ...]:
    log, manifest = signed.checkpoint, reading.keys.manifest
    said = [
        f"These are all {reading.size - reading.since} entries of the log {log.origin} from entry {reading.since} on.",
        f"Each is a receipt that the holder of one of these keys signed: {', '.join(reading.key_ids) or 'none'}.",
        *signed.proven(),
    ]
    if manifest is not None and reading.keys.is_of_manifest(log.origin):
        said.append(f"Each key counts where it signed, by version {manifest.version} of the key manifest.")
    if reading.kept is not None:
        said.append(f"That log and the one of the kept checkpoint, of {reading.kept.size}, are one.")
    return tuple(said)


def _unproven(reading: _Reading, signed: SignedCheckpoint) -> tuple[str, ...]:
    later = f"What the log holds from entry {reading.size} on."
    ahead = sorted({*reading.ahead} - {signed.checkpoint.size})
    between = [f"That the checkpoint of {size} entries is of that log too: the lines end before it." for size in ahead]
    earlier = [f"What the log holds before entry {reading.since}."] if reading.since else []
    return (
        *([] if reading.keys.manifest else ["Whose keys they are: compare their ids with those that their owner has."]),
        *earlier,
        later,
        *between,
        *signed.unproven(is_compared=reading.kept is not None),
        EVIDENCE_UNREAD,
        "When it was: decidedAt is the signer's own clock.",
    )
