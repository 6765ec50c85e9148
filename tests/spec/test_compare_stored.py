# SPDX-License-Identifier: Apache-2.0
"""One look at kept runs: docs/spec.md, Comparing, Kept runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockgate.core.app import MAX_SLICES
from lockgate.core.comparison import Comparison
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.finding import Outcome
from lockgate.core.instant import instant_text
from lockgate.errors import DataError, UsageError
from lockgate.operations.asking.compare import Request, compare
from lockgate.operations.asking.compare_stored import ONE_LOOK, Window, compare_stored
from lockgate.operations.intake.ingest import ingest
from lockgate.testing.world import BEGINNING, World
from lockgate.wiring import run_files
from tests.spec.line import APP, at, batch, run_lines, world

# Buckets of imported runs begin with whole minutes, the next one a minute and a second after the world.
HALF_AN_HOUR_AGO = instant_text((BEGINNING - 30 * 60_000) // 60_000 * 60_000)
NEXT = instant_text(BEGINNING + 121_000)
MEDICAL = {"intent": "medical"}


def runs(count: int, *, worse: float = 0.0) -> list[dict[str, Any]]:
    """Return runs of both releases that began in the last hour."""
    draw = np.random.default_rng(7)
    return [
        {
            "release": release,
            "run_id": f"{release}-{number}",
            "probe_id": number % 300,
            "started_at": at(float(draw.uniform(-60, -1))),
            "status": "error" if draw.random() < (worse if release == "abc123" else 0.02) else "ok",
            "latency_ms": round(float(draw.lognormal(5, 0.5)), 3),
            "scores": {"groundedness": float(draw.choice([0.2, 0.5, 0.8]))},
            "labels": {"intent": str(draw.choice(["medical", "billing"]))},
        }
        for release in ("v36", "abc123")
        for number in range(count)
    ]


def kept(*sent: dict[str, Any]) -> World:
    """Return a world that has kept some runs, in a few batches."""
    here = world()
    for place in range(0, len(sent), 400):
        ingest(batch(*sent[place : place + 400]), here.house, by_start_time=True)
    return here


def request(**fields: Any) -> Request:
    """Return what is asked of the two releases."""
    return Request(baseline="v36", candidate="abc123", **fields)


def judged(comparison: Comparison) -> dict[str, Any]:
    """Return the document without what says where runs were read."""
    document = comparison.document()
    return {name: document[name] for name in document.keys() - {"files", "stored", "notes"}}


@pytest.mark.clause("BU-70")
@pytest.mark.parametrize("worse", [0.02, 0.2])
def test_kept_runs_are_judged_as_files_are(tmp_path: Path, worse: float) -> None:
    """By tallies, slices and pairs, to the last digit."""
    sent = runs(600, worse=worse)
    file = tmp_path / "runs.ndjson"
    file.write_bytes(run_lines(*sent))
    gates = [
        "error_rate",
        "latency_ms:p95",
        "scores.groundedness:paired",
        {"metric": "error_rate", "id": "medical", "slice": MEDICAL},
        {"metric": "latency_ms:paired", "id": "pairs", "slice": MEDICAL, "tolerance": "10pp"},
    ]
    asked = request(policy=declare({"gates": gates}))

    stored = compare_stored(asked, Window(APP), kept(*sent).house)

    assert judged(stored) == judged(compare(asked, run_files(), [str(file)]))
    assert (stored.gates[0].outcome is Outcome.REGRESSED) == (worse == 0.2)
    assert all(finding.candidate.n for finding in stored.gates)


@pytest.mark.clause("BU-70")
def test_the_same_gates_go_without_saying() -> None:
    """Failures, and the slow end of latency where it is there."""
    stored = compare_stored(request(), Window(APP), kept(*runs(100)).house)

    assert [finding.gate for finding in stored.gates] == ["error_rate", "latency_ms:p95"]


@pytest.mark.clause("BU-71")
def test_a_look_says_which_buckets_it_read() -> None:
    """Times and number, and which may still grow; and that it is one look."""
    here = kept({"started_at": at(-60)}, {"started_at": at(-30), "release": "abc123"}, {"started_at": at(-30)})
    here.clock.advance(61)
    ingest(batch({}), here.house)

    stored = compare_stored(request(), Window(APP, since_s=45 * 60), here.house)

    document = stored.document()
    assert document["sizes"] == {"v36": 2, "abc123": 1}
    assert document["files"] == []
    assert document["stored"] == {
        "app": APP,
        "buckets": 2,
        "from": HALF_AN_HOUR_AGO,
        "to": NEXT,
        "unsealed": 1,
    }
    assert stored.notes[-2:] == (
        f"read 2 stored buckets of {APP}, of runs from {HALF_AN_HOUR_AGO} to {NEXT}; 1 of them may still grow",
        ONE_LOOK,
    )


@pytest.mark.clause("BU-71")
def test_runs_whose_labels_found_no_room_are_told() -> None:
    """They are in no slice, so a gate on one does not see them."""
    labelled = [{"labels": {"user": str(number)}} for number in range(MAX_SLICES)]
    here = kept(*labelled, {"release": "abc123", "labels": MEDICAL})
    gates = [{"metric": "error_rate", "slice": {"user": "1"}}]

    stored = compare_stored(request(policy=declare({"gates": gates})), Window(APP), here.house)

    assert stored.notes[-1] == "1 run in the whole and in no slice, because their labels found no room"


@pytest.mark.clause("BU-72")
def test_what_is_not_kept_is_answered_with_what_is() -> None:
    """An app, a release, a metric or a window without runs."""
    here = kept({}, {"release": "abc124"})

    with pytest.raises(UsageError, match="there is no app claims-agnt") as app:
        compare_stored(request(), Window("claims-agnt"), here.house)
    with pytest.raises(DataError, match="no run of release 'abc123'") as release:
        compare_stored(request(), Window(APP), here.house)
    here.clock.advance(7_200)
    with pytest.raises(DataError, match="no run of claims-agent began in the last 1 h"):
        compare_stored(request(), Window(APP, since_s=3_600), here.house)

    assert APP in (app.value.advice or "")
    assert "abc124 (1 run)" in (release.value.advice or "")


@pytest.mark.clause("BU-72")
def test_a_metric_that_no_kept_run_carries_is_refused() -> None:
    """As in files, because a slip would otherwise never gate anything."""
    here = kept({}, {"release": "abc123"})

    with pytest.raises(DataError, match="no run carries cost"):
        compare_stored(request(metrics=("cost",)), Window(APP), here.house)


@pytest.mark.clause("LI-411")
def test_an_empty_window_says_from_when_to_when_runs_are_kept() -> None:
    """Not what a run looks like: they are there, and began before."""
    here = kept(*runs(50))
    here.clock.advance(24 * 3_600)

    with pytest.raises(DataError, match="no run of claims-agent began in the last 1 min") as caught:
        compare_stored(request(), Window(APP, 60), here.house)

    assert "began from 20" in (caught.value.advice or "")
    assert "reach further back" in (caught.value.advice or "")
