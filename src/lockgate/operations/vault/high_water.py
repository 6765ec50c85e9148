# SPDX-License-Identifier: Apache-2.0
"""A log that is about to grow and the mark that it once reached come in; a log that has lost entries is refused.

A store that was put back from an older copy would sign other receipts at places of the log that are used already.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from enum import Enum, auto

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.merkle import Tree, plan_tree
from lockgate.errors import OlderStoreError
from lockgate.operations.vault.origin import origin_of
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot


class Depth(Enum):
    """How much of a log is compared with the mark that it once reached."""

    # Nothing, where its latest checkpoint is that mark, as it mostly is.
    GLANCE = auto()
    # For who signs: nodes and entries may be gone from under a checkpoint that is there.
    WHOLE = auto()
    # Where nodes are not what they were, only the log's size says how old it is.
    SIZE = auto()


def refuse_older(house: House, work: Snapshot | None = None, depth: Depth = Depth.GLANCE) -> None:
    """Refuse a store whose log is shorter than it was, or another.

    Who lets the log grow by nobody else hands in the transaction; others get snapshots of their own.
    """
    marks = house.high_water
    if marks is None:
        return
    with _seen(house, work) as seen:
        latest = seen.checkpoint()
    origin = origin_of(latest, house)
    note = marks.held(origin)
    if note is None or (depth is Depth.GLANCE and note == latest):
        return
    # After the mark was asked for: a log that grows meanwhile is never behind the mark that it had.
    with _seen(house, work) as seen:
        newest = seen.latest_receipt()
        _refuse_shorter(0 if newest is None else newest.index + 1, note, marks.place(origin))
        if depth is not Depth.SIZE:
            _refuse_other(seen, note, marks.place(origin))


def _seen(house: House, work: Snapshot | None) -> AbstractContextManager[Snapshot]:
    return house.store.reading(house.org) if work is None else nullcontext(work)


def _refuse_shorter(size: int, note: bytes, place: str) -> None:
    mark = checkpoint_of(note)
    if size < mark.size:
        raise OlderStoreError(
            f"the log of this store is of size {size:,}, and was of size {mark.size:,} already: it is an older copy",
            advice="Nothing is stored, and reading works. Put the newer store back, or begin with a new LOCKGATE_HOME. "
            f"If the newer one is lost for good, remove {place} to go on from here: places of the log are then signed "
            "twice, which whoever kept a later checkpoint can prove.",
            index=size,
        )


def _refuse_other(seen: Snapshot, note: bytes, place: str) -> None:
    mark = checkpoint_of(note)
    peaks = plan_tree(mark.size)
    kept = seen.nodes(peaks)
    if Tree(mark.size, tuple(kept[node] for node in peaks)).root != mark.root:
        raise OlderStoreError(
            f"the log of this store is another one than the one that was of size {mark.size:,} already",
            advice="Nothing is stored, and reading works. `lockgate fsck` says whether this store is whole; "
            f"the checkpoint that it contradicts is {place}.",
        )
