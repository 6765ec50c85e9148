# SPDX-License-Identifier: Apache-2.0
"""Webhooks in any order come in; what is older than what was carried out is known as such, also later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.rollout import is_met
from lockgate.errors import DataError, UsageError
from lockgate.webhooks import Applied, Event, Order, verify
from lockgate.webhooks.receiver import _is_met
from tests.receiver.signed import NOW, SECRET, body, headers


def event(kind: str = "rollout.promote", **changed: object) -> Event:
    """Return a webhook that was verified."""
    sent = body(kind, **changed)
    return verify(headers(sent), sent, SECRET, now=NOW)


@pytest.mark.clause("WH-64")
def test_a_promote_that_comes_after_the_rollback_is_older(tmp_path: Path) -> None:
    """Whichever came first; the same one again says the same, and is known."""
    applied = Applied(tmp_path / "applied.json")
    promote, rollback = event(seq=3, log_index=7), event("rollout.rollback", seq=4, log_index=8, weight=0)
    before = applied.order_of(promote), applied.order_of(rollback)

    applied.record(rollback)

    assert before == (Order.NEWER, Order.NEWER)
    assert (applied.order_of(promote), applied.order_of(rollback)) == (Order.OLDER, Order.AGAIN)


@pytest.mark.clause("WH-64")
def test_what_is_left_of_an_earlier_rollout_is_older(tmp_path: Path) -> None:
    """The number counts on from rollout to rollout of an app, while each one's own begins anew."""
    applied = Applied(tmp_path / "applied.json")

    applied.record(event("rollout.created", rollout_id="rol_02", seq=1, log_index=9, weight=5))

    assert applied.order_of(event(rollout_id="rol_01", seq=4, log_index=8)) is Order.OLDER
    assert applied.order_of(event(app="other", seq=1, log_index=2)) is Order.NEWER


@pytest.mark.clause("WH-64")
@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_whatever_the_order_and_however_often_the_last_word_is_the_newest(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int]
) -> None:
    """What is carried out never goes back, and after all of them it is the newest."""
    applied = Applied(tmp_path_factory.mktemp("applied") / "applied.json")
    done = []

    for index in [*order, *again]:
        told = event(seq=index + 1, log_index=index)
        if applied.order_of(told) is Order.NEWER:
            applied.record(told)
            done.append(index)

    assert done == sorted(set(done))
    assert applied.document()["claims-agent"]["log_index"] == 5


@pytest.mark.clause("WH-65")
def test_a_restart_knows_what_was_carried_out(tmp_path: Path) -> None:
    """It is on disk when `record` has returned, and a person can read it."""
    path = tmp_path / "applied.json"
    Applied(path).record(event(log_index=7))

    again = Applied(path)

    assert again.order_of(event(log_index=6)) is Order.OLDER
    assert json.loads(path.read_bytes()) == again.document()
    assert again.document()["claims-agent"] == {
        "log_index": 7,
        "id": "evt_01",
        "candidate": "abc123",
        "weight": 25.0,
    }


@pytest.mark.clause("WH-65")
@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"a": {}}', '{"a": {"log_index": "7"}}', "[" * 100_000])
def test_a_file_that_is_not_whole_is_no_empty_one(text: str, tmp_path: Path) -> None:
    """Read as empty it would let a late promote through."""
    path = tmp_path / "applied.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=r"applied\.json") as caught:
        Applied(path)

    assert caught.value.advice


@pytest.mark.clause("WH-65")
def test_a_full_disk_leaves_what_was_known(tmp_path: Path) -> None:
    """What could not be kept does not count, in memory either."""
    applied = Applied(tmp_path / "applied.json")
    applied.record(event(log_index=7))
    (tmp_path / "applied.json.new").mkdir()

    with pytest.raises(OSError, match=r"applied\.json\.new"):
        applied.record(event(log_index=8))

    assert applied.order_of(event(log_index=8)) is Order.NEWER


@pytest.mark.clause("WH-64")
def test_what_asks_for_nothing_has_no_order(tmp_path: Path) -> None:
    """A ping is of no app."""
    with pytest.raises(UsageError, match="asks for no weight"):
        Applied(tmp_path / "applied.json").order_of(event("endpoint.ping", app=None, log_index=None))


@pytest.mark.clause("WH-66")
@given(st.floats(0, 100), st.floats(-1, 1))
def test_a_receiver_rounds_as_lockgate_does(asked: float, off: float) -> None:
    """Both call the same weights the one that was asked for."""
    live = min(100.0, max(0.0, asked + off))

    assert _is_met(asked, live) == is_met(asked, live)
