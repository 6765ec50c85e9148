# SPDX-License-Identifier: Apache-2.0
"""Receipts of one series come in one by one; where one does not follow from the one before it goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from lockgate.core.canonical import Json
from lockgate.core.instant import instant_text
from lockgate.core.soundness.flaw import Flaw, Rule, flaw_of
from lockgate.core.statement import Statement
from lockgate.core.vault import Receipt

CROWNED = frozenset({"champion", "formerChampion"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEnd:
    """The end of a series so far: the seq of its last receipt, its digest, and the standing that it left."""

    seq: int = 0
    digest: str | None = None
    standing: Mapping[str, Json] | None = None
    state: Json = None


def end_with(statement: Statement, receipt: Receipt) -> SeriesEnd:
    """Return the end of a series with one more receipt in it."""
    return SeriesEnd(
        seq=statement.seq,
        digest=receipt.digest,
        standing=member(statement.predicate, "to"),
        state=member(statement.predicate, "evidence").get("stateAfter"),
    )


def chain_flaws(before: SeriesEnd, statement: Statement, receipt: Receipt) -> Iterator[Flaw]:
    """Yield where a receipt does not follow from the end of its series, or is not what it is found by."""
    predicate, flaw = statement.predicate, partial(flaw_of, receipt, Rule.CHAIN)
    if receipt.seq != before.seq + 1:
        yield flaw(f"receipt {before.seq + 1} is missing before it")
    for name, found, said in _marks(statement, receipt):
        if found != said:
            yield flaw(f"it is kept under {name} {found}, and states {said}")
    if before.seq and f"sha256:{statement.previous}" != before.digest:
        yield flaw(f"it names sha256:{statement.previous} as the receipt before it, which is {before.digest}")
    if before.standing is not None and _own(member(predicate, "from")) != _own(before.standing):
        yield flaw(
            f"it begins at {_short(member(predicate, 'from'))}, the one before it ended at {_short(before.standing)}"
        )
    begun = member(predicate, "evidence").get("stateBefore")
    if before.state is not None and begun != before.state:
        yield flaw("the folded evidence that it begins with is not the one that the receipt before it ended with")


def _marks(statement: Statement, receipt: Receipt) -> Iterator[tuple[str, object, object]]:
    decision, to = member(statement.predicate, "decision"), member(statement.predicate, "to")
    yield "id", receipt.id, statement.receipt_id
    yield "rollout", receipt.rollout_id, statement.rollout_id
    yield "seq", receipt.seq, statement.seq
    yield "revision", receipt.revision, to.get("revision", statement.seq)
    yield "action", receipt.action, decision["action"]
    yield "cause", receipt.cause, decision["cause"]
    yield "time", instant_text(receipt.at), statement.predicate["decidedAt"]


def member(value: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """Return a member that is an object; one that is not there is empty."""
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _own(standing: Mapping[str, Json]) -> dict[str, Json]:
    """Return what only receipts of this series change; an app's champion is crowned by its rollouts'."""
    return {name: value for name, value in standing.items() if name not in CROWNED}


def _short(standing: Mapping[str, Json]) -> str:
    return ", ".join(f"{name} {value}" for name, value in standing.items() if value is not None)
