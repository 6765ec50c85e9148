# SPDX-License-Identifier: Apache-2.0
"""A call about webhooks comes in; what it is answered, by this machine's store or a server, goes out as a document.

Both answer by the same handlers, so that a command says the same wherever it is asked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lockgate.cli import local
from lockgate.client.place import place_of
from lockgate.errors import LockgateError, NotPermittedError

if TYPE_CHECKING:
    from lockgate.server.call import Call, Handler

# A receiver that is tried has 15 s.
ANSWER_S, TOTAL_S, AWAY_S = 40.0, 60.0, 3.0
NAMES = "`lockgate webhooks list` names them, `lockgate webhooks deliveries ID` the messages of one."


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """One call: the name of its handler, what its path names, its query and its body; None has none."""

    handler: str
    method: str = "GET"
    path: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    is_new: bool = False

    @property
    def place(self) -> str:
        """Return the path with what it names, and the query."""
        path = self.path.format_map({name: place_of(word) for name, word in self.named.items()})
        return f"/webhooks{path}{'?' if self.query else ''}{urlencode(self.query)}"


def ask(call: WebhookCall, by: str | None = None) -> dict[str, Any]:
    """Return what a call is answered."""
    return _of_server(call) if os.environ.get(local.URL) else _here(call, by)


def _here(asked: WebhookCall, by: str | None) -> dict[str, Any]:
    from lockgate.server.problem import ProblemError
    from lockgate.server.routes import webhooks

    handler: Handler = getattr(webhooks, asked.handler)
    call = _call(asked, by)
    try:
        if handler is webhooks.create_one:
            webhooks.check_one(call)
        answer = handler(call)
    except ProblemError as error:
        raise NotPermittedError(error.problem.detail, advice=error.problem.advice) from error
    if asked.method != "GET":
        _deliver(call)
    document: dict[str, Any] = json.loads(answer.encoded())
    return document


def _call(asked: WebhookCall, by: str | None) -> Call:
    from lockgate.core.permission import Permission
    from lockgate.core.receipt import operator
    from lockgate.server.call import Call
    from lockgate.server.caller import Caller
    from lockgate.wiring import receivers, run_batches

    house = local.house() if asked.is_new else local.known_house()
    # A container may run as a number that nobody has named, and sets up all the same.
    who = operator(by or local.actor().name or "lockgate webhooks", "as called")
    return Call(
        house=house,
        caller=Caller(org=house.org, owner=who.kind, name=who.name or "", kind=who.kind, permissions=tuple(Permission)),
        batches=run_batches(),
        receivers=receivers(),
        method=asked.method,
        path=asked.place,
        named=asked.named,
        query=asked.query,
        body=b"" if asked.body is None else json.dumps(asked.body).encode("ascii"),
    )


def _deliver(call: Call) -> None:
    """Send what is due now, because no server may do it."""
    from lockgate.cli import delivery

    delivery.warn(delivery.tell(call.house))


def _of_server(asked: WebhookCall) -> dict[str, Any]:
    from lockgate.cli.remote_door import explained
    from lockgate.client.environment import transport
    from lockgate.client.transport import API, ProblemError, Timing, check

    sent_by = transport(timing=Timing(ANSWER_S, TOTAL_S, AWAY_S))
    body = None if asked.body is None else json.dumps(asked.body).encode("ascii")
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        reply = check(sent_by.call(asked.method, API + asked.place, body, headers, is_safe=asked.method == "GET"))
        return dict(reply.document())
    except ProblemError as error:
        raise explained(error, sent_by, NAMES) from error
    except (KeyError, TypeError, ValueError) as error:
        raise LockgateError(
            "the server's answer was not understood", advice="Use the client of its version."
        ) from error
    finally:
        sent_by.close()
