# SPDX-License-Identifier: Apache-2.0
"""Operations share one transaction; what one of them leaves half done is not kept, and marks are lifted only after."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from lockgate.core.app import App
from lockgate.core.receipt import Actor
from lockgate.errors import HeldError, LockgateError, TryAgainError, UsageError
from lockgate.operations.asking.overview import overview
from lockgate.operations.create import create
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.steering.once import Came, Once, do_once
from lockgate.operations.steering.together import together
from lockgate.ports.house import House
from lockgate.ports.store import Transaction
from tests.spec.line import APP, created, order, world

ANN = Actor("person", "ann", "because")
DONE = Came(status=200, headers=(("etag", '"1"'),), body=b"{}")


@dataclass
class Mark:
    """A mark of how far logs had come that is asked for and lifted."""

    lifted: list[tuple[str, bytes]] = field(default_factory=list)

    def held(self, origin: str) -> bytes | None:
        """Return the last one."""
        return next((note for name, note in reversed(self.lifted) if name == origin), None)

    def lift(self, origin: str, note: bytes) -> None:
        """Hold one."""
        self.lifted.append((origin, note))

    def place(self, origin: str) -> str:
        """Return where it is held."""
        return f"memory of {origin}"


@pytest.mark.clause("SV-28")
def test_operations_see_what_others_did_before_them_in_the_transaction() -> None:
    """Nobody else does until the end; then the log is covered and sound, and the mark is lifted."""
    here, mark = world(), Mark()
    house = replace(here.house, high_water=mark)

    with together(house) as (work, shared):
        one = create(order(), shared).rollout
        freeze(APP, ANN, shared)
        inside = (work.tree().size, overview(shared)[0].app.frozen, overview(here.house), list(mark.lifted))

    assert inside == (2, "because", (), [])
    assert overview(here.house)[0].active[0].id == one.id
    assert len(mark.lifted) == 2
    assert fsck(house).flaws == ()


@pytest.mark.clause("SV-28")
def test_what_one_operation_leaves_half_done_ends_them_all() -> None:
    """Even where somebody caught its failure, nothing is kept and no mark is lifted."""
    here, mark = world(), Mark()

    def half(house: House) -> None:
        with house.store.writing() as work:
            work.put_app(App(name="half"))
            raise UsageError("no further")

    def all_of_it() -> None:
        with together(replace(here.house, high_water=mark)) as (_, shared):
            create(order(), shared)
            with suppress(UsageError):
                half(shared)

    with pytest.raises(UsageError, match="no further"):
        all_of_it()

    assert (overview(here.house), mark.lifted) == ((), [])


@pytest.mark.clause("SV-28")
def test_who_lost_to_somebody_else_begins_again() -> None:
    """From the start, as often as an operator's request does; a store that is held is told at once."""
    here, tries = world(), list[type[LockgateError]]()

    def lose(error: type[LockgateError], times: int) -> Came:
        tries.clear()

        def act(work: Transaction, _house: House) -> Came:
            work.put_app(App(name=f"try {len(tries)}"))
            if len(tries) < times:
                tries.append(error)
                raise error("somebody else was first")
            return DONE

        return do_once(here.house, None, act)

    assert lose(TryAgainError, 4) == DONE
    assert [each.app.name for each in overview(here.house)] == ["try 4"]
    with pytest.raises(TryAgainError):
        lose(TryAgainError, 5)
    with pytest.raises(HeldError):
        lose(HeldError, 1)


@pytest.mark.clause("SV-28")
def test_a_call_that_failed_leaves_its_key_free() -> None:
    """The same key does it when it can be done, and then no more."""
    here, once = world(), Once("ann deploy-7", "ab" * 32)
    done = list[str]()

    def act(_work: Transaction, house: House) -> Came:
        freeze(APP, ANN, house)
        done.append("frozen")
        return DONE

    with pytest.raises(LockgateError):
        do_once(here.house, once, act)
    created(here)
    first, again = do_once(here.house, once, act), do_once(here.house, once, act)

    assert (first, again) == (DONE, replace(DONE, is_replayed=True))
    assert done == ["frozen"]
