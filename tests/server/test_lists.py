# SPDX-License-Identifier: Apache-2.0
"""Filters and cursors come in; pages of what is asked for go out, and no cursor opens another list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.app import App, Release
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Status
from lockgate.operations.asking.overview import NAMED_RELEASES
from lockgate.operations.asking.rollout_page import Wanted, rollout_page
from lockgate.operations.steering.cancel import cancel
from tests.server.rows import ANN
from tests.server.served import API, Caller, Served, problem
from tests.spec.line import APP, created, world

ROLLOUTS, APPS = f"{API}/rollouts", f"{API}/apps"


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


@pytest.mark.clause("WH-311")
def test_apps_come_in_pages_and_each_is_on_one(admin: Caller, door: Served) -> None:
    """By name, those that the key is for; one that comes meanwhile moves no other."""
    names = [f"app{number}" for number in range(5)]
    for name in reversed(names):
        created(door.world, app=name, policy={"mode": "shadow"})
    first = admin.get(APPS, limit=2).json()
    created(door.world, app="aaa", policy={"mode": "shadow"})
    second = admin.get(APPS, limit=2, cursor=first["cursor"]).json()
    third = admin.get(APPS, limit=2, cursor=second["cursor"]).json()
    some = door.caller("admin", apps=["app1", "app4"])

    pages = [[each["app"] for each in page["apps"]] for page in (first, second, third)]

    assert pages == [names[:2], names[2:4], names[4:]]
    assert third["cursor"] is None
    page = some.get(APPS, limit=1).json()
    assert [each["app"] for each in page["apps"]] == ["app1"]
    assert [each["app"] for each in some.get(APPS, cursor=page["cursor"]).json()["apps"]] == ["app4"]
    assert problem(some.get(APPS, cursor=admin.get(f"{API}/api-keys", limit=1).json()["cursor"]))[0] == 400


@pytest.mark.clause("WH-311")
def test_a_name_may_be_as_long_as_names_are(admin: Caller, door: Served) -> None:
    """The cursor after it is taken."""
    names = [f"a{each * 255}" for each in ("\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{DESERET SMALL LETTER LONG I}")]
    for name in (*names, f"b{names[1][1:]}"):
        created(door.world, app=name, policy={"mode": "shadow"})

    page = admin.get(APPS, limit=2).json()
    rest = admin.get(APPS, cursor=page["cursor"]).json()

    assert [each["app"] for each in page["apps"]] == names
    assert len(rest["apps"]) == 1


@pytest.mark.clause("WH-311")
def test_of_many_releases_an_app_names_the_latest_and_how_many_there_are(admin: Caller, door: Served) -> None:
    """The list of releases has all of them, in pages."""
    with door.world.house.store.writing() as work:
        work.put_app(App(name=APP))
        for number in range(300):
            work.put_release(Release(app=APP, name=f"v{number:03}", first_seen_at=number))

    (listed,), one = admin.get(APPS).json()["apps"], admin.get(f"{APPS}/{APP}").json()

    latest = [f"v{number:03}" for number in range(300 - NAMED_RELEASES, 300)]
    assert [each["name"] for each in one["releases"]] == [each["name"] for each in listed["releases"]] == latest
    assert (one["release_count"], listed["release_count"]) == (300, 300)
    assert len(admin.get(f"{API}/releases", app_id=APP, limit=1_000).json()["releases"]) == 300


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
