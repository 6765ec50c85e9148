# SPDX-License-Identifier: Apache-2.0
"""What is asked of a log comes in; the bytes that this machine's store or a server answers go out.

Both answer by the same handlers, so that a command says the same wherever it is asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from lockgate.cli import local
from lockgate.errors import NotPermittedError

if TYPE_CHECKING:
    from lockgate.server.call import Call, Handler

# A portion of an export may have to be read from a slow disk.
ANSWER_S, TOTAL_S, AWAY_S = 60.0, 90.0, 3.0


@dataclass(frozen=True, slots=True)
class LogCall:
    """One call: its path below that of the log, what the path names, and its query."""

    path: str
    named: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Return the path with what it names, and the query."""
        return f"/log{self.path.format_map(self.named)}{'?' if self.query else ''}{urlencode(self.query)}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: headers by names in lower case, and the body."""

    headers: Mapping[str, str]
    body: bytes


def fetch(asked: LogCall) -> Fetched:
    """Return what a call is answered."""
    return _of_server(asked) if os.environ.get(local.URL) else _here(asked)


def _here(asked: LogCall) -> Fetched:
    from lockgate.server.problem import ProblemError

    try:
        answer = _handlers()[asked.path](_call(asked))
    except ProblemError as error:
        raise NotPermittedError(error.problem.detail, advice=error.problem.advice) from error
    return Fetched(answer.headers, answer.encoded())


def _handlers() -> Mapping[str, Handler]:
    """Return what answers each path at this machine."""
    from lockgate.server.routes import log

    return {
        "/checkpoint": log.show_checkpoint,
        "/entries/{index}": log.show_entry,
        "/proof/{index}": log.show_proof,
        "/consistency": log.show_growth,
        "/export": log.export_lines,
    }


def _call(asked: LogCall) -> Call:
    from lockgate.core.permission import Permission
    from lockgate.server.call import Call
    from lockgate.server.caller import Caller
    from lockgate.wiring import run_batches

    house = local.house_to_read()
    return Call(
        house=house,
        caller=Caller(org=house.org, owner="local", name="", kind="person", permissions=tuple(Permission)),
        batches=run_batches(),
        path=asked.place,
        named=asked.named,
        query=asked.query,
    )


def _of_server(asked: LogCall) -> Fetched:
    from lockgate.cli.remote_door import explained
    from lockgate.client.environment import transport
    from lockgate.client.transport import API, ProblemError, Timing, check

    sent_by = transport(timing=Timing(ANSWER_S, TOTAL_S, AWAY_S))
    try:
        reply = check(sent_by.call("GET", API + asked.place, is_safe=True))
    except ProblemError as error:
        raise explained(error, sent_by, "`lockgate log checkpoint` says how many entries there are.") from error
    finally:
        sent_by.close()
    return Fetched({name.lower(): text for name, text in reply.headers.items()}, reply.body)
