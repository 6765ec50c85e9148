# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; answers to probes, and pairs by slot, go out, or in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.adapters.stores.refusals import held_already, sealed_already
from lockgate.core.instant import Instant
from lockgate.core.probe import Answer
from lockgate.core.spine import PairCell


class MemoryProbesReading(MemoryTablesReading):
    """Probes in tables that nobody writes to."""

    __slots__ = ()

    def answers(self, app: str, probes: Iterable[str], releases: Iterable[str], latest: int) -> tuple[Answer, ...]:
        """Return answers to probes."""
        return tuple(self._answers(self._table("answers", app), probes, frozenset(releases), latest))

    def _answers(
        self, kept: Mapping[str, Mapping[str, Answer]], probes: Iterable[str], releases: frozenset[str], latest: int
    ) -> Iterator[Answer]:
        for probe in sorted(set(probes)):
            found = sorted(kept.get(probe, {}).values(), key=lambda answer: (answer.at, answer.release))
            earlier = max(0, len(found) - latest)
            yield from (each for place, each in enumerate(found) if place >= earlier or each.release in releases)

    def pairs(self, app: str, first: int, last: int) -> tuple[PairCell, ...]:
        """Return the pairs of some slots."""
        tables = (self._table(f"pairs {number}", app) for number in range(first, last + 1))
        return tuple(cell for table in tables for _, cell in sorted(table.items()))


class MemoryProbesWriting(MemoryProbesReading, MemoryTablesWriting):
    """Probes in tables of a transaction's own."""

    __slots__ = ()

    def add_answers(self, app: str, answers: Iterable[Answer]) -> None:
        """Keep answers."""
        kept = self._writable("answers", app)
        for answer in answers:
            before = kept.get(answer.probe, {})
            if answer.release in before:
                raise held_already("answers", f"{answer.probe} of {answer.release}")
            kept[answer.probe] = {**before, answer.release: answer}

    def put_pairs(self, app: str, cells: Iterable[PairCell]) -> None:
        """Keep pairs."""
        slots = self._table("slots", app)
        for cell in cells:
            if cell.number not in slots or slots[cell.number].is_sealed:
                raise sealed_already(app, cell.number)
            self._writable(f"pairs {cell.number}", app)[cell.first, cell.second, cell.labels] = cell

    def forget_probes(self, app: str, before: Instant) -> int:
        """Forget answers."""
        kept, forgotten = self._writable("answers", app), 0
        for probe, answers in list(kept.items()):
            left = {release: answer for release, answer in answers.items() if answer.at >= before}
            forgotten += len(answers) - len(left)
            kept[probe] = left
            if not left:
                del kept[probe]
        return forgotten
