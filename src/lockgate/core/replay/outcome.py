# SPDX-License-Identifier: Apache-2.0
"""A receipt, its case and what the receipts before it led to come in; whether both are of one decision goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import cast

from lockgate.core.canonical import Json, byte_digest
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.contradiction import contradiction
from lockgate.core.envelope import PAYLOAD_TYPE, open_envelope
from lockgate.core.evidence.progress import begin
from lockgate.core.evidence.state import plain
from lockgate.core.receipt import clipped
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.replay.case import Case
from lockgate.core.replay.difference import Difference, first_difference
from lockgate.core.replay.remaking import Remade, remade
from lockgate.core.rollout import Rollout
from lockgate.core.soundness.retelling import unstarted
from lockgate.core.statement import Statement, read_statement


class Result(StrEnum):
    """What the replay of one receipt came to."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNREPLAYED = "unreplayed"


class Why(StrEnum):
    """In what a replay differs, or why there is none."""

    PAYLOAD = "payload"
    VERDICT = "verdict"
    SUCCESSION = "succession"
    FREEZE = "freeze"
    REFUSED = "refused"
    ENGINE = "engine"
    GONE = "gone"
    NO_DECISION = "no_decision"


@dataclass(frozen=True, slots=True)
class Record:
    """A receipt as it was recorded: its envelope's bytes, and what they state; nobody's signature is looked at."""

    envelope: bytes
    payload: bytes
    statement: Statement

    @property
    def digest(self) -> str:
        """Return the digest that the next receipt names."""
        return byte_digest(self.envelope)

    @property
    def engine(self) -> str:
        """Return the version that decided."""
        return str(cast("Mapping[str, Json]", self.statement.predicate["engine"])["version"])

    @property
    def is_asked(self) -> bool:
        """Say whether a person or a job asked for the decision."""
        return cast("Mapping[str, Json]", self.statement.predicate["actor"])["type"] != "tick"


def record_of(envelope: bytes) -> Record:
    """Return what the bytes of a receipt record."""
    opened = open_envelope(envelope)
    if opened.payload_type != PAYLOAD_TYPE:
        raise VerifyError(Reason.PAYLOAD_TYPE, f"the payload is of another type than {PAYLOAD_TYPE}")
    return Record(envelope, opened.payload, read_statement(opened.payload))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOutcome:
    """What the replay of a receipt came to; `difference` where two values are not the same."""

    receipt_id: str
    seq: int
    result: Result
    why: Why | None = None
    sentence: str = ""
    difference: Difference | None = None

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        said: dict[str, Json] = {"receiptId": self.receipt_id, "seq": self.seq, "result": self.result.value}
        if self.why is not None:
            said |= {"reason": self.why.value, "message": self.sentence}
        return said if self.difference is None else {**said, "difference": self.difference.document()}


@dataclass(frozen=True, slots=True)
class Past:
    """What the receipts of a rollout lead to: the digest of the last, the rollout after it, and what it had read."""

    digest: str
    rollout: Rollout
    state: str


def differs(record: Record, why: Why, sentence: str, difference: Difference | None = None) -> ReplayOutcome:
    """Return that a replay came to something else."""
    said = record.statement
    return ReplayOutcome(
        receipt_id=said.receipt_id,
        seq=said.seq,
        result=Result.DIFFERENT,
        why=why,
        sentence=sentence,
        difference=difference,
    )


def unreplayed(record: Record, why: Why, sentence: str) -> ReplayOutcome:
    """Return that there is no replay, and why."""
    return replace(differs(record, why, sentence), result=Result.UNREPLAYED)


def other_engine(record: Record, engine: str) -> ReplayOutcome | None:
    """Return the refusal of a decision that another version made; None where this one did."""
    if record.engine == engine:
        return None
    sentence = (
        f"Lockgate {record.engine} decided it, and this is Lockgate {engine}, which may decide otherwise: "
        f"install Lockgate {record.engine} in an environment of its own, from where you had this one, "
        "and replay it there"
    )
    return unreplayed(record, Why.ENGINE, sentence)


