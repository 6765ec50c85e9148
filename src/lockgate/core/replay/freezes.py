# SPDX-License-Identifier: Apache-2.0
"""The receipts of an app come in, each with its place in the log; why it was frozen at any place goes out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from lockgate.core.canonical import Json
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import Statement


@dataclass(frozen=True, slots=True)
class Freezes:
    """At which places of the log an app was frozen or unfrozen, rising, and why it was frozen from there on."""

    places: tuple[int, ...]
    reasons: tuple[str | None, ...]

    def at(self, index: int) -> str | None:
        """Return why the app was frozen when the log had so many entries."""
        place = bisect_left(self.places, index)
        return self.reasons[place - 1] if place else None


def freezes_of(series: Iterable[tuple[int, Statement]]) -> Freezes:
    """Return when an app was frozen, from the places and statements of its own receipts; before the first it is not."""
    found = sorted(((index, _frozen(statement)) for index, statement in series), key=lambda each: each[0])
    return Freezes(tuple(index for index, _ in found), tuple(reason for _, reason in found))


def _frozen(statement: Statement) -> str | None:
    frozen = cast("Mapping[str, Json]", statement.predicate["to"]).get("frozen", False)
    if not isinstance(frozen, str | None):
        raise VerifyError(
            Reason.STATEMENT_SHAPE, f"{statement.receipt_id} is no receipt of an app: it does not say whether it froze"
        )
    return frozen
