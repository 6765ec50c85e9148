# SPDX-License-Identifier: Apache-2.0
"""Marks of what was told and what was pruned, changed by hand, come in; a check must not believe them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.sqlite.store import CONTROL, SqliteStore
from lockgate.cli.main import run
from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.retention import Pin, Retention
from lockgate.core.soundness.flaw import Rule
from lockgate.errors import NotPermittedError
from lockgate.operations.bundle.saved_receipts import saved_receipts
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import prune
from lockgate.operations.retention.unpinning import release
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from tests.spec.line import APP, batch, created, predicate, receipts, world
from tests.spec.test_soundness import WHO, tamper

HOUR_S = 3_600
BRIEF = Retention(raw_s=HOUR_S, buckets_s=2 * HOUR_S)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Return a world on a store in files with a rollout whose router was told nothing yet."""
    store = SqliteStore(tmp_path)
    found = World(store, 1)
    with store.writing() as work:
        work.put_endpoint(Endpoint(id="end_1", app=APP, kind=Kind.COMMAND, argv=("true",), folder="/", since=0))
    made = created(found)
    for _ in range(3):
        ingest(batch({}, {"release": "abc123"}), found.house)
        found.clock.advance(60)
        tick(made.rollout.id, found.house)
    yield found
    store.close()


def rollout_of(here: World) -> str:
    """Return the id of the rollout."""
    with here.house.store.reading() as seen:
        return seen.rollouts(APP)[0].id


def change(here: World, folder: Path, make: Callable[[Delivery], Delivery]) -> None:
    """Write another body of every delivery, with its own state beside it."""
    with closing(sqlite3.connect(folder / CONTROL, isolation_level=None)) as file:
        for place, body in file.execute("SELECT rowid, body FROM deliveries").fetchall():
            made = make(unpack(Delivery, body))
            sql = "UPDATE deliveries SET state = ?, body = ? WHERE rowid = ?"
            file.execute(sql, (made.state.value, pack(made), place))


@pytest.mark.clause("LI-440")
def test_a_delivery_that_is_found_as_told_and_holds_that_it_is_due_is_named(here: World, tmp_path: Path) -> None:
    """Whoever changes what rows are found by keeps a router from ever being told."""
    tamper(tmp_path, "UPDATE deliveries SET state = 'delivered'")

    found = fsck(here.house)

    assert [flaw.rule for flaw in found.flaws] == [Rule.ROW]
    assert "delivered of deliveries is found by something else than it holds" in found.flaws[0].what


@pytest.mark.clause("LI-440")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda one: replace(one, state=State.DELIVERED), "was never tried"),
        (lambda one: replace(one, state=State.DEAD, error="gone"), "was never tried"),
        (lambda one: replace(one, state=State.DELIVERED, attempts=1, error="refused"), "came to: refused"),
        (lambda one: replace(one, state=State.SUPERSEDED), "nothing says why"),
        (lambda one: replace(one, state=State.DELIVERED, attempts=1, leased_until=9), "still sending it"),
    ],
)
def test_an_end_that_no_attempt_comes_to_is_named(
    here: World, tmp_path: Path, make: Callable[[Delivery], Delivery], said: str
) -> None:
    """What was delivered was tried, what was given up says why, and nobody still sends either."""
    change(here, tmp_path, make)

    found = fsck(here.house)

    assert {flaw.rule for flaw in found.flaws} == {Rule.OUTBOX}
    assert said in found.flaws[0].what


@pytest.mark.clause("LI-440")
def test_what_was_left_out_for_something_newer_that_nobody_told_is_named(here: World, tmp_path: Path) -> None:
    """A rollback that is said to be overtaken, and is the last word, was never told."""
    rollback(rollout_of(here), WHO, here.house)
    change(here, tmp_path, lambda one: replace(one, state=State.SUPERSEDED, error="something newer was told instead"))

    found = fsck(here.house)

    assert {flaw.rule for flaw in found.flaws} == {Rule.OUTBOX}
    assert any("was left out for a newer one" in flaw.what and flaw.seq == 2 for flaw in found.flaws)


@pytest.mark.clause("LI-440")
def test_a_rollout_that_is_found_as_ended_is_named(here: World, tmp_path: Path) -> None:
    """A tick of all would leave it out."""
    tamper(tmp_path, "UPDATE rollouts SET is_active = 0")

    assert [flaw.rule for flaw in fsck(here.house).flaws] == [Rule.ROW]


def marked(here: World, kept_from: int) -> None:
    """Take an app's first slots away and mark them as pruned, by the store alone."""
    with here.house.store.writing() as work:
        app = work.app(APP)
        assert app is not None
        work.drop_slots(APP, 0, kept_from - 1)
        work.put_app(app.pruned(kept_from))


