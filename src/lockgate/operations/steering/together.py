# SPDX-License-Identifier: Apache-2.0
"""A house comes in; one whose operations all work in a single transaction goes out, which is kept when the block ends.

What an operation leaves through an exception ends the whole: nothing of it is kept, even if somebody caught it, because
half of what that operation wrote would be kept too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG
from lockgate.operations.vault.keeping import changing
from lockgate.ports.high_water import HighWater
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Store, Transaction


@contextmanager
def together(house: House) -> Iterator[tuple[Transaction, House]]:
    """Open one transaction, and a house that works in it alone."""
    later = None if house.high_water is None else _Later(house.high_water)
    with changing(house) as work:
        shared = _Shared(house.store, work, house.org)
        yield work, replace(house, store=shared, high_water=later)
        shared.end()
    if later is not None:
        later.settle()


class _Shared:
    """A store whose transactions of one organisation are one."""

    def __init__(self, store: Store, work: Transaction, org: str) -> None:
        self._store, self._work, self._org = store, work, org
        self._fault: BaseException | None = None

    def reading(self, org: str = DEFAULT_ORG) -> AbstractContextManager[Snapshot]:
        """Show what the transaction sees."""
        return self._shown() if org == self._org else self._store.reading(org)

    @contextmanager
    def writing(self, org: str = DEFAULT_ORG, spines: Sequence[str] | None = None) -> Iterator[Transaction]:  # noqa: ARG002 -- it is open already
        """Go on in the transaction."""
        if org != self._org:
            raise ValueError(f"a transaction of {self._org} is no transaction of {org}")
        self.end()
        try:
            yield self._work
        except BaseException as error:
            self._fault = error
            raise

    def end(self) -> None:
        """Refuse to go on after an operation that failed."""
        if self._fault is not None:
            raise self._fault

    def orgs(self) -> tuple[str, ...]:
        """Return every organisation."""
        return self._store.orgs()

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key of any organisation."""
        return self._store.api_key(key_id)

    def give_back(self) -> None:
        """Leave that for when nothing is written."""

    @contextmanager
    def _shown(self) -> Iterator[Snapshot]:
        yield self._work


class _Later:
    """A mark that is lifted when what it stands for is kept: before that it would refuse the store as it is."""

    def __init__(self, mark: HighWater) -> None:
        self._mark, self._lifts = mark, list[tuple[str, bytes]]()

    def held(self, origin: str) -> bytes | None:
        """Return the largest checkpoint."""
        return self._mark.held(origin)

    def lift(self, origin: str, note: bytes) -> None:
        """Note a checkpoint that may come to be kept."""
        self._lifts.append((origin, note))

    def place(self, origin: str) -> str:
        """Return where it is held."""
        return self._mark.place(origin)

    def settle(self) -> None:
        """Lift the mark."""
        for origin, note in self._lifts:
            self._mark.lift(origin, note)
