# SPDX-License-Identifier: Apache-2.0
"""Receipts of an app's rollouts come in; who is its champion, and who was before, goes out as they prove it.

An app's row repeats what its receipts say: a way back that only the row names would be believed, and signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from lockgate.core.app import App
from lockgate.core.canonical import Json
from lockgate.core.decision.decision import Action
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Status
from lockgate.core.situation import Target
from lockgate.core.statement import Statement
from lockgate.core.vault import Receipt

_CROWNING = frozenset({Action.PROMOTE.value, Action.ROLLBACK.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowning:
    """A canary that has begun, has taken over an app's traffic from its baseline, or has lost it; by place in the log.

    `target`: to whom it lost the traffic, and as what; None where it has lost none.
    """

    index: int
    candidate: str
    baseline: str
    is_start: bool = False
    target: tuple[Target, str | None] | None = None

    def crowned(self, app: App) -> App:
        """Return the app with the champion that it has afterwards."""
        if self.is_start:
            return app.resting_on(self.baseline)
        if self.target is None:
            return app.crowned(self.candidate, self.baseline)
        return app.dethroned(self.candidate, self.target[1])

    def misleads(self, app: App) -> str | None:
        """Return, in words, that a rollback names another former champion than there was; None where it does not."""
        former = app.former_champion or self.baseline
        if self.target is None or self.target[0] is not Target.FORMER_CHAMPION or self.target[1] == former:
            return None
        return f"it sends traffic to {self.target[1]} as the former champion, which by the receipts is {former}"


def is_crowning(receipt: Receipt) -> bool:
    """Say whether a receipt may change a champion, without a look at what it states."""
    return receipt.action in _CROWNING


def crowning_of(receipt: Receipt, statement: Statement) -> Crowning | None:
    """Return how a receipt changes the champion of its app, if it does."""
    said = cast("Mapping[str, Mapping[str, Json]]", statement.predicate)
    before, after = said["from"].get("status"), said["to"].get("status")
    ended = {Action.PROMOTE.value: Status.PROMOTED.value, Action.ROLLBACK.value: Status.ROLLED_BACK.value}
    is_start, is_end = statement.seq == 1, before != after and ended.get(receipt.action) == after
    if statement.predicate["mode"] != Mode.CANARY.value or not (is_start or is_end):
        return None
    back = cast("Mapping[str, str] | None", said["decision"].get("target"))
    if (back is None) != (receipt.action == Action.PROMOTE.value):
        return None
    return Crowning(
        index=receipt.index,
        candidate=cast("str", said["candidate"]["release"]),
        baseline=cast("str", said["baseline"]["release"]),
        is_start=is_start,
        target=None if back is None else (Target(back["kind"]), back["release"]),
    )


def in_order(crownings: Iterable[Crowning]) -> list[Crowning]:
    """Return crownings as they follow each other in the log."""
    return sorted(crownings, key=lambda each: each.index)
