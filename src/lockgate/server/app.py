# SPDX-License-Identifier: Apache-2.0
"""A store and the table of endpoints come in; an ASGI application that answers them goes out.

Handlers are plain functions and run in threads, so that one that waits for the store keeps nobody from being heard.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lockgate.errors import LockgateError, UnknownError
from lockgate.operations.asking.queries import app_of
from lockgate.operations.line.reading import RECEIPT
from lockgate.ports.house import House
from lockgate.ports.id_tokens import IdTokens
from lockgate.ports.reading import RunBatches
from lockgate.ports.webhooks import Receivers
from lockgate.server.admission import Admission, admit, admit_anybody, check_head, failed
from lockgate.server.answering import answer as reply
from lockgate.server.body import packing, read_body, unpack_body
from lockgate.server.body_budget import BodyBudget
from lockgate.server.call import Answer, Ask, Call, ask_nothing, check_names, encode
from lockgate.server.caller import Caller
from lockgate.server.connection import OPENED
from lockgate.server.description import describe
from lockgate.server.gathering import Gathering
from lockgate.server.limits import Limits
from lockgate.server.measuring import Measuring
from lockgate.server.metrics import Metrics
from lockgate.server.path_route import PathRoute, deep
from lockgate.server.problem import (
    CONTENT_TYPE,
    INTERNAL,
    NO_KEY,
    NO_METHOD,
    NOT_A_CALL,
    NOT_THERE,
    OF_STRANGERS,
    TOO_LARGE,
    TOO_PACKED,
    TOO_SLOW,
    WRONG_ENCODING,
    WRONG_TYPE,
    Kind,
    Problem,
    ProblemError,
    problem_of,
    problem_of_fault,
)
from lockgate.server.rooms import Room, Rooms
from lockgate.server.sending import SentResponse
from lockgate.server.table import ENDPOINTS, LOG, Endpoint

DESCRIPTION = "/openapi.json"

OF_LOG = f"The first receipt begins the log; its size is the second line of {LOG}/checkpoint, and entries count from 0."

Handle = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a server serves: `is_open` lets every caller of this machine do everything, without a key.

    `wake` lets whoever delivers messages look at once, `ask` answers the commands of the command line, and `used` hears
    of each call that was let in its organisation and the id of its key.
    """

    house: House
    batches: RunBatches
    is_open: bool = False
    is_ticking: bool = False
    wake: Callable[[], None] = lambda: None
    ask: Ask = ask_nothing
    used: Callable[[str, str], None] = lambda _org, _key_id: None
    receivers: Receivers | None = None
    id_tokens: IdTokens | None = None
    limits: Limits = field(default_factory=Limits)
    metrics: Metrics = field(default_factory=Metrics)
    gathering: Gathering = field(default_factory=Gathering)
    bodies: BodyBudget = field(default_factory=BodyBudget)


def make_app(service: Service) -> Starlette:
    """Return the application of a service."""
    described = encode(describe(ENDPOINTS))

    async def description(_request: Request) -> Response:
        return Response(described, headers={"cache-control": "no-cache"}, media_type="application/json")

    rooms = Rooms()
    of_path: dict[str, dict[str, Endpoint]] = {}
    for each in ENDPOINTS:
        of_path.setdefault(each.path, {})[each.method] = each

    def handlers(rows: Mapping[str, Endpoint]) -> Mapping[str, Handle]:
        return {method: _endpoint(row, service, rooms) for method, row in rows.items()}

    # Routes are asked one after another: first those that the largest bodies come to.
    paths = sorted(of_path, key=lambda path: -max(row.max_body for row in of_path[path].values()))
    routes = [PathRoute(deep(path), _path(handlers(of_path[path])), methods=[*of_path[path]]) for path in paths]
    routes.append(PathRoute(DESCRIPTION, description))
    names = {route.endpoint: route.path for route in routes}
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Measuring, metrics=service.metrics, routes=names)],
        exception_handlers={HTTPException: _no_route},
    )
    # Where it would send a caller to is made of a header that anybody may have written.
    app.router.redirect_slashes = False
    return app


def _response(answer: Answer) -> Response:
    if answer.sending is not None:
        return SentResponse(answer.sending, answer.status, dict(answer.headers), answer.kind)
    return Response(answer.encoded(), answer.status, dict(answer.headers), answer.kind)


def _path(by_method: Mapping[str, Handle]) -> Handle:
    async def path(request: Request) -> Response:
        # A HEAD is a GET whose body nobody sends.
        return await by_method["GET" if request.method == "HEAD" else request.method](request)

    return path


