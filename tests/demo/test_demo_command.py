# SPDX-License-Identifier: Apache-2.0
"""A terminal, or none, comes in; `lockgate demo` must show what happened, and leave by 0 only if all of it did."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout, Status
from lockgate.demo import scene
from lockgate.demo.stage import Ended, Split, render_end, render_lines
from lockgate.report.screen import Screen
from tests.doors.line import typed

GOOD, BAD = scene.ACTS
ROLLOUT = Rollout(
    id="rol_x",
    app=scene.APP,
    baseline="v36",
    candidate="v37",
    mode=Mode.CANARY,
    policy_digest="sha256:0",
    created_at=0,
    step_entered_at=0,
)


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
    ended = Ended(act, replace(ROLLOUT, status=status, step=step), "5 %", 4.0, worse)

    assert ended.is_as_told is is_as_told
    assert render_end(ended, Screen(unicode=False)).startswith("  + " if is_as_told else "  x ")


@pytest.mark.clause("LI-160")
def test_an_end_that_no_traffic_followed_is_not_as_told() -> None:
    """A rollback that leaves the candidate with requests is none."""
    ended = Ended(BAD, replace(ROLLOUT, status=Status.ROLLED_BACK), "5 %", 4.0, ("error_rate",), is_carried_out=False)

    assert not ended.is_as_told


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


@pytest.mark.slow
@pytest.mark.clause("LI-160")
def test_one_is_promoted_and_one_rolled_back_on_live_traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole demonstration, with the router that every machine has; its store and receipts can be kept."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    ran = typed("demo", "--keep", "--router", "own")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    kept = Path(re.findall(r"Store and receipts: (\S+)\. ", ran.stdout)[0])
    assert "v37 promoted to 100 %" in ran.stdout
    assert "v38 rolled back at 5 %" in ran.stdout
    assert re.search(r"v38 +rolled back 0 % +error_rate rose from", ran.stdout)
    receipts = sorted((kept / "receipts").rglob("receipt-?.json"))
    assert f"{len(receipts)} receipts, one for each decision, verified with " in ran.stdout
    assert all(json.loads(receipt.read_bytes())["signatures"] for receipt in receipts)
