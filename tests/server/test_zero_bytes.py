# SPDX-License-Identifier: Apache-2.0
"""Calls with a zero byte come in, which not every store can hold; the server itself answers them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lockgate.operations.asking.overview import overview
from lockgate.server.table import ENDPOINTS
from tests.server.served import API, Caller, Served, problem
from tests.spec.line import APP, created

NAMED = sorted({(row.method, re.sub(r"{\w+}", "a%00b", row.path)) for row in ENDPOINTS if "{" in row.path})


@pytest.mark.clause("SV-207")
def test_nothing_has_a_zero_byte_in_its_name(door: Served) -> None:
    """404 by every endpoint whose path names something, before the store is asked."""
    said = [door.http.request(method, path) for method, path in NAMED]

    assert {problem(each) for each in said} == {(404, "not-found")}
    assert {each.json()["detail"] for each in said} == {"nothing has a zero byte in its name"}


@pytest.mark.clause("SV-207")
@pytest.mark.parametrize(
    "path", ["rollouts?app_id=a%00b", "releases?app_id=a%00b", "rollouts?cursor=%00", "runs?app_id=%00"]
)
def test_no_filter_has_a_zero_byte(admin: Caller, path: str) -> None:
    """400, whatever the store would make of it."""
    method = "POST" if path.startswith("runs") else "GET"

    assert problem(admin.call(method, f"{API}/{path}")) == (400, "invalid-call")


@pytest.mark.clause("SV-207")
@pytest.mark.parametrize(
    "document", [{"reason": "a\0b"}, {"reason": "x", "a\0b": 1}, {"reason": "x", "words": [{"a": ["\0"]}]}]
)
def test_no_text_of_a_body_has_a_zero_byte(admin: Caller, door: Served, document: dict[str, Any]) -> None:
    """400, and no receipt holds it; six letters that look like one are text."""
    created(door.world)
    before = overview(door.world.house)
    refused = admin.post(f"{API}/apps/{APP}/freeze", document)
    kept = overview(door.world.house)
    taken = admin.post(f"{API}/apps/{APP}/freeze", {"reason": r"\u0000"})

    assert problem(refused) == (400, "invalid-data")
    assert kept == before
    assert taken.status_code == 200, taken.text
