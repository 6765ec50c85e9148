# SPDX-License-Identifier: Apache-2.0
"""Histories that were falsified in one place come in; the checker must name what is broken, and spare the sound one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockgate.testing.history import Call, CallOutcome, Decided, History, Kind, Standing, Told, broken, read_message

APP, ROLLOUT = "web", "rol_1"
BEGUN = Standing(1, 0, 5.0, "active")
MOVED = Standing(2, 1, 50.0, "active")
GONE = Standing(3, 1, 0.0, "rolled_back")


def _call(client: str, kind: Kind, at: float, standing: Standing | None = None, receipt: int | None = None) -> Call:
    return Call(
        client=client, kind=kind, began=at, ended=at + 1, app=APP, rollout=ROLLOUT, standing=standing, receipt=receipt
    )


def _told(revision: int, place: int) -> Told:
    body = b'{"revision": %d}' % revision
    return Told(id=f"evt_{revision}", app=APP, rollout=ROLLOUT, revision=revision, place=place, body=body)


def _sent(batch: str, at: float, **more: Any) -> Call:
    return replace(_call("sender", Kind.SEND, at), rollout="", batch=batch, runs=10, **more)


# A ramp of which one step is taken, a kill that rolls it back, and two looks; 20 runs of two batches.
SOUND = History(
    calls=(
        _call("ticker", Kind.TURN, 0, BEGUN, 1),
        replace(_call("ticker", Kind.TURN, 2, MOVED, 2), key="k", answer="a"),
        _call("looker", Kind.LOOK, 4, MOVED, 2),
        replace(_call("operator", Kind.KILL, 6), rollout="", version=4),
        _call("looker", Kind.LOOK, 8, GONE, 3),
        replace(_call("looker", Kind.LOOK, 9), rollout="", is_killed=True, version=4),
        _sent("b1", 0),
        _sent("b2", 2),
        replace(_call("looker", Kind.LOOK, 4), rollout="", is_killed=False, version=2),
    ),
    receipts={
        ROLLOUT: (
            Decided(rollout=ROLLOUT, app=APP, seq=1, action="hold", before=None, after=BEGUN),
            Decided(rollout=ROLLOUT, app=APP, seq=2, action="promote", before=BEGUN, after=MOVED),
            Decided(rollout=ROLLOUT, app=APP, seq=3, action="rollback", before=MOVED, after=GONE),
        )
    },
    runs={APP: 20},
    told=(_told(1, 0), _told(2, 1), _told(2, 1), _told(3, 2)),
)


def _with(*calls: Call) -> History:
    return replace(SOUND, calls=(*SOUND.calls, *calls))


def _without(place: int) -> History:
    return replace(SOUND, calls=(*SOUND.calls[:place], *SOUND.calls[place + 1 :]))


def _receipts(*receipts: Decided) -> History:
    return replace(SOUND, receipts={ROLLOUT: receipts})


ONE, TWO, THREE = SOUND.receipts[ROLLOUT]
FALLEN = Standing(3, 0, 5.0, "active")
BACK = Decided(rollout=ROLLOUT, app=APP, seq=3, action="hold", before=MOVED, after=FALLEN)
AGAIN = Decided(rollout=ROLLOUT, app=APP, seq=4, action="promote", before=FALLEN, after=Standing(4, 1, 50.0, "active"))
FALSE: dict[str, tuple[str, History]] = {
    "a promotion that was acknowledged has no receipt": ("lost", _receipts(ONE, replace(TWO, after=GONE))),
    "a receipt that was named is gone": ("lost", _with(_call("looker", Kind.LOOK, 20, GONE, 4))),
    "one revision stands at two weights": (
        "two answers",
        _with(_call("looker", Kind.LOOK, 4, Standing(2, 1, 25.0, "active"))),
    ),
    "two receipts have one number": ("two answers", _receipts(ONE, TWO, replace(THREE, seq=2))),
    "one key was answered in two ways": (
        "two answers",
        _with(replace(_call("ticker", Kind.TURN, 4, MOVED, 2), key="k", answer="b")),
    ),
    "a receipt is missing": ("receipts", _receipts(ONE, THREE)),
    "a receipt begins elsewhere": ("receipts", _receipts(ONE, TWO, replace(THREE, before=BEGUN))),
    "a step is taken twice": ("twice", _receipts(ONE, TWO, BACK, AGAIN)),
    "a client saw its own write no more": ("back", _with(_call("ticker", Kind.LOOK, 4, BEGUN, 1))),
    "another server had not heard of it": ("back", _with(_call("stranger", Kind.LOOK, 3.5, BEGUN, 1))),
    "another server answered an app's lower version": (
        "back",
        _with(replace(_call("stranger", Kind.LOOK, 7.5), rollout="", is_killed=True, version=3)),
    ),
    "one version of an app is killed and is not": (
        "two answers",
        _with(replace(_call("stranger", Kind.LOOK, 5.5), rollout="", is_killed=False, version=4)),
    ),
    "a kill was not seen by the next look": ("kill", _with(_call("stranger", Kind.LOOK, 7.5, MOVED, 2))),
    "a killed app was found alive": (
        "kill",
        _with(replace(_call("stranger", Kind.LOOK, 8), rollout="", is_killed=False)),
    ),
    "a step was taken that nobody asked for": ("unasked", _without(1)),
    "a rollback that nobody asked for": ("unasked", _without(3)),
    "a batch that was taken does not count": ("runs", replace(SOUND, runs={APP: 10})),
    "a batch counts twice": ("runs", replace(SOUND, runs={APP: 30})),
    "a batch was taken as new twice": ("runs", _with(_sent("b1", 4))),
    "an older message came after a newer one": ("told", replace(SOUND, told=(_told(2, 1), _told(1, 0), _told(3, 2)))),
    "a message came again with other bytes": (
        "told",
        replace(SOUND, told=(*SOUND.told, replace(_told(3, 2), body=b"{}"))),
    ),
    "the last message never came": ("told", replace(SOUND, told=SOUND.told[:-1])),
}


@pytest.mark.clause("SV-132")
def test_a_sound_history_breaks_nothing() -> None:
    """What servers that keep their word leave behind is spared."""
    assert broken(SOUND) == []


@pytest.mark.clause("SV-132")
@pytest.mark.parametrize(("rule", "history"), FALSE.values(), ids=FALSE.keys())
def test_a_history_that_was_falsified_is_named_by_its_rule(rule: str, history: History) -> None:
    """Each promise has a lie that the checker finds."""
    assert rule in {sentence.partition(":")[0] for sentence in broken(history)}


SPARED: dict[str, History] = {
    "a turn without an answer explains a step": replace(
        SOUND,
        calls=(*_without(1).calls, replace(_call("ticker", Kind.TURN, 2), outcome=CallOutcome.IN_DOUBT)),
    ),
    "a batch without an answer may count": replace(_with(_sent("b3", 4, outcome=CallOutcome.IN_DOUBT)), runs={APP: 30}),
    "a batch without an answer may not count": _with(_sent("b3", 4, outcome=CallOutcome.IN_DOUBT)),
    "a batch that came again is not new": _with(_sent("b1", 4, is_repeated=True)),
    "who began before a kill was answered may still see it alive": _with(
        replace(_call("looker", Kind.LOOK, 6.5, MOVED, 2), ended=9)
    ),
    "an app that was let go on is alive": _with(
        replace(_call("operator", Kind.UNFREEZE, 10), rollout=""),
        replace(_call("looker", Kind.LOOK, 12), rollout="", is_killed=False),
    ),
    "servers that tick by themselves are asked by nobody": replace(_without(1), has_own_turns=True),
}


@pytest.mark.clause("SV-132")
@pytest.mark.parametrize("history", SPARED.values(), ids=SPARED.keys())
def test_what_may_be_is_spared(history: History) -> None:
    """A call in doubt may have happened or not, and calls at the same time have no order."""
    assert broken(history) == []


@pytest.mark.clause("SV-132")
def test_a_message_of_an_app_is_of_no_rollout() -> None:
    """What was done to an app has no revision, and no order beside those of its rollouts."""
    assert read_message(b'{"type": "app.freeze", "data": {"org": "default", "app": "web"}}') is None
