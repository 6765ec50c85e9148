# SPDX-License-Identifier: Apache-2.0
"""A log that is about to grow and the mark that it once reached come in; a log that has lost entries is refused.

A store that was put back from an older copy would sign other receipts at places of the log that are used already.
"""

from __future__ import annotations

from lockgate.core.checkpoint import Checkpoint, read_checkpoint
from lockgate.core.merkle import Tree, plan_tree
from lockgate.core.note import read_note
from lockgate.errors import UnsoundError
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot


def refuse_older(seen: Snapshot, house: House, origin: str, tree: Tree) -> None:
    """Refuse to let a log grow that is shorter than it was, or that was another."""
    note = None if house.high_water is None else house.high_water.held(origin)
    if note is None or house.high_water is None:
        return
    mark: Checkpoint = read_checkpoint(read_note(note).body)
    place = house.high_water.place(origin)
    if tree.size < mark.size:
        raise UnsoundError(
            f"the log of this store has {tree.size:,} entries, and had {mark.size:,} already: it is an older copy",
            advice="Nothing is signed, and reading works. Put the newer store back, or begin with a new LOCKGATE_HOME. "
            f"If the newer one is lost for good, remove {place} to go on from here: places of the log are then signed "
            "twice, which whoever kept a later checkpoint can prove.",
        )
    peaks = plan_tree(mark.size)
    kept = seen.nodes(peaks)
    if Tree(mark.size, tuple(kept[node] for node in peaks)).root != mark.root:
        raise UnsoundError(
            f"the log of this store is another one than the one that had {mark.size:,} entries already",
            advice="Nothing is signed, and reading works. `lockgate fsck` says whether this store is whole; "
            f"the checkpoint that it contradicts is {place}.",
        )
