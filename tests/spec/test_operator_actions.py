# SPDX-License-Identifier: Apache-2.0
"""Operators act through the real operations on every store: docs/spec.md, Operator actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lockgate.core.decision.intervention import Seen
from lockgate.core.envelope import open_envelope
from lockgate.core.listed_key import Use
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Status
from lockgate.core.statement import read_statement
from lockgate.core.transition import Event
from lockgate.errors import LockgateError, NotPermittedError, TryAgainError, UsageError
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.cancel import cancel
from lockgate.operations.steering.clear_alarm import clear_alarm
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.steering.intervention import TRIES, Answer
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.ports.house import House
from lockgate.ports.signing import PublicKeys, Signer
from lockgate.ports.store import Store, Transaction
from lockgate.testing.world import World
from lockgate.wiring import memory_store, sqlite_store
from tests.spec.line import APP, EQUAL, WORSE, created, predicate, receipts, verified
from tests.spec.operators import ANN, app_of, kept, promoted

MANUAL = {"steps": [{"weight": 5, "approval": "manual"}, {"weight": 50}, {"weight": 100}]}


@pytest.fixture(params=["memory", "sqlite"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return a world on each kind of store."""
    return World(memory_store() if request.param == "memory" else sqlite_store(tmp_path), seed=1)


Act = Callable[[str, House], Answer]
ACTIONS: dict[str, Act] = {
    "pause": lambda rollout, house: pause(rollout, ANN, house),
    "approve": lambda rollout, house: approve(rollout, Seen(0, 1), ANN, house),
    "promote": lambda rollout, house: promote(rollout, Seen(0, 1), ANN, house),
    "rollback": lambda rollout, house: rollback(rollout, ANN, house),
}


@pytest.mark.clause("AC-01", "AC-11")
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_a_signed_receipt_in_the_log(here: World, action: str) -> None:
    """Who did it and why stands in a receipt that verifies with the keys alone, next in its rollout's chain."""
    made = created(here, policy=MANUAL).rollout

    answer = ACTIONS[action](made.id, here.house)

    chain = receipts(here.house, made.id)
    said = predicate(chain[-1])
    assert (answer.rollout.revision, answer.receipt, len(chain)) == (2, 2, 2)
    assert said["actor"] == {"type": "person", "name": "ann", "reason": "errors in the log"}
    assert (said["decision"]["action"], said["decision"]["cause"]) == (action, "operator")
    assert said["prevReceipt"]["sha256"] == chain[0].digest.removeprefix("sha256:")
    assert verified(here.house, chain[-1]).statement.seq == 2


@pytest.mark.clause("AC-02")
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_is_repeated_is_answered_the_same(here: World, action: str) -> None:
    """A job that lost the first answer gets it again, and nothing is written."""
    made = created(here, policy=MANUAL).rollout
    first = ACTIONS[action](made.id, here.house)
    before = kept(here)

    again = ACTIONS[action](made.id, here.house)

    assert (again, kept(here)) == (first, before)


@pytest.mark.clause("AC-01")
def test_listeners_are_told_where_a_rollback_leads(here: World) -> None:
    """Whoever moves traffic reads the weight and the release to send it to."""
    made = created(here).rollout

    rollback(made.id, ANN, here.house)

    with here.house.store.reading() as seen:
        told = seen.messages()
    assert [each.event for each in told] == [Event.CREATED, Event.ROLLBACK, Event.COMPLETED]
    assert b'"target":{"kind":"baseline","release":"v36"}' in told[1].body
    assert b'"weight":0' in told[1].body


@pytest.mark.clause("AC-04")
def test_a_paused_rollout_waits_until_it_is_resumed(here: World) -> None:
    """However clean it is, nothing is promoted; afterwards the same evidence is enough."""
    made = created(here).rollout
    pause(made.id, ANN, here.house)
    held = here.walk(made.id, EQUAL, runs=4000, minutes=15)[-1]

    resume(made.id, ANN, here.house)
    moved = tick(made.id, here.house)

    assert (held.transition.decision.cause, held.rollout.weight) == ("paused", 5.0)
    assert moved.rollout.weight == 25.0