@pytest.mark.clause("LI-441")
def test_buckets_of_an_active_rollout_that_are_marked_as_pruned_are_a_flaw(here: World) -> None:
    """No honest prune takes them, and no receipt says that one did."""
    marked(here, 2)

    said = [flaw.what for flaw in fsck(here.house).flaws]

    assert any("it may still read" in what for what in said)
    assert any("its row says keptFrom 2, its receipts end in" in what for what in said)


@pytest.mark.clause("LI-441")
def test_marks_that_nobody_signed_are_a_flaw(here: World) -> None:
    """Raw runs, deliveries, looks and pinned buckets that were taken away are not pruned because a row says so."""
    made = rollout_of(here)
    rollback(made, WHO, here.house)
    with here.house.store.writing() as work:
        trial = work.trial(made)
        assert trial is not None
        later = here.clock.now() + 1
        work.put_retention(Retention(raw_until=later, deliveries_until=later))
        work.put_pin(Pin(rollout="rol_other", app=APP, first=0, last=1, reason="drill", at=0))
    marked(here, 1)

    said = [flaw.what for flaw in fsck(here.house).flaws]

    for part in ("rawUntil", "deliveriesUntil", "keptFrom", "are pinned by rol_other"):
        assert any(part in what for what in said), part


@pytest.mark.clause("LI-441")
def test_looks_are_pruned_long_after_the_end_only(here: World) -> None:
    """An active rollout without looks has lost them."""
    made = rollout_of(here)
    with here.house.store.writing() as work:
        trial = work.trial(made)
        assert trial is not None
        work.save(replace(trial, turn=trial.turn + 1, has_looks=False))

    assert any("its looks are marked as pruned" in flaw.what for flaw in fsck(here.house).flaws)


@pytest.mark.clause("LI-442")
def test_what_prune_drops_is_signed(here: World) -> None:
    """By whom and why: up to when of the store, from which bucket on of each app; and the check goes by it."""
    made = rollout_of(here)
    rollback(made, WHO, here.house)
    release(made, here.house)
    prune(here.house, BRIEF)
    here.clock.advance(3 * HOUR_S)
    ingest(batch({}), here.house)

    gone = prune(here.house, BRIEF, actor=WHO)

    with here.house.store.reading() as seen:
        series = [name for name in seen.series_after("", 9) if name.startswith(("app_", "org_"))]
        of_app, of_org = (predicate(seen.receipts(name)[-1]) for name in series)
        kept_from = seen.slots(APP)[0].number
    assert gone.buckets == kept_from > 0
    assert (of_app["to"]["keptFrom"], of_app["decision"]["action"]) == (kept_from, "prune")
    assert of_org["to"]["rawUntil"] == here.clock.now() - HOUR_S * 1_000
    assert of_org["actor"]["name"] == WHO.name
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-442")
def test_a_mark_that_somebody_made_up_is_not_signed_by_the_next_prune(here: World) -> None:
    """What is signed goes by what was signed before and by the clock."""
    later = here.clock.now() + 9_999_999_999
    with here.house.store.writing() as work:
        work.put_retention(replace(BRIEF, raw_until=later, deliveries_until=later))

    prune(here.house, BRIEF)

    with here.house.store.reading() as seen:
        assert seen.retention().raw_until == 0
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-442")
def test_who_may_not_sign_prunes_nothing() -> None:
    """A store that is not the latest, or whose keys are others, keeps all that it has."""
    here = world()
    made = created(here).rollout
    ingest(batch({}), here.house)
    here.clock.advance(3 * HOUR_S)
    other = replace(here.house, signers=World(here.house.store, 2).house.signers)

    with pytest.raises(NotPermittedError):
        prune(other, BRIEF)

    with here.house.store.reading() as seen:
        assert (len(seen.slots(APP)), seen.retention().raw_until) == (1, 0)
    assert len(receipts(here.house, made.id)) == 1


@pytest.mark.clause("LI-443")
def test_what_was_not_made_again_is_not_called_whole(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sound is what contradicts nothing; that everything agrees is said only where everything was looked at."""
    for name, data in saved_receipts(rollout_of(here), here.house).items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path))
    call = ["fsck", "--key", str(tmp_path / "receipt-key.pem"), "--log-key", str(tmp_path / "log-key.txt")]

    before = run(call), capsys.readouterr().out
    here.clock.advance(3 * HOUR_S)
    prune(here.house, BRIEF)
    after = run(call), capsys.readouterr().out
    run([*call, "--json"])

    assert (before[0], after[0]) == (0, 0)
    assert "everything in the store agrees" in before[1]
    assert "everything" not in after[1]
    assert "whose raw runs are not all kept" in after[1]
    assert json.loads(capsys.readouterr().out)["whole"] is False
