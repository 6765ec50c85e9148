# SPDX-License-Identifier: Apache-2.0
"""What an app's runs carry comes in; the gates of a policy that names none, and the policies that it may mean, go out.

What is gated by default is frozen when a rollout starts: the same words may declare another policy once runs are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import cast

from lockgate.core.canonical import Json, digest
from lockgate.core.declaration.fault import PolicyFaults
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.policy.policy import Policy
from lockgate.operations.asking.latest import latest
from lockgate.ports.store import Snapshot

DEFAULT_GATES = ("error_rate",)
SLOW_END = ("latency_ms:p95", "latency_ms")
# How many of the latest buckets tell what the baseline's runs carry.
RECENT_SLOTS = 100


def default_gates(seen: Snapshot, app: str, baseline: str) -> tuple[str, ...]:
    """Return the gates of a policy that names none, by what the baseline's latest runs carry."""
    name, field = SLOW_END
    cells = latest(seen, app, RECENT_SLOTS).cells
    is_timed = any(cell.release == baseline and field in cell.bucket.values for cell in cells)
    return (*DEFAULT_GATES, name) if is_timed else DEFAULT_GATES


def digest_of(written: Mapping[str, object]) -> str:
    """Return the digest of a policy as its owner wrote it, which was declared and so is JSON."""
    return digest(cast("Json", written))


def meanings(written: Mapping[str, object]) -> Iterator[Policy]:
    """Yield the policies that a document declares, whatever runs are there."""
    for gates in (DEFAULT_GATES, (*DEFAULT_GATES, SLOW_END[0])):
        # One that names gates at a step may be legal with some of them only.
        with suppress(PolicyFaults):
            yield declare(written, gates)


def differences(frozen: Policy, written: Mapping[str, object]) -> tuple[str, ...]:
    """Return the fields in which a document means another policy than the one that is frozen."""
    document = frozen.document()
    others = [
        tuple(name for name, value in each.document().items() if document.get(name) != value)
        for each in meanings(written)
    ]
    return min(others, key=len, default=())


def is_meant(policy_digest: str, declared: str | None, written: Mapping[str, object]) -> bool:
    """Say whether a document was written as a frozen policy was, or means it."""
    return declared == digest_of(written) or any(each.digest() == policy_digest for each in meanings(written))
