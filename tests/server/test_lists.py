# SPDX-License-Identifier: Apache-2.0
"""Filters and cursors come in; pages of what is asked for go out, and no cursor opens another list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Status
from lockgate.operations.asking.rollout_page import Wanted, rollout_page
from lockgate.operations.steering.cancel import cancel
from tests.server.rows import ANN
from tests.server.served import API, Caller, Served, problem
from tests.spec.line import APP, created, world

ROLLOUTS = f"{API}/rollouts"


def _ids(caller: Caller, **query: Any) -> list[str]:
    return [each["id"] for each in caller.get(ROLLOUTS, **query).json()["rollouts"]]


@pytest.fixture
def two(door: Served) -> tuple[str, str]:
    """Return a shadow trial that was cancelled and a canary of another app that goes on."""
    dark = created(door.world, app="dark", candidate="next", policy={"mode": "shadow"}).rollout.id
    cancel(dark, ANN, door.world.house)
    return dark, created(door.world).rollout.id


@pytest.mark.clause("SV-26")
def test_each_filter_lets_through_what_it_names(admin: Caller, two: tuple[str, str]) -> None:
    """By app, status, candidate, mode and whether it goes on; several hold together."""
    dark, live = two
    asked = [
        ({}, [dark, live]),
        ({"app_id": APP}, [live]),
        ({"status": "cancelled"}, [dark]),
        ({"status": "active"}, [live]),
        ({"candidate": "next"}, [dark]),
        ({"mode": "canary"}, [live]),
        ({"active": "true"}, [live]),
        ({"active": "false"}, [dark]),
        ({"active": "true", "mode": "shadow"}, []),
    ]

    assert [(query, _ids(admin, **query)) for query, _ in asked] == asked


@pytest.mark.clause("SV-26")
@pytest.mark.parametrize("forged", ["x", "e30", "WzEsMl0", "W10", "bnVsbA", "\N{SNOWMAN}", "A" * 5_000, ""])
def test_a_cursor_that_nobody_gave_is_refused(admin: Caller, forged: str) -> None:
    """400 with a type of its own."""
    assert problem(admin.get(ROLLOUTS, cursor=forged)) == (400, "cursor-of-another-list")


@pytest.mark.clause("SV-26")
def test_a_cursor_is_of_one_list(admin: Caller, door: Served, two: tuple[str, str]) -> None:
    """Neither another filter, nor another path, nor another organisation takes it; another size of page does."""
    cursor = admin.get(ROLLOUTS, limit=1).json()["cursor"]
    elsewhere = [
        admin.get(ROLLOUTS, cursor=cursor, mode="canary"),
        admin.get(f"{API}/api-keys", cursor=cursor),
        admin.get(f"{ROLLOUTS}/{two[0]}/receipts", cursor=cursor),
        door.caller("admin", org="acme").get(ROLLOUTS, cursor=cursor),
    ]

    assert [problem(each) for each in elsewhere] == [(400, "cursor-of-another-list")] * 4
    assert _ids(admin, cursor=cursor, limit=9) == [two[1]]


@pytest.mark.clause("SV-26")
@given(size=st.integers(1, 8), is_active=st.none() | st.booleans(), mode=st.none() | st.sampled_from(Mode))
@settings(max_examples=40, deadline=None)
def test_pages_are_the_whole_list_whatever_their_size(size: int, is_active: bool | None, mode: Mode | None) -> None:
    """One after the other they hold each rollout that is asked for once, in its order."""
    here = world()
    for number in range(7):
        policy = {"mode": "canary" if number % 2 else "shadow"}
        name = created(here, app=f"app{number}", policy=policy).rollout.id
        if number % 3 == 0 and not number % 2:
            cancel(name, ANN, here.house)
    wanted = Wanted(mode=mode, is_active=is_active)

    pages, after = [], None
    while True:
        page = rollout_page(wanted, after, size, here.house)
        pages.append(page.rollouts)
        if (after := page.last) is None:
            break

    whole = rollout_page(Wanted(), None, 99, here.house).rollouts
    expected = [
        each
        for each in whole
        if mode in (None, each.mode) and (is_active is None or (each.status is Status.ACTIVE) is is_active)
    ]
    assert [each for page in pages for each in page] == expected
    assert all(len(page) == size for page in pages[:-1])
