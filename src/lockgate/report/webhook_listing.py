# SPDX-License-Identifier: Apache-2.0
"""Webhooks and their deliveries come in; the lines of a terminal and the documents of programs go out, no secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lockgate.core.canonical import Json
from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import Instant, instant_text
from lockgate.core.webhook import EVENTS
from lockgate.core.wording import count_text
from lockgate.operations.webhooks.try_webhook import Tried
from lockgate.operations.webhooks.webhooks import part_of
from lockgate.report.screen import Screen

# As it came from this machine or from a server.
Document = Mapping[str, Any]


def webhook_document(endpoint: Endpoint, now: Instant) -> dict[str, Json]:
    """Return a webhook as programs read it."""
    webhook = part_of(endpoint)
    return {
        "id": endpoint.id,
        "app_id": endpoint.app,
        "url": webhook.url,
        "events": [each.value for each in webhook.events],
        "format": webhook.format.value,
        "hub_header": webhook.has_hub_header,
        "active": not webhook.disabled,
        "disabled": webhook.disabled or None,
        "since": instant_text(endpoint.since),
        "old_secret_until": instant_text(webhook.old_until) if webhook.is_rotating(now) else None,
        "failing_since": instant_text(webhook.failing_since) if webhook.failing_since else None,
    }


def delivery_document(delivery: Delivery) -> dict[str, Json]:
    """Return what became of one message at a webhook as programs read it, with its latest attempts."""
    return {
        "id": delivery.message_id,
        "webhook": delivery.endpoint_id,
        "app_id": delivery.app,
        "rollout_id": delivery.rollout_id,
        "seq": delivery.seq,
        "event": delivery.event.value,
        "at": instant_text(delivery.at),
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_try": instant_text(delivery.due_at) if delivery.state is State.DUE else None,
        "error": delivery.error or None,
        "answer": delivery.output or None,
        "tries": [
            {"at": instant_text(each.at), "took_ms": each.took_ms, "code": each.code, "error": each.error or None}
            for each in delivery.tries
        ],
    }


def tried_document(webhook_id: str, tried: Tried) -> dict[str, Json]:
    """Return what trying a webhook came to."""
    carried = tried.carried
    return {
        "id": tried.message_id,
        "webhook": webhook_id,
        "delivered": carried.fault is None,
        "code": carried.code,
        "took_ms": tried.took_ms,
        "error": carried.fault,
        "answer": carried.output or None,
    }


def render_webhooks(webhooks: Sequence[Document], screen: Screen) -> str:
    """Return webhooks, two lines each: where and whether anything is sent, and what."""
    lines = []
    for each in webhooks:
        failing = f"nothing succeeded since {each['failing_since']}" if each["failing_since"] else ""
        state = _disabled(each["disabled"]) or failing or "active"
        shown = screen.paint(screen.text(state), "dim" if state == "active" else "yellow")
        lines.append(f"{each['id']}  {screen.text(each['url'])}  {shown}")
        heard = "every event" if len(each["events"]) == len(EVENTS) else ", ".join(each["events"])
        older = f"; the older secret signs until {each['old_secret_until']}" if each["old_secret_until"] else ""
        lines.append(f"  {screen.text(each['app_id'] or 'every app')}: {screen.text(heard)}; {each['format']}{older}")
    return "\n".join(lines) + "\n" if lines else "There is no webhook; `lockgate webhooks create` makes one.\n"


def _disabled(why: str | None) -> str:
    """Return that nothing is sent and why; a reason that says so itself stands alone."""
    if not why or why.startswith("disabled"):
        return why or ""
    return f"disabled: {why}"


def render_deliveries(deliveries: Sequence[Document], screen: Screen, state: str | None = None) -> str:
    """Return deliveries, one line each, and below it what the last attempt came to where that failed.

    `state`: only these were asked for.
    """
    lines = []
    for each in deliveries:
        tries = count_text(each["attempts"], "attempt")
        lines.append(f"{each['id']}  {each['event']}  {each['state']}, {tries}  {each['at']}")
        if each["error"]:
            lines.append(f"  {screen.text(each['error'])}")
    nothing = f"Nothing there is {state}.\n" if state else "Nothing was sent there yet, and nothing waits.\n"
    return "\n".join(lines) + "\n" if lines else nothing


def render_tried(tried: Document, screen: Screen) -> str:
    """Return what trying a webhook came to."""
    if tried["delivered"]:
        return f"{tried['webhook']} took {tried['id']}: {tried['code']} in {tried['took_ms']} ms\n"
    return f"{tried['webhook']} did not take {tried['id']}: {screen.text(tried['error'])}\n"
