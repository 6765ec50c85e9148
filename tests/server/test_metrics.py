# SPDX-License-Identifier: Apache-2.0
"""Calls are made and turns taken; a scraper finds them counted by parsers of Prometheus, and labels are bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from lockgate.server.metrics import OF_PROCESS, OF_STORE, OTHER
from lockgate.server.table import ENDPOINTS
from tests.server.served import API, NDJSON, Caller, Served, problem
from tests.spec.line import APP, WORSE, created

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def _families(caller: Caller) -> dict[str, Metric]:
    answer = caller.call("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {each.name: each for each in read_text(answer.text)}


def _value(caller: Caller, name: str, **labels: str) -> float:
    """Return a sample of what is scraped; 0 where there is none."""
    found: Iterator[float] = (
        sample.value
        for family in _families(caller).values()
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )
    return next(found, 0.0)


@pytest.fixture
def scraper(door: Served) -> Caller:
    """Return who may fetch metrics, and nothing else."""
    return door.caller("monitor")


@pytest.mark.clause("SV-29")
def test_what_is_done_is_counted(door: Served, admin: Caller, scraper: Caller) -> None:
    """Calls by route and status, runs, turns by what they decided, and how long all that took."""
    name = created(door.world).rollout.id
    runs = b'{"app_id": "web", "release": "v1", "status": "ok"}\n{"app_id": "web", "release": "v1", "status": "ok"}\n'
    admin.call("POST", f"{API}/runs", NDJSON, content=runs)
    admin.call("POST", f"{API}/imports/runs", NDJSON, content=runs.splitlines()[0])
    door.world.serve_both(APP, {"v36": 6_000, "abc123": 6_000}, WORSE, minutes=10)
    door.world.clock.advance(60)
    assert admin.post(f"{API}/rollouts/{name}/evaluate").status_code == 422
    admin.get(f"{API}/nothing/{name}")
    admin.call("TRACE", f"{API}/apps")
    admin.get(f"{API}/rollouts", limit=0)

    route = f"{API}/rollouts/{{id}}/evaluate"
    counted = [
        _value(scraper, "lockgate_http_requests_total", method="POST", route=route, status="422"),
        _value(scraper, "lockgate_http_request_seconds_count", method="POST", route=route),
        _value(scraper, "lockgate_http_requests_total", method="GET", route=OTHER, status="404"),
        _value(scraper, "lockgate_http_requests_total", method=OTHER, route=f"{API}/apps", status="405"),
        _value(scraper, "lockgate_problems_total", type="invalid-call"),
        _value(scraper, "lockgate_problems_total", type="store-held"),
        _value(scraper, "lockgate_turns_total", action="rollback"),
        _value(scraper, "lockgate_turns_total", action="promote"),
        _value(scraper, "lockgate_round_seconds_count"),
        _value(scraper, "lockgate_runs_ingested_total"),
    ]
    assert counted == [1, 1, 1, 1, 1, 0, 1, 0, 1, 3]


@pytest.mark.clause("SV-29")
@pytest.mark.parametrize("words", [("tick", {}), ("turn", {"held": [], "untold": []})], ids=["tick", "turn"])
def test_turns_of_the_command_line_are_counted(
    door: Served, admin: Caller, scraper: Caller, words: tuple[str, dict[str, object]]
) -> None:
    """A turn is one, whether a program asked for it or a command that the server answers."""
    name = created(door.world).rollout.id

    admin.post(f"{API}/rollouts/{name}/screens/{words[0]}", {"words": words[1]})

    assert _value(scraper, "lockgate_turns_total", action="hold") == 1
    assert _value(scraper, "lockgate_round_seconds_count") == 1


@pytest.mark.clause("SV-29")
def test_what_the_store_holds_is_shown(door: Served, admin: Caller, scraper: Caller) -> None:
    """Rollouts, entries of the log, and how long ago the laggard was ticked, of the key's organisation."""
    one, _ = created(door.world).rollout.id, created(door.world, app="dark", policy={"mode": "shadow"})
    admin.post(f"{API}/rollouts/{one}/pause", {"reason": "look"})
    admin.post(f"{API}/rollouts/evaluate")
    door.world.clock.advance(90)
    admin.post(f"{API}/rollouts/{one}/evaluate")
    stranger = door.caller("monitor", org="acme")

    shown = {
        (mode, status): _value(scraper, "lockgate_rollouts", mode=mode, status=status)
        for mode in ("canary", "shadow")
        for status in ("active", "paused", "ended")
    }
    assert {key: count for key, count in shown.items() if count} == {("canary", "paused"): 1, ("shadow", "active"): 1}
    assert _value(scraper, "lockgate_laggard_seconds") == 90
    with door.world.house.store.reading() as seen:
        assert _value(scraper, "lockgate_log_entries") == seen.tree().size > 0
    assert _value(stranger, "lockgate_log_entries") == _value(stranger, "lockgate_laggard_seconds") == 0


