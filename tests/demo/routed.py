# SPDX-License-Identifier: Apache-2.0
"""A router and shares come in; how a few hundred requests through it were split goes out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from lockgate.demo.router import Router
from lockgate.demo.scene import Behaviour
from lockgate.demo.traffic import Traffic

RELEASES = {"v36": Behaviour(0.05, 1.0), "v37": Behaviour(0.05, 1.0), "v38": Behaviour(0.1, 1.0)}
WANTED = 400
MOMENT_S = 0.1
PATIENCE = 100


def split(traffic: Traffic) -> Counter[str]:
    """Return how many requests each release gets from now on, of a few hundred."""
    # What was asked before, and what a router still ends by its former weights.
    time.sleep(3 * MOMENT_S)
    traffic.take("app")
    counts: Counter[str] = Counter()
    for _ in range(PATIENCE):
        if counts.total() >= WANTED:
            return counts
        time.sleep(MOMENT_S)
        counts += traffic.take("app")[1]
    raise AssertionError(f"after {PATIENCE} moments there were {counts.total()} requests")


def moved(traffic: Traffic, router: Router, shares: Mapping[str, int]) -> Counter[str]:
    """Move a router that is started, and return how requests are split from then on."""
    router.move(shares)
    # Whoever says what it has routes by that from then on.
    assert {release: router.weight(release) for release in shares} == dict(shares)
    return split(traffic)


def share(counts: Counter[str], release: str) -> float:
    """Return a release's part of the requests."""
    return counts[release] / counts.total()
