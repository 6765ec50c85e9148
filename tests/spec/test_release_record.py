# SPDX-License-Identifier: Apache-2.0
"""Rollouts come in; the records of their releases must say what happened, each line by the receipt that it rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lockgate import __version__
from lockgate.core.bundle_layout import BASELINE, BASELINE_PROOF
from lockgate.core.canonical import canonicalize
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.envelope import open_envelope
from lockgate.core.release_record import release_record
from lockgate.core.release_record_schema import release_record_schema
from lockgate.core.release_sources import Entry
from lockgate.core.statement import read_statement
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from tests.spec.bundles import (
    CARD,
    EXPERIMENT,
    MODEL,
    bundled,
    promoted,
    record_of,
    rolled_back,
    rolled_back_at_once,
    stepped_in,
)
from tests.spec.line import APP, EQUAL, created, predicate, receipts, world
from tests.spec.routing import READS_BACK, delivered, routed

STORIES = (promoted, rolled_back, stepped_in)
PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "reference" / "release-record.schema.json"


def shadow() -> tuple[World, str]:
    """Return a world in which a shadow rollout waits for runs of its candidate."""
    here = world()
    rollout = created(here, policy={"mode": "shadow"}).rollout.id
    for _ in range(20):
        ingest(here.batch(APP, {"v36": 100}, EQUAL), here.house)
        here.clock.advance(60)
        tick(rollout, here.house)
    return here, rollout


def read_back() -> tuple[World, str]:
    """Return a world in which each weight was read back."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout.id
    for _ in range(40):
        delivered(here, router)
        here.walk(rollout, EQUAL, runs=4_000, minutes=1)
    return here, rollout


def entry(files: dict[str, bytes], name: str, proof: str, looks: str = "") -> Entry:
    """Return a receipt of a bundle as whoever has only the bundle reads it."""
    envelope = files[name]
    statement = read_statement(open_envelope(envelope).payload)
    bound = tuple(json.loads(line) for line in files.get(looks, b"").splitlines())
    return Entry(statement, hashlib.sha256(envelope).hexdigest(), read_log_proof(files[proof]).index, bound)


def lines(record: Any) -> Iterator[dict[str, Any]]:
    """Yield every line that rests on a receipt."""
    weights = record["weights"]
    for part in (weights["asked"], weights["observed"], record["metrics"], record["alerts"]):
        yield from part
    yield from record["operatorActions"]
    yield record["decision"]


@pytest.mark.clause("EX-10")
@pytest.mark.parametrize("story", [*STORIES, shadow, read_back])
def test_a_record_is_of_its_published_schema(story: Callable[[], tuple[World, str]]) -> None:
    """Other programs read it by the schema that is published."""
    here, rollout = story()

    record = record_of(bundled(here.house, rollout)[0])

    published = json.loads(PUBLISHED.read_text("utf-8"))
    assert published == release_record_schema()
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.Draft202012Validator(published).validate(record)


@pytest.mark.clause("EX-10")
@pytest.mark.parametrize("story", [*STORIES, shadow, read_back])
def test_a_record_is_made_again_of_the_bundle_alone(story: Callable[[], tuple[World, str]]) -> None:
    """Whoever has verified the receipts makes the same bytes of them."""
    here, rollout = story()
    files, told = bundled(here.house, rollout)
    own = [
        entry(files, f"receipts/{seq}.json", f"proofs/{seq}.tlog-proof", f"looks/{seq}.ndjson")
        for seq in range(1, told.receipts + 1)
    ]
    related = [
        entry(files, f"related/app/{seq}.json", f"related/app/{seq}.tlog-proof")
        for seq in range(1, 100)
        if f"related/app/{seq}.json" in files
    ]
    org = [
        entry(files, f"related/org/{seq}.json", f"related/org/{seq}.tlog-proof")
        for seq in range(1, 100)
        if f"related/org/{seq}.json" in files
    ]

    tried = entry(files, BASELINE, BASELINE_PROOF) if BASELINE in files else None

    again = release_record(own, json.loads(files["policy.json"]), [*related, *org], tried)

    assert canonicalize(again) == files["release-record.json"]


