# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; what the demonstration tries, and how its releases behave, goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.rollout import Status

APP = "claims-agent"
# Of this one the candidates' first thousands of latencies are no slower than their law, which is the baseline's:
# by some others a false alarm about latency, as one rollout in twenty may have, comes before the true one.
SEED = 19
# The time in which everything has to happen, of which a machine that serves every request takes a fifth.
PATIENCE_S = 120.0
# Requests a second: enough for a doubling from 5 % to be known at 5 % of the traffic within seconds.
RATE = 1_000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a release answers: how often it fails, and its median latency."""

    error_rate: float
    latency_ms: float = 12.0


@dataclass(frozen=True, slots=True)
class Act:
    """One candidate, what it is, and how its trial has to end; `worse`: in which metrics it has to be found worse."""

    candidate: str
    what: str
    status: Status
    worse: tuple[str, ...] = ()


FIRST = "v36"
BEHAVIOURS = {FIRST: Behaviour(0.05), "v37": Behaviour(0.05), "v38": Behaviour(0.10)}
ACTS = (
    Act("v37", "as good as the release that it replaces", Status.PROMOTED),
    Act("v38", "fails twice as often", Status.ROLLED_BACK, worse=("error_rate",)),
)
# So often the server takes a turn, which is as often as a bucket seals.
TURN = "1s"
# Everything else is the default: the ramp 5, 25, 50, 100, and gates on errors and slow answers.
POLICY = {"mode": "canary", "bucket": "1s"}
