# SPDX-License-Identifier: Apache-2.0
"""Keys and webhooks come in; they are made, shown, changed and ended on a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from lockgate.client.calling import Calling, as_query, said
from lockgate.client.place import place_of
from lockgate.client.transport import API

if TYPE_CHECKING:
    from lockgate.client.answers import Delivery, Key, MadeKey, MadeWebhook, RevokedKey, TriedWebhook, Webhook

KEYS, WEBHOOKS = f"{API}/api-keys", f"{API}/webhooks"


class Administering(Calling):
    """Calls about who may call, and about who is told."""

    def create_key(
        self, name: str, allow: Sequence[str], *, apps: Sequence[str] = (), expires: int | str | None = None
    ) -> MadeKey:
        """Make a key by presets or permissions; its token is shown this once. `expires`: seconds, or such as `30d`."""
        document = {"name": name, "allow": list(allow), "apps": list(apps) or None, "expires": expires}
        return cast("MadeKey", self._post(KEYS, said(document)))

    def keys(self) -> Iterator[Key]:
        """Yield keys, the oldest first, a page at a time."""
        yield from cast("Iterator[Key]", self._pages(KEYS, "keys", {}))

    def key(self, key_id: str) -> Key:
        """Return a key, without its token."""
        return cast("Key", self._get(f"{KEYS}/{place_of(key_id)}"))

    def revoke_key(self, key_id: str) -> RevokedKey:
        """Let a key open nothing any more, for good; `doubt` says where it is to be revoked too."""
        return cast("RevokedKey", self._post(f"{KEYS}/{place_of(key_id)}/revoke", {}))

    def create_webhook(
        self,
        url: str,
        *,
        app_id: str | None = None,
        events: Sequence[str] | None = None,
        format: str | None = None,  # noqa: A002 -- the name of the field
        hub_header: bool | None = None,
    ) -> MadeWebhook:
        """Declare a receiver of messages; its secret is shown this once."""
        heard = None if events is None else list(events)
        document = {"url": url, "app_id": app_id, "events": heard, "format": format, "hub_header": hub_header}
        return cast("MadeWebhook", self._post(WEBHOOKS, said(document)))

    def webhooks(self) -> Iterator[Webhook]:
        """Yield webhooks, the oldest first, a page at a time."""
        yield from cast("Iterator[Webhook]", self._pages(WEBHOOKS, "webhooks", {}))

    def webhook(self, webhook_id: str) -> Webhook:
        """Return a webhook, without its secret."""
        return cast("Webhook", self._get(_webhook(webhook_id)))

    def change_webhook(
        self,
        webhook_id: str,
        *,
        events: Sequence[str] | None = None,
        is_active: bool | None = None,
        reason: str | None = None,
    ) -> Webhook:
        """Let a webhook hear other events, or be sent nothing until it is active again."""
        heard = None if events is None else list(events)
        document = {"events": heard, "active": is_active, "reason": reason}
        return cast("Webhook", self._change("PATCH", _webhook(webhook_id), said(document)))

    def delete_webhook(self, webhook_id: str, *, reason: str | None = None) -> Webhook:
        """Send nothing there any more, for good."""
        return cast("Webhook", self._change("DELETE", _webhook(webhook_id), said({"reason": reason})))

    def rotate_webhook(
        self,
        webhook_id: str,
        *,
        grace: int | str | None = None,
        is_forced: bool = False,
        reason: str | None = None,
    ) -> MadeWebhook:
        """Give a webhook a new secret, shown this once; the older one signs beside it for a day, or for a `grace`."""
        document = {"grace": grace, "force": is_forced or None, "reason": reason}
        return cast("MadeWebhook", self._post(f"{_webhook(webhook_id)}/rotate", said(document)))

    def test_webhook(self, webhook_id: str) -> TriedWebhook:
        """Send a message that asks for nothing, and return what that came to."""
        return cast("TriedWebhook", self._ask(f"{_webhook(webhook_id)}/test", {}, is_safe=False))

    def deliveries(self, webhook_id: str, state: str | None = None) -> Iterator[Delivery]:
        """Yield what a webhook was sent or is to be sent, the latest first, a page at a time."""
        path = f"{_webhook(webhook_id)}/deliveries"
        yield from cast("Iterator[Delivery]", self._pages(path, "deliveries", {"state": state}))

    def redeliver(self, webhook_id: str, message_id: str) -> Delivery:
        """Send a message once more, the same bytes under the same id."""
        path = f"{_webhook(webhook_id)}/deliveries/{place_of(message_id)}/redeliver"
        return cast("Delivery", self._post(path, {}))

    def recover(self, webhook_id: str, since: str | None = None) -> int:
        """Send again what was given up, all of it or what was told since a time; return how much that is."""
        path = f"{_webhook(webhook_id)}/recover{as_query({'since': since})}"
        return cast("int", self._post(path, {})["recovered"])


def _webhook(webhook_id: str) -> str:
    return f"{WEBHOOKS}/{place_of(webhook_id)}"
