# SPDX-License-Identifier: Apache-2.0
"""A statement and the one before it in its series come in; where the two cannot both be so goes out.

Of the one before a footing is enough, which is small whatever that statement holds: its number, and digests of what
the next one is compared by.
Instants are not compared: `decidedAt` is the clock of whichever machine decided, and may have been set back.
Members that the format does not name are let be, because a later version may state more than the one before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lockgate.core.canonical import Json
from lockgate.core.refusal import Reason
from lockgate.core.statement import Statement
from lockgate.core.statement_form import ENDED, Kind, kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """What a statement says otherwise than it must: where, what is due there, and what it states.

    `path` is of a member of the predicate, or `subject`; `sentence` goes on behind what names the receipt. `due` is
    null where only a footing was known.
    """

    reason: Reason
    sentence: str
    path: str
    due: Json
    stated: Json


@dataclass(frozen=True, slots=True)
class Footing:
    """What the next statement of a series is compared by: the number of the one before it, and digests of its members.

    Digests have the order of the members that statements of the kind are compared by, 32 bytes each.
    """

    seq: int
    digests: bytes

    def has(self, number: int, value: Json) -> bool:
        """Say whether the statement leaves the member of a number so."""
        return self.digests[number * _SIZE : (number + 1) * _SIZE] == _digest(value)


def footing(statement: Statement) -> Footing:
    """Return what the next statement of the series is compared by."""
    leaves = (_at(statement, name) for name, _ in _COMPARED[kind_of(statement.rollout_id)])
    return Footing(statement.seq, b"".join(map(_digest, leaves)))


def contradiction(before: Statement | Footing | None, said: Statement) -> Contradiction | None:
    """Return where a statement contradicts itself or the one before it in its series; None where it follows.

    `before` is None for the first of a series, or the first that is known.
    """
    found = _past_end(said)
    if found is not None or before is None:
        return found
    left_by = before if isinstance(before, Footing) else footing(before)
    for number, (left, path) in enumerate(_COMPARED[kind_of(said.rollout_id)]):
        stated = _at(said, path)
        if not left_by.has(number, stated):
            return Contradiction(
                reason=Reason.CHAIN_CONTRADICTION,
                sentence=f"states another {path} than receipt {before.seq} before it leaves",
                path=path,
                due=_at(before, left) if isinstance(before, Statement) else None,
                stated=stated,
            )
    return None


def _past_end(said: Statement) -> Contradiction | None:
    """Return that a statement goes on from an end: nothing does but the rollback of what was promoted."""
    was, now = (_part(said, side).get("status") for side in ("from", "to"))
    if kind_of(said.rollout_id) is not Kind.ROLLOUT or was not in ENDED:
        return None
    if (was, _part(said, "decision")["action"], now) == ("promoted", "rollback", "rolled_back"):
        return None
    return Contradiction(
        reason=Reason.CHAIN_ENDED,
        sentence=f"goes on from {was}, which ends a rollout",
        path="to.status",
        due=was,
        stated=now,
    )


def _subjects(statement: Statement) -> Json:
    return [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in statement.subjects]


def _part(statement: Statement, name: str) -> Mapping[str, Json]:
    part = statement.predicate[name]
    assert isinstance(part, Mapping)
    return part


def _at(statement: Statement, path: str) -> Json:
    if path == _SUBJECT:
        return _subjects(statement)
    part, _, name = path.rpartition(".")
    return (_part(statement, part) if part else statement.predicate).get(name)


def _digest(value: Json) -> bytes:
    # Most are the same in every receipt of a series.
    is_short = value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _SHORT)
    return _known_digest(value) if is_short else _new_digest(value)


def _new_digest(value: Json) -> bytes:
    # Of what was read from a canonical text equal values have one such text.
    return hashlib.sha256(_ENCODER.encode(value).encode("ascii")).digest()


# By its type too: 1 is neither 1.0 nor true.
_known_digest = lru_cache(maxsize=4_096, typed=True)(_new_digest)
_SHORT = 128


_SUBJECT = "subject"
_SIZE = hashlib.sha256().digest_size
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
# What all receipts of a series state alike. A champion is made by rollouts, so an app's receipts may name several.
_SAME: Mapping[Kind, tuple[str, ...]] = {
    Kind.ROLLOUT: (
        "mode",
        "advisory",
        "baseline.release",
        "candidate.release",
        "candidate.attempt",
        "candidate.digests",
        "policy.sha256",
    ),
    Kind.APP: ("mode", "advisory"),
    Kind.ORGANISATION: ("mode", "advisory"),
}
# How each begins where the one before it ended.
_STANDING: Mapping[Kind, tuple[str, ...]] = {
    Kind.ROLLOUT: ("status", "step", "weight", "wouldBeWeight", "revision"),
    Kind.APP: ("frozen", "killed", "actuator", "keptFrom"),
    Kind.ORGANISATION: (
        "receiptKey",
        "logKey",
        "rawUntil",
        "deliveriesUntil",
        "webhooks",
        "trust",
        "manifest",
        "overlap",
        "revoked",
    ),
}
# What is compared: where the one before leaves it, and where the next one states it.
_COMPARED: Mapping[Kind, tuple[tuple[str, str], ...]] = {
    kind: (
        (_SUBJECT, _SUBJECT),
        *((name, name) for name in _SAME[kind]),
        *((f"to.{name}", f"from.{name}") for name in _STANDING[kind]),
        *((("evidence.stateAfter", "evidence.stateBefore"),) if kind is Kind.ROLLOUT else ()),
    )
    for kind in Kind
}
