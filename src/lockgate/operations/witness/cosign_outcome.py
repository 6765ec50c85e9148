# SPDX-License-Identifier: Apache-2.0
"""What a witness answers over a checkpoint comes in; a cosignature that may be kept, or what else it says, goes out."""

from __future__ import annotations

import re
from enum import Enum

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.cosignature import read_cosignature
from lockgate.core.instant import SECOND, Instant, instant_text
from lockgate.core.note import NoteSignature, read_note
from lockgate.core.refusal import VerifyError
from lockgate.core.witness_policy import Witness
from lockgate.core.wording import entries_text
from lockgate.ports.witness import CONFLICT, COSIGNED, SIZE, WitnessAnswer
from lockgate.verify import Witnessed, is_cosigned

REFUSED = {400: "the request is wrong", 403: "it does not know the key of this log", 404: "it does not know this log"}
# The form of cosignatures is younger than 2023: what is dated earlier comes from a clock that was never set.
EARLIEST = 1_672_531_200
# C2SP lets a verifier refuse times in the future; by a day no clock differs that somebody looks after.
MAX_AHEAD_S = 86_400
_DECIMAL = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class CosignOutcome(Enum):
    """What asking a witness came to."""

    COSIGNED = "cosigned"
    REFUSED = "refused"
    AHEAD = "ahead"
    FORKED = "forked"
    UNREACHABLE = "unreachable"

    @property
    def is_contradiction(self) -> bool:
        """Say whether the witness says that this log is not the one that it has seen."""
        return self in (CosignOutcome.AHEAD, CosignOutcome.FORKED)


def cosign_outcome(
    answer: WitnessAnswer, note: bytes, witness: Witness, now: Instant
) -> tuple[CosignOutcome, str, NoteSignature | None]:
    """Return what an answer over a checkpoint comes to, in words where it is no cosignature, and else its line."""
    size, told = checkpoint_of(note).size, told_size(answer)
    who = f"witness {witness.name}"
    if answer.status == COSIGNED:
        line = _verified(answer, note, witness)
        if line is None:
            return CosignOutcome.REFUSED, f"{who} answered without a cosignature that verifies by its key", None
        wrong = _wrong_time(line, now)
        if wrong:
            return CosignOutcome.REFUSED, f"{who} {wrong}: its cosignature is not kept", None
        return CosignOutcome.COSIGNED, "", line
    if told is not None and told > size:
        return CosignOutcome.AHEAD, f"{who} has seen {entries_text(told)} of this log, which has {size:,}", None
    # c2sp.org/tlog-witness: by the size itself a witness answers where it has seen another root of that size.
    if told == size:
        return CosignOutcome.FORKED, f"{who} has seen another history of this log's first {entries_text(told)}", None
    if told is not None:
        return (
            CosignOutcome.REFUSED,
            f"{who} does not cosign: it names {entries_text(told)} and goes on from none",
            None,
        )
    if answer.status == 422:
        return CosignOutcome.FORKED, f"{who} says that this log does not go on from the entries that it has seen", None
    why = REFUSED.get(answer.status, f"it answered {answer.status}")
    return CosignOutcome.REFUSED, f"{who} does not cosign: {why}", None


def told_size(answer: WitnessAnswer) -> int | None:
    """Return the size that a witness says to know, where its answer is that."""
    found = _DECIMAL.fullmatch(answer.body) if answer.status == CONFLICT else None
    kind = answer.kind.partition(";")[0].strip().lower()
    return int(found[1]) if found is not None and kind == SIZE else None


def _wrong_time(line: NoteSignature, now: Instant) -> str:
    """Return in words what is wrong with the time of a cosignature, which no sound witness signs; else nothing."""
    said = Witnessed(line.name, read_cosignature(line).time)
    if said.time < EARLIEST:
        return f"says that it cosigned at {said.text}, when there were no cosignatures"
    if said.time > now // SECOND + MAX_AHEAD_S:
        return f"says that it cosigned at {said.text}, more than a day ahead of the clock here, {instant_text(now)}"
    return ""


def _verified(answer: WitnessAnswer, note: bytes, witness: Witness) -> NoteSignature | None:
    """Return the line of an answer that is a witness's own cosignature of what it was shown; others are left out."""
    body = read_note(note).body
    try:
        read = read_note(f"{body}\n".encode() + answer.body)
        signed = (line for line in read.signatures if witness.key.is_of(line) and is_cosigned(witness.key, line, body))
        return next(signed, None) if read.body == body else None
    except VerifyError:
        return None