@pytest.mark.clause("AC-04")
def test_a_paused_rollout_is_still_rolled_back_by_the_loop(here: World) -> None:
    """A pause never keeps a bad release."""
    made = created(here).rollout
    pause(made.id, ANN, here.house)

    turns = here.walk(made.id, WORSE, runs=4000, minutes=30)

    assert (turns[-1].rollout.status, turns[-1].transition.decision.cause) == (Status.ROLLED_BACK, "regression")


@pytest.mark.clause("AC-03")
def test_an_approval_lets_the_loop_leave_the_step(here: World) -> None:
    """The step waits for a person, then for its evidence."""
    made = created(here, policy=MANUAL).rollout
    held = here.walk(made.id, EQUAL, runs=4000, minutes=15)[-1]

    approve(made.id, Seen(0, 1), ANN, here.house)
    moved = tick(made.id, here.house)

    assert (held.transition.decision.cause, moved.rollout.step) == ("approval", 1)


@pytest.mark.clause("AC-03")
@pytest.mark.parametrize("act", [approve, promote])
def test_what_was_seen_before_a_change_grants_nothing(here: World, act: Callable[..., Answer]) -> None:
    """The loop rolled back while somebody made up their mind."""
    made = created(here, policy=MANUAL).rollout
    here.walk(made.id, WORSE, runs=4000, minutes=30)
    before = kept(here)

    with pytest.raises(TryAgainError, match=r"rolled_back at step 0 .* since then: rollback \(regression\)"):
        act(made.id, Seen(0, 1), ANN, here.house)

    assert kept(here) == before


@pytest.mark.clause("AC-05")
def test_a_promoted_step_is_judged_as_any_other(here: World) -> None:
    """After an operator's step the loop reads the new weight's own buckets, and still rolls back."""
    made = created(here).rollout
    promote(made.id, Seen(0, 1), ANN, here.house)

    turns = here.walk(made.id, WORSE, runs=4000, minutes=30)

    assert (turns[0].rollout.weight, turns[-1].rollout.status) == (25.0, Status.ROLLED_BACK)


@pytest.mark.clause("AC-05", "AC-07")
def test_a_promotion_to_the_end_makes_a_champion_and_a_rollback_returns_it(here: World) -> None:
    """The candidate takes over; while nothing else has started, the former champion takes back."""
    promoted(here)
    made = created(here, baseline="abc123", candidate="def456", policy={"steps": [50, 100]}).rollout
    promote(made.id, Seen(0, 1), ANN, here.house)
    crowned = app_of(here)

    answer = rollback(made.id, ANN, here.house)

    returned = app_of(here)
    assert (crowned.champion, crowned.former_champion) == ("def456", "abc123")
    assert (answer.rollout.status, answer.rollout.weight) == (Status.ROLLED_BACK, 0.0)
    assert (returned.champion, returned.former_champion) == ("abc123", None)
    assert predicate(receipts(here.house, made.id)[-1])["decision"]["target"] == {
        "kind": "former_champion",
        "release": "abc123",
    }


@pytest.mark.clause("AC-07")
def test_after_the_next_canary_started_a_promotion_stays(here: World) -> None:
    """The next trial's baseline must not be taken away under it; one that only watches takes nothing."""
    first = promoted(here)
    created(here, baseline="abc123", candidate="def456", policy={"mode": "shadow"})
    second = created(here, baseline="abc123", candidate="def456").rollout

    with pytest.raises(NotPermittedError, match="has ended: promoted"):
        rollback(first, ANN, here.house)
    rollback(second.id, ANN, here.house)
    with pytest.raises(NotPermittedError, match="has ended: promoted"):
        rollback(first, ANN, here.house)

    assert app_of(here).champion == "abc123"


