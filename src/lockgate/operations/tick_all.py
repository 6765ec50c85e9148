# SPDX-License-Identifier: Apache-2.0
"""All active rollouts come in; each takes one turn, several in one transaction, and goes out with what it came to.

A rollout that cannot take its turn is undone alone and named as a problem. What the others came to is answered only
when their transaction is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import dataclass

from lockgate.core.instant import Instant
from lockgate.core.receipt import Actor
from lockgate.errors import LockgateError, NotPermittedError, TryAgainError, UnreachableError
from lockgate.operations.tick import LOOP, Turn, turn_in
from lockgate.operations.vault.high_water import refuse_older
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

# One transaction takes so many turns, and begins none after so long: others wait to write meanwhile.
MAX_TURNS = 50
MAX_TIME: Instant = 250
# What the store cannot do for one rollout it can do for none.
_STORE_FAILED = (UnreachableError, NotPermittedError, TryAgainError)


@dataclass(frozen=True, slots=True)
class Problem:
    """A rollout that could not take its turn, and why; it stands as it did."""

    rollout_id: str
    error: LockgateError


@dataclass(frozen=True, slots=True)
class Round:
    """What one turn of every active rollout came to: each is in one of both."""

    turns: tuple[Turn, ...]
    problems: tuple[Problem, ...] = ()


def tick_all(house: House, only: Container[str] | None = None, actor: Actor = LOOP) -> Round:
    """Take one turn for every active rollout, or for those of some ids."""
    refuse_older(house)
    with house.store.reading(house.org) as seen:
        left = deque(each for each in seen.active_ids() if only is None or each in only)
    turns: list[Turn] = []
    problems: list[Problem] = []
    while left:
        group = tuple(left)
        try:
            with writing(house) as work:
                taken = _group(work, left, house, actor)
        except _STORE_FAILED as error:
            return Round(tuple(turns), (*problems, *(Problem(each, error) for each in group)))
        turns += [each for each in taken if isinstance(each, Turn)]
        problems += [each for each in taken if isinstance(each, Problem)]
    return Round(tuple(turns), tuple(problems))


def _group(work: Transaction, left: deque[str], house: House, actor: Actor) -> list[Turn | Problem]:
    """Take turns as long as a transaction may; who reads on, or did not come to it, is left for the next."""
    until = house.clock.now() + MAX_TIME
    taken: list[Turn | Problem] = []
    for _ in range(min(len(left), MAX_TURNS)):
        came_to = _one(work, left[0], house, actor)
        if came_to is None:
            left.rotate(-1)
        else:
            left.popleft()
            taken.append(came_to)
        if house.clock.now() >= until:
            break
    return taken


def _one(work: Transaction, rollout_id: str, house: House, actor: Actor) -> Turn | Problem | None:
    try:
        with work.part():
            return turn_in(work, rollout_id, house, actor)
    except _STORE_FAILED:
        raise
    except LockgateError as error:
        return Problem(rollout_id, error)
    except Exception as error:  # noqa: BLE001 -- a fault in one rollout keeps no other in harm's way
        return Problem(rollout_id, _fault(rollout_id, error))


def _fault(rollout_id: str, error: Exception) -> LockgateError:
    return LockgateError(
        f"the turn of {rollout_id} failed by a fault in Lockgate: {type(error).__name__}: {error}",
        advice="Please report this; the rollout stands as it did.",
    )
