# SPDX-License-Identifier: Apache-2.0
"""A terminal, or none, comes in; `lockgate demo` must show what happened, and leave by 0 only if all of it did."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.client import Client
from lockgate.core.rollout import Status
from lockgate.demo import scene
from lockgate.demo.decided import Decided, decided
from lockgate.demo.stage import Ended, Split, render_end, render_lines, render_move
from lockgate.report.screen import Screen
from tests.demo.test_router import is_gone
from tests.doors.line import typed

GOOD, BAD = scene.ACTS
BEGUN = Decided(seq=1, status=Status.ACTIVE, step=0, before=0.0, weight=5.0, reason="on trial")


def ended(act: scene.Act, status: Status, step: int, worse: tuple[str, ...]) -> Ended:
    """Return how a trial went that ended by its second decision, whose weight the router then had."""
    weight = 100.0 if status is Status.PROMOTED else 0.0
    last = Decided(seq=2, status=status, step=step, before=5.0, weight=weight, reason="so", worse=worse)
    return Ended(act, "rol_x", (BEGUN, last), "5 %", 4.0, (5.0, weight))


@pytest.mark.clause("LI-160", "LI-480")
@pytest.mark.parametrize(
    ("act", "status", "step", "worse", "is_as_told"),
    [
        (GOOD, Status.PROMOTED, 3, (), True),
        (GOOD, Status.ROLLED_BACK, 0, ("error_rate",), False),
        (BAD, Status.ROLLED_BACK, 0, ("error_rate",), True),
        (BAD, Status.ROLLED_BACK, 0, ("latency_ms:p95",), False),
        (BAD, Status.ROLLED_BACK, 0, ("error_rate", "latency_ms:p95"), False),
        (BAD, Status.ROLLED_BACK, 1, ("error_rate",), False),
        (BAD, Status.PROMOTED, 3, (), False),
    ],
)
def test_an_act_ends_as_told_or_not(
    act: scene.Act, status: Status, step: int, worse: tuple[str, ...], *, is_as_told: bool
) -> None:
    """The good one has to be promoted, the bad one rolled back at the first step, and for what is wrong with it."""
    came_to = ended(act, status, step, worse)

    assert came_to.is_as_told is is_as_told
    assert render_end(came_to, Screen(unicode=False)).startswith("  + " if is_as_told else "  x ")


@pytest.mark.clause("LI-160")
def test_an_end_that_no_traffic_followed_is_not_as_told() -> None:
    """A rollback that leaves the candidate with requests is none."""
    assert not replace(ended(BAD, Status.ROLLED_BACK, 0, ("error_rate",)), is_followed=False).is_as_told


@pytest.mark.clause("LC-61")
@pytest.mark.parametrize("applied", [(), (5.0,), (0.0, 5.0), (5.0, 1.0), (5.0, 0.0, 5.0)])
def test_a_weight_that_the_router_never_had_is_not_as_told(applied: tuple[float, ...]) -> None:
    """Each weight that was decided has to be read back from the router, in the order of the decisions."""
    came_to = replace(ended(BAD, Status.ROLLED_BACK, 0, ("error_rate",)), applied=applied)

    assert not came_to.is_as_told
    assert "the router had" in render_end(came_to, Screen())


@pytest.mark.clause("LC-61")
def test_what_was_decided_is_read_from_the_signed_receipt(signed: list[dict[str, object]]) -> None:
    """Where it went, from where, and why; a pause moves nothing."""
    begun, paused = map(decided, signed)

    assert (begun.seq, begun.status, begun.before, begun.weight, begun.is_movement) == (1, Status.ACTIVE, 0, 5, True)
    assert (paused.seq, paused.status, paused.is_movement, paused.is_last) == (2, Status.PAUSED, False, False)
    assert paused.reason
    assert render_move(1.0, "v37", begun, Screen()).startswith("   1.0 s  v37  active 5 %")


def test_what_is_said_fits_and_stands_under_its_head() -> None:
    """A long line goes on below its own beginning."""
    said = render_lines("  head  ", "word " * 30, Screen(width=40))

    lines = said.split("\n")
    assert max(map(len, lines)) <= 40
    assert all(line.startswith("        word") for line in lines[1:])


def test_the_split_is_of_the_last_moments() -> None:
    """The rate and the shares are those that were counted."""
    seen = Split(0.0)
    seen.add(0.5, Counter(v36=450, v37=50))

    assert Split(0.0).words("nginx") == "no request through nginx yet"
    assert seen.words("nginx").replace("\u00a0", " ") == "1,000 requests a second through nginx: v36 90.0 %, v37 10.0 %"
    assert seen.anew(0.6).words("nginx") == "1,000 requests a second through nginx"


@pytest.mark.slow
@pytest.mark.clause("LI-160", "LC-60", "LC-61", "LC-62")
def test_one_is_promoted_and_one_rolled_back_on_live_traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole demonstration, with the router that every machine has; what it leaves behind answers until ended."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    # What the caller works with elsewhere is left alone.
    elsewhere = {"LOCKGATE_URL": "http://127.0.0.1:1", "LOCKGATE_STORE": "postgresql://u@127.0.0.1:1/d"}
    with monkeypatch.context() as changed:
        for name, value in elsewhere.items():
            changed.setenv(name, value)
        ran = typed("demo", "--keep", "--router", "own", within_s=scene.PATIENCE_S + 60)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    kept = Path(re.findall(r"Store and receipts: (\S+)\.\n", ran.stdout)[0])
    assert "v37 promoted to 100 %" in ran.stdout
    assert "v38 rolled back at 5 %" in ran.stdout
    assert re.search(r"v38 +rolled back 0 % +error_rate rose from", ran.stdout)
    receipts = sorted((kept / "receipts").rglob("receipt-?.json"))
    assert f"{len(receipts)} receipts, one for each decision, verified with " in ran.stdout
    assert all(json.loads(receipt.read_bytes())["signatures"] for receipt in receipts)
    numbers = [int(number) for number in re.findall(r"kill ([\d ]+)\n", ran.stdout)[0].split()]
    url = re.findall(r"LOCKGATE_URL=(\S+) ", ran.stdout)[0]
    try:
        with Client(url) as client:
            listed = [each["status"] for each in client.rollouts()]
    finally:
        for number in numbers:
            os.kill(number, signal.SIGTERM)
    assert listed == ["promoted", "rolled_back"]
    assert all(is_gone(number) for number in numbers)
    assert _delivered(kept / "home") == ["delivered"] * 8


def _delivered(home: Path) -> list[str]:
    from lockgate.wiring import local_house

    house = local_house(home)
    with house.store.reading(house.org) as seen:
        return [each.state.value for each in seen.deliveries()]