def _endpoint(row: Endpoint, service: Service, rooms: Rooms) -> Handle:
    room, door = rooms.room_of(row), rooms.door_of(row)

    async def endpoint(request: Request) -> Response:
        admission = Admission()
        response: Response
        try:
            check_head(request)
            if row.permission is not None:
                admission = await door.run(_admission, row, service, request)
                request.scope["state"][OPENED]()
            answer = await _answered(row, service, admission, room, request)
        except ProblemError as error:
            response = _refusal(_counted(error, service, request))
        except LockgateError as error:
            response = _refusal(_for(row, admission.caller, error))
        except ClientDisconnect:
            # Nobody reads it.
            response = Response(status_code=NOT_A_CALL.status)
        except Exception:  # noqa: BLE001 -- whatever a handler raises is a fault of its own and no reason to end
            response = _refusal(problem_of_fault())
        else:
            response = _response(answer)
        if isinstance(response, Refusal):
            service.metrics.refused(response.kind.name)
        response.headers.update(admission.headers)
        # What does not say how long it holds may be another the next time, also where a cache would guess.
        response.headers.setdefault("cache-control", "no-store")
        return response

    return endpoint


def _admission(row: Endpoint, service: Service, request: Request) -> Admission:
    if service.is_open:
        return admit_anybody(row, request)
    admission = admit(row, service.house, service.limits, request)
    if admission.caller.key_id is not None:
        service.used(admission.caller.org, admission.caller.key_id)
    return admission


def _counted(error: ProblemError, service: Service, request: Request) -> Problem:
    """Return the problem that a refusal is; one who fails to say who they are too often is told to wait."""
    if error.problem.kind in OF_STRANGERS:
        try:
            failed(service.limits, request)
        except ProblemError as slowed:
            return slowed.problem
    return error.problem


async def _answered(row: Endpoint, service: Service, admission: Admission, room: Room, request: Request) -> Answer:
    """Read a body and answer it; who sends one slowly takes no place from others meanwhile."""
    encoding, who = packing(row, request), admission.who
    with room.entered(who), service.bodies.held(who) as hold:
        body = await read_body(row, request, hold)
        async with room.place(who):
            if encoding is not None:
                body = await room.run(unpack_body, body, encoding, row.max_body, hold)
            if admission.demand is not None:
                service.limits.count(admission.demand, len(body))
            return await room.run(_answer, row, service, admission.caller, request, body)


def _answer(row: Endpoint, service: Service, caller: Caller, request: Request, body: bytes) -> Answer:
    """Answer a call whose caller may make it, of rollouts and apps that the caller may see."""
    query = dict(request.query_params)
    if len(query) != len(request.query_params.multi_items()):
        raise ProblemError(NOT_A_CALL, "a parameter comes twice in the query", "Send each once.")
    # Before anything is done: `?dry_run=1` that nobody reads would else be the real thing.
    check_names("parameter", query, row.query)
    call = Call(
        house=replace(service.house, org=caller.org),
        caller=caller,
        batches=service.batches,
        gathering=service.gathering,
        is_ticking=service.is_ticking,
        wake=service.wake,
        meter=service.metrics,
        ask=service.ask,
        receivers=service.receivers,
        id_tokens=service.id_tokens,
        method=request.method,
        path=request.url.path,
        named=request.path_params,
        query=query,
        headers=request.headers,
        body=body,
    )
    if "app" in call.named:
        caller.check_app(call.named["app"])
    if "id" in call.named:
        _check_sight(call.named["id"], call)
    return reply(row, call)


def _check_sight(name: str, call: Call) -> None:
    """Refuse what is of an app that the caller's key is not for as what is not there."""
    if call.caller.covers(app_of(name, call.house)):
        return
    if name.startswith(RECEIPT):
        raise UnknownError(f"there is no receipt {name}")
    raise UnknownError(f"there is no rollout {name}")


def _for(row: Endpoint, caller: Caller, error: LockgateError) -> Problem:
    """Return what a caller may read of a failure: advice that names what is there is for those who may see it all."""
    found = problem_of(error)
    if found.kind is NOT_THERE:
        # The log has no list, but a head that counts it.
        whole = OF_LOG if row.path.startswith(f"{LOG}/") else "GET the list to see what there is."
        return replace(found, advice=whole if caller.apps is None else f"{whole} The key is for some apps only.")
    return found


class Refusal(Response):
    """A problem as it is answered, by its kind."""

    kind: Kind = INTERNAL


def _refusal(problem: Problem) -> Refusal:
    headers = {"cache-control": "no-store", **problem.headers}
    if problem.kind.status == NO_KEY.status:
        headers["www-authenticate"] = "Bearer"
    if problem.kind in (TOO_LARGE, TOO_PACKED, TOO_SLOW, WRONG_TYPE, WRONG_ENCODING):
        # What is left of the body is not read.
        headers["connection"] = "close"
    if problem.kind.status == 503:
        headers["retry-after"] = "1"
    response = Refusal(encode(problem.document()), problem.kind.status, headers, CONTENT_TYPE)
    response.kind = problem.kind
    return response


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == NO_METHOD.status:
        response = _refusal(Problem(NO_METHOD, f"{path} has no {request.method}", "See /openapi.json."))
        response.headers.update(error.headers or {})
        return response
    return _refusal(Problem(NOT_THERE, f"there is no path {path}", "See /openapi.json."))