def compared(record: Record, case: Case, past: Past | None = None) -> tuple[ReplayOutcome, Remade | None]:
    """Return what the replay of a receipt came to; `past` is what the receipts before it led to, where they are known.

    Where it is equal, the decision that was made again goes out beside it.
    """
    other = _of_another(record, case)
    if other is not None:
        return differs(record, Why.PAYLOAD, "the case is of another receipt", other), None
    try:
        made = remade(case)
    except VerifyError as error:
        return differs(record, Why.REFUSED, error.message), None
    if made.payload != record.payload:
        # Both are canonical, so that other bytes are other values.
        found = first_difference(read_canonical(record.payload, "payload"), read_canonical(made.payload, "payload"))
        return differs(record, Why.PAYLOAD, "the decision that was recomputed is not the recorded one", found), None
    for sentence, found in _unfollowed(case, past):
        return differs(record, Why.SUCCESSION, sentence, found), None
    said = record.statement
    return ReplayOutcome(receipt_id=said.receipt_id, seq=said.seq, result=Result.EQUAL), made


def past_of(record: Record, made: Remade) -> Past:
    """Return what the receipts lead to up to one whose decision was made again."""
    return Past(record.digest, made.transition.after, made.state)


def _of_another(record: Record, case: Case) -> Difference | None:
    """Return in what a case is of another receipt than it is compared with; None where it is of that one."""
    said, circumstances = record.statement, case.circumstances
    named: dict[str, Json] = {"org": said.org, "rolloutId": said.rollout_id, "seq": said.seq}
    meant: dict[str, Json] = {
        "org": circumstances.rollout.org,
        "rolloutId": circumstances.rollout.id,
        "seq": circumstances.seq,
    }
    return first_difference(named, meant, "$.predicate")


def _unfollowed(case: Case, past: Past | None) -> Iterator[tuple[str, Difference | None]]:
    """Yield where a case begins elsewhere than the receipts before it end."""
    circumstances, before = case.circumstances, past
    if circumstances.seq == 1:
        begun = replace(unstarted(circumstances.rollout, circumstances.policy), created_at=circumstances.around.now)
        begun = replace(begun, step_entered_at=circumstances.around.now)
        before = Past("", begun, begin(circumstances.plan).digest())
    if before is None:
        return
    if circumstances.seq > 1 and circumstances.previous != before.digest:
        found = first_difference(before.digest, circumstances.previous, "$.previous")
        yield "it names another receipt before it", found
    found = first_difference(before.state, case.before.digest(), "$.before")
    if found is not None:
        yield "its case begins with other evidence than the receipts before it end with", found
    # What was read back between two receipts is stated by the second.
    told = replace(before.rollout, acknowledged=circumstances.rollout.acknowledged)
    # Receipts clip reasons, and a case is made from them.
    told = replace(told, pause_reason=clipped(told.pause_reason) or "")
    found = first_difference(plain(told), plain(circumstances.rollout), "$.rollout")
    if found is not None:
        yield "its case begins with another rollout than the receipts before it lead to", found


def unlinked(record: Record, previous: Record) -> ReplayOutcome | None:
    """Return where a receipt does not follow the one that is given as the one before it; None where it does."""
    said, before = record.statement, previous.statement
    if f"sha256:{said.previous}" != previous.digest or said.seq != before.seq + 1:
        named: dict[str, Json] = {"prevReceipt": {"sha256": said.previous}, "seq": said.seq}
        given: dict[str, Json] = {"prevReceipt": {"sha256": previous.digest[len("sha256:") :]}, "seq": before.seq + 1}
        found = first_difference(named, given, "$.predicate")
        return differs(record, Why.SUCCESSION, "the receipt given as the one before it is another one", found)
    flaw = contradiction(before, said)
    if flaw is None:
        return None
    where = "$" if flaw.path == "subject" else "$.predicate"
    found = first_difference(flaw.stated, flaw.due, f"{where}.{flaw.path}")
    return differs(record, Why.SUCCESSION, f"it {flaw.sentence}", found)


def no_decision(record: Record) -> ReplayOutcome | None:
    """Return that a receipt is of an app or an organisation, whose acts no engine decides; None where it is not."""
    if record.statement.predicate.get("verdict") is not None:
        return None
    return unreplayed(record, Why.NO_DECISION, "it records what somebody did, and no decision that an engine makes")
