# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the commands that the command line asks of a server go out, each with whom it answers.

A command is asked below what it is about, so that a key for other apps is refused as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lockgate.core.permission import Permission
from lockgate.server.call import MAX_WHOLE, Handler
from lockgate.server.routes.screens import screen_of
from lockgate.server.schema import Schema, described, record

ROLLOUT, APP, KEY, ALL = "/rollouts/{id}", "/apps/{app}", "/api-keys/{key}", ""


@dataclass(frozen=True, slots=True)
class Asked:
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
    def takes(self) -> str:
        """Return the name of the schema of its body."""
        of = {ROLLOUT: "OfRollout", APP: "OfApp", KEY: "", ALL: ""}[self.of]
        return f"Words{''.join(part.title() for part in self.name.split('-'))}{of}"

    def schema(self) -> Schema:
        """Return the schema of its body."""
        words = {"type": "object", "description": "The options of the command, as the command line sends them."}
        width: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_WHOLE - 1}
        screen = record({"width": width, "colour": {"type": "boolean"}, "unicode": {"type": "boolean"}})
        found = record({"words": words, "screen": described(screen, "What the text is fitted to.")})
        return {**found, "examples": [{"words": self.words, "screen": {"width": 100}}]}


WHY = {"reason": "errors at checkout"}
SEEN = {**WHY, "step": 0, "revision": 1, "yes": True}
TRY = {"candidate": "v37", "baseline": "v36"}
_LOOK: dict[str, Any] = {"held": [], "untold": []}
_KEY = {"name": "deploys of web", "words": ["ci"], "apps": ["web"], "life_s": 86_400}

COMMANDS = (
    Asked("show", ROLLOUT, Permission.READ),
    Asked("explain", ROLLOUT, Permission.READ),
    Asked("receipts", ROLLOUT, Permission.READ_RECEIPTS),
    Asked("look", ROLLOUT, Permission.READ, _LOOK),
    Asked("turn", ROLLOUT, Permission.TICK, _LOOK),
    Asked("end", ROLLOUT, Permission.OVERRIDE, {**_LOOK, "over_s": 60}),
    Asked("tick", ROLLOUT, Permission.TICK),
    Asked("pause", ROLLOUT, Permission.MANAGE, WHY),
    Asked("resume", ROLLOUT, Permission.MANAGE, WHY),
    Asked("cancel", ROLLOUT, Permission.MANAGE, WHY),
    Asked("clear-alarm", ROLLOUT, Permission.OVERRIDE, WHY),
    Asked("approve", ROLLOUT, Permission.OVERRIDE, SEEN),
    Asked("promote", ROLLOUT, Permission.OVERRIDE, SEEN),
    Asked("rollback", ROLLOUT, Permission.OVERRIDE, {**WHY, "yes": True}),
    Asked("runs", APP, Permission.READ),
    Asked("compare", APP, Permission.READ, {**TRY, "command": "lockgate compare", "metrics": ["error_rate"]}),
    Asked("freeze", APP, Permission.OVERRIDE, WHY),
    Asked("unfreeze", APP, Permission.OVERRIDE, WHY),
    Asked("kill", APP, Permission.OVERRIDE, {**WHY, "yes": True}),
    Asked("list", ALL, Permission.READ),
    Asked("apps", ALL, Permission.READ),
    Asked("kept", ALL, Permission.READ),
    Asked("tick", ALL, Permission.TICK),
    Asked("unfreeze", ALL, Permission.OVERRIDE, WHY),
    Asked("kill", ALL, Permission.OVERRIDE, {**WHY, "yes": True}),
    Asked("create", ALL, Permission.MANAGE, {**TRY, "app_id": "web", "policy": {}, "links": [], "typed": {}}),
    Asked("keys-create", ALL, Permission.MANAGE_KEYS, _KEY),
    Asked("keys-list", ALL, Permission.MANAGE_KEYS),
    Asked("keys-revoke", KEY, Permission.MANAGE_KEYS),
)
# One handler for each, so that what it takes is found by it.
HANDLERS: dict[str, Handler] = {each.path: screen_of(each.name) for each in COMMANDS}
