# SPDX-License-Identifier: Apache-2.0
"""A log and the witnesses of this machine come in; their cosignatures are kept, and what each said goes out.

It is the client's side of c2sp.org/tlog-witness. A witness decides nothing: what it signs is verified before it is
kept, and what it says unsigned is told to people and believed by no tick.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

from lockgate.core.checkpoint import Checkpoint, LogGrowth, checkpoint_of
from lockgate.core.merkle import EMPTY_ROOT, plan_consistency
from lockgate.core.note import read_note
from lockgate.core.refusal import VerifyError
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.core.witness_policy import Witness
from lockgate.errors import LockgateError, UnreachableError, UnsoundError
from lockgate.operations.vault.keeping import changing
from lockgate.operations.vault.origin import first_origin
from lockgate.operations.vault.sign import sign_checkpoint
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.witness import CONFLICT, COSIGNED, SIZE, WitnessAnswer, Witnesses
from lockgate.verify import is_cosigned

ASK_S = 10.0
AT_ONCE = 8
# A log may grow, and be cosigned, while a witness is asked about what it was.
AGAIN = 3
REFUSED = {400: "the request is wrong", 403: "it does not know the key of this log", 404: "it does not know this log"}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a witness said of a checkpoint: its cosignature, or why there is none, in words."""

    witness: Witness
    size: int
    outcome: CosignOutcome
    said: str = ""
    voucher: Voucher | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """A checkpoint, and the log that proves what it grew from; no snapshot of that is held while somebody is asked."""

    house: House
    note: bytes
    checkpoint: Checkpoint

    def growth(self, old: int) -> bytes:
        """Return the request that begins at an older size."""
        hashes: tuple[bytes, ...] = ()
        if 0 < old < self.checkpoint.size:
            plan = plan_consistency(old, self.checkpoint.size)
            with self.house.store.reading(self.house.org) as seen:
                hashes = plan.hashes(seen.nodes(plan.nodes))
        return LogGrowth(old, hashes, self.note).encode()


@dataclass(frozen=True, slots=True)
class _Question:
    """Whom to ask, and for how long."""

    witnesses: Witnesses
    witness: Witness
    seconds: float

    def asked(self, shown: _Shown, known: int) -> Asked:
        """Return what the witness says of a checkpoint, or why it says nothing."""
        outcome, said, voucher = CosignOutcome.UNREACHABLE, "", None
        try:
            outcome, said, voucher = _outcome(self._answer(shown, known), shown, self.witness)
        except UnreachableError as error:
            said = f"witness {self.witness.name}: {error.message}"
        except LockgateError as error:
            outcome, said = CosignOutcome.REFUSED, f"witness {self.witness.name}: {error.message}"
        return Asked(witness=self.witness, size=shown.checkpoint.size, outcome=outcome, said=said, voucher=voucher)

    def _answer(self, shown: _Shown, known: int) -> WitnessAnswer:
        """Ask from the size that it is thought to know, and from the one that it says to know instead."""
        size = shown.checkpoint.size
        answer = self.witnesses.ask(self.witness, shown.growth(min(known, size)), self.seconds)
        told = _told_size(answer)
        if told is None or told > size or told == known:
            return answer
        # Once is enough, or a liar could keep us asking.
        return self.witnesses.ask(self.witness, shown.growth(told), self.seconds)


def ask_witnesses(house: House, witnesses: Witnesses, seconds: float = ASK_S) -> tuple[Asked, ...]:
    """Ask every witness that has not cosigned the latest checkpoint, at once, and keep what they sign."""
    known = witnesses.witnesses()
    if not known:
        return ()
    with ThreadPoolExecutor(min(AT_ONCE, len(known))) as pool:
        asked = pool.map(lambda each: ask_witness(house, witnesses, each, seconds), known)
        return tuple(each for each in asked if each is not None)


def ask_witness(house: House, witnesses: Witnesses, witness: Witness, seconds: float = ASK_S) -> Asked | None:
    """Ask a witness for the latest checkpoint and keep what it signs; None where it has signed that already."""
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint()
        known = last_cosigned(seen, witness)
    if note is None or known == checkpoint_of(note).size:
        return None
    asked = _asked(_Shown(house, note, checkpoint_of(note)), _Question(witnesses, witness, seconds), known)
    keep_asked(house, asked)
    return asked


def keep_asked(house: House, asked: Asked) -> None:
    """Keep what a witness signed."""
    if asked.voucher is not None:
        with changing(house) as work:
            work.put_voucher(asked.voucher)


