# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether its pages and counts are what the port promises.

It is a part of StoreContract.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.app import Release
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.delivery import State, addressed
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.progress import begin
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.rollout import Declaration, Status, start
from lockgate.core.trial import Chain, Trial
from lockgate.ports.listing import Counts, SeenReleases
from lockgate.ports.store import Store
from lockgate.testing.cells_contract import SLOT, some
from lockgate.testing.outbox_contract import ENDPOINT, sample_message

SHADOW: Policy = declare({"gates": ["error_rate"]})


def _save(store: Store, name: str, app: str = "web", status: Status = Status.ACTIVE, org: str = "default") -> None:
    rollout = start(Declaration(id=name, app=app, baseline="v1", candidate="v2"), SHADOW, 7)
    trial = Trial(
        rollout=replace(rollout, revision=1, status=status),
        progress=begin(plan(SHADOW)),
        spans=(),
        chain=Chain(state="sha256:00"),
        turn=1,
        ticked_at=9,
    )
    with store.writing(org) as work:
        work.save(trial)


class ListingContract:
    """What every store promises of pages and of counts."""

    def test_pages_of_rollouts_follow_each_other(self, store: Store) -> None:
        """In the order in which they were kept, whatever their ids; of one app, or active ones, where asked."""
        for name, app in (("rol_9", "web"), ("rol_1", "api"), ("rol_5", "web")):
            _save(store, name, app)
        _save(store, "rol_3", status=Status.CANCELLED)
        _save(store, "rol_7", org="acme")

        with store.reading() as seen:
            pages = [
                seen.rollouts_after(None, 2),
                seen.rollouts_after("rol_1", 9),
                seen.rollouts_after("rol_9", 9, "web"),
                seen.rollouts_after("rol_9", 9, active=True),
                seen.rollouts_after("rol_3", 9),
                seen.rollouts_after("rol_7", 9),
            ]

        assert [[each.id for each in page] for page in pages] == [
            ["rol_9", "rol_1"],
            ["rol_5", "rol_3"],
            ["rol_5", "rol_3"],
            ["rol_1", "rol_5"],
            [],
            [],
        ]

    def test_the_latest_releases_are_found_and_all_are_counted(self, store: Store) -> None:
        """The first seen first; of an app that nobody has there are none."""
        known = [
            Release(app="web", name=name, first_seen_at=at) for name, at in (("b", 5), ("d", 7), ("c", 7), ("a", 9))
        ]
        with store.writing() as work:
            for each in known:
                work.put_release(each)
            work.put_release(Release(app="api", name="z", first_seen_at=99))

        with store.reading() as seen:
            found = [seen.seen_releases("web", most) for most in (2, 9)]
            none = seen.seen_releases("other", 2)

        assert [each.count for each in found] == [4, 4]
        assert [[one.name for one in each.latest] for each in found] == [["d", "a"], ["b", "c", "d", "a"]]
        assert none == SeenReleases(0, ())

    def test_revisions_of_an_app_are_summed(self, store: Store) -> None:
        """Of rollouts that have ended too, as the transaction itself left them, and of no other app or organisation."""
        _save(store, "rol_1")
        _save(store, "rol_2", status=Status.PROMOTED)
        _save(store, "rol_3", "api")
        _save(store, "rol_4", org="acme")

        with store.writing() as work:
            before = work.trial("rol_2")
            assert before is not None
            work.save(replace(before, turn=2, rollout=replace(before.rollout, revision=7)))
            own = work.revisions_of("web")
        with store.reading() as seen:
            found = [seen.revisions_of(app) for app in ("web", "api", "none")]

        assert (own, found) == (8, [8, 1, 0])

    def test_runs_are_counted_by_release(self, store: Store) -> None:
        """Of every kept slot, sealed or open, and of no other app or organisation."""
        for org, times in (("default", 2), ("acme", 1)):
            with store.writing(org) as work:
                for number in range(times):
                    work.put_slot("web", replace(SLOT, number=number))
                    work.add_tallies("web", number, some(number))
        with store.writing() as work:
            work.put_cells("web", work.cells("web", 0, 0))
            work.put_slot("web", replace(SLOT, sealed_at=9, digest="sha256:aa"))

        with store.reading() as seen:
            assert dict(seen.runs_by_release("web")) == {"v1": 4, "v2": 2}
            assert dict(seen.runs_by_release("api")) == {}

    def test_what_has_ended_and_what_waits_is_counted(self, store: Store) -> None:
        """Rollouts by mode, deliveries by state, and since when the oldest that is due has waited."""
        _save(store, "rol_1")
        for name in ("rol_2", "rol_3"):
            _save(store, name, status=Status.PROMOTED)
        states = {3: State.DELIVERED, 5: State.DUE, 4: State.DEAD, 6: State.DUE}
        with store.writing() as work:
            work.put_endpoint(ENDPOINT)
            for number, state in states.items():
                message = sample_message(number)
                work.add_message(message)
                for delivery in addressed(message, [ENDPOINT]):
                    work.put_delivery(replace(delivery, state=state))

        with store.reading() as seen:
            found = seen.counts()
        with store.reading("acme") as seen:
            nothing = seen.counts()

        assert dict(found.ended) == {Mode.SHADOW: 2}
        assert dict(found.deliveries) == {State.DELIVERED: 1, State.DUE: 2, State.DEAD: 1}
        assert found.oldest_due_at == 5
        assert nothing == Counts()
