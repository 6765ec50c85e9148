# SPDX-License-Identifier: Apache-2.0
"""Where to go on comes in; what a store holds goes out in bounded portions, so that all of it can be checked.

`after` is the key of the last row of the portion before; an empty portion is the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from lockgate.core.batch import Ingested
from lockgate.core.merkle import Node
from lockgate.core.outbox import Message
from lockgate.core.soundness.flaw import Rule
from lockgate.core.trial import Look
from lockgate.core.vault import Receipt


class SoundnessReading(Protocol):
    """Everything in the order of its keys."""

    def left_for(self) -> str | None:
        """Return the name of the store in which this one goes on, where it was left; None where not."""

    def contradictions(self) -> tuple[tuple[Rule, str], ...]:
        """Return, in sentences, what is wrong with the store itself, each with its rule; reads all of it.

        FILE: a file or a table is not whole. INDEX: an index is damaged, or an index or a trigger is not that of the
        schema; these can be made again. ROW: a row is found by something else than it holds, or what it rests on is
        not there; nothing of this is said where a table is not whole.
        """

    def unreadable(self) -> tuple[str, ...]:
        """Return, in sentences, which rows cannot be read; reads all of them."""

    def series_after(self, after: str, count: int) -> tuple[str, ...]:
        """Return ids of rollouts, and of whatever else has receipts."""

    def receipts_after(self, series: str, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts of a series by seq."""

    def looks_after(self, rollout_id: str, after: int, count: int) -> tuple[Look, ...]:
        """Return looks of a rollout by number."""

    def folded_after(self, rollout_id: str, after: int, count: int) -> tuple[tuple[int, str], ...]:
        """Return numbers and digests of the buckets that a rollout has read."""

    def batches_after(self, after: str, count: int) -> tuple[Ingested, ...]:
        """Return batches by digest."""

    def is_segment_sound(self, digest: str) -> bool | None:
        """Say whether the bytes of a batch are readable and have its digest; None where they are not there."""

    def entries_after(self, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts by their place in the log."""

    def hashes_of(self, nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return hashes of nodes of the log; those that are not there are left out."""

    def node_count(self) -> int:
        """Return how many nodes of the log are kept."""

    def checkpoints_after(self, after: int, count: int) -> tuple[tuple[int, bytes], ...]:
        """Return sizes and signed checkpoints."""

    def messages_after(self, after: int, count: int) -> tuple[tuple[int, Message], ...]:
        """Return messages with their places."""
