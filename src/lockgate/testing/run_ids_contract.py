# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps the promises of run ids."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

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

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        """Return an empty store."""
        return self.open(tmp_path)

    def test_the_secret_is_made_once_for_each_organisation(self, store: Store) -> None:
        """Marks of yesterday are marks of today, and say nothing elsewhere."""
        keys = []
        for org in ("default", "default", "other"):
            with store.writing(org) as work:
                keys.append(work.id_key())

        assert keys[0] == keys[1] != keys[2]
        assert len(keys[0]) == 32

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

    def test_strict_marks_stay(self, store: Store) -> None:
        """Those of the window too, once somebody asks for it."""
        add(store, "web", 0, MARKS[:1])
        with store.writing() as work:
            work.keep_ids("web")
        add(store, "web", SECOND, MARKS[1:2], STRICT)

        assert known(store, "web", 10**12, dedupe=STRICT) == [True, True, False, False]

    def test_the_oldest_of_too_many_are_forgotten(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Looking takes bounded memory whatever the traffic is."""
        for name in ("id_window", "memory_run_ids"):
            monkeypatch.setattr(f"lockgate.adapters.stores.{name}.MAX_IDS", 5)
        batches = [np.arange(3 * number, 3 * number + 3) for number in range(3)]
        for number, marks in enumerate(batches):
            add(store, "web", number, marks)

        assert known(store, "web", 3, np.arange(9)) == [False] * 3 + [True] * 6

    def test_many_marks_are_known_each(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the store does to find them fast."""
        monkeypatch.setattr("lockgate.adapters.stores.id_window.SMALLEST", 8)
        drawn = np.random.default_rng(3).integers(-(2**63), 2**63 - 1, (40, 30))
        for number, marks in enumerate(drawn):
            assert not any(known(store, "web", number * SECOND, marks))
            add(store, "web", number * SECOND, marks)

        found = [all(known(store, "web", 40 * SECOND, marks)) for marks in drawn]

        assert found == [number >= 30 for number in range(40)]


class SharedRunIdsContract(RunIdsContract):
    """What a store promises besides, that several processes may have open."""

    def test_marks_of_another_process_are_known(self, tmp_path: Path) -> None:
        """And what it forgot is forgotten."""
        here, there = self.open(tmp_path), self.open(tmp_path)
        add(here, "web", 0, MARKS[:1])
        add(there, "web", SECOND, MARKS[1:2])
        first = known(here, "web", SECOND)
        add(there, "web", 2 * SECOND, MARKS[2:3])

        assert first == [True, True, False, False]
        assert known(here, "web", 2 * SECOND) == [True, True, True, False]
        assert known(there, "web", 11 * SECOND) == known(here, "web", 11 * SECOND) == [False, True, True, False]
        assert known(there, "web", 60 * SECOND) == known(here, "web", 2 * SECOND) == [False] * 4
