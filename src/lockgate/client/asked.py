# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the types of what a server is asked go out: fields that may be left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class NewRollout(TypedDict, total=False):
    """Further fields of a rollout to be; those of the policy may stand here instead.

    `since`: also read runs of so long ago, in seconds or as text such as `2h`.
    """

    mode: str
    steps: str | Sequence[float | Mapping[str, Any]]
    min_runs: int
    require_pairwise: bool
    metrics: Sequence[str]
    since: int | str
    links: Mapping[str, str]
    digests: Mapping[str, str]
    replace: bool


class Filters(TypedDict, total=False):
    """Which rollouts are listed."""

    mode: str
    status: str
    candidate: str


class Question(TypedDict, total=False):
    """By which gates, at which level and over which runs two releases are compared."""

    policy: Mapping[str, Any]
    metrics: Sequence[str]
    per_gate_level: float
    since: int | str
