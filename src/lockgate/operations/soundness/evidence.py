# SPDX-License-Identifier: Apache-2.0
"""A check comes in; sealed slots, batches and raw runs that contradict each other go out as flaws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from lockgate.core.app import App
from lockgate.core.batch import Ingested
from lockgate.core.instant import Instant, instant_text
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.soundness.pruning import unpinned
from lockgate.core.spine import Cell, Slot, seal
from lockgate.operations.intake.recounting import Decode, Recounting
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.portions import PORTION, named_portions

# After every time.
_EVER: Instant = 1 << 62
_flaw = partial(Flaw, Rule.EVIDENCE)


def check_evidence(check: Check, decode: Decode | None = None) -> None:
    """Check the spine of every app, then every batch, then that the runs of both are the same.

    Without a way to decode raw runs only their number is compared.
    """
    again = None if decode is None else Recounting(check, decode)
    tallied: Counter[str] = Counter()
    unread: set[str] = set()
    for app in check.seen.apps():
        unread.add(app.name)
        with check.within(app.name):
            check.add(_flaw(app.name, what) for what in unpinned(check.seen.pins(), app))
            tallied[app.name] = _check_spine(check, app, again)
            unread.discard(app.name)
    sent: Counter[str] = Counter()
    left: Counter[tuple[str, str]] = Counter()
    pinned = check.seen.pinned()
    for batch in named_portions(lambda after: check.seen.batches_after(after, PORTION), lambda row: row.digest):
        check.count("batches")
        is_flawed = check.add(_batch_flaws(check, batch, is_pinned=batch.digest in pinned))
        if again is not None and not is_flawed:
            check.add(again.add(batch))
        sent.update(batch.apps)
        left.update({(app, release): runs for app, of in batch.unlike.items() for release, runs in of.items()})
    _check_raw_times(check)
    check.add(() if again is None else again.flaws())
    pruned = {app.name for app in check.seen.apps() if app.kept_from}
    check.add(flaw for name in sorted(tallied) for flaw in _left_out_flaws(check, name, left, is_pruned=name in pruned))
    check.add(
        _flaw(name, f"its buckets hold {tallied[name]:,} runs, its batches brought {sent[name]:,}")
        for name in sorted(tallied.keys() | sent.keys())
        if tallied[name] != sent[name] and name not in pruned | unread
    )


def _check_spine(check: Check, app: App, again: Recounting | None) -> int:
    """Return how many runs an app's slots hold."""
    # Slots before were pruned, which the app says of itself.
    runs, last = 0, app.kept_from - 1
    known = {release.name for release in check.seen.releases(app.name)}
    named: set[str] = set()
    while slots := check.seen.slots(app.name, last, PORTION):
        cells: dict[int, list[Cell]] = {}
        for cell in check.seen.cells(app.name, slots[0].number, slots[-1].number):
            cells.setdefault(cell.number, []).append(cell)
            runs += cell.bucket.runs
            named.add(cell.release)
        for slot in slots:
            check.count("buckets")
            held, batches = cells.get(slot.number, []), check.seen.segments(app.name, slot.number)
            check.add(_slot_flaws(check, app.name, (slot, held, batches), last))
            if again is not None:
                again.note(app.name, slot, held, batches)
            last = slot.number
    # Runs of more releases than an app may have at once stand under no name.
    lost = sorted(named - known - {""})
    check.add(_flaw(app.name, f"its buckets hold runs of {release}, a release that is not kept") for release in lost)
    return runs


def _slot_flaws(check: Check, app: str, held: tuple[Slot, Sequence[Cell], Sequence[str]], last: int) -> Iterator[Flaw]:
    slot, cells, batches = held
    if slot.number != last + 1:
        yield _flaw(app, f"bucket {last + 1} is missing before bucket {slot.number}")
    if slot.sealed_at is not None:
        unsealed = replace(slot, sealed_at=None, digest=None)
        pairs = check.seen.pairs(app, slot.number, slot.number)
        if seal(unsealed, cells, batches, slot.sealed_at, pairs).digest != slot.digest:
            yield _flaw(app, f"bucket {slot.number} was sealed as {slot.digest}, and its tallies or batches are others")
    for digest in batches:
        if check.seen.ingested(digest) is None:
            yield _flaw(app, f"bucket {slot.number} names batch {digest}, which is not kept")


def _left_out_flaws(check: Check, app: str, left: Counter[tuple[str, str]], *, is_pruned: bool) -> Iterator[Flaw]:
    """Yield of which releases another number of runs is said not to have counted than batches left out."""
    for release in check.seen.releases(app):
        said, sent = check.seen.left_out(app, release.name), left[app, release.name]
        if said < sent or (said > sent and not is_pruned):
            yield _flaw(app, f"{said:,} runs of {release.name} are said to be left out, its batches left out {sent:,}")


def _check_raw_times(check: Check) -> None:
    """Check that raw runs are kept as of the time at which they came, by which they are pruned."""
    after: tuple[Instant, str] = (-1, "")
    while rows := check.seen.segments_before(_EVER, after, PORTION):
        for at, digest in rows:
            batch = check.seen.ingested(digest)
            if batch is not None and batch.at != at:
                what = f"its raw runs are kept as of {instant_text(at)}, and came at {instant_text(batch.at)}"
                check.add([_flaw(f"batch {digest}", what)])
        after = rows[-1]


def _batch_flaws(check: Check, batch: Ingested, *, is_pinned: bool) -> Iterator[Flaw]:
    is_sound = check.seen.is_segment_sound(batch.digest)
    if is_sound is None and not is_pinned and batch.at < check.seen.retention().raw_until:
        # Pruned, as the store says of itself.
        return
    if is_sound is None:
        yield _flaw(f"batch {batch.digest}", "its raw runs are not there")
    elif not is_sound:
        yield _flaw(f"batch {batch.digest}", "its raw runs cannot be read, or are not the bytes that it is named by")
