# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of a known log and the proof that it grew come in; our cosignature goes out, or why there is none.

It is the server's side of c2sp.org/tlog-witness. The new tree is kept before anything is signed, so that whatever
crashes, two trees of which neither begins with the other are never cosigned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.core.checkpoint import Checkpoint, LogGrowth, read_checkpoint, read_log_growth
from lockgate.core.cosignature import Cosignature, cosigned_message
from lockgate.core.instant import SECOND
from lockgate.core.merkle import check_consistency
from lockgate.core.note import Note, NoteKey, read_note
from lockgate.core.refusal import Reason, VerifyError
from lockgate.ports.house import Clock
from lockgate.ports.witness import CONFLICT, COSIGNED, SIZE, CosigningKey, WitnessAnswer, WitnessMemory
from lockgate.verify import is_signed

BAD_REQUEST, FORBIDDEN, UNKNOWN, UNPROVEN = 400, 403, 404, 422
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A witness: the keys of the logs that it knows, what it has cosigned, its own key and its clock."""

    logs: Sequence[NoteKey]
    memory: WitnessMemory
    key: CosigningKey
    clock: Clock


def cosign(request: bytes, cosigner: Cosigner) -> WitnessAnswer:
    """Return the answer to a request: a cosignature, the size that we know, or a refusal."""
    try:
        growth = read_log_growth(request)
        note = read_note(growth.checkpoint)
        shown = _first_lines(note)
    except VerifyError as error:
        return _refused(BAD_REQUEST, error.message)
    keys = [key for key in cosigner.logs if key.name == shown.origin]
    if not keys:
        return _refused(UNKNOWN, "this witness does not know that log")
    if not any(_has_signed(key, note) for key in keys):
        return _refused(FORBIDDEN, "no known key of that log signed the checkpoint")
    if growth.size > shown.size:
        return _refused(BAD_REQUEST, "the old size is larger than that of the checkpoint")
    return _grown(growth, note, shown, cosigner)


def _grown(growth: LogGrowth, note: Note, shown: Checkpoint, cosigner: Cosigner) -> WitnessAnswer:
    """Return the cosignature of a tree that begins with the one that was cosigned before it."""
    before = cosigner.memory.latest(shown.origin)
    known = 0 if before is None else before[0]
    if growth.size != known or (before is not None and known == shown.size and before != shown.tree):
        return _conflict(known)
    try:
        _check(before, shown, growth)
    except VerifyError as error:
        return _refused(UNPROVEN, error.message)
    if before != shown.tree and not cosigner.memory.advance(shown.origin, before, shown.tree):
        now = cosigner.memory.latest(shown.origin)
        return _conflict(0 if now is None else now[0])
    time = cosigner.clock.now() // SECOND
    signed = Cosignature(time, cosigner.key.sign(cosigned_message(note.body, time)))
    return WitnessAnswer(COSIGNED, TEXT, signed.line(cosigner.key.public).line().encode("utf-8"))


def _check(before: tuple[int, bytes] | None, shown: Checkpoint, growth: LogGrowth) -> None:
    """Refuse unless the tree that is shown begins with the one before; every tree begins with the empty one."""
    if before is not None and before[0]:
        check_consistency(before, shown.tree, growth.hashes)
    elif growth.hashes:
        raise VerifyError(Reason.CONSISTENCY, "the first tree needs no proof: it begins with the empty one")


def _first_lines(note: Note) -> Checkpoint:
    """Return the checkpoint of a note, which may have more lines: a cosignature says nothing about those."""
    return read_checkpoint("".join(line + "\n" for line in note.body.split("\n")[:3]))


def _has_signed(key: NoteKey, note: Note) -> bool:
    lines = (each for each in note.signatures if (each.name, each.key_hash) == (key.name, key.key_hash))
    return any(is_signed(key.raw, line.signature, note.body.encode("utf-8")) for line in lines)


def _conflict(size: int) -> WitnessAnswer:
    return WitnessAnswer(CONFLICT, SIZE, f"{size}\n".encode("ascii"))


def _refused(status: int, message: str) -> WitnessAnswer:
    return WitnessAnswer(status, TEXT, f"{message}\n".encode())