@pytest.mark.clause("EX-10")
@pytest.mark.parametrize("story", [*STORIES, shadow, read_back])
def test_each_line_names_the_receipt_that_it_rests_on(story: Callable[[], tuple[World, str]]) -> None:
    """A reader goes from any line to the signed statement that says so."""
    here, rollout = story()
    known = {receipt.seq: receipt for receipt in receipts(here.house, rollout)}

    record = record_of(bundled(here.house, rollout)[0])

    for line in lines(record):
        rests = line["rests"]
        receipt = known[rests["seq"]]
        assert rests["sha256"] == hashlib.sha256(receipt.envelope).hexdigest()
        assert rests["logIndex"] == receipt.index


@pytest.mark.clause("EX-11")
def test_a_record_names_what_was_on_trial_and_when() -> None:
    """Package, cohort, weights and time, in UTC."""
    here, rollout = promoted()

    record = record_of(bundled(here.house, rollout)[0])

    assert (record["baseline"]["release"], record["baseline"]["digests"]) == ("v36", {})
    assert (record["candidate"]["release"], record["candidate"]["digests"]) == ("abc123", {"model": {"sha256": MODEL}})
    assert record["engine"] == {"name": "lockgate", "version": __version__}
    assert record["cohort"]["independence"] == "assumed"
    assert "Every run of baseline and candidate that was sent counts" in record["cohort"]["selection"]
    assert [step["weight"] for step in record["weights"]["planned"]] == [5, 25, 50, 100]
    assert [each["weight"] for each in record["weights"]["asked"]] == [5, 25, 50, 100]
    assert record["weights"]["observed"] == []
    assert record["period"]["startedAt"] == record["weights"]["asked"][0]["at"]
    assert record["period"]["endedAt"] == record["weights"]["asked"][-1]["at"]
    assert record["period"]["startedAt"].endswith("Z")


@pytest.mark.clause("EX-11")
def test_a_record_says_which_weights_were_read_back_and_when() -> None:
    """What was live is not what was asked for until somebody has seen it."""
    here, rollout = read_back()

    record = record_of(bundled(here.house, rollout)[0])

    observed = record["weights"]["observed"]
    assert [each["weight"] for each in observed] == [5, 25, 50]
    assert all(each["readAt"] <= each["statedAt"] for each in observed)
    assert [each["rests"]["seq"] for each in observed] == [2, 3, 4]


@pytest.mark.clause("EX-12")
def test_turns_that_say_the_same_are_one_alert() -> None:
    """A night of silence is one line, with its first and its last turn."""
    here = world()
    rollout = created(here, policy={"gates": ["error_rate", "scores.groundedness"]}).rollout.id
    here.walk(rollout, EQUAL, runs=400, minutes=90)

    record = record_of(bundled(here.house, rollout)[0])

    (alert,) = [each for each in record["alerts"] if each["kind"] == "unavailable"]
    assert alert["turns"] > 50
    assert alert["action"] == "hold"
    assert alert["from"] < alert["until"]


@pytest.mark.clause("EX-12")
def test_a_record_names_what_people_did() -> None:
    """Who, when, why, and what else of the app they touched."""
    here, rollout = stepped_in()

    record = record_of(bundled(here.house, rollout)[0])

    done = [(each["action"], each["by"]["name"], each["reason"]) for each in record["operatorActions"]]
    assert done[1:] == [
        ("pause", "ann@example.com", "ann says so"),
        ("resume", "bob@example.com", "bob says so"),
        ("rollback", "eve@example.com", "eve says so"),
    ]
    assert [(each["action"], each["cause"]) for each in record["related"]] == [("freeze", "kill")]


