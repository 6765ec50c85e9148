# SPDX-License-Identifier: Apache-2.0
"""Runs come in over HTTP that nothing compares; the answer says so at once."""

from __future__ import annotations

import json

import pytest

from tests.server.served import API, NDJSON, Caller, served
from tests.spec.line import APP, created, world


def _sent(caller: Caller, app: str, first: int) -> list[str]:
    runs = [{"app_id": app, "release": "v36", "run_id": f"{app}-{first + each}", "status": "ok"} for each in range(3)]
    body = "\n".join(map(json.dumps, runs)).encode()
    notes: list[str] = caller.call("POST", f"{API}/runs", NDJSON, content=body).json()["notes"]
    return notes


@pytest.mark.clause("SV-240")
def test_runs_that_nothing_compares_are_said_to_be_so() -> None:
    """Of another app than the one on trial, and of the first bucket of a step; what counts is answered without."""
    here = world()
    created(here)
    with served(here) as door:
        caller = door.caller("sdk")
        first, other = _sent(caller, APP, 0), _sent(caller, "another", 0)
        here.clock.advance(60)
        later = _sent(caller, APP, 3)

    assert other == ["another has no rollout on trial that would compare these runs"]
    assert [each.partition(":")[0] for each in first] == [f"these runs of {APP} are never compared"]
    assert later == []


@pytest.mark.clause("SV-1071")
def test_an_import_is_asked_about_its_fields() -> None:
    """By the rule of live runs, and about the time at which they began."""
    run = {"app_id": APP, "release": "v36", "status": "ok", "latencyms": 3, "timestamp": "2026-11-02"}
    with served(world()) as door:
        answer = door.caller("sdk").call("POST", f"{API}/imports/runs", NDJSON, content=json.dumps(run).encode())

    assert (answer.json()["runs"], answer.json()["undated"]) == (1, 1)
    assert answer.json()["notes"] == [
        "'timestamp' is no field that is read; did you mean 'started_at'?",
        "'latencyms' is no field that is read; did you mean 'latency_ms'?",
    ]


@pytest.mark.clause("SV-1072")
def test_a_run_without_a_measure_is_refused_with_a_question() -> None:
    """Whoever misspells the only field that counts is told so, in an import and live."""
    run = json.dumps({"app_id": APP, "release": "v36", "latencyms": 3}).encode()
    with served(world()) as door:
        sent = [
            door.caller("sdk").call("POST", f"{API}/{path}", NDJSON, content=run) for path in ("runs", "imports/runs")
        ]

    assert [each.status_code for each in sent] == [400, 400]
    assert all('is "latencyms" meant to be latency_ms?' in each.json()["detail"] for each in sent)
