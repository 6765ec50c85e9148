# SPDX-License-Identifier: Apache-2.0
"""A receiver of messages comes in; it is declared with a secret of its own, shown, changed, rotated or removed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lockgate.core.app import check_name
from lockgate.core.canonical import name_of
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.instant import SECOND
from lockgate.core.receipt import Actor
from lockgate.core.transition import Event
from lockgate.core.webhook import (
    BY_HAND,
    EVENTS,
    MAX_WEBHOOKS,
    SECRET_BYTES,
    Format,
    Webhook,
    check_grace,
    secret_text,
)
from lockgate.errors import NotPermittedError, TryAgainError, UnknownError
from lockgate.operations.vault.keeping import writing
from lockgate.operations.webhooks.webhook_keeping import drop_webhook, keep_webhook, webhooks_in
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.webhooks import Receivers

# For one attempt, from the look-up of the name to the last byte that is read.
TIMEOUT_S = 15.0
OTHER_KEY = "secrets of webhooks cannot be opened by the webhook.key of this server's keys folder"
ONE_KEY = (
    "Copy webhook.key from a server that opens them, or put it back from its backup. If it is lost for good, "
    "`lockgate webhooks rotate ID --force` for each webhook."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOrder:
    """A webhook to be: where, of which app (None: of all), which events and how written."""

    url: str
    app: str | None = None
    events: tuple[Event, ...] = tuple(EVENTS)
    format: Format = Format.STANDARD
    has_hub_header: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """A webhook and the secret that its receiver needs, to be shown once."""

    endpoint: Endpoint
    secret: str


def create_webhook(order: WebhookOrder, actor: Actor, house: House, receivers: Receivers) -> Shared:
    """Declare a receiver of messages; it hears what is told from now on."""
    check_order(order, house.org, receivers)
    return declare_webhook(order, actor, house, receivers)


def check_order(order: WebhookOrder, org: str, receivers: Receivers) -> None:
    """Refuse a receiver that nobody should call; before anything is written, because its name is looked up."""
    if order.app is not None:
        check_name("an app", order.app)
    receivers.check(order.url, org)


def declare_webhook(order: WebhookOrder, actor: Actor, house: House, receivers: Receivers) -> Shared:
    """Declare a receiver that was checked."""
    secret = secrets.token_bytes(SECRET_BYTES)
    identity = name_of("end", house.org, Kind.WEBHOOK.value, secrets.token_hex(16))
    webhook = Webhook(
        url=order.url,
        secret=receivers.seal(secret, identity),
        events=order.events,
        format=order.format,
        has_hub_header=order.has_hub_header,
    )
    endpoint = Endpoint(
        id=identity, app=order.app, kind=Kind.WEBHOOK, since=house.clock.now(), timeout_s=TIMEOUT_S, webhook=webhook
    )
    with writing(house) as work:
        known = webhooks_in(work)
        if len(known) >= MAX_WEBHOOKS:
            raise NotPermittedError(
                f"there are {MAX_WEBHOOKS} webhooks already", advice="Delete one that is not needed any more."
            )
        if sealed_by_another(known, receivers):
            raise NotPermittedError(f"{OTHER_KEY}; nothing is sealed by a second key", advice=ONE_KEY)
        keep_webhook(work, house, endpoint, actor, "it is sent messages from now on")
        return Shared(known_webhook(work, identity), secret_text(secret))


def sealed_by_another(known: Iterable[Endpoint], receivers: Receivers) -> tuple[str, ...]:
    """Return the ids of webhooks whose secret cannot be read here, so that they are sent nothing from here."""
    return tuple(each.id for each in known if not receivers.opens(part_of(each).secret, each.id))


def list_webhooks(house: House) -> tuple[Endpoint, ...]:
    """Return all webhooks, the oldest declaration first."""
    with house.store.reading(house.org) as seen:
        return tuple(sorted(webhooks_in(seen), key=lambda each: (each.since, each.id)))


def given_up(house: House, app: str | None = None) -> tuple[Endpoint, ...]:
    """Return the webhooks of an app, or all, that nobody disabled and that are sent nothing any more."""
    return tuple(
        each
        for each in list_webhooks(house)
        if part_of(each).disabled not in ("", BY_HAND) and (app is None or each.app in (None, app))
    )


def find_webhook(webhook_id: str, house: House) -> Endpoint:
    """Return a webhook."""
    with house.store.reading(house.org) as seen:
        return known_webhook(seen, webhook_id)


def known_webhook(seen: Snapshot, webhook_id: str) -> Endpoint:
    """Return a webhook, or refuse an id that is none."""
    found = seen.endpoint(webhook_id)
    if found is None or found.kind is not Kind.WEBHOOK:
        raise UnknownError(f"there is no webhook {webhook_id[:60]}", advice="`lockgate webhooks list` names them.")
    return found


def part_of(endpoint: Endpoint) -> Webhook:
    """Return what of an endpoint is of a webhook alone."""
    assert endpoint.webhook is not None
    return endpoint.webhook


def change_events(webhook_id: str, events: tuple[Event, ...], actor: Actor, house: House) -> Endpoint:
    """Let a webhook hear other events from now on."""
    with writing(house) as work:
        endpoint = known_webhook(work, webhook_id)
        webhook = part_of(endpoint)
        if events == webhook.events:
            return endpoint
        changed = replace(endpoint, webhook=replace(webhook, events=events))
        keep_webhook(work, house, changed, actor, "it hears other events from now on")
        return known_webhook(work, webhook_id)


def switch_webhook(webhook_id: str, actor: Actor, house: House, *, is_enabled: bool) -> Endpoint:
    """Let a webhook be sent messages again, or none; what waits then waits for that."""
    with writing(house) as work:
        endpoint = known_webhook(work, webhook_id)
        webhook, now = part_of(endpoint), house.clock.now()
        if is_enabled is not bool(webhook.disabled):
            return endpoint
        changed = replace(endpoint, webhook=webhook.switched(now, is_enabled=is_enabled))
        said = "it is sent messages again" if is_enabled else "it is sent nothing"
        keep_webhook(work, house, changed, actor, said)
        return known_webhook(work, webhook_id)


def rotate_secret(
    webhook_id: str, grace_s: float, actor: Actor, house: House, receivers: Receivers, *, is_forced: bool = False
) -> Shared:
    """Give a webhook a new secret; the older one goes on to sign beside it for a while."""
    grace, secret = check_grace(grace_s), secrets.token_bytes(SECRET_BYTES)
    sealed = receivers.seal(secret, webhook_id)
    with writing(house) as work:
        endpoint, now = known_webhook(work, webhook_id), house.clock.now()
        webhook = part_of(endpoint)
        # Without grace both older ones end now: whoever asks for that knows that one of them has leaked.
        if webhook.is_rotating(now) and grace and not is_forced:
            raise TryAgainError(
                f"the secret of {webhook_id} is being rotated already",
                advice="Wait until the older one has ended, or name --force (`force` over HTTP), which ends that one "
                "now. --grace 0 ends both older ones, where one has leaked.",
            )
        is_known = receivers.opens(webhook.secret, webhook_id)
        if not is_known and not is_forced:
            raise NotPermittedError(f"{OTHER_KEY}; nothing is sealed by a second key", advice=ONE_KEY)
        # What cannot be opened signs nothing, and would keep the new one from signing beside it.
        has_grace = grace > 0 and is_known
        rotated = replace(
            webhook,
            secret=sealed,
            old_secret=webhook.secret if has_grace else b"",
            old_until=now + grace * SECOND if has_grace else 0,
        )
        keep_webhook(work, house, replace(endpoint, webhook=rotated), actor, "it has a new secret")
        return Shared(known_webhook(work, webhook_id), secret_text(secret))


def delete_webhook(webhook_id: str, actor: Actor, house: House) -> Endpoint:
    """Send nothing there any more, for good."""
    with writing(house) as work:
        endpoint = known_webhook(work, webhook_id)
        drop_webhook(work, house, endpoint, actor)
        return endpoint
