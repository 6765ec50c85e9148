# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the commands that the command line asks of a server go out, each with whom it answers.

A command is asked below what it is about, so that a key for other apps is refused as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lockgate.core.permission import Permission
from lockgate.server.call import Handler
from lockgate.server.routes.screens import screen_of

ROLLOUT, APP, KEY, ALL = "/rollouts/{id}", "/apps/{app}", "/api-keys/{key}", ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it is asked of, whom it answers, and words with which it can be meant."""

    name: str
    of: str
    permission: Permission
    words: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Return the path below that of the API."""
        return f"{self.of}/screens/{self.name}"

    @property
    def command(self) -> str:
        """Return what a person types who asks this."""
        return {"look": "watch --no-tick", "turn": "watch", "end": "watch", "kept": "ingest"}.get(
            self.name, self.name.replace("keys-", "keys ")
        )

    @property
    def takes(self) -> str:
        """Return the name of the schema of its body."""
        of = {ROLLOUT: "OfRollout", APP: "OfApp", KEY: "", ALL: ""}[self.of]
        return f"Words{''.join(part.title() for part in self.name.split('-'))}{of}"


WHY = {"reason": "errors at checkout"}
SEEN = {**WHY, "step": 0, "revision": 1, "yes": True}
TRY = {"candidate": "v37", "baseline": "v36"}
_LOOK: dict[str, Any] = {"held": [], "untold": []}
_KEY = {"name": "deploys of web", "words": ["ci"], "apps": ["web"], "life_s": 86_400}

COMMANDS = (
    Command("show", ROLLOUT, Permission.READ),
    Command("explain", ROLLOUT, Permission.READ),
    Command("receipts", ROLLOUT, Permission.READ_RECEIPTS),
    Command("look", ROLLOUT, Permission.READ, _LOOK),
    Command("turn", ROLLOUT, Permission.TICK, _LOOK),
    Command("end", ROLLOUT, Permission.OVERRIDE, {**_LOOK, "over_s": 60}),
    Command("tick", ROLLOUT, Permission.TICK),
    Command("pause", ROLLOUT, Permission.MANAGE, WHY),
    Command("resume", ROLLOUT, Permission.MANAGE, WHY),
    Command("cancel", ROLLOUT, Permission.MANAGE, WHY),
    Command("clear-alarm", ROLLOUT, Permission.OVERRIDE, WHY),
    Command("approve", ROLLOUT, Permission.OVERRIDE, SEEN),
    Command("promote", ROLLOUT, Permission.OVERRIDE, SEEN),
    Command("rollback", ROLLOUT, Permission.OVERRIDE, {**WHY, "yes": True}),
    Command("runs", APP, Permission.READ),
    Command("compare", APP, Permission.READ, {**TRY, "command": "lockgate compare", "metrics": ["error_rate"]}),
    Command("freeze", APP, Permission.OVERRIDE, WHY),
    Command("unfreeze", APP, Permission.OVERRIDE, WHY),
    Command("kill", APP, Permission.OVERRIDE, {**WHY, "yes": True}),
    Command("list", ALL, Permission.READ),
    Command("apps", ALL, Permission.READ),
    Command("kept", ALL, Permission.READ),
    Command("tick", ALL, Permission.TICK),
    Command("unfreeze", ALL, Permission.OVERRIDE, WHY),
    Command("kill", ALL, Permission.OVERRIDE, {**WHY, "yes": True}),
    Command("create", ALL, Permission.MANAGE, {**TRY, "app_id": "web", "policy": {}, "links": [], "typed": {}}),
    Command("keys-create", ALL, Permission.MANAGE_KEYS, _KEY),
    Command("keys-list", ALL, Permission.MANAGE_KEYS),
    Command("keys-revoke", KEY, Permission.MANAGE_KEYS),
)
# One handler for each, so that what it takes is found by it.
HANDLERS: dict[str, Handler] = {each.path: screen_of(each.name) for each in COMMANDS}
