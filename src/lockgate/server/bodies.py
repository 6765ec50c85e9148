# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; of each handler goes out what its calls hold and what it answers, by the names of their schemas.

An endpoint that is added needs a row here; a test says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.server.call import Handler
from lockgate.server.routes import (
    actions,
    api_keys,
    apps,
    compare,
    explanation,
    imports,
    metrics,
    oidc,
    receipts,
    releases,
    rollouts,
    runs,
    state,
    turns,
    webhooks,
    weight,
)
from lockgate.server.screens import COMMANDS, HANDLERS


@dataclass(frozen=True, slots=True)
class Bodies:
    """Names of schemas, `gives` in `answered.py` and, where there is a body, `takes` in `asked.py`.

    `succeeds` are the statuses of an answer that is no problem.
    """

    gives: str
    takes: str = ""
    succeeds: tuple[int, ...] = (200,)


BODIES: Mapping[Handler, Bodies] = {
    state.alive: Bodies("Alive"),
    state.ready: Bodies("Ready"),
    metrics.show: Bodies("Metrics"),
    oidc.exchange_token: Bodies("JobKey", "JobToken"),
    rollouts.create_rollout: Bodies("Created", "Order", (200, 201)),
    rollouts.list_all: Bodies("Rollouts"),
    rollouts.show: Bodies("Explanation"),
    rollouts.verdict: Bodies("Verdict"),
    explanation.explain_one: Bodies("Sentences"),
    weight.acknowledge_weight: Bodies("Rollout", "LiveWeight"),
    turns.evaluate_one: Bodies("Turn", "Nothing", (200, 422)),
    turns.evaluate_all: Bodies("Round", "Nothing"),
    actions.pause_one: Bodies("Answered", "Reason"),
    actions.resume_one: Bodies("Answered", "Reason"),
    actions.cancel_one: Bodies("Answered", "Reason"),
    actions.rollback_one: Bodies("Answered", "Reason"),
    actions.clear_alarm_of: Bodies("Answered", "Reason"),
    actions.approve_one: Bodies("Answered", "Sight"),
    actions.promote_one: Bodies("Answered", "Sight"),
    receipts.list_of: Bodies("Receipts"),
    receipts.show_one: Bodies("Receipt"),
    runs.take: Bodies("Taken", "Run"),
    imports.keep: Bodies("Imported", "Run"),
    **{HANDLERS[each.path]: Bodies("Said", each.takes) for each in COMMANDS},
    releases.list_releases: Bodies("Releases"),
    compare.compare_kept: Bodies("Comparison", "Question"),
    apps.list_all: Bodies("Overviews"),
    apps.show: Bodies("Overview"),
    apps.freeze_one: Bodies("App", "Reason"),
    apps.unfreeze_one: Bodies("App", "Reason"),
    apps.kill_one: Bodies("App", "Reason"),
    apps.kill_all: Bodies("Apps", "Reason"),
    apps.freeze_every: Bodies("Apps", "Reason"),
    apps.unfreeze_every: Bodies("Apps", "Reason"),
    api_keys.create_key: Bodies("MadeKey", "NewKey", (201,)),
    api_keys.list_all: Bodies("Keys"),
    api_keys.show: Bodies("Key"),
    api_keys.revoke: Bodies("Key", "Nothing"),
    webhooks.create_one: Bodies("MadeWebhook", "NewWebhook", (201,)),
    webhooks.list_all: Bodies("Webhooks"),
    webhooks.show: Bodies("Webhook"),
    webhooks.change: Bodies("Webhook", "WebhookChange"),
    webhooks.delete: Bodies("Webhook", "WebhookEnd"),
    webhooks.try_one: Bodies("TriedWebhook", "Nothing"),
    webhooks.rotate: Bodies("MadeWebhook", "Rotation"),
    webhooks.list_deliveries: Bodies("Deliveries"),
    webhooks.redeliver_one: Bodies("Delivery", "Nothing"),
    webhooks.recover_all: Bodies("Recovered", "Nothing"),
}
