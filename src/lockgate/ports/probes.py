# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds probes comes in by keys; what releases answered, and pairs by slot, go out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lockgate.core.instant import Instant
from lockgate.core.probe import Answer
from lockgate.core.spine import PairCell


class ProbesReading(Protocol):
    """Answers to probes, and the pairs that they made, as they were at one moment."""

    def answers(self, app: str, probes: Iterable[str], releases: Iterable[str], latest: int) -> tuple[Answer, ...]:
        """Return what some releases answered to probes, and besides the latest so many answers to each.

        Those to one probe come in the order in which they were kept; of one moment, by release.
        """

    def pairs(self, app: str, first: int, last: int) -> tuple[PairCell, ...]:
        """Return the pairs of the slots from one number to another, by number, releases and labels."""


class ProbesWriting(ProbesReading, Protocol):
    """Answers to probes, and the pairs that they made, to be kept."""

    def add_answers(self, app: str, answers: Iterable[Answer]) -> None:
        """Keep answers; a release has one for each probe."""

    def put_pairs(self, app: str, cells: Iterable[PairCell]) -> None:
        """Keep pairs of open slots."""

    def forget_probes(self, app: str, before: Instant) -> int:
        """Forget the answers that were kept before a moment, and say how many; pairs that they made stay."""
