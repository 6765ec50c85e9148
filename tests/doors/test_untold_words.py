# SPDX-License-Identifier: Apache-2.0
"""Messages that wait come in; what the command line says of them, and what it advises, goes out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lockgate.core.delivery import State
from lockgate.core.instant import HOUR, SECOND
from lockgate.core.retry import (
    FIRST_URGENT_WAIT,
    FIRST_WAIT,
    LONGEST_URGENT_WAIT,
    LONGEST_WAIT,
    MINUTE,
    TAIL,
    URGENT_WEBHOOK_WAITS,
    WEBHOOK_WAITS,
)
from tests.doors.line import Door
from tests.spec.webhooked import Listener, listening


@pytest.fixture
def webhook(door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return a webhook whose receiver answers everything by 500."""
    monkeypatch.setenv("LOCKGATE_WEBHOOK_ALLOW", "127.0.0.0/8")
    with listening() as listener:
        listener.answer = lambda _came: (500, {}, b"")
        yield _declared(door, listener)


def _declared(door: Door, listener: Listener) -> str:
    assert door("webhooks", "create", "--url", listener.url, "--json") == 0, door.err
    return str(json.loads(door.out)["id"])


@pytest.mark.clause("CL-71")
def test_what_waits_behind_a_rollback_says_so(door: Door, webhook: str) -> None:
    """`deliver` does not advise itself for what it would not send."""
    rollout = door.create("--mode", "canary")
    assert door("rollback", "--id", rollout, "--by", "ann", "--reason", "errors", "--yes") == 0, door.err

    code = door("deliver")

    said = " ".join(door.err.split())
    assert code == 69
    assert f"webhook {webhook} has not been told: completed, 0 %" in said
    assert "it waits behind rollback, which is told first" in said
    assert "not tried yet" not in said


@pytest.mark.clause("CL-72")
def test_the_help_of_deliver_states_both_schedules(door: Door) -> None:
    """As they are computed."""
    assert door("deliver", "--help") == 0

    said = " ".join(door.out.split())
    tail = ", ".join(_words(each) for each in WEBHOOK_WAITS[:3])
    urgent = [each // SECOND for each in URGENT_WEBHOOK_WAITS[: -len(TAIL)]]
    early = ", ".join(str(each) for each in urgent[:-1])
    assert f"after {_words(FIRST_WAIT)}, then after waits that double up to {_words(LONGEST_WAIT)}" in said
    assert f"after {_words(FIRST_URGENT_WAIT)}, then up to {_words(LONGEST_URGENT_WAIT)}." in said
    assert f"after {tail}, and so on up to {_words(TAIL[-1])};" in said
    assert f"after {early} and {urgent[-1]} s, then after {_words(TAIL[0])} and so on." in said


@pytest.mark.clause("CL-73")
def test_an_empty_list_speaks_of_the_state_that_was_asked_for(door: Door, webhook: str) -> None:
    """What waits there is no business of a list of what is dead."""
    assert door("webhooks", "deliveries", webhook) == 0
    everything = door.out
    door.create("--mode", "canary")

    assert door("webhooks", "deliveries", webhook, "--state", State.DEAD.value) == 0

    assert everything == "Nothing was sent there yet, and nothing waits.\n"
    assert door.out == "Nothing there is dead.\n"


def _words(wait: int) -> str:
    for unit, name in ((HOUR, "h"), (MINUTE, "min")):
        if wait >= unit:
            return f"{wait // unit} {name}"
    return f"{wait // SECOND} s"
