# SPDX-License-Identifier: Apache-2.0
"""Payload bytes come in; the in-toto statement of a decision that they are goes out, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.canonical import Json, name_of
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement_form import misshapen, sha256_of

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
# The URI carries the major version of the predicate only.
PREDICATE_TYPE = "urn:lockgate:attestation:rollout-decision:v1"
SCHEMA_VERSION = 1
ID_LENGTH = 26
MAX_SEQ = 2**53 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A decision as its receipt states it; `previous` is the SHA-256 of the receipt before it in the rollout."""

    receipt_id: str
    org: str
    rollout_id: str
    seq: int
    previous: str | None
    subjects: tuple[tuple[str, str], ...]
    predicate: Mapping[str, Json]

    def headline(self) -> str:
        """Return in one line what was decided, about what, and why."""
        decision = self.predicate["decision"]
        assert isinstance(decision, Mapping)
        what = f"{decision['action']} ({decision['cause']}) of {self.subjects[0][0]}"
        return f"{what}, {self.predicate['mode']} mode, {self.predicate['decidedAt']}: {decision['reason']}"


def receipt_name(org: str, rollout_id: str, seq: int) -> str:
    """Return the id that a receipt has whoever drafts it, so that a redo is the same receipt."""
    return name_of("rcp", org, rollout_id, seq, length=ID_LENGTH)


def read_statement(payload: bytes) -> Statement:
    """Return the statement whose one form the payload is."""
    document = read_canonical(payload, "payload")
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise VerifyError(Reason.STATEMENT_TYPE, f"the payload is not of type {STATEMENT_TYPE}")
    if document.get("predicateType") != PREDICATE_TYPE:
        raise VerifyError(
            Reason.PREDICATE_TYPE,
            f"the statement is not of type {PREDICATE_TYPE}",
            advice="It may be another program's statement, or one of a later version of Lockgate.",
        )
    if set(document) != {"_type", "subject", "predicateType", "predicate"}:
        raise _misshapen("a statement has _type, subject, predicateType and predicate, and nothing else")
    return _statement(_subjects(document["subject"]), _predicate(document["predicate"]))


def _statement(subjects: tuple[tuple[str, str], ...], predicate: Mapping[str, Json]) -> Statement:
    seq = predicate.get("seq")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq <= MAX_SEQ:
        raise _misshapen("seq counts a rollout's receipts from 1")
    receipt_id, org, rollout_id = str(predicate["receiptId"]), str(predicate["org"]), str(predicate["rolloutId"])
    if receipt_id != receipt_name(org, rollout_id, seq):
        raise VerifyError(Reason.RECEIPT_ID, "the receipt's id is not the one of its organisation, rollout and seq")
    previous = _previous(predicate)
    if (previous is None) != (seq == 1):
        raise VerifyError(
            Reason.PREVIOUS_RECEIPT, "the first receipt of a rollout, and no other, names no receipt before it"
        )
    return Statement(
        receipt_id=receipt_id,
        org=org,
        rollout_id=rollout_id,
        seq=seq,
        previous=previous,
        subjects=subjects,
        predicate=predicate,
    )


def _predicate(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise _misshapen("the predicate is an object")
    if value.get("schemaVersion") != SCHEMA_VERSION or isinstance(value["schemaVersion"], bool):
        raise VerifyError(Reason.SCHEMA_VERSION, f"the predicate is not of schema version {SCHEMA_VERSION}")
    flaw = misshapen(value)
    if flaw is not None:
        raise _misshapen(flaw)
    return value


def _subjects(value: Json) -> tuple[tuple[str, str], ...]:
    entries = value if isinstance(value, list) else []
    subjects = tuple(_subject(entry) for entry in entries)
    if not subjects or None in subjects:
        raise VerifyError(Reason.SUBJECT, "a subject has a name and one digest, a SHA-256 in lower-case hexadecimal")
    return tuple(subject for subject in subjects if subject is not None)


def _subject(entry: Json) -> tuple[str, str] | None:
    if not isinstance(entry, dict) or set(entry) != {"name", "digest"} or not isinstance(entry["name"], str):
        return None
    sha256 = sha256_of(entry["digest"])
    return None if sha256 is None else (entry["name"], sha256)


def _previous(predicate: Mapping[str, Json]) -> str | None:
    """Return the digest of the receipt before; a first receipt says that it has none, and does not leave it out."""
    value = predicate.get("prevReceipt")
    sha256 = sha256_of(value)
    if "prevReceipt" not in predicate or (value is not None and sha256 is None):
        raise VerifyError(
            Reason.PREVIOUS_RECEIPT, "prevReceipt is there, and null or a SHA-256 in lower-case hexadecimal"
        )
    return sha256


def _misshapen(message: str) -> VerifyError:
    return VerifyError(Reason.STATEMENT_SHAPE, message)