@pytest.mark.clause("AC-06")
def test_a_canary_is_cancelled_only_before_anybody_meets_it(here: World) -> None:
    """While inputs are mirrored nobody sees an answer; at 5 % somebody does."""
    steps = [{"kind": "mirror"}, 5, 100]
    made = created(here, policy={"steps": steps}).rollout
    exposed = created(here, policy={"mode": "shadow", "steps": steps}).rollout

    cancelled = cancel(made.id, ANN, here.house)
    advisory = cancel(exposed.id, ANN, here.house)
    second = created(here, candidate="def456").rollout
    with pytest.raises(NotPermittedError, match="is exposed at 5 %"):
        cancel(second.id, ANN, here.house)

    assert (cancelled.rollout.status, advisory.rollout.status) == (Status.CANCELLED, Status.CANCELLED)


@pytest.mark.tampers
@pytest.mark.clause("AC-10")
def test_a_cleared_alarm_holds_no_more(here: World) -> None:
    """The loop holds until somebody has looked; then the check starts again, under the state that the receipt binds."""
    made = created(here).rollout
    here.walk(made.id, EQUAL, runs=4000, minutes=1)
    _alarm(here, made.id)
    held = here.walk(made.id, EQUAL, runs=4000, minutes=12)[-1]

    cleared = clear_alarm(made.id, ANN, here.house)
    again = clear_alarm(made.id, ANN, here.house)
    moved = tick(made.id, here.house)

    said = predicate(receipts(here.house, made.id)[cleared.receipt - 1])
    assert (held.transition.decision.cause, moved.rollout.weight, again) == ("alarm", 25.0, cleared)
    assert said["decision"]["also"] == ["the split was off at an earlier step; find out why, then clear the alarm"]
    assert said["evidence"]["stateBefore"] != said["evidence"]["stateAfter"]


def _alarm(here: World, rollout_id: str) -> None:
    """Let the split of a rollout have been off."""
    with here.house.store.writing() as work:
        trial = work.trial(rollout_id)
        assert trial is not None
        state = replace(trial.progress.state, is_split_alarmed=True)
        work.save(replace(trial, progress=replace(trial.progress, state=state), turn=trial.turn + 1))


@pytest.mark.clause("AC-01")
@pytest.mark.parametrize("actor", [Actor("person", "ann"), Actor("person", "ann", "x" * 801), Actor()])
def test_nothing_is_done_without_who_and_why(here: World, actor: Actor) -> None:
    """The door is the operation itself, whichever way it is called."""
    made = created(here).rollout
    before = kept(here)

    for act in (lambda: pause(made.id, actor, here.house), lambda: freeze(APP, actor, here.house)):
        with pytest.raises(UsageError):
            act()

    assert kept(here) == before


@pytest.mark.clause("AC-15")
def test_a_start_may_replace_what_is_on_trial(here: World) -> None:
    """The older canary is rolled back and the newer one begins, in one transaction; shadow rollouts stay."""
    older = created(here).rollout
    shadow = created(here, candidate="def456", policy={"mode": "shadow"}).rollout

    newer = created(here, candidate="def456", is_replacing=True)
    again = created(here, candidate="def456", is_replacing=True)

    now = {each.id: each.status for each in list_rollouts(here.house)}
    said = predicate(receipts(here.house, older.id)[-1])["decision"]
    assert (said["action"], said["cause"], said["reason"]) == ("rollback", "replaced", "replaced by def456")
    assert (now[older.id], now[shadow.id], now[newer.rollout.id]) == (
        Status.ROLLED_BACK,
        Status.ACTIVE,
        Status.ACTIVE,
    )
    assert (again.rollout, again.is_existing) == (newer.rollout, True)


@pytest.mark.clause("AC-15")
def test_a_start_that_cannot_be_replaces_nothing(here: World) -> None:
    """What is on trial stays where the newer one is refused."""
    older = created(here).rollout
    freeze(APP, ANN, here.house)

    with pytest.raises(NotPermittedError, match="frozen"):
        created(here, candidate="def456", is_replacing=True)

    assert [each.status for each in list_rollouts(here.house)] == [older.status]


