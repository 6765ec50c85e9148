# SPDX-License-Identifier: Apache-2.0
"""A size of a log comes in; the next portion of what was appended since goes out as lines that prove themselves.

A portion is bounded and read in one snapshot; the next one begins at the size where it ends. What a reader is slow to
take holds no transaction open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.export_line import End, end_line, entry_line
from lockgate.core.log_export import MAX_ENTRIES
from lockgate.core.merkle import plan_consistency, plan_tree
from lockgate.core.vault import Receipt
from lockgate.errors import UsageError
from lockgate.operations.vault.proofs import latest_checkpoint
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# A portion ends before its envelopes are larger than this, or after one.
MAX_SIZE = 4 << 20
# So many entries are read at once.
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ExportedLines:
    """Lines of one portion, the size of the log at which the next one begins, and the log's own."""

    lines: bytes
    size: int
    log_size: int


def export_since(since: int, house: House, most: int = MAX_ENTRIES) -> ExportedLines:
    """Return the next portion of a log after a size; without a line where the log has no entry at all."""
    with house.store.reading(house.org) as seen:
        if since == 0 and seen.checkpoint() is None:
            return ExportedLines(b"", 0, 0)
        note = latest_checkpoint(seen)
        covered = checkpoint_of(note).size
        if not 0 <= since <= covered:
            raise UsageError(
                f"the log has the size {covered:,}, and nothing after {since:,}",
                advice="If it had that many before, it is another log or an older copy: keep what you exported.",
            )
        lines = [entry_line(each.index, each.envelope) for each in _next(seen, since, min(most, covered - since))]
        size = since + len(lines)
        link = None if size == covered else plan_consistency(size, covered)
        before = plan_tree(since)
        kept = seen.nodes((*before, *(() if link is None else link.nodes)))
    end = End(
        since=since,
        size=size,
        before=tuple(kept[node] for node in before),
        consistency=() if link is None else link.hashes(kept),
        checkpoint=note,
    )
    return ExportedLines(b"".join((*lines, end_line(end))), size, covered)


def _next(seen: Snapshot, since: int, most: int) -> Iterator[Receipt]:
    """Yield entries until they are as many, or as large, as a portion may be."""
    taken = 0
    for first in range(since, since + most, AT_ONCE):
        for each in seen.entries_after(first - 1, min(AT_ONCE, since + most - first)):
            if taken and taken + len(each.envelope) > MAX_SIZE:
                return
            taken += len(each.envelope)
            yield each
