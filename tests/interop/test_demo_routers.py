# SPDX-License-Identifier: Apache-2.0
"""HAProxy and nginx as the demonstration starts them come in; its requests must be split as it moves them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate.demo.choice import choose, chosen_in
from lockgate.demo.traffic import Traffic
from tests.demo.routed import RELEASES, moved, share
from tests.interop.routers import part

RATE = 1_000


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a short name, because that of a socket is bounded."""
    made = Path(tempfile.mkdtemp(prefix="lg-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    """Return releases that answer on ports of this machine."""
    flowing = Traffic(RELEASES, seed=1)
    yield flowing
    flowing.stop()


@pytest.mark.interop
@pytest.mark.clause("LI-161")
@pytest.mark.parametrize("kind", ["haproxy", "nginx"])
def test_a_real_router_splits_as_it_is_moved(kind: str, folder: Path, traffic: Traffic) -> None:
    """It is moved from its folder alone, as another process does, and says what it has."""
    part(kind)
    router = choose(folder, traffic.loop, kind)
    traffic.flow(router.start(traffic.ports), RATE)

    counts = moved(traffic, chosen_in(folder), {"v36": 75, "v37": 25})
    weights = [router.weight(release) for release in ("v36", "v37", "v38")]
    router.stop()

    assert abs(share(counts, "v37") - 0.25) < 0.05
    assert (counts["v38"], weights) == (0, [75, 25, 0])
