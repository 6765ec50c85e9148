# SPDX-License-Identifier: Apache-2.0
"""A call and its row of the table come in; it is answered, once for each idempotency key and under its conditions."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.reply import call_digest
from lockgate.errors import UsageError
from lockgate.operations.asking.known_app import known_app
from lockgate.operations.line.reading import load
from lockgate.operations.steering.once import Came, Once, answered_before, do_once
from lockgate.operations.vault.app_series import version_of
from lockgate.ports.house import House
from lockgate.ports.store import Transaction
from lockgate.server.call import Answer, Call, encode
from lockgate.server.condition import check_conditions, has_condition, tag_of
from lockgate.server.table import Endpoint

MAX_KEY = 255
KEY = "idempotency-key"
SAFE = ("GET", "HEAD")


def answer(row: Endpoint, call: Call) -> Answer:
    """Answer a call that its caller may make."""
    if row.method in SAFE:
        return _looked(row, call)
    if row.is_once and (KEY in call.headers or has_condition(call.headers)):
        return _kept(row, call)
    if KEY in call.headers and not row.is_repeatable:
        raise UsageError(
            "an Idempotency-Key does nothing here: what is asked for would be done again",
            advice="Leave the header out, and look at what is there before you call again.",
        )
    check_conditions(call.headers, None, is_change=True)
    if row.ahead is not None:
        row.ahead(call)
    return row.handler(call)


def _kept(row: Endpoint, call: Call) -> Answer:
    """Answer a call in one transaction with its reply, or as it was answered before."""
    once = _once(call)
    came = None if once is None else answered_before(call.house, once)
    if came is None:
        if row.ahead is not None:
            row.ahead(call)
        came = do_once(call.house, once, lambda work, house: _came(row, call, work, house))
    call.wake()
    headers = dict(came.headers)
    if came.is_replayed:
        headers["idempotency-replayed"] = "true"
    return Answer(body=came.body, status=came.status, headers=headers)


def _looked(row: Endpoint, call: Call) -> Answer:
    found = row.handler(call)
    if check_conditions(call.headers, found.headers.get("etag"), is_change=False):
        return found
    return Answer(body=b"", status=304, headers=found.headers)


def _came(row: Endpoint, call: Call, work: Transaction, house: House) -> Came:
    """Carry a call out in a transaction; who delivers is woken when it is kept."""
    if has_condition(call.headers):
        check_conditions(call.headers, _tag(row, call, work), is_change=True)
    given = row.handler(replace(call, house=house, wake=_nobody))
    return Came(
        status=given.status,
        headers=tuple(given.headers.items()),
        body=given.encoded(),
        kept=None if given.kept is None else encode(given.kept),
    )


def _tag(row: Endpoint, call: Call, work: Transaction) -> str | None:
    """Return the current tag of the rollout or the app that a path is about."""
    if row.about == "id":
        return tag_of(load(work, call.named["id"])[0].rollout.revision)
    if row.about == "app":
        return tag_of(version_of(work, call.house.org, known_app(work, call.named["app"]).name))
    return None


def _nobody() -> None:
    """Wake nobody: nothing is kept yet."""


def _once(call: Call) -> Once | None:
    key = call.headers.get(KEY)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise UsageError(
            f"the Idempotency-Key has {len(key)} characters, or some that are not ASCII",
            advice=f"Send 1 to {MAX_KEY} printable characters.",
        )
    # Who calls is part of it: nobody is answered with what another was. No owner has a blank in it.
    name = f"{call.caller.owner} {key}"
    asked = "&".join(f"{name}={text}" for name, text in sorted(call.query.items()))
    return Once(name, call_digest(call.method.encode(), call.path.encode(), asked.encode(), call.body))
