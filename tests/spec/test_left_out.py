# SPDX-License-Identifier: Apache-2.0
"""Runs under ids that are known come in; which count, and how the others are told: docs/spec.md, The line, Runs."""

from __future__ import annotations

import pytest

from lockgate.core.dedupe import Dedupe
from lockgate.operations.asking.example_runs import UNREAD, Wanted, example_runs
from lockgate.operations.asking.queries import explain
from lockgate.operations.intake.ingest import ingest
from lockgate.testing.world import World
from lockgate.wiring import run_batches
from tests.spec.line import APP, batch, created, world

IDS = [str(number) for number in range(40)]


def counted(here: World, app: str, release: str) -> int:
    """Return how many runs of a release the tallies hold."""
    with here.house.store.reading() as seen:
        return sum(cell.bucket.runs for cell in seen.cells(app, 0, 999) if cell.release == release)


@pytest.mark.clause("LI-463")
@pytest.mark.parametrize("dedupe", [Dedupe(), Dedupe(is_strict=True)])
@pytest.mark.parametrize(
    "sent",
    [{"release": "zz"}, {"app_id": "foreign", "release": "x", "flags": {APP: "v36"}}, {"app_id": "foreign"}],
)
def test_runs_of_others_take_no_ids(sent: dict[str, object], dedupe: Dedupe) -> None:
    """Neither another release nor a flag of another app silences the true runs."""
    here = world()
    ingest(batch(*({**sent, "run_id": each} for each in IDS)), here.house, dedupe=dedupe)
    before = counted(here, APP, "v36")

    result = ingest(batch(*({"run_id": each, "status": "error"} for each in IDS)), here.house)

    assert (result.runs, result.duplicates, result.left_out) == (len(IDS), 0, {})
    assert counted(here, APP, "v36") == before + len(IDS)


@pytest.mark.clause("LI-463")
def test_one_id_in_flags_of_two_apps_is_two_runs() -> None:
    """Each app numbers its own runs; neither refuses the batch of both."""
    here = world()
    runs = [
        {"app_id": name, "run_id": "1", "flags": {"dark": variant}} for name, variant in (("a", "on"), ("b", "off"))
    ]

    result = ingest(batch(*runs), here.house)

    assert (result.runs, result.apps["dark"]) == (2, 2)


@pytest.mark.clause("LI-464")
def test_runs_that_do_not_count_are_counted_and_marked() -> None:
    """By release, for who looks at a rollout, and one by one."""
    here = world()
    rollout = created(here).rollout
    ingest(batch(*({"run_id": each, "release": "abc123"} for each in IDS)), here.house)

    late = [{"run_id": each, "release": "abc123", "status": "error"} for each in (*IDS[:9], "new")]
    result = ingest(batch(*late), here.house)

    assert result.left_out == {APP: {"abc123": 9}}
    assert explain(rollout.id, here.house).left_out == {"abc123": 9}
    shown = example_runs(Wanted(app=APP, release="abc123", status="error"), here.house).runs
    assert {str(each.record["run_id"]): each.is_counted for each in shown} == {
        **dict.fromkeys(IDS[:9], False),
        "new": True,
    }


@pytest.mark.clause("LI-550")
def test_a_run_that_was_left_out_is_told_once() -> None:
    """The same bytes again are no further loss, also within one batch; other bytes are one each."""
    here = world()
    ingest(batch(*({"run_id": each, "release": "abc123"} for each in IDS)), here.house)
    late = [{"run_id": each, "release": "abc123", "status": "error"} for each in IDS[:9]]
    first = ingest(batch(*late), here.house)

    second = ingest(batch(*late, *late, {"run_id": IDS[0], "release": "abc123", "status": "timeout"}), here.house)

    assert [each.unlike for each in (first, second)] == [{APP: {"abc123": 9}}, {APP: {"abc123": 1}}]
    assert [each.duplicates for each in (first, second)] == [9, 19]
    with here.house.store.reading() as seen:
        assert seen.left_out(APP, "abc123") == 10


@pytest.mark.clause("LI-465")
def test_whatever_was_kept_is_shown() -> None:
    """An escaped status is found, a number of 5,000 digits is text, and one that is no float too."""
    here = world()
    head = f'{{"app_id":"{APP}","release":"v36","run_id":'
    lines = (
        f'{head}"escaped","status":"\\u0065rror"}}',
        f'{head}"long","status":"error","x":{"9" * 5_000}}}',
        f'{head}"huge","status":"error","x":1e999}}',
    )
    ingest(run_batches().decode("\n".join(lines).encode(), None), here.house)

    shown = example_runs(Wanted(app=APP, status="error"), here.house).runs

    assert [each.record["run_id"] for each in shown] == ["huge", "long", "escaped"]
    assert [each.record.get("x") for each in shown] == ["1e999", "9" * 5_000, None]
    assert not any(UNREAD in each.record for each in shown)
