# SPDX-License-Identifier: Apache-2.0
"""A witness comes in; the application that cosigns checkpoints over HTTP, as c2sp.org/tlog-witness says, goes out."""

from __future__ import annotations

import asyncio
import sys

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lockgate.core.note import MAX_NOTE_SIZE
from lockgate.errors import LockgateError
from lockgate.operations.witness.cosigning import Cosigner, cosign
from lockgate.ports.witness import WitnessAnswer

MAX_BODY = 2 * MAX_NOTE_SIZE
BODY_S = 10.0
TOO_LARGE, TOO_SLOW, UNAVAILABLE = 413, 408, 503


def make_witness_app(cosigner: Cosigner) -> Starlette:
    """Return the application of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_S):
                body = await _body(request)
        except TimeoutError:
            return _said(TOO_SLOW, "the request was not sent in time")
        except ClientDisconnect:
            return _said(TOO_SLOW, "the request was not sent to its end")
        if body is None:
            return _said(TOO_LARGE, f"a request has at most {MAX_BODY:,} bytes")
        return _response(await run_in_threadpool(_answer, body, cosigner))

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def _answer(body: bytes, cosigner: Cosigner) -> WitnessAnswer:
    try:
        return cosign(body, cosigner)
    except LockgateError as error:
        # Why is for who runs it, and no business of strangers.
        print(f"{error.message}", file=sys.stderr)  # noqa: T201 -- the log of a server is its standard error
        return WitnessAnswer(UNAVAILABLE, "text/plain; charset=utf-8", b"this witness cannot cosign now\n")


async def _body(request: Request) -> bytes | None:
    """Return the body; None where it is larger than any request."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MAX_BODY:
            return None
    return bytes(found)


def _response(answer: WitnessAnswer) -> Response:
    return Response(answer.body, answer.status, {"Content-Type": answer.kind})


def _said(status: int, message: str) -> Response:
    return PlainTextResponse(f"{message}\n", status)
