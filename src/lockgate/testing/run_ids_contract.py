# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps the promises of run ids.

It is a part of StoreContract.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from lockgate.core.dedupe import Dedupe, Marks
from lockgate.core.instant import SECOND
from lockgate.ports.store import Store

WINDOW, STRICT = Dedupe(window_s=10), Dedupe(is_strict=True)
MARKS = np.array([7, -3, 2**63 - 1, -(2**63)], np.int64)


def known(store: Store, app: str, now: int, marks: Marks = MARKS, dedupe: Dedupe = WINDOW) -> list[bool]:
    """Return which marks are known."""
    with store.writing() as work:
        found: list[bool] = work.known_ids(app, marks, dedupe, now).tolist()
    return found


def add(store: Store, app: str, now: int, marks: Marks = MARKS, dedupe: Dedupe = WINDOW) -> None:
    """Keep the marks of one batch."""
    with store.writing() as work:
        work.add_ids(app, f"sha256:{app}{now}", marks, dedupe, now)


class RunIdsContract:
    """What every store promises of the ids of runs."""

    def test_the_secret_is_made_once_for_each_organisation(self, store: Store) -> None:
        """Marks of yesterday are marks of today, and say nothing elsewhere."""
        keys = []
        for org in ("default", "default", "other"):
            with store.writing(org) as work:
                keys.append(work.id_key())

        assert keys[0] == keys[1] != keys[2]
        assert len(keys[0]) == 32

    def test_runs_that_did_not_count_add_up(self, store: Store) -> None:
        """By app and release."""
        for runs in ({"v1": 2}, {"v1": 3, "v2": 1}):
            with store.writing() as work:
                work.add_left_out("web", runs)

        with store.reading() as seen:
            assert [seen.left_out("web", name) for name in ("v1", "v2", "v3")] == [5, 1, 0]
            assert seen.left_out("other", "v1") == 0

    def test_a_mark_is_known_within_the_window(self, store: Store) -> None:
        """By its app, from when it was added until the window has left it behind."""
        add(store, "web", 0, MARKS[:2])
        add(store, "web", 4 * SECOND, MARKS[2:3])

        at_once, later, other = known(store, "web", 10 * SECOND), known(store, "web", 11 * SECOND), known(store, "x", 0)

        assert at_once == [True, True, True, False]
        assert later == [False, False, True, False]
        assert other == [False] * 4
        assert known(store, "web", 0) == later

    def test_a_mark_of_a_transaction_that_is_not_kept_is_unknown(self, store: Store) -> None:
        """A batch that failed leaves nothing that its next attempt could meet."""
        add(store, "web", 0, MARKS[:1])
        with suppress(RuntimeError), store.writing() as work:
            work.add_ids("web", "sha256:lost", MARKS[1:], WINDOW, SECOND)
            seen = work.known_ids("web", MARKS, WINDOW, SECOND)
            raise RuntimeError

        add(store, "web", SECOND, MARKS[3:])

        assert seen.all()
        assert known(store, "web", SECOND) == [True, False, False, True]

    def test_marks_are_known_at_once_and_not_when_they_are_undone(self, store: Store) -> None:
        """Whoever comes after a transaction that was not kept, and takes the place of what it added."""
        with suppress(RuntimeError), store.writing() as work:
            work.add_ids("web", "sha256:a", MARKS[:1], WINDOW, 0)
            with suppress(ValueError), work.part():
                work.add_ids("web", "sha256:undone", MARKS[1:2], WINDOW, 0)
                raise ValueError
            work.add_ids("web", "sha256:b", MARKS[2:3], WINDOW, 0)
            before = work.known_ids("web", MARKS, WINDOW, 0).tolist()
            raise RuntimeError
        for digest, marks in (("sha256:other", MARKS[3:]), ("sha256:b", MARKS[2:3])):
            with store.writing() as work:
                work.add_ids("web", digest, marks, WINDOW, 0)

        assert before == [True, False, True, False]
        assert known(store, "web", 0) == [False, False, True, True]

    def test_marks_are_known_however_many_apps_a_transaction_adds_to(self, store: Store) -> None:
        """Those from before it, and its own, when it comes back to the first of the apps."""
        apps = [f"app-{number}" for number in range(20)]
        for app in apps:
            add(store, app, 0, MARKS[:2])
        with store.writing() as work:
            for app in apps:
                assert work.known_ids(app, MARKS, WINDOW, SECOND).tolist() == [True, True, False, False]
                work.add_ids(app, f"sha256:again-{app}", MARKS[2:3], WINDOW, SECOND)
            again = [work.known_ids(app, MARKS, WINDOW, SECOND).tolist() for app in apps]

        assert again == [[True, True, True, False]] * len(apps)

    def test_strict_marks_stay(self, store: Store) -> None:
        """Those of the window too, once somebody asks for it."""
        add(store, "web", 0, MARKS[:1])
        with store.writing() as work:
            work.keep_ids("web")
        add(store, "web", SECOND, MARKS[1:2], STRICT)

        assert known(store, "web", 10**12, dedupe=STRICT) == [True, True, False, False]
