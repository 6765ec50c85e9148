# SPDX-License-Identifier: Apache-2.0
"""Calls about webhooks come in; they are declared, tried, changed and removed, and what they were sent goes out.

A secret is in the answer that makes it and nowhere else. A key for some apps sees and changes only webhooks of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from lockgate.core.canonical import Json
from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import SECOND, Instant
from lockgate.core.receipt import Actor
from lockgate.core.transition import Event
from lockgate.core.webhook import DEFAULT_GRACE_S, Format, check_events
from lockgate.errors import UnknownError, UsageError
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.webhooks.deliveries import deliveries_of, recover, redeliver
from lockgate.operations.webhooks.try_webhook import try_webhook
from lockgate.operations.webhooks.webhooks import (
    WebhookOrder,
    change_events,
    check_order,
    declare_webhook,
    delete_webhook,
    find_webhook,
    list_webhooks,
    rotate_secret,
    switch_webhook,
)
from lockgate.ports.webhooks import Receivers
from lockgate.report.webhook_listing import delivery_document, tried_document, webhook_document
from lockgate.server.call import Answer, Call, flag_of, names_of, needed, seconds_of, text_of
from lockgate.server.cursor import next_cursor, page_of, place_of

FIELDS = ("url", "app_id", "events", "format", "hub_header", "reason")
PAGE, MAX_PAGE = 100, 1_000
NO_STORE = {"cache-control": "no-store"}


def create_one(call: Call) -> Answer:
    """Declare a receiver of messages; its secret is answered this once."""
    order, actor = _order(call), _actor(call, call.document(*FIELDS), "declared over HTTP")
    shared = declare_webhook(order, actor, call.house, _receivers(call))
    place = {"location": f"{call.path}/{shared.endpoint.id}"}
    plain = _document(call, shared.endpoint)
    answer = {**plain, "secret": shared.secret}
    return Answer(document=answer, status=201, headers={**place, **NO_STORE}, kept={**plain, "secret": None})


def check_one(call: Call) -> None:
    """Refuse a receiver that may not be called, or that the caller may not declare."""
    check_order(_order(call), call.house.org, _receivers(call))


def list_all(call: Call) -> Answer:
    """Return a page of the webhooks of apps that the key is for."""
    found = [each for each in list_webhooks(call.house) if _is_seen(call, each)]
    page, cursor = page_of(call, found, PAGE, MAX_PAGE)
    return Answer(document={"webhooks": [_document(call, each) for each in page], "cursor": cursor})


def show(call: Call) -> Answer:
    """Return a webhook, without its secret."""
    return Answer(document=_document(call, _known(call)))


def change(call: Call) -> Answer:
    """Let a webhook hear other events, or be sent nothing for a while."""
    document = call.document("events", "active", "reason")
    found, actor = _known(call), _actor(call, document, "changed over HTTP")
    if "events" in document:
        found = change_events(found.id, _events(document), actor, call.house)
    if "active" in document:
        found = switch_webhook(found.id, actor, call.house, is_enabled=flag_of(document, "active"))
        call.wake()
    return Answer(document=_document(call, found))


def delete(call: Call) -> Answer:
    """Send nothing there any more, for good."""
    document = call.document("reason")
    found = delete_webhook(_known(call).id, _actor(call, document, "deleted over HTTP"), call.house)
    return Answer(document=_document(call, found))


def try_one(call: Call) -> Answer:
    """Send a message that asks for nothing, and return what that came to, by 200 whatever it is."""
    call.document()
    found = _known(call)
    return Answer(document=tried_document(found.id, try_webhook(found.id, call.house, _receivers(call))))


def rotate(call: Call) -> Answer:
    """Give a webhook a new secret, which is answered this once; the older one signs beside it for a while."""
    document = call.document("grace", "force", "reason")
    grace = seconds_of(document, "grace")
    shared = rotate_secret(
        _known(call).id,
        DEFAULT_GRACE_S if grace is None else grace,
        _actor(call, document, "rotated over HTTP"),
        call.house,
        _receivers(call),
        is_forced=flag_of(document, "force"),
    )
    plain = _document(call, shared.endpoint)
    return Answer(document={**plain, "secret": shared.secret}, headers=NO_STORE, kept={**plain, "secret": None})


def list_deliveries(call: Call) -> Answer:
    """Return a page of what a webhook was sent or is to be sent, the latest first."""
    state = call.choice("state", State)
    states = () if state is None else (State(state),)
    found = deliveries_of(_known(call).id, call.house, *states)
    # A place is how many are left, because the list grows at its beginning.
    page, left = _page_before(call, found)
    cursor = next_cursor(call, str(left)) if left else None
    return Answer(document={"deliveries": [delivery_document(each) for each in page], "cursor": cursor})


def redeliver_one(call: Call) -> Answer:
    """Let a message be sent once more."""
    call.document()
    due = redeliver(_known(call).id, call.named["message"], call.house)
    call.wake()
    return Answer(document=delivery_document(due))


def recover_all(call: Call) -> Answer:
    """Let everything be sent again that was given up, or what was told since a time."""
    call.document()
    since = call.text("since")
    count = recover(_known(call).id, 0 if since is None else _instant(since), call.house)
    call.wake()
    return Answer(document={"recovered": count})


def _order(call: Call) -> WebhookOrder:
    document = call.document(*FIELDS)
    app = text_of(document, "app_id")
    call.caller.check_every_app() if app is None else call.caller.check_app(app)
    return WebhookOrder(
        url=needed("url", text_of(document, "url")),
        app=app,
        events=_events(document),
        format=_format(document),
        has_hub_header=flag_of(document, "hub_header"),
    )


def _page_before(call: Call, whole: Sequence[Delivery]) -> tuple[Sequence[Delivery], int]:
    """Return a page of a list that grows at its beginning, and how many are left after it."""
    limit, place = call.whole("limit", PAGE, MAX_PAGE), place_of(call)
    # A place that nobody was given begins anew.
    is_count = place is not None and place.isascii() and place.isdigit() and len(place) < 10
    left = min(int(place or 0), len(whole)) if is_count else len(whole)
    first = len(whole) - left
    return whole[first : first + limit], max(0, left - limit)


def _receivers(call: Call) -> Receivers:
    if call.receivers is None:
        raise UsageError("this server sends no webhooks", advice="Whoever runs it lets it send some.")
    return call.receivers


def _known(call: Call) -> Endpoint:
    found = find_webhook(call.named["webhook"], call.house)
    if not _is_seen(call, found):
        raise UnknownError(f"there is no webhook {found.id}")
    return found


def _is_seen(call: Call, endpoint: Endpoint) -> bool:
    return call.caller.apps is None or (endpoint.app is not None and call.caller.covers(endpoint.app))


def _document(call: Call, endpoint: Endpoint) -> dict[str, Json]:
    return webhook_document(endpoint, call.house.clock.now())


def _actor(call: Call, document: Mapping[str, object], otherwise: str) -> Actor:
    # Also where nothing changes, and no receipt keeps it: a script learns that on its first day.
    return checked_actor(call.caller.actor(text_of(document, "reason") or otherwise))


def _events(document: Mapping[str, object]) -> tuple[Event, ...]:
    return check_events(None if document.get("events") is None else names_of(document, "events"))


def _format(document: Mapping[str, object]) -> Format:
    text, known = text_of(document, "format") or Format.STANDARD.value, [each.value for each in Format]
    if text not in known:
        raise UsageError(f"there is no format {text[:60]!r}", advice=f"Known: {', '.join(known)}.")
    return Format(text)


def _instant(text: str) -> Instant:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("since is no time", advice="Write it as 2026-01-31T12:00:00Z.") from error
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * SECOND)
