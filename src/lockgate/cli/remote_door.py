# SPDX-License-Identifier: Apache-2.0
"""The name of a command and its words come in; what a server answers to it goes out.

The server runs the command and draws it; here nothing is read but the answer, so that this starts fast.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping

from lockgate.cli import local, output
from lockgate.cli.said import Said, said_of
from lockgate.client.environment import transport
from lockgate.client.place import place_of
from lockgate.client.transport import API, ProblemError, Reply, Timing, Transport, check
from lockgate.errors import (
    DataError,
    LockgateError,
    NotPermittedError,
    TryAgainError,
    UnreachableError,
    UsageError,
)

# A kill waits for routers, and a server that holds its store for somebody else answers late.
ANSWER_S, TOTAL_S, AWAY_S = 75.0, 90.0, 3.0
# An answer that comes so late is still worth more to who watches than none.
LATE_S = 15.0
OF_APP = frozenset({"runs", "compare", "freeze", "unfreeze", "kill"})
# A token that was lost on its way must not be made again.
ONCE = frozenset({"keys-create"})
PROBLEM = "urn:lockgate:problem:"
# Where to look for the name of what is not there.
ROLLOUTS = "`lockgate list` has the ids, `lockgate apps` the apps."
KEYS = "`lockgate keys list` shows those that there are."
# Of commands that name something else than rollouts and apps.
OF_COMMAND = {"keys-revoke": KEYS}
_BY_TYPE: dict[str, type[LockgateError]] = {
    "invalid-data": DataError,
    "too-many-runs": DataError,
    "store-unsound": DataError,
    "store-older": DataError,
    "store-later": DataError,
    "refused": NotPermittedError,
    "internal": LockgateError,
    "unreachable": UnreachableError,
    # The store goes on elsewhere: no later call succeeds here.
    "store-left": NotPermittedError,
}
_BY_STATUS: dict[int, type[LockgateError]] = {
    401: NotPermittedError,
    403: NotPermittedError,
    408: TryAgainError,
    409: TryAgainError,
    412: TryAgainError,
    429: TryAgainError,
    503: TryAgainError,
}


class RemoteDoor:
    """The server that LOCKGATE_URL names."""

    def __init__(self, away_s: float = AWAY_S) -> None:
        self.transport = transport(timing=Timing(ANSWER_S, TOTAL_S, AWAY_S))
        self.transport.on_wait = local.tell
        self._away_until = time.monotonic() + away_s
        self._is_watching = away_s != AWAY_S

    def close(self) -> None:
        """Close the connection."""
        self.transport.close()

    def ask(self, name: str, words: Mapping[str, object]) -> Said:
        """Return what a command says, drawn for this screen."""
        width, colour, unicode = output.screen_facts(sys.stdout, os.environ)
        rest = dict(words)
        path = f"{API}{_place(name, rest)}/screens/{name}"
        screen = {"width": width, "colour": colour, "unicode": unicode}
        body = json.dumps({"words": rest, "screen": screen}).encode("ascii")
        headers = {"Content-Type": "application/json"}
        try:
            return said_of(check(self._call(name, path, body, headers)).document())
        except ProblemError as error:
            raise explained(error, self.transport, OF_COMMAND.get(name, ROLLOUTS)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise _other_version(self.transport) from error

    def _call(self, name: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        left = max(AWAY_S, self._away_until - time.monotonic())
        # Who watches waits no longer than it was told to; what it does at the end has the time that it needs.
        total = max(left, LATE_S) if self._is_watching and name != "end" else max(left, TOTAL_S)
        timing = Timing(ANSWER_S, total, left)
        return self.transport.call("POST", path, body, headers, is_safe=name not in ONCE, timing=timing)


def explained(error: ProblemError, sent_by: Transport, names: str = ROLLOUTS) -> LockgateError:
    """Return a problem as the error that the same call has on the server's machine; `names` says where names stand."""
    name = error.type.removeprefix(PROBLEM)
    if error.status == 404 and error.detail.startswith("there is no path"):
        return _other_version(sent_by)
    if not name or error.status in (502, 504):
        return UnreachableError(error.message, advice=error.advice)
    kind = _BY_TYPE.get(name) or _BY_STATUS.get(error.status, UsageError if error.status < 500 else LockgateError)
    advice = error.advice
    if name in ("key-needed", "key-malformed", "key-expired", "key-revoked"):
        advice = "LOCKGATE_API_KEY holds the key; `lockgate keys create` makes one."
        if name == "key-expired":
            advice += " One of `lockgate keys exchange` is for minutes: a job that takes longer declares more tokens."
    elif name == "not-found":
        advice = names
    return kind(error.message, advice=advice)


def _place(name: str, words: dict[str, object]) -> str:
    """Take what a command is about out of its words, and return the path of that."""
    if words.get("rollout_id") == "":
        raise UsageError("the id of the rollout is empty", advice="Did the `create` that should have printed it fail?")
    if words.get("rollout_id") is not None:
        return f"/rollouts/{place_of(str(words.pop('rollout_id')))}"
    if words.get("key_id") is not None:
        return f"/api-keys/{place_of(str(words.pop('key_id')))}"
    if name in OF_APP and words.get("app_id") is not None:
        return f"/apps/{place_of(str(words.pop('app_id')))}"
    return ""


def _other_version(sent_by: Transport) -> UsageError:
    from lockgate import __version__

    try:
        there = check(sent_by.call("GET", "/healthz", is_safe=True)).document().get("version")
    except LockgateError:
        there = None
    if there is None and sent_by.path:
        return UsageError(
            f"no Lockgate answers below {sent_by.path} of the address that LOCKGATE_URL names",
            advice="Leave the path out of LOCKGATE_URL, unless a proxy serves Lockgate below it.",
        )
    if there == __version__:
        return UsageError(
            f"the server is Lockgate {there}, as this is, and does not know the path that it was asked for",
            advice="Does a proxy on the way change paths? It has to pass them on as they are, `%2F` too.",
        )
    return UsageError(
        f"the server is not one that this command understands: it is Lockgate {there or 'of no version'}, and this "
        f"is {__version__}",
        advice="Use the client of the server's version.",
    )
