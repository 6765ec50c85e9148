# SPDX-License-Identifier: Apache-2.0
"""A statement and the one before it in its series come in; where the two cannot both be so goes out.

Instants are not compared: `decidedAt` is the clock of whichever machine decided, and may have been set back.
Members that the format does not name are let be, because a later version may state more than the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lockgate.core.canonical import Json
from lockgate.core.refusal import Reason
from lockgate.core.statement import Statement
from lockgate.core.statement_form import ENDED, Kind, kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """What a statement says otherwise than it must: where, what is due there, and what it states.

    `path` is of a member of the predicate, or `subject`; `sentence` goes on behind what names the receipt.
    """

    reason: Reason
    sentence: str
    path: str
    due: Json
    stated: Json


def contradiction(before: Statement | None, said: Statement) -> Contradiction | None:
    """Return where a statement contradicts itself or the one before it; None where it follows.

    `before` is None for the first of a series, or the first that is known.
    """
    found = _past_end(said)
    if found is not None or before is None:
        return found
    for path, due, stated in _compared(before, said):
        if due != stated:
            return Contradiction(
                reason=Reason.CHAIN_CONTRADICTION,
                sentence=f"states another {path} than receipt {before.seq} before it leaves",
                path=path,
                due=due,
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


def _compared(before: Statement, said: Statement) -> Iterator[tuple[str, Json, Json]]:
    """Yield what two statements must agree on: the path in the later, what the former leaves, and what it states."""
    yield "subject", _subjects(before), _subjects(said)
    kind = kind_of(said.rollout_id)
    for name in _SAME[kind]:
        yield name, _at(before, name), _at(said, name)
    for name in _STANDING[kind]:
        yield f"from.{name}", _part(before, "to").get(name), _part(said, "from").get(name)
    if kind is Kind.ROLLOUT:
        yield "evidence.stateBefore", _at(before, "evidence.stateAfter"), _at(said, "evidence.stateBefore")


def _subjects(statement: Statement) -> Json:
    return [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in statement.subjects]


def _part(statement: Statement, name: str) -> Mapping[str, Json]:
    part = statement.predicate[name]
    assert isinstance(part, Mapping)
    return part


def _at(statement: Statement, path: str) -> Json:
    part, _, name = path.rpartition(".")
    return (_part(statement, part) if part else statement.predicate).get(name)


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
