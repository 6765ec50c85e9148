# SPDX-License-Identifier: Apache-2.0
"""A log that is about to grow and the mark that it once reached come in; a log that has lost entries is refused.

A store that was put back from an older copy would sign other receipts at places of the log that are used already.
"""

from __future__ import annotations

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.merkle import Tree, plan_tree
from lockgate.errors import OlderStoreError
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot


def refuse_older(seen: Snapshot, house: House, origin: str, tree: Tree) -> None:
    """Refuse to let a log grow that is shorter than it was, or that was another; nobody else may write meanwhile."""
    note = None if house.high_water is None else house.high_water.held(origin)
    if note is not None and house.high_water is not None:
        place = house.high_water.place(origin)
        _refuse_shorter(tree.size, note, place)
        _refuse_other(seen, note, place)


def refuse_older_copy(house: House, origin: str, *, by_size_alone: bool = False) -> None:
    """Refuse a store whose log is shorter than it was, or another, to who only looks while others may write.

    Where nodes of the log are not what they were, only its size says how old it is: `by_size_alone`.
    """
    if house.high_water is None:
        return
    # Before the store, because a log that grows meanwhile is never behind the mark that it had.
    note = house.high_water.held(origin)
    if note is not None:
        with house.store.reading(house.org) as seen:
            refuse_seen(seen, note, house.high_water.place(origin), by_size_alone=by_size_alone)


def refuse_seen(seen: Snapshot, note: bytes, place: str, *, by_size_alone: bool = False) -> None:
    """Refuse a log as it is seen that is shorter than a mark at some place, or another."""
    latest = seen.latest_receipt()
    _refuse_shorter(0 if latest is None else latest.index + 1, note, place)
    if not by_size_alone:
        _refuse_other(seen, note, place)


def _refuse_shorter(size: int, note: bytes, place: str) -> None:
    mark = checkpoint_of(note)
    if size < mark.size:
        raise OlderStoreError(
            f"the log of this store has {size:,} entries, and had {mark.size:,} already: it is an older copy",
            advice="Nothing is stored, and reading works. Put the newer store back, or begin with a new LOCKGATE_HOME. "
            f"If the newer one is lost for good, remove {place} to go on from here: places of the log are then signed "
            "twice, which whoever kept a later checkpoint can prove.",
        )


def _refuse_other(seen: Snapshot, note: bytes, place: str) -> None:
    mark = checkpoint_of(note)
    peaks = plan_tree(mark.size)
    kept = seen.nodes(peaks)
    if Tree(mark.size, tuple(kept[node] for node in peaks)).root != mark.root:
        raise OlderStoreError(
            f"the log of this store is another one than the one that had {mark.size:,} entries already",
            advice="Nothing is stored, and reading works. `lockgate fsck` says whether this store is whole; "
            f"the checkpoint that it contradicts is {place}.",
        )
