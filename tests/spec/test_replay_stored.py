# SPDX-License-Identifier: Apache-2.0
"""Stores and bundles come in; their decisions are replayed, and what could not be is told apart from what differs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.app import series_name
from lockgate.core.bundle import decode
from lockgate.core.canonical import canonicalize
from lockgate.core.receipt import operator
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.replay.outcome import Result, Why
from lockgate.core.retention import Retention
from lockgate.errors import DataError, UnknownError
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.replay import replay as replay_module
from lockgate.operations.replay.bundle import replay_bundle, replay_case
from lockgate.operations.replay.cases import cases
from lockgate.operations.replay.replay import Replayed, replay_stored
from lockgate.operations.replay.runs import recounted
from lockgate.operations.retention.prune import prune
from lockgate.operations.retention.unpinning import release
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.steering.pause import pause
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from lockgate.wiring import run_batches, sqlite_store
from tests.replays import REPLAYS, replay_all
from tests.spec.line import APP, EQUAL, WORSE, batch, created, predicate, receipts, world
from tests.spec.replayed import WHO, lived

PAGES = {"timeline.html": b"<p>what happened</p>\n", "README.txt": b"read me\n", "audit.sh": b"exit 0\n"}
HOUR_S, DAY_S = 3_600, 86_400
OTHER, PROOF = "billing", "proofs/1.tlog-proof"


def untold(_what: str, _number: int) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def stored() -> tuple[World, tuple[str, ...]]:
    """Return a world in which everything happened, and its rollouts."""
    here = world()
    return here, lived(here)


def bundled(here: World, rollout_id: str) -> dict[str, bytes]:
    """Return the files of a rollout's bundle."""
    with bundle(Wanted(rollout_id=rollout_id, pages=lambda _record, _missing: PAGES), here.house) as gathered:
        return dict(decode(b"".join(gathered.pieces())))


def whys(found: Replayed) -> list[Why | None]:
    """Return why each replay is not equal; None where it is."""
    return [outcome.why for outcome in found.outcomes]


def changed(data: bytes, *path: Any, value: Any) -> bytes:
    """Return a document with one other value."""
    document = part = json.loads(data)
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return canonicalize(document)


@pytest.mark.clause("RP-10")
def test_a_whole_rollout_is_replayed_from_its_store(stored: tuple[World, tuple[str, ...]]) -> None:
    """Every receipt, from the first on."""
    here, names = stored

    found = [replay_stored(name, here.house, untold) for name in names]

    assert all(each.count(Result.EQUAL) == len(each.outcomes) and each.is_whole for each in found)
    assert [len(each.outcomes) for each in found] == [len(receipts(here.house, name)) for name in names]
    assert [each.is_asked for each in found] == [True, False, True, True]


@pytest.mark.clause("RP-10")
def test_one_receipt_is_replayed_from_its_store(stored: tuple[World, tuple[str, ...]]) -> None:
    """Behind the one before it; one that nobody knows is told."""
    here, names = stored

    found = [replay_stored(each.id, here.house, untold) for each in receipts(here.house, names[0])]

    assert [(len(each.outcomes), each.outcomes[0].seq, each.is_whole) for each in found] == [
        (1, number + 1, False) for number in range(len(found))
    ]
    assert {each.outcomes[0].result for each in found} == {Result.EQUAL}
    with pytest.raises(UnknownError, match="there is no receipt rcp_none"):
        replay_stored("rcp_none", here.house, untold)
    with pytest.raises(UnknownError, match="there is no rollout rol_none"):
        replay_stored("rol_none", here.house, untold)


@pytest.mark.clause("RP-11")
def test_an_act_of_an_app_is_no_decision(stored: tuple[World, tuple[str, ...]]) -> None:
    """A freeze is what somebody did; nothing recomputes it."""
    here, _ = stored
    with here.house.store.reading() as seen:
        act = next(each for each in seen.entries_after(-1, 500) if each.action == "freeze")

    found = replay_stored(act.id, here.house, untold)

    assert [(each.result, each.why) for each in found.outcomes] == [(Result.UNREPLAYED, Why.NO_DECISION)]