@pytest.mark.clause("EX-12")
def test_a_gate_that_applies_no_more_is_told_as_it_was() -> None:
    """At 100 % nothing is compared; the record shows the comparison that led there."""
    here = world()
    steps = [{"weight": 50}, {"weight": 100, "soak": "5m"}]
    rollout = created(here, policy={"steps": steps}).rollout.id
    here.walk(rollout, EQUAL, runs=400, minutes=100)

    record = record_of(bundled(here.house, rollout)[0])

    (metric,) = record["metrics"]
    assert record["decision"]["status"] == "promoted"
    assert metric["outcome"] == "clean"
    assert metric["estimate"] == metric["candidate"]["value"] - metric["baseline"]["value"]
    assert metric["rests"]["seq"] < record["receipts"]["count"]


@pytest.mark.clause("EX-83")
def test_a_metric_has_the_numbers_that_decided_and_says_of_which_runs() -> None:
    """A step without runs has none: the receipt carries those of all steps, and of runs from before."""
    here, rollout = rolled_back_at_once()

    record = record_of(bundled(here.house, rollout)[0])

    (metric,) = record["metrics"]
    assert (metric["baseline"]["n"], metric["candidate"]["n"], metric["basis"]) == (1_000, 1_000, "all_steps")
    assert metric["estimate"] == metric["candidate"]["value"] - metric["baseline"]["value"] > 0.1
    (finding,) = predicate(receipts(here.house, rollout)[-1])["verdict"]["findings"]
    assert finding["overall"] == {side: metric[side] for side in ("baseline", "candidate")}


@pytest.mark.clause("EX-83")
@pytest.mark.parametrize(
    ("policy", "basis"),
    [
        ({}, "step"),
        ({"inference": "fixed"}, "all_steps"),
        (
            {"inference": "fixed", "steps": [{"kind": "offline", "min_runs": 30}, {"weight": 5}, {"weight": 100}]},
            "step",
        ),
        ({"gates": ["scores.groundedness:paired"]}, "all_steps"),
    ],
)
def test_each_metric_says_which_runs_its_numbers_are_of(policy: dict[str, Any], basis: str) -> None:
    """Intervals that are read at each look are of all steps, and so are pairs; one look at a cohort is of its step."""
    here = world()
    rollout = created(here, policy={**policy, "mode": "shadow"}).rollout.id
    tick(rollout, here.house)

    (metric,) = record_of(bundled(here.house, rollout)[0])["metrics"]

    assert metric["basis"] == basis


@pytest.mark.clause("EX-13")
@pytest.mark.parametrize(
    ("story", "status", "cause"),
    [
        (promoted, "promoted", "satisfied"),
        (rolled_back, "rolled_back", "regression"),
        (stepped_in, "rolled_back", "kill"),
    ],
)
def test_a_record_ends_in_the_decision(story: Callable[[], tuple[World, str]], status: str, cause: str) -> None:
    """What the release came to, by which rule, and where its traffic went."""
    here, rollout = story()

    decision = record_of(bundled(here.house, rollout)[0])["decision"]

    assert (decision["status"], decision["cause"], decision["isFinal"]) == (status, cause, True)
    assert decision["wasPromoted"] == (status == "promoted")
    assert (decision["target"] or {}).get("release") == (None if status == "promoted" else "v36")


@pytest.mark.clause("EX-13")
def test_a_record_links_experiment_and_evaluation_card() -> None:
    """A release leads back to the experiment that it came from."""
    here, rollout = promoted()

    record = record_of(bundled(here.house, rollout)[0])

    assert (record["experiment"], record["evaluationCard"]) == (EXPERIMENT, CARD)
    assert record["links"] == {"experiment": EXPERIMENT, "evaluation-card": CARD}


@pytest.mark.clause("EX-13")
def test_a_shadow_record_says_what_would_have_been() -> None:
    """Nothing moved, and the record says so of each weight."""
    here, rollout = shadow()

    record = record_of(bundled(here.house, rollout)[0])

    assert record["advisory"] is True
    assert record["decision"]["isFinal"] is False
    assert [(each["weight"], each["wouldBeWeight"]) for each in record["weights"]["asked"]] == [(0, 5)]
    assert record["period"]["endedAt"] is None