@pytest.mark.clause("SV-222")
def test_metrics_tell_nobody_of_what_is_of_others(door: Served, admin: Caller, scraper: Caller) -> None:
    """What a process counts is told to the organisation of the server alone, and nothing to a key for some apps."""
    admin.get(f"{API}/rollouts")
    of_others = {each.name for each in (*OF_PROCESS, *OF_STORE)} & set(_families(door.caller("admin", org="acme")))
    of_some = [door.caller(each, apps=[APP]).get("/metrics") for each in ("monitor", "admin")]

    assert of_others == {each.name for each in OF_STORE}
    assert "process_resident_memory_bytes" in _families(scraper)
    assert [problem(each) for each in of_some] == [(403, "app-not-of-key")] * 2


@pytest.mark.clause("SV-29")
def test_every_metric_of_the_table_is_scraped_and_no_other(scraper: Caller) -> None:
    """By its name, its kind and its labels; what the process itself uses is beside them."""
    _families(scraper)
    families = _families(scraper)

    own = {name: family for name, family in families.items() if name.startswith("lockgate_")}
    table = {each.name: each for each in (*OF_PROCESS, *OF_STORE)}
    stems = {name.removesuffix("_total") for name in table}
    assert set(own) == stems
    for row in table.values():
        family = own[row.name.removesuffix("_total")]
        assert family.documentation == row.meaning
        assert row.kind in (family.type, "info")
        assert {label for sample in family.samples for label in sample.labels} - {"le"} <= set(row.labels)
    assert "process_resident_memory_bytes" in families


@pytest.mark.clause("SV-1025")
def test_every_metric_that_is_scraped_is_in_the_reference(scraper: Caller) -> None:
    """Those that a library of Prometheus has of any process as well."""
    _families(scraper)
    named = {name.removesuffix("_total") for name in re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)}

    assert set(_families(scraper)) - named == set()


@pytest.mark.clause("SV-29")
def test_labels_are_routes_and_never_what_callers_write(door: Served, admin: Caller, scraper: Caller) -> None:
    """However many paths and methods are tried, there is a series for each row of the table and one for all else."""
    for number in range(30):
        admin.get(f"{API}/rollouts/rol_{number}")
        admin.get(f"/{number}")
        admin.call("TRACE", f"{API}/apps/{number}")

    series = [sample.labels for sample in _families(scraper)["lockgate_http_requests"].samples]
    assert {each["route"] for each in series} <= {OTHER, "/openapi.json", *(row.path for row in ENDPOINTS)}
    assert len(series) < 20


@pytest.mark.clause("SV-29")
def test_openmetrics_is_answered_to_whom_takes_it(scraper: Caller) -> None:
    """By its own media type and its own end."""
    answer = scraper.call("GET", "/metrics", {"accept": f"{OPENMETRICS},text/plain;version=0.0.4;q=0.5"})

    assert answer.headers["content-type"].startswith(OPENMETRICS)
    assert answer.text.endswith("# EOF\n")
    families = read_openmetrics(answer.text)  # type: ignore[no-untyped-call]  # the library has no types
    assert {each.name for each in families} >= {"lockgate_http_requests", "lockgate_build"}
