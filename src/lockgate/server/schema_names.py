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
    bundles,
    compare,
    explanation,
    imports,
    log,
    metrics,
    oidc,
    published_keys,
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
class SchemaNames:
    """Names of schemas, `gives` in `answer_schemas.py` and, where there is a body, `takes` in `body_schemas.py`.

    `succeeds` are the statuses of an answer that is no problem.
    """

    gives: str
    takes: str = ""
    succeeds: tuple[int, ...] = (200,)


SCHEMA_NAMES: Mapping[Handler, SchemaNames] = {
    state.alive: SchemaNames("Alive"),
    state.ready: SchemaNames("Ready"),
    metrics.show: SchemaNames("Metrics"),
    oidc.exchange_token: SchemaNames("JobKey", "JobToken"),
    rollouts.create_rollout: SchemaNames("Created", "Order", (200, 201)),
    rollouts.list_all: SchemaNames("Rollouts"),
    rollouts.show: SchemaNames("Explanation"),
    rollouts.verdict: SchemaNames("Verdict"),
    explanation.explain_one: SchemaNames("Sentences"),
    weight.acknowledge_weight: SchemaNames("Rollout", "LiveWeight"),
    turns.evaluate_one: SchemaNames("Turn", "Nothing", (200, 422)),
    turns.evaluate_all: SchemaNames("Round", "Nothing"),
    actions.pause_one: SchemaNames("Answered", "Reason"),
    actions.resume_one: SchemaNames("Answered", "Reason"),
    actions.cancel_one: SchemaNames("Answered", "Reason"),
    actions.rollback_one: SchemaNames("Answered", "Reason"),
    actions.clear_alarm_of: SchemaNames("Answered", "Reason"),
    actions.approve_one: SchemaNames("Answered", "Sight"),
    actions.promote_one: SchemaNames("Answered", "Sight"),
    bundles.send: SchemaNames("Bundle"),
    receipts.list_of: SchemaNames("Receipts"),
    receipts.show_one: SchemaNames("Receipt"),
    receipts.show_envelope: SchemaNames("Envelope"),
    receipts.show_proof: SchemaNames("LogProof"),
    log.show_checkpoint: SchemaNames("Checkpoint"),
    log.show_tile: SchemaNames("Tile"),
    log.show_entries: SchemaNames("Tile"),
    log.show_growth: SchemaNames("LogGrowth"),
    log.show_entry: SchemaNames("Envelope"),
    log.show_proof: SchemaNames("LogProof"),
    log.export_lines: SchemaNames("ExportedLog"),
    published_keys.show_manifest: SchemaNames("KeyManifest"),
    published_keys.show_file: SchemaNames("PublishedKeys"),
    runs.take: SchemaNames("Taken", "Run"),
    imports.keep: SchemaNames("Imported", "Run"),
    **{HANDLERS[each.path]: SchemaNames("Said", each.takes) for each in COMMANDS},
    releases.list_releases: SchemaNames("Releases"),
    compare.compare_kept: SchemaNames("Comparison", "Question"),
    apps.list_all: SchemaNames("Overviews"),
    apps.show: SchemaNames("Overview"),
    apps.freeze_one: SchemaNames("App", "Reason"),
    apps.unfreeze_one: SchemaNames("App", "Reason"),
    apps.kill_one: SchemaNames("App", "Reason"),
    apps.kill_all: SchemaNames("Apps", "Reason"),
    apps.freeze_every: SchemaNames("Apps", "Reason"),
    apps.unfreeze_every: SchemaNames("Apps", "Reason"),
    api_keys.create_key: SchemaNames("MadeKey", "NewKey", (201,)),
    api_keys.list_all: SchemaNames("Keys"),
    api_keys.show: SchemaNames("Key"),
    api_keys.revoke: SchemaNames("RevokedKey", "Nothing"),
    webhooks.create_one: SchemaNames("MadeWebhook", "NewWebhook", (201,)),
    webhooks.list_all: SchemaNames("Webhooks"),
    webhooks.show: SchemaNames("Webhook"),
    webhooks.change: SchemaNames("Webhook", "WebhookChange"),
    webhooks.delete: SchemaNames("Webhook", "WebhookEnd"),
    webhooks.try_one: SchemaNames("TriedWebhook", "Nothing"),
    webhooks.rotate: SchemaNames("MadeWebhook", "Rotation"),
    webhooks.list_deliveries: SchemaNames("Deliveries"),
    webhooks.redeliver_one: SchemaNames("Delivery", "Nothing"),
    webhooks.recover_all: SchemaNames("Recovered", "Nothing"),
}
