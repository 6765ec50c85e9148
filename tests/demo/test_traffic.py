# SPDX-License-Identifier: Apache-2.0
"""Shares of requests come in; the router that the demonstration brings along must split them so."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate.demo import receiver
from lockgate.demo.choice import ROUTER, choose, chosen_in
from lockgate.demo.mover import journal_of, main
from lockgate.demo.receiver import told
from lockgate.demo.router import Router
from lockgate.demo.scene import Behaviour
from lockgate.demo.serving import Serving
from lockgate.demo.traffic import Traffic
from lockgate.webhooks import verify
from tests.demo.routed import RELEASES, moved, share, split
from tests.receiver.signed import NOW, SECRET, body, headers

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
    (tmp_path / ROUTER).mkdir()
    chosen = choose(tmp_path / ROUTER, traffic.loop, "own")
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


@pytest.mark.clause("LI-161", "SV-1073")
@pytest.mark.usefixtures("router")
def test_a_router_is_moved_from_its_folder_and_says_what_it_has(
    traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program of the receiver is a process of its own, which finds all that it needs there."""
    sent = body(candidate_release="v38", weight=40)
    event = verify(headers(sent), sent, SECRET, now=NOW)

    main(str(tmp_path), told(event))

    seen = chosen_in(tmp_path / ROUTER)
    assert abs(share(split(traffic), "v38") - 0.40) < 0.02
    assert (seen.weight("v36"), seen.weight("v37")) == (60, 0)
    assert json.loads(capsys.readouterr().out) == {"weight": 40.0}
    assert journal_of(tmp_path) == [(event.rollout_id, event.seq, 40.0)]


@pytest.mark.clause("SV-1073")
def test_the_receiver_of_the_demonstration_is_the_example() -> None:
    """Byte for byte, so that a wheel, which has no examples, runs it too."""
    example = Path(__file__).resolve().parents[2] / "examples" / "receiver" / "receiver.py"

    assert Path(receiver.__file__).read_bytes() == example.read_bytes()


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
