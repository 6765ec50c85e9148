# SPDX-License-Identifier: Apache-2.0
"""Shares of requests come in; the router that the demonstration brings along must split them so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate.demo.choice import choose
from lockgate.demo.router import Router
from lockgate.demo.scene import Behaviour
from lockgate.demo.serving import Serving
from lockgate.demo.traffic import Traffic
from tests.demo.routed import RELEASES, moved, share, split

RATE = 2_000


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    """Return releases that answer on ports of this machine."""
    flowing = Traffic(RELEASES, seed=1)
    yield flowing
    flowing.stop()


@pytest.fixture
def router(traffic: Traffic, tmp_path: Path) -> Iterator[Router]:
    """Return the router that every machine has, with requests flowing through it."""
    chosen = choose(tmp_path, traffic.loop, "own")
    traffic.flow(chosen.start(traffic.ports), RATE)
    yield chosen
    chosen.stop()


@pytest.mark.clause("LI-161")
def test_requests_are_split_as_the_weight_says(traffic: Traffic, router: Router) -> None:
    """Every hundred requests are split exactly; a release without a share gets none."""
    first, then = moved(traffic, router, {"v36": 75, "v37": 25}), moved(traffic, router, {"v37": 90, "v38": 10})

    assert abs(share(first, "v37") - 0.25) < 0.02
    assert abs(share(then, "v38") - 0.10) < 0.02
    assert (first["v38"], then["v36"]) == (0, 0)


@pytest.mark.clause("LI-161")
def test_the_mover_moves_the_router_of_a_folder(traffic: Traffic, router: Router, tmp_path: Path) -> None:
    """What a rollout's actuator runs is a program of its own, which finds all that it needs in the folder."""
    told = {"LOCKGATE_BASELINE": "v36", "LOCKGATE_CANDIDATE": "v38", "LOCKGATE_WEIGHT": "40"}
    command = [sys.executable, "-m", "lockgate.demo.weight_mover", str(tmp_path)]

    ran = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)

    counts = split(traffic)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert abs(share(counts, "v38") - 0.40) < 0.02


def test_a_release_answers_as_its_seed_says() -> None:
    """The n-th request of a release goes the same way in every showing."""
    one, same, other = (Serving("v38", Behaviour(0.5), seed, deque()) for seed in (1, 1, 2))

    answers = [[service.answer()[0].status for _ in range(50)] for service in (one, same, other)]

    assert answers[0] == answers[1] != answers[2]


def test_a_run_is_what_ingest_takes(traffic: Traffic, router: Router) -> None:
    """What the services leave is decoded as any body of runs is."""
    from lockgate.wiring import run_batches

    split(traffic)
    body, counts = traffic.take("claims-agent")
    while not counts:
        body, counts = traffic.take("claims-agent")

    batch = run_batches().decode(body, None)

    assert batch.columns.runs == counts.total()
    assert {(group.app, group.release) for group in batch.groups} <= {("claims-agent", name) for name in RELEASES}
