# SPDX-License-Identifier: Apache-2.0
"""The id of a receipt comes in, as a webhook names it; the command line must find it, here and on a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.both import Both, Made
from tests.doors.line import Door
from tests.doors.terminal import rollout

__all__ = ["rollout"]


def receipt_ids(called: Both, rollout_id: str) -> list[str]:
    """Return the ids of a rollout's receipts."""
    return [each["receipt_id"] for each in json.loads(called.local("receipts", rollout_id, "--json").out)["receipts"]]


@pytest.mark.clause("LI-661")
def test_a_receipt_is_found_by_its_id(both: Both, made: Made) -> None:
    """It is the one that its rollout has by that number, on this machine and on a server."""
    bad = made.names["bad"]
    last = receipt_ids(both, bad)[-1]

    here, there = (json.loads(call("receipts", last, "--json").out) for call in (both.local, both.remote))

    assert here == there == json.loads(both.local("receipts", bad, "--seq", "2", "--json").out)
    assert here["id"] == bad
    assert [each["receipt_id"] for each in here["receipts"]] == [last]


@pytest.mark.clause("LI-661")
def test_a_receipt_is_saved_by_its_id(both: Both, made: Made, tmp_path: Path) -> None:
    """With its proof and keys, and no other."""
    last = receipt_ids(both, made.names["bad"])[-1]

    saved = [call("receipts", last, "--save", tmp_path / "saved") for call in (both.local, both.remote)]

    assert [each.code for each in saved] == [0, 0], saved
    assert {each.name for each in (tmp_path / "saved").glob("receipt-*.json")} == {"receipt-2.json"}


@pytest.mark.clause("LI-661")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rcp_aaaaaaaaaaaaaaaaaaaaaaaaaa",), "error: there is no receipt rcp_aaaaaaaaaaaaaaaaaaaaaaaaaa\n"),
        (("{last}", "--seq", "2"), "error: a receipt's id names one receipt already\n"),
    ],
)
def test_what_is_no_receipt_is_refused(both: Both, made: Made, words: tuple[str, ...], said: str) -> None:
    """And so is a number beside an id, which has one."""
    last = receipt_ids(both, made.names["bad"])[-1]
    meant = [word.format(last=last) for word in words]

    called = [call("receipts", *meant) for call in (both.local, both.remote)]

    assert [each.code for each in called] == [64, 64]
    assert all(each.err.startswith(said) for each in called), called


@pytest.mark.clause("LI-662")
@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_list_names_each_receipt(door: Door, rollout: str, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """By its id, whole, however narrow a terminal is."""
    ids = [each["receipt_id"] for each in door.read("receipts", rollout)["receipts"]]
    monkeypatch.setenv("COLUMNS", str(columns))

    assert door("receipts", rollout) == 0, door.err

    assert [word for word in door.out.split() if word.startswith("rcp_")] == ids