@pytest.mark.clause("RP-12")
def test_a_decision_of_another_version_is_refused(
    stored: tuple[World, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which version decided, and how to get it; it is not called different."""
    here, names = stored
    monkeypatch.setattr(replay_module, "__version__", "9.9.9")

    found = replay_stored(names[0], here.house, untold)

    assert {each.why for each in found.outcomes} == {Why.ENGINE}
    assert found.count(Result.UNREPLAYED) == len(found.outcomes)
    assert "install Lockgate 0.1.0 in an environment of its own" in found.outcomes[0].sentence


@pytest.mark.clause("RP-13")
def test_a_bundle_is_replayed_without_a_store(stored: tuple[World, tuple[str, ...]]) -> None:
    """From its receipts and cases alone, and the freezes from the receipts of the app."""
    here, names = stored

    found = [replay_bundle(bundled(here, name), untold) for name in names]

    assert all(each.count(Result.EQUAL) == len(each.outcomes) and each.is_whole for each in found)


@pytest.mark.clause("RP-13")
def test_a_changed_case_in_a_bundle_is_found(stored: tuple[World, tuple[str, ...]]) -> None:
    """A case that is another one's, that is none, that is missing, or that leaves a freeze out or makes one up."""
    here, names = stored
    files = bundled(here, names[0])
    freeze = changed(files["replay/2.json"], "around", "freeze", value="an incident")
    cases_of: dict[Why, Mapping[str, bytes]] = {
        Why.PAYLOAD: {**files, "replay/2.json": files["replay/3.json"]},
        Why.REFUSED: {**files, "replay/2.json": b"{}"},
        Why.GONE: {name: data for name, data in files.items() if name != "replay/2.json"},
        Why.FREEZE: {**files, "replay/3.json": changed(files["replay/3.json"], "around", "freeze", value="x")},
    }

    found = {why: whys(replay_bundle(each, untold)) for why, each in cases_of.items()}

    assert all(why in said for why, said in found.items())
    assert whys(replay_bundle({**files, "replay/2.json": freeze}, untold))[1] is not None


@pytest.mark.clause("RP-13")
def test_a_receipt_left_out_of_a_bundle_is_noticed(stored: tuple[World, tuple[str, ...]]) -> None:
    """What is left is replayed, each by its case, and is not called whole."""
    here, names = stored
    files = bundled(here, names[0])
    del files["receipts/2.json"]

    found = replay_bundle(files, untold)

    assert (found.count(Result.EQUAL), found.is_whole) == (len(found.outcomes), False)
    with pytest.raises(DataError, match="there is no receipt"):
        replay_bundle({}, untold)


def renamed(files: Mapping[str, bytes], names: Mapping[int, int]) -> dict[str, bytes]:
    """Return a bundle that holds receipts, with all that stands beside each, under the numbers that others have."""
    others = {name: data for name, data in files.items() if name.split("/")[0] not in ("receipts", "replay", "proofs")}
    forms = ("receipts/{}.json", "replay/{}.json", "proofs/{}.tlog-proof")
    return {**others, **{form.format(now): files[form.format(was)] for now, was in names.items() for form in forms}}


@pytest.mark.clause("RP-51")
@pytest.mark.parametrize("names", [{1: 3, 2: 4, 3: 5}, {1: 1, 2: 1, 3: 1}, {1: 2, 2: 1}])
def test_receipts_under_the_numbers_of_others_are_no_rollout(
    stored: tuple[World, tuple[str, ...]], names: Mapping[int, int]
) -> None:
    """Only what stands where it belongs is equal."""
    here, rollouts = stored

    found = replay_bundle(renamed(bundled(here, rollouts[0]), names), untold)

    assert whys(found) == [None if now == was else Why.SUCCESSION for now, was in names.items()]


@pytest.mark.clause("RP-51")
def test_a_receipt_of_another_rollout_is_found_behind_a_gap(stored: tuple[World, tuple[str, ...]]) -> None:
    """Where no receipt before it is known its rollout still is."""
    here, names = stored
    other, files = (bundled(here, name) for name in names[:2])
    mixed = {**renamed(files, {1: 1}), **{f"{kind}/3.json": other[f"{kind}/3.json"] for kind in ("receipts", "replay")}}

    found = replay_bundle(mixed, untold)

    assert whys(found) == [None, Why.SUCCESSION]


@pytest.mark.clause("RP-51")
def test_an_apps_receipts_are_those_of_its_own_series(stored: tuple[World, tuple[str, ...]]) -> None:
    """A rollout's own receipt says nothing of freezes, and that of another app says nothing of this one's."""
    here, names = stored
    files = bundled(here, names[3])
    created(here, app=OTHER, candidate="theirs")
    freeze(OTHER, WHO, here.house)
    with here.house.store.reading(here.house.org) as seen:
        other = seen.receipts(series_name(here.house.org, OTHER))[0].envelope
    own = {**files, "related/app/1.json": files["receipts/1.json"], "related/app/1.tlog-proof": files[PROOF]}

    swapped = replay_bundle({**files, "related/app/1.json": other, "related/app/1.tlog-proof": files[PROOF]}, untold)

    assert set(whys(swapped)) == {Why.FREEZE}
    with pytest.raises(VerifyError) as refused:
        replay_bundle(own, untold)
    assert refused.value.reason is Reason.STATEMENT_SHAPE


@pytest.mark.clause("RP-14")
def test_one_case_is_replayed_with_its_receipt(stored: tuple[World, tuple[str, ...]]) -> None:
    """And with the one before it, which it must follow."""
    here, names = stored
    files = bundled(here, names[0])
    of = {number: (files[f"receipts/{number}.json"], files[f"replay/{number}.json"]) for number in (1, 2, 3)}

    alone = replay_case(*of[3], None)
    behind = replay_case(*of[3], of[2][0])
    astray = replay_case(*of[3], of[1][0])
    other = replay_case(of[3][0], of[2][1], None)

    assert (whys(alone), whys(behind)) == ([None], [None])
    assert (whys(astray), whys(other)) == ([Why.SUCCESSION], [Why.PAYLOAD])


@pytest.mark.clause("RP-15")
def test_what_was_decided_on_pruned_buckets_is_not_called_different() -> None:
    """It cannot be replayed any more, which is said of each receipt."""
    here = world()
    rollout = created(here).rollout
    here.walk(rollout.id, WORSE, runs=2000, minutes=60)
    release(rollout.id, here.house)
    here.clock.advance(30 * DAY_S)
    for _ in range(3):
        ingest(here.batch(APP, {"v36": 3}, EQUAL), here.house)
        here.clock.advance(HOUR_S)
    prune(here.house, Retention(raw_s=HOUR_S, buckets_s=2 * HOUR_S))

    found = replay_stored(rollout.id, here.house, untold)

    assert {(each.result, each.why) for each in found.outcomes} == {(Result.UNREPLAYED, Why.GONE)}


@pytest.mark.clause("RP-16")
def test_buckets_are_counted_again_from_raw_runs(tmp_path: Path) -> None:
    """All of them while raw runs are kept; then it says which could not be."""
    here = World(sqlite_store(tmp_path), 1)
    rollout = created(here).rollout
    for number in range(3):
        ingest(batch({"run_id": f"a{number}"}, {"run_id": f"b{number}", "release": "abc123"}), here.house)
        here.clock.advance(60)
    tick(rollout.id, here.house)

    whole = recounted(rollout.id, here.house, run_batches().decode, untold)
    here.clock.advance(2 * DAY_S)
    ingest(batch({"run_id": "later"}), here.house)
    prune(here.house, Retention(raw_s=DAY_S, buckets_s=90 * DAY_S))
    left = recounted(receipts(here.house, rollout.id)[0].id, here.house, run_batches().decode, untold)

    assert (whole.batches, whole.flaws, whole.left) == (3, (), ())
    assert (left.batches, left.flaws) == (1, ())
    assert left.left == ("buckets 0 to 2 could not be counted again: raw runs of them were pruned",)


class Counted:
    """A snapshot of a store that counts how often receipts of each series were read."""

    def __init__(self, seen: Any) -> None:
        self._seen = seen
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        """Return what the snapshot has by that name."""
        return getattr(self._seen, name)

    def receipts_after(self, series: str, *rest: Any) -> Any:
        """Read receipts, and count that."""
        self.reads[series] += 1
        return self._seen.receipts_after(series, *rest)


@pytest.mark.clause("RP-17")
def test_cases_come_one_at_a_time(stored: tuple[World, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops early has read no more than that; each begins with what the one before it read."""
    here, names = stored
    monkeypatch.setattr("lockgate.operations.replay.cases.PORTION", 1)
    with here.house.store.reading() as seen:
        counted: Any = Counted(seen)
        found = cases(counted, names[0])
        first, second = next(found), next(found)
        early = counted.reads[names[0]]
        rest = len(list(found))

    assert (early, rest > 2) == (2, True)
    assert counted.reads[names[0]] >= rest + 2
    assert first.case is not None
    assert second.case is not None
    assert (first.receipt.seq, second.receipt.seq) == (1, 2)
    assert second.case.circumstances.previous == first.receipt.digest
    assert second.case.before == first.case.before


@pytest.mark.clause("RP-20")
def test_what_tests_wrote_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test that wrote receipts fails where one of them is not made again byte for byte."""
    here = world()
    rollout = created(here, policy={"mode": "shadow"}).rollout
    here.walk(rollout.id, EQUAL, runs=2000, minutes=5)
    before = REPLAYS.account.receipts
    REPLAYS.seen.clear()

    replay_all(here.house.store, here.house.org)
    counted = REPLAYS.account.receipts - before
    REPLAYS.seen.clear()
    monkeypatch.setattr("lockgate.core.replay.remaking.decide", _hold_always)

    assert counted == len(receipts(here.house, rollout.id))
    with pytest.raises(AssertionError, match="different"):
        replay_all(here.house.store, here.house.org)
    REPLAYS.seen[receipts(here.house, rollout.id)[-1].digest] = counted


def _hold_always(rollout: Any, policy: Any, verdict: Any, situation: Any) -> Any:
    """Decide as a fault in the engine would."""
    from lockgate.core.decision.chain import decide

    return decide(rollout, policy, verdict, type(situation)(now=situation.now, freeze="a fault"))


@pytest.mark.clause("RP-18")
def test_a_reason_that_had_no_room_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """That no router was told held a rollout beside much else: it is in no word of the receipt, and counted there."""
    here = world()
    monkeypatch.setattr("lockgate.operations.tick.why_untold", lambda *_: "webhook w is disabled")
    invariants = [{"id": f"{'rule' * 40}{number}", "event": "leak"} for number in range(30)]
    rollout = created(here, policy={"mode": "canary", "invariants": invariants}).rollout
    for _ in range(3):
        ingest(here.batch(APP, {"v36": 40, "abc123": 2}, EQUAL), here.house)
        here.clock.advance(60)
        tick(rollout.id, here.house)
    pause(rollout.id, operator("ann", "look"), here.house)
    here.clock.advance(2 * HOUR_S)
    tick(rollout.id, here.house)
    said = predicate(receipts(here.house, rollout.id)[-1])["decision"]

    found = replay_stored(rollout.id, here.house, untold)

    assert said["alsoOmitted"] > 1
    assert not any("webhook" in reason for reason in (said["reason"], *said["also"]))
    assert {outcome.result for outcome in found.outcomes} == {Result.EQUAL}
    assert fsck(here.house).flaws == ()
