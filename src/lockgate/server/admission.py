# SPDX-License-Identifier: Apache-2.0
"""A request for an endpoint comes in; who calls and how their key stands goes out, or why they are not let in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from starlette.requests import Request

from lockgate.core.api_key import key_id
from lockgate.errors import UnknownError
from lockgate.operations.asking.queries import find_rollout
from lockgate.ports.house import House
from lockgate.server.caller import ANYBODY, Caller, caller_of, local_caller
from lockgate.server.limits import Demand, Limits
from lockgate.server.problem import NOT_A_CALL, NOT_THERE, ProblemError
from lockgate.server.rooms import STRANGER, URGENT, Who, room_name, who_calls
from lockgate.server.table import MAX_BODY, Endpoint

# Of these two readers could each take another one, and so mean another call.
ONCE = (
    "authorization",
    "content-type",
    "content-length",
    "content-encoding",
    "idempotency-key",
    "if-match",
    "origin",
)


# Not every store can hold it, or look for it.
NUL = "\0"


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, what they asked of their rates, and the headers that say how they stand."""

    caller: Caller = ANYBODY
    demand: Demand | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    who: Who = STRANGER


def check_head(request: Request) -> None:
    """Refuse a request that says twice what can be meant once, or that names what nothing is named."""
    counted = Counter(name for name, _ in request.headers.raw)
    for name in ONCE:
        if counted[name.encode()] > 1:
            raise ProblemError(NOT_A_CALL, f"the header {name} comes twice", "Send it once.")
    if any(NUL in name for name in request.path_params.values()):
        raise ProblemError(NOT_THERE, "nothing has a zero byte in its name", "GET the list to see what there is.")
    if any(NUL in text for text in request.query_params.values()):
        raise ProblemError(NOT_A_CALL, "a parameter of the query has a zero byte", "Send text.")


def admit(row: Endpoint, house: House, limits: Limits, request: Request) -> Admission:
    """Let in who has a key that is for an endpoint, and has not called too often."""
    caller = caller_of(request.headers, house.store, house.clock)
    own = replace(house, org=caller.org)
    demand = Demand(caller, is_runs=row.max_body > MAX_BODY, urgent=partial(_urgent, row, own, request))
    headers = limits.admit(demand)
    _check(row, caller)
    return Admission(caller, demand, headers, who_calls(caller))


def admit_anybody(row: Endpoint, request: Request) -> Admission:
    """Let in any program of this machine."""
    caller = local_caller(request.headers)
    _check(row, caller)
    return Admission(caller, who=who_calls(caller))


def failed(limits: Limits, request: Request) -> None:
    """Count a call that opened nothing by its peer and the key that it names; refuse it where too many did."""
    peer = "" if request.client is None else request.client.host
    named = key_id(request.headers.get("authorization", "").rpartition(" ")[2])
    limits.fail(f"peer {peer}", *([] if named is None else [named]))


def _check(row: Endpoint, caller: Caller) -> None:
    assert row.permission is not None
    caller.check(row.permission)


def _urgent(row: Endpoint, house: House, request: Request) -> str | None:
    """Return what an urgent call is about, where that is there; None for every other call."""
    if room_name(row) not in URGENT:
        return None
    named = request.path_params
    if "id" in named:
        try:
            return None if find_rollout(named["id"], house).is_terminal else f"{row.path} {named['id']}"
        except UnknownError:
            return None
    if "app" in named:
        with house.store.reading(house.org) as seen:
            return None if seen.app(named["app"]) is None else f"{row.path} {named['app']}"
    return row.path