def last_cosigned(seen: Snapshot, witness: Witness) -> int:
    """Return the size of the largest checkpoint that a witness cosigned, as far as it is kept; 0 where none is."""
    return next((each.size for each in seen.latest_vouchers() if each.by == witness.key.text), 0)


def look(house: House, witnesses: Witnesses, seconds: float = ASK_S) -> tuple[Asked, ...]:
    """Ask every witness whether this log is the one that it has seen, also one that has signed; keep nothing.

    Of a log without entries an empty checkpoint is shown, which binds nobody to anything; without its key none is.
    """
    known = witnesses.witnesses()
    if not known:
        return ()
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint() or _empty(house)
        sizes = [last_cosigned(seen, each) for each in known]
    if note is None:
        return ()
    shown = _Shown(house, note, checkpoint_of(note))
    with ThreadPoolExecutor(min(AT_ONCE, len(known))) as pool:
        return tuple(
            pool.map(lambda each, size: _asked(shown, _Question(witnesses, each, seconds), size), known, sizes)
        )


def refuse_contradicted(house: House, witnesses: Witnesses, seconds: float) -> tuple[Asked, ...]:
    """Refuse a log that a witness has seen larger, or otherwise; return what those said that do not contradict it."""
    asked = look(house, witnesses, seconds)
    for each in asked:
        if each.outcome.is_contradiction:
            raise UnsoundError(
                f"{each.said}: this store may be an older copy",
                advice="Nothing is stored here until that is settled. Put the newer store back; if the witness is "
                f"wrong, `lockgate witnesses remove {each.witness.name}`.",
            )
        keep_asked(house, each)
    return asked


def _asked(shown: _Shown, question: _Question, known: int) -> Asked:
    """Return what a witness says; one that is ahead of a log that has grown meanwhile is asked again."""
    asked = question.asked(shown, known)
    for _ in range(AGAIN):
        later = _latest(shown.house)
        if asked.outcome is not CosignOutcome.AHEAD or later is None or later.checkpoint.size <= shown.checkpoint.size:
            break
        shown = later
        asked = question.asked(shown, known)
    return asked


def _outcome(answer: WitnessAnswer, shown: _Shown, witness: Witness) -> tuple[CosignOutcome, str, Voucher | None]:
    size, told = shown.checkpoint.size, _told_size(answer)
    who = f"witness {witness.name}"
    if answer.status == COSIGNED:
        line = _verified(answer, shown, witness)
        if line is None:
            return CosignOutcome.REFUSED, f"{who} answered without a cosignature that verifies by its key", None
        voucher = Voucher(
            kind=VoucherKind.COSIGNATURE, by=witness.key.text, size=size, body=line, at=shown.house.clock.now()
        )
        return CosignOutcome.COSIGNED, "", voucher if size else None
    if told is not None and told > size:
        return CosignOutcome.AHEAD, f"{who} has seen {told:,} entries of this log, which has {size:,}", None
    # c2sp.org/tlog-witness: by the size itself a witness answers where it has seen another root of that size.
    if told == size:
        return CosignOutcome.FORKED, f"{who} has seen another history of this log's first {told:,} entries", None
    if told is not None:
        return CosignOutcome.REFUSED, f"{who} does not cosign: it names {told:,} entries and goes on from none", None
    if answer.status == 422:
        return CosignOutcome.FORKED, f"{who} says that this log does not go on from the entries that it has seen", None
    why = REFUSED.get(answer.status, f"it answered {answer.status}")
    return CosignOutcome.REFUSED, f"{who} does not cosign: {why}", None


def _told_size(answer: WitnessAnswer) -> int | None:
    """Return the size that a witness says to know, where its answer is that."""
    found = _DECIMAL.fullmatch(answer.body) if answer.status == CONFLICT else None
    kind = answer.kind.partition(";")[0].strip().lower()
    return int(found[1]) if found is not None and kind == SIZE else None


def _verified(answer: WitnessAnswer, shown: _Shown, witness: Witness) -> bytes | None:
    """Return the line of an answer that is a witness's own cosignature of what it was shown; others are left out."""
    body = read_note(shown.note).body
    try:
        read = read_note(f"{body}\n".encode() + answer.body)
        signed = (
            line.line().encode("utf-8")
            for line in read.signatures
            if witness.key.is_of(line) and is_cosigned(witness.key, line, body)
        )
        return next(signed, None) if read.body == body else None
    except VerifyError:
        return None


def _latest(house: House) -> _Shown | None:
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint()
    return None if note is None else _Shown(house, note, checkpoint_of(note))


def _empty(house: House) -> bytes | None:
    try:
        return sign_checkpoint(Checkpoint(first_origin(house), 0, EMPTY_ROOT), house.signers.log)
    except LockgateError:
        return None