class Contended:
    """A store that somebody else holds for the first so many times."""

    def __init__(self, store: Store, times: int) -> None:
        self._store, self.left = store, times
        self.reading, self.give_back = store.reading, store.give_back
        self.api_key, self.orgs = store.api_key, store.orgs

    @contextmanager
    def writing(self, org: str = "default", spines: Sequence[str] | None = None) -> Iterator[Transaction]:
        """Open a transaction, or say that another was first."""
        self.left -= 1
        if self.left >= 0:
            raise TryAgainError("another was first")
        with self._store.writing(org, spines) as work:
            yield work


STUBBORN: dict[str, Callable[[str, House], object]] = {
    "pause": lambda rollout, house: pause(rollout, ANN, house),
    "rollback": lambda rollout, house: rollback(rollout, ANN, house),
    "kill": lambda _rollout, house: kill(APP, ANN, house),
}


@pytest.mark.clause("AC-11")
@pytest.mark.parametrize("action", STUBBORN)
def test_what_stops_harm_tries_until_it_wins(here: World, action: str) -> None:
    """Pause, rollback and kill are not turned away by a race, and do not try for ever."""
    made = created(here).rollout
    held, lost = (Contended(here.house.store, times) for times in (TRIES, TRIES - 1))
    before = kept(here)

    with pytest.raises(TryAgainError, match="another was first"):
        STUBBORN[action](made.id, replace(here.house, store=held))
    unchanged = kept(here) == before
    STUBBORN[action](made.id, replace(here.house, store=lost))

    assert (unchanged, held.left, kept(here) == before) == (True, 0, False)
    assert TRIES >= 3


class _Full:
    """A signer of checkpoints that fails, as a disk may."""

    key_id = "0" * 64

    def __init__(self, pem: bytes) -> None:
        self.public_key_pem = pem

    def check(self) -> None:
        """Have a key."""

    def sign(self, message: bytes) -> bytes:
        """Fail."""
        raise LockgateError(f"no room for {len(message)} bytes")


@dataclass(frozen=True)
class _FailingSigners:
    receipt: Signer
    log: Signer
    kept: PublicKeys = field(default_factory=PublicKeys)

    def signer(self, role: Use, key_id: str) -> Signer:  # noqa: ARG002 -- it has one of each role, whatever its id
        """Return a signer."""
        return self.receipt if role is Use.RECEIPT else self.log


@pytest.mark.clause("AC-11")
@pytest.mark.parametrize("action", STUBBORN)
def test_an_action_is_kept_whole_or_not_at_all(here: World, action: str) -> None:
    """Where the log cannot be signed, neither rollout nor app nor outbox has changed."""
    made = created(here).rollout
    broken = _FailingSigners(here.house.signers.receipt, _Full(here.house.signers.log.public_key_pem))
    before = kept(here)

    with pytest.raises(LockgateError, match="no room"):
        STUBBORN[action](made.id, replace(here.house, signers=broken))

    assert kept(here) == before


@pytest.mark.clause("AC-08", "AC-11")
def test_a_kill_among_tickers_wins(tmp_path: Path) -> None:
    """Eight at once on one store: the rollout ends by the kill, once, and its chain is whole."""
    here = World(sqlite_store(tmp_path), seed=3)
    made = created(here).rollout
    here.serve(APP, 4000, EQUAL, "v36")
    here.clock.advance(60)

    with ThreadPoolExecutor(8) as pool:
        ticks = [pool.submit(tick, made.id, here.house) for _ in range(7)]
        kills = [pool.submit(kill, APP, ANN, here.house) for _ in range(2)]
        killed = [each.result() for each in kills]
        turns = [each.result() for each in ticks]

    chain = receipts(here.house, made.id)
    statements = [read_statement(open_envelope(each.envelope).payload) for each in chain]
    assert [each.seq for each in statements] == list(range(1, len(chain) + 1))
    assert [each.cause for each in chain].count("kill") == 1
    assert killed[0] == killed[1]
    assert len(turns) == 7
