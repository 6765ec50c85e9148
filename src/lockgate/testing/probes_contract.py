# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps answers to probes, and pairs, as the port promises.

It is a part of StoreContract.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockgate.core.bucket import Pairs
from lockgate.core.probe import Answer
from lockgate.core.spine import PairCell, Slot
from lockgate.errors import LockgateError
from lockgate.ports.store import Store

OPEN = Slot(number=0, opened_at=5, seals_at=9)
CLOSED = replace(OPEN, sealed_at=9, digest="sha256:aa")
MADE = PairCell(
    number=0,
    first="v1",
    second="v2",
    labels=(("intent", "medical"),),
    pairs={"cost": Pairs(2, 0, 1), "error_rate": Pairs(0, 3, 0)},
)


def sample_answer(release: str, at: int, probe: str = "p") -> Answer:
    """Return what a release answered to a probe."""
    wide = {"scores.safe": -(10**18), "latency_ms": 7}
    return Answer(probe=probe, release=release, at=at, slot=3, labels=(("intent", "medical"),), badness=wide)


class ProbesContract:
    """What every store promises of probes."""

    def test_answers_come_in_the_order_in_which_they_were_kept(self, store: Store) -> None:
        """The latest to each probe, and those of the releases that are asked for."""
        kept = [sample_answer(f"v{number}", at) for number, at in ((5, 1), (1, 2), (3, 2), (2, 4))]
        other = sample_answer("v1", 3, "q")
        with store.writing() as work:
            work.add_answers("web", kept)
            work.add_answers("web", [other])
            work.add_answers("api", [sample_answer("v9", 9)])

        with store.reading() as seen:
            assert seen.answers("web", ["p", "q", "p", "unknown"], [], 9) == (*kept, other)
            assert seen.answers("web", ["p"], ["v5", "v8"], 2) == (kept[0], *kept[2:])
            assert seen.answers("web", ["p"], [], 0) == ()
        with store.reading("acme") as seen:
            assert seen.answers("web", ["p"], [], 9) == ()

    def test_a_release_answers_a_probe_once(self, store: Store) -> None:
        """A second answer is refused whole."""
        with store.writing() as work:
            work.add_answers("web", [sample_answer("v1", 1)])

        with pytest.raises(LockgateError), store.writing() as work:
            work.add_answers("web", [sample_answer("v2", 2), sample_answer("v1", 2)])

        with store.reading() as seen:
            assert seen.answers("web", ["p"], [], 9) == (sample_answer("v1", 1),)

    def test_old_answers_are_forgotten(self, store: Store) -> None:
        """Those of an app that were kept before a moment; a release may then answer again."""
        with store.writing() as work:
            work.add_answers("web", [sample_answer("v1", 1), sample_answer("v2", 2), sample_answer("v1", 1, "q")])
            work.add_answers("api", [sample_answer("v1", 1)])

        with store.writing() as work:
            forgotten = work.forget_probes("web", 2)
            none_left = work.forget_probes("web", 2)
            work.add_answers("web", [sample_answer("v1", 5)])

        with store.reading() as seen:
            assert (forgotten, none_left) == (2, 0)
            assert seen.answers("web", ["p", "q"], [], 9) == (sample_answer("v2", 2), sample_answer("v1", 5))
            assert seen.answers("api", ["p"], [], 9) == (sample_answer("v1", 1),)

    def test_pairs_are_replaced_while_the_bucket_is_open(self, store: Store) -> None:
        """The last that were put are those that are read, by number, releases and labels."""
        cells = [MADE, replace(MADE, labels=()), replace(MADE, second="v3"), replace(MADE, number=1)]
        with store.writing() as work:
            work.put_slot("web", OPEN)
            work.put_slot("web", replace(OPEN, number=1))
            work.put_pairs("web", reversed(cells))
            work.put_pairs("web", [replace(MADE, pairs={"cost": Pairs(9, 9, 9)})])

        with store.reading() as seen:
            found = seen.pairs("web", 0, 0)
            assert found == (cells[1], replace(MADE, pairs={"cost": Pairs(9, 9, 9)}), cells[2])
            assert seen.pairs("web", 1, 5) == (cells[3],)

    def test_the_pairs_of_a_sealed_bucket_never_change(self, store: Store) -> None:
        """Neither those that are there, nor by others."""
        with store.writing() as work:
            work.put_slot("web", OPEN)
            work.put_pairs("web", [MADE])
            work.put_slot("web", CLOSED)

        for cell in (replace(MADE, pairs={}), replace(MADE, second="v3")):
            with pytest.raises(LockgateError), store.writing() as work:
                work.put_pairs("web", [cell])

        with store.reading() as seen:
            assert seen.pairs("web", 0, 0) == (MADE,)
