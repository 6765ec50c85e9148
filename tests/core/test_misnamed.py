# SPDX-License-Identifier: Apache-2.0
"""Lines of runs come in; slips in names of fields are asked about, and nothing else is."""

from __future__ import annotations

import json

import pytest

from lockgate.core.misnamed import FEW, misnamed

RUN: dict[str, object] = {"app_id": "web", "release": "1", "status": "ok", "run_id": "a"}


def lines(*runs: dict[str, object]) -> bytes:
    """Return runs as they are sent."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in runs)


@pytest.mark.clause("SV-254")
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("latencyms", "latency_ms"),
        ("latencyMs", "latency_ms"),
        ("probeId", "probe_id"),
        ("output_token", "output_tokens"),
        ("duration", "latency_ms"),
        ("prompt-tokens", "input_tokens"),
    ],
)
def test_a_slip_is_asked_about_once(name: str, meant: str) -> None:
    """With the field that may be meant, however many runs have it."""
    assert misnamed(lines(*[{**RUN, name: 3}] * 9)) == (f"{name!r} is no field that is read; did you mean '{meant}'?",)


@pytest.mark.clause("SV-254")
@pytest.mark.parametrize("name", ["foo", "user_id", "model", "tenant", "trace_id", "input", "version", "x" * 10_000])
def test_a_field_of_the_senders_own_is_none(name: str) -> None:
    """Nor is what is near to a field that the run has."""
    assert misnamed(lines({**RUN, name: 3}, {**RUN, "latency_ms": 3, "latencyms": 3})) == ()


@pytest.mark.clause("SV-254")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\n", b"[1]\n7\n", b"[" * 70_000, lines(*[RUN] * FEW) + b'{"latencyms": 1}']
)
def test_no_body_is_too_much(body: bytes) -> None:
    """What is no run says nothing, and only the first runs are looked at."""
    assert misnamed(body) == ()


@pytest.mark.clause("SV-1071")
@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"timestamp": 3, "date": 4}, ["'timestamp'"]),
        ({"startedAt": 3}, ["'startedAt'"]),
        ({"timestamp": 3, "started_at": "2026-11-02T10:00:00Z"}, []),
        ({"timestamp": 3, "started_at": None}, ["'timestamp'"]),
    ],
)
def test_of_an_import_the_time_is_asked_about(fields: dict[str, object], meant: list[str]) -> None:
    """By the likeliest of the names that other programs give it, where the run names none as it is read."""
    asked = misnamed(lines({**RUN, **fields}), by_start_time=True)

    assert asked == tuple(f"{name} is no field that is read; did you mean 'started_at'?" for name in meant)


@pytest.mark.clause("SV-1071")
def test_a_live_run_may_have_a_time_of_its_sender() -> None:
    """It counts when it comes, whatever it says."""
    assert misnamed(lines({**RUN, "timestamp": 3})) == ()
