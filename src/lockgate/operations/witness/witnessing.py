# SPDX-License-Identifier: Apache-2.0
"""A log and the witnesses of this machine come in; their cosignatures are kept, and what each said goes out.

It is the client's side of c2sp.org/tlog-witness. A witness decides nothing: what it signs is verified before it is
kept, and what it says unsigned is told to people and believed by no tick.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lockgate.core.checkpoint import Checkpoint, LogGrowth, checkpoint_of
from lockgate.core.merkle import EMPTY_ROOT, plan_consistency
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.core.witness_policy import Witness
from lockgate.errors import LockgateError, UnreachableError, UnsoundError
from lockgate.operations.vault.keeping import changing
from lockgate.operations.vault.origin import first_origin
from lockgate.operations.vault.sign import sign_checkpoint
from lockgate.operations.witness.cosign_outcome import CosignOutcome, cosign_outcome, told_size
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.witness import WitnessAnswer, Witnesses

ASK_S = 10.0
AT_ONCE = 8
# A log may grow, and be cosigned, while a witness is asked about what it was.
AGAIN = 3


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

    def outcome(self, answer: WitnessAnswer, witness: Witness) -> tuple[CosignOutcome, str, Voucher | None]:
        """Return what an answer comes to, in words too, and what of it may be kept; of an empty log nothing is."""
        outcome, said, line = cosign_outcome(answer, self.note, witness, self.house.clock.now())
        if line is None or not self.checkpoint.size:
            return outcome, said, None
        kept = Voucher(
            kind=VoucherKind.COSIGNATURE,
            by=witness.key.text,
            size=self.checkpoint.size,
            body=line.line().encode("utf-8"),
            at=self.house.clock.now(),
        )
        return outcome, said, kept


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
            outcome, said, voucher = shown.outcome(self._answer(shown, known), self.witness)
        except UnreachableError as error:
            said = f"witness {self.witness.name}: {error.message}"
        except LockgateError as error:
            outcome, said = CosignOutcome.REFUSED, f"witness {self.witness.name}: {error.message}"
        return Asked(witness=self.witness, size=shown.checkpoint.size, outcome=outcome, said=said, voucher=voucher)

    def _answer(self, shown: _Shown, known: int) -> WitnessAnswer:
        """Ask from the size that it is thought to know, and from the one that it says to know instead."""
        size = shown.checkpoint.size
        answer = self.witnesses.ask(self.witness, shown.growth(min(known, size)), self.seconds)
        told = told_size(answer)
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


def _latest(house: House) -> _Shown | None:
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint()
    return None if note is None else _Shown(house, note, checkpoint_of(note))


def _empty(house: House) -> bytes | None:
    try:
        return sign_checkpoint(Checkpoint(first_origin(house), 0, EMPTY_ROOT), house.signers.log)
    except LockgateError:
        return None
