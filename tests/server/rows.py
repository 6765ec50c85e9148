# SPDX-License-Identifier: Apache-2.0
"""A row of the table of endpoints comes in; a call that can be meant where an app is on trial goes out, and is sent.

Rows come from the table, so that an endpoint that is added is tried without a word here; what its path names is made by
`MADE`, and what it is sent is the example of its body's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import httpx

from lockgate.core.receipt import Actor
from lockgate.operations.asking.queries import receipts_of
from lockgate.operations.steering.freeze import unfreeze_all
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliveries import deliveries_of
from lockgate.operations.webhooks.webhooks import WebhookOrder, create_webhook, list_webhooks
from lockgate.server.body_schemas import BODY_SCHEMAS
from lockgate.server.schema_names import SCHEMA_NAMES
from lockgate.server.table import ENDPOINTS, Endpoint
from lockgate.testing.recipients import Recipients
from tests.server.served import Caller, Served
from tests.spec.line import APP, created

OTHER_APP, OTHER_ORG = "billing", "acme"
CLOSED = [each for each in ENDPOINTS if each.permission is not None]
ANN = Actor("person", "ann", "so that the next one starts")
NAMED = re.compile(r"\{(\w+)\}")


def name_of(each: Endpoint) -> str:
    """Return what a row is called."""
    return f"{each.method} {each.path}"


def rollout_of(shop: Served) -> str:
    """Return the rollout of the app on trial, begun anew where it has ended."""
    unfreeze_all(ANN, shop.world.house)
    return created(shop.world).rollout.id


def webhook_of(shop: Served) -> str:
    """Return the webhook of the app on trial, declared anew where it is gone."""
    known = list_webhooks(shop.world.house)
    order = WebhookOrder(url="https://hooks.example.com/", app=APP)
    return (known[0] if known else create_webhook(order, ANN, shop.world.house, Recipients()).endpoint).id


def message_of(shop: Served) -> str:
    """Return a message that the webhook of the app on trial is to be sent."""
    webhook = webhook_of(shop)
    if not deliveries_of(webhook, shop.world.house):
        rollback(rollout_of(shop), ANN, shop.world.house)
        rollout_of(shop)
    return deliveries_of(webhook, shop.world.house)[0].message_id


# What the names in paths stand for: something of the app on trial.
MADE: dict[str, Callable[[Served], str]] = {
    "id": rollout_of,
    "app": lambda _: APP,
    "seq": lambda _: "1",
    "key": lambda shop: shop.key("viewer", apps=[APP]).key.id,
    "webhook": webhook_of,
    "message": message_of,
    "index": lambda shop: str(receipts_of(rollout_of(shop), shop.world.house)[0].index),
    "level": lambda _: "0",
    "tile": lambda _: "000.p/1",
    "file": lambda _: "jwks.json",
}
# What a query has to have.
QUERIES = {"/api/v1/releases": {"app_id": APP}, "/api/v1/log/consistency": {"old": "1"}}
# What the examples of bodies call the app and the candidate.
RENAMED = {"v37": "abc123", "web": APP}


def path_of(shop: Served, row: Endpoint) -> str:
    """Return the path of a row, of things that are there."""
    names = NAMED.findall(row.path)
    missing = [name for name in names if name not in MADE]
    assert not missing, f"{name_of(row)}: say in MADE what {missing} stands for"
    rollout_of(shop)
    return row.path.format_map({name: MADE[name](shop) for name in names})


def body_of(row: Endpoint) -> str:
    """Return the example of a row's body, of the app on trial."""
    assert row.handler in SCHEMA_NAMES, f"{name_of(row)}: name the schemas of its bodies in server/schema_names.py"
    takes = SCHEMA_NAMES[row.handler].takes
    assert takes in BODY_SCHEMAS, f"{name_of(row)}: say in server/body_schemas.py what its body is, with an example"
    text = json.dumps(BODY_SCHEMAS[takes]["examples"][0])
    for word, other in RENAMED.items():
        text = text.replace(f'"{word}"', f'"{other}"')
    return text


def send(shop: Served, caller: Caller, row: Endpoint, **headers: str) -> httpx.Response:
    """Call an endpoint as somebody would who means what is there; names of headers are written with underscores."""
    return send_to(path_of(shop, row), caller, row, **headers)


def send_to(path: str, caller: Caller, row: Endpoint, **headers: str) -> httpx.Response:
    """Call an endpoint at a path."""
    return send_with(QUERIES.get(row.path, {}), path, caller, row, **headers)


def send_with(query: Mapping[str, str], path: str, caller: Caller, row: Endpoint, **headers: str) -> httpx.Response:
    """Call an endpoint at a path with a query."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    if not row.body:
        return caller.call(row.method, path, named, params=query)
    return caller.call(row.method, path, {"content-type": row.body[0], **named}, content=body_of(row), params=query)
