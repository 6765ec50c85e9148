# SPDX-License-Identifier: Apache-2.0
"""Runs that met flags count for those too: docs/spec.md, The line, Runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.errors import DataError
from lockgate.operations.intake.ingest import MAX_RUNS, ingest
from lockgate.testing.world import World
from tests.spec.line import APP, at, batch, world

FLAG, OTHER_FLAG = "new-checkout", "dark-mode"


def tallies(here: World, app: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, Any]]:
    """Return what an app's runs add up to, by release and labels."""
    with here.house.store.reading() as seen:
        return {(cell.release, cell.labels): cell.bucket.document() for cell in seen.cells(app, 0, 0)}


@pytest.mark.clause("LI-80")
def test_a_run_counts_for_each_of_its_flags() -> None:
    """A flag is an app whose releases are its variants; the batch says how many runs it held, and how many each got."""
    here = world()
    sent = batch(
        {"flags": {FLAG: "on", OTHER_FLAG: "dark"}, "labels": {"intent": "medical"}, "latency_ms": 3},
        {"flags": {FLAG: "off", OTHER_FLAG: None}, "status": "error"},
        {},
    )

    kept = ingest(sent, here.house)

    assert (kept.runs, kept.duplicates, kept.apps) == (3, 0, {APP: 3, OTHER_FLAG: 1, FLAG: 2})
    assert set(tallies(here, FLAG)) == {("on", (("intent", "medical"),)), ("off", ())}
    assert tallies(here, FLAG)["off", ()]["statuses"] == {"error": 1}
    assert tallies(here, OTHER_FLAG)["dark", (("intent", "medical"),)]["events"]["error_rate"] == [1, 0]
    with here.house.store.reading() as seen:
        assert seen.segments(FLAG, 0) == seen.segments(APP, 0) == (sent.digest,)


@pytest.mark.clause("LI-80")
def test_a_run_with_a_flag_is_told_apart_in_each_app() -> None:
    """The second run of an id counts for nothing that the first counted for."""
    here = world()

    kept = ingest(
        batch({"run_id": "a", "flags": {FLAG: "on"}}, {"run_id": "a", "flags": {FLAG: "on", OTHER_FLAG: "dark"}}),
        here.house,
    )

    assert (kept.runs, kept.duplicates, kept.apps) == (1, 1, {APP: 1, OTHER_FLAG: 1, FLAG: 1})


@pytest.mark.clause("LI-80")
def test_a_flag_s_runs_join_slots_of_their_start() -> None:
    """Imported runs stand at their own time in every app."""
    here = world()

    ingest(batch({"flags": {FLAG: "on"}, "started_at": at(-30)}), here.house, by_start_time=True)

    with here.house.store.reading() as seen:
        assert [slot.starts_at for slot in seen.slots(FLAG)] == [slot.starts_at for slot in seen.slots(APP)] != [None]


@pytest.mark.clause("LI-80")
@pytest.mark.parametrize(
    ("flags", "what"),
    [
        ({"": "on"}, "'' is not the name of an app"),
        ({"a flag": "on"}, "'a flag' is not the name of an app"),
        ({FLAG: ""}, "'' is not the name of a release"),
        ({FLAG: True}, "flags is"),
        ({f"f{number}": "on" for number in range(33)}, "at most 32 names"),
        ({APP: "on"}, "flags name the run's own app"),
        ([FLAG], "flags is"),
    ],
)
def test_a_flag_that_cannot_be_meant_stores_nothing(flags: object, what: str) -> None:
    """It is refused as a bad name of an app is."""
    here = world()

    with pytest.raises(DataError) as caught:
        ingest(batch({}, {"flags": flags}), here.house)

    with here.house.store.reading() as seen:
        assert seen.apps() == ()
    assert what in str(caught.value)


@pytest.mark.clause("LI-80")
def test_one_run_has_one_variant_of_a_flag() -> None:
    """As a run has one release."""
    here = world()

    with pytest.raises(DataError, match="is of release on and of release off"):
        ingest(batch({"run_id": "a", "flags": {FLAG: "on"}}, {"run_id": "a", "flags": {FLAG: "off"}}), here.house)


@pytest.mark.clause("LI-80")
def test_flags_are_bounded_as_runs_are() -> None:
    """What a batch costs is known from its bytes and its runs, counted once for each flag."""
    here = world()
    flags = {f"flag-{number}": "on" for number in range(32)}
    sent = batch(*[{"flags": flags}] * (MAX_RUNS // 33 + 1))

    with pytest.raises(DataError, match="is too large"):
        ingest(sent, here.house)


@pytest.mark.clause("LI-80")
@given(st.lists(st.tuples(st.sampled_from(["ok", "error"]), st.sampled_from([None, "on", "off"])), min_size=1))
def test_a_flag_s_tallies_are_those_of_runs_of_an_app(runs: list[tuple[str, str | None]]) -> None:
    """Counting through a flag is counting the same runs under the flag's name."""
    by_flag, by_app = world(), world()
    ingest(batch(*({"status": status, "flags": {FLAG: variant}} for status, variant in runs)), by_flag.house)
    direct = [{"status": status, "app_id": FLAG, "release": variant} for status, variant in runs if variant is not None]
    if direct:
        ingest(batch(*direct), by_app.house)

    assert tallies(by_flag, FLAG) == tallies(by_app, FLAG)
