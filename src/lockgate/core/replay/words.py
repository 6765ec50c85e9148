# SPDX-License-Identifier: Apache-2.0
"""What was replayed, and from what, comes in; what equality proves and what it leaves open goes out in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockgate.core.number_spans import receipts_text
from lockgate.core.wording import count_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many decisions were replayed, and how far that reaches.

    `left`: receipts, in spans, that were not replayed. `is_whole`: from the first receipt of a rollout on. `is_stored`:
    from a store, whose evidence has the digests that it was read under. `is_asked`: a person or a job asked for some.
    `has_looks`: no look that a receipt binds was pruned. `recounted`: how many batches of raw runs.
    """

    decisions: int
    engine: str
    left: Sequence[tuple[int, int]] = ()
    is_whole: bool = False
    is_stored: bool = False
    is_asked: bool = False
    has_looks: bool = True
    recounted: int | None = None


def proven(extent: Extent) -> Iterator[str]:
    """Yield what the equality of recorded and recomputed bytes proves."""
    yield (
        f"{count_text(extent.decisions, 'decision')} of Lockgate {extent.engine}, made again from policy, state and "
        "buckets, came to the recorded bytes: verdict, decision, weights, reasons and digests."
    )
    looks = ", buckets and looks" if extent.has_looks else " and buckets"
    yield f"Policy, state before{looks} are those whose digests the receipts bind."
    if extent.is_whole and not extent.left:
        yield "From the first receipt on each decision begins where the one before it ended; none between is left out."
    if extent.is_whole and extent.left:
        yield (
            "Each of these begins where the decision before it ended, or where that was not replayed with the standing "
            "and the state that its receipt names."
        )
    if extent.recounted is not None:
        yield f"The buckets are what the raw runs that are kept add up to: batches {extent.recounted:,}."


def unproven(extent: Extent) -> Iterator[str]:
    """Yield what it leaves open."""
    if extent.left:
        yield f"That the decisions of {receipts_text(extent.left)} follow from their evidence: they were not replayed."
    yield "Who signed the receipts, and that the log holds them: `lockgate verify` says that."
    if extent.recounted is None:
        yield "That the buckets count the runs that were sent: --from-runs counts them again, where raw runs are kept."
    yield "That the runs that were sent are all there were, and are true."
    if not extent.is_whole:
        yield "That the rollout stood as its case says (since when, let pass, approved): all of its receipts show that."
    if not extent.is_stored:
        yield "That the app was frozen, and its router not told, just when the cases say so."
    if not extent.has_looks:
        yield "What the looks were that the receipts bind: they were pruned."
    if extent.is_asked:
        yield "That somebody asked for what a person or a job asked for: that they did is taken as given."
