# SPDX-License-Identifier: Apache-2.0
"""A store and the table of endpoints come in; an ASGI application that answers them goes out.

Handlers are plain functions and run in threads, so that one that waits for the store keeps nobody from being heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from lockgate.errors import LockgateError, UnknownError
from lockgate.operations.queries import find_rollout
from lockgate.ports.house import House
from lockgate.ports.reading import RunBatches
from lockgate.server.answering import answer as reply
from lockgate.server.call import Answer, Call, encode
from lockgate.server.caller import ANYBODY, Caller, caller_of, local_caller
from lockgate.server.description import describe
from lockgate.server.problem import (
    CONTENT_TYPE,
    NO_KEY,
    NO_METHOD,
    NOT_A_CALL,
    NOT_THERE,
    TOO_LARGE,
    TOO_SLOW,
    WRONG_TYPE,
    Problem,
    ProblemError,
    problem_of,
    problem_of_fault,
)
from lockgate.server.table import ENDPOINTS, MAX_BODY, Endpoint

BODY_SECONDS = 60.0
# So many batches of up to 64 MiB, and so many other calls that write, are in hand at once; who comes then waits unread.
# Together they leave some of the 40 threads to those who only look, and no batch keeps a rollback waiting.
BATCHES_AT_ONCE, WRITERS_AT_ONCE = 16, 16
DESCRIPTION = "/openapi.json"

Handle = Callable[[Request], Awaitable[Response]]
Room = AbstractAsyncContextManager[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a server serves: `is_open` lets every caller of this machine do everything, without a key.

    `wake` lets whoever delivers messages look at once.
    """

    house: House
    batches: RunBatches
    is_open: bool = False
    is_ticking: bool = False
    wake: Callable[[], None] = lambda: None


def make_app(service: Service) -> Starlette:
    """Return the application of a service."""
    described = encode(describe(ENDPOINTS))

    async def description(_request: Request) -> Response:
        return Response(described, media_type="application/json")

    batches, writers = asyncio.Semaphore(BATCHES_AT_ONCE), asyncio.Semaphore(WRITERS_AT_ONCE)
    of_path: dict[str, dict[str, Endpoint]] = {}
    for each in ENDPOINTS:
        of_path.setdefault(each.path, {})[each.method] = each

    def room_of(row: Endpoint) -> Room:
        if row.method == "GET":
            return nullcontext()
        return batches if row.max_body > MAX_BODY else writers

    def handlers(rows: Mapping[str, Endpoint]) -> Mapping[str, Handle]:
        return {method: _endpoint(row, service, room_of(row)) for method, row in rows.items()}

    routes = [Route(path, _path(handlers(rows)), methods=[*rows]) for path, rows in of_path.items()]
    return Starlette(
        routes=[*routes, Route(DESCRIPTION, description)],
        exception_handlers={HTTPException: _no_route},
    )


def _path(by_method: Mapping[str, Handle]) -> Handle:
    async def path(request: Request) -> Response:
        # A HEAD is a GET whose body nobody sends.
        return await by_method["GET" if request.method == "HEAD" else request.method](request)

    return path


def _endpoint(row: Endpoint, service: Service, room: Room) -> Handle:
    async def endpoint(request: Request) -> Response:
        caller = ANYBODY
        try:
            if row.permission is not None:
                caller = await run_in_threadpool(_admitted, row, service, request)
            async with room:
                body = await _body(row, request)
                answer = await run_in_threadpool(_answer, row, service, caller, request, body)
        except ProblemError as error:
            return _refusal(error.problem)
        except LockgateError as error:
            return _refusal(_for(caller, error))
        except ClientDisconnect:
            # Nobody reads it.
            return Response(status_code=NOT_A_CALL.status)
        except Exception:  # noqa: BLE001 -- whatever a handler raises is a fault of its own and no reason to end
            return _refusal(problem_of_fault())
        return Response(answer.encoded(), answer.status, dict(answer.headers), answer.kind)

    return endpoint


def _admitted(row: Endpoint, service: Service, request: Request) -> Caller:
    """Return who calls, who may do so."""
    headers, house = request.headers, service.house
    caller = local_caller(headers) if service.is_open else caller_of(headers, house.store, house.clock)
    assert row.permission is not None
    caller.check(row.permission)
    return caller


async def _body(row: Endpoint, request: Request) -> bytes:
    """Return a body of the kind and size that an endpoint takes."""
    most = row.max_body if row.body else 0
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ProblemError(WRONG_TYPE, "the body is compressed", "Send it as it is.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                if size > most:
                    raise _too_large(most)
    except TimeoutError as error:
        raise ProblemError(
            TOO_SLOW, f"the body did not come within {BODY_SECONDS:g} s", "Send smaller bodies."
        ) from error
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if size and kind not in row.body:
        raise ProblemError(
            WRONG_TYPE, f"a body of the kind {kind!r} is not taken", f"Send Content-Type: {' or '.join(row.body)}."
        )
    return b"".join(chunks)


def _too_large(most: int) -> ProblemError:
    advice = f"At most {most:,} bytes are taken." if most else "Send none."
    return ProblemError(TOO_LARGE, "the body is too large for this path", advice)


def _answer(row: Endpoint, service: Service, caller: Caller, request: Request, body: bytes) -> Answer:
    """Answer a call whose caller may make it, of rollouts and apps that the caller may see."""
    query = dict(request.query_params)
    if len(query) != len(request.query_params.multi_items()):
        raise ProblemError(NOT_A_CALL, "a parameter comes twice in the query", "Send each once.")
    call = Call(
        house=replace(service.house, org=caller.org),
        caller=caller,
        batches=service.batches,
        is_ticking=service.is_ticking,
        wake=service.wake,
        method=request.method,
        path=request.url.path,
        named=request.path_params,
        query=query,
        headers=request.headers,
        body=body,
    )
    if "app" in call.named:
        caller.check_app(call.named["app"])
    if "id" in call.named and not caller.covers(find_rollout(call.named["id"], call.house).app):
        raise UnknownError(f"there is no rollout {call.named['id']}")
    return reply(row, call)


def _for(caller: Caller, error: LockgateError) -> Problem:
    """Return what a caller may read of a failure: advice that names what is there is for those who may see it all."""
    found = problem_of(error)
    if found.kind is NOT_THERE:
        whole = "GET the list to see what there is."
        return replace(found, advice=whole if caller.apps is None else f"{whole} The key is for some apps only.")
    return found


def _refusal(problem: Problem) -> Response:
    headers = {"www-authenticate": "Bearer"} if problem.kind is NO_KEY else {}
    if problem.kind in (TOO_LARGE, TOO_SLOW, WRONG_TYPE):
        # What is left of the body is not read.
        headers["connection"] = "close"
    if problem.kind.status == 503:
        headers["retry-after"] = "1"
    return Response(encode(problem.document()), problem.kind.status, headers, CONTENT_TYPE)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == NO_METHOD.status:
        response = _refusal(Problem(NO_METHOD, f"{path} has no {request.method}", "See /openapi.json."))
        response.headers.update(error.headers or {})
        return response
    return _refusal(Problem(NOT_THERE, f"there is no path {path}", "See /openapi.json."))
