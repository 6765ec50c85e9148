# SPDX-License-Identifier: Apache-2.0
"""The name of a permission or a preset comes in; what the bearer of a key may do goes out.

This table is the only one: commands, the server, its tests and the documentation read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from lockgate.errors import UsageError


class Permission(StrEnum):
    """One thing that a key may be for; what no permission names is nobody's."""

    READ = "rollout.read"
    TICK = "rollout.tick"
    MANAGE = "rollout.manage"
    OVERRIDE = "rollout.override"
    WRITE_RUNS = "run.write"
    READ_RECEIPTS = "receipt.read"
    WRITE_WEIGHT = "weight.write"
    MANAGE_KEYS = "key.manage"
    READ_METRICS = "metrics.read"
    MANAGE_WEBHOOKS = "webhook.manage"
    EXPORT = "audit.export"


MEANINGS = {
    Permission.READ: "see rollouts and apps",
    Permission.TICK: "take turns of the loop",
    Permission.MANAGE: "create, pause, resume and cancel rollouts; includes rollout.read, .tick and weight.write",
    Permission.OVERRIDE: "approve, promote, roll back, clear alarms, freeze and kill, each with a reason",
    Permission.WRITE_RUNS: "send runs",
    Permission.READ_RECEIPTS: "fetch receipts and their proofs",
    Permission.WRITE_WEIGHT: "say which weight is live",
    Permission.MANAGE_KEYS: "make, list and revoke keys that allow no more than itself",
    Permission.READ_METRICS: "fetch metrics",
    Permission.MANAGE_WEBHOOKS: "declare, try and remove receivers of messages, and see what they were sent",
    Permission.EXPORT: "export what was decided as files: the log since an entry, and a rollout with all its evidence",
}
INCLUDED = {Permission.MANAGE: (Permission.READ, Permission.TICK, Permission.WRITE_WEIGHT)}

# Who keys are usually for.
PRESETS: dict[str, tuple[Permission, ...]] = {
    "admin": tuple(Permission),
    "operator": (
        Permission.MANAGE,
        Permission.OVERRIDE,
        Permission.READ_RECEIPTS,
        Permission.READ_METRICS,
        Permission.MANAGE_WEBHOOKS,
    ),
    "ci": (Permission.MANAGE,),
    "sdk": (Permission.WRITE_RUNS,),
    "auditor": (Permission.READ, Permission.READ_RECEIPTS, Permission.EXPORT),
    "viewer": (Permission.READ,),
    "monitor": (Permission.READ_METRICS,),
}


def permissions_of(words: Iterable[str]) -> tuple[Permission, ...]:
    """Return what names of presets and permissions allow together, in the order of the table."""
    found: set[Permission] = set()
    for word in words:
        if word in PRESETS:
            found.update(PRESETS[word])
        elif word in {each.value for each in Permission}:
            found.add(Permission(word))
        else:
            known = ", ".join([*PRESETS, *(each.value for each in Permission)])
            raise UsageError(f"{word!r} is no permission and no preset", advice=f"Known: {known}.")
    return tuple(each for each in Permission if each in found)


def is_allowed(granted: Iterable[Permission], wanted: Permission) -> bool:
    """Say whether permissions hold one, by itself or included in another."""
    return any(wanted is each or wanted in INCLUDED.get(each, ()) for each in granted)
