# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; every endpoint goes out, with the permission that it needs and the handler that answers it.

This table is the only one: the routes of the server, its description and the test of who may call what are made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockgate.core.permission import Permission
from lockgate.server.call import JSON_TYPES, Call, Handler
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

API = "/api/v1"
ROLLOUT, APP, KEYS = f"{API}/rollouts/{{id}}", f"{API}/apps/{{app}}", f"{API}/api-keys"
LOG, KEY_MANIFEST = f"{API}/log", "/.well-known/lockgate/keys.dsse.json"
WEBHOOKS, WEBHOOK = f"{API}/webhooks", f"{API}/webhooks/{{webhook}}"
MAX_BODY = 1 << 20
# What bodies of runs may be packed by.
PACKED = ("gzip", "zstd")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row: who has no permission for it is refused, and where it is None nobody needs a key.

    A path that names a rollout (`{id}`) or an app (`{app}`) is answered only where the key is for that app; where it
    names neither, the handler sees to it. `body` are the media types that it takes; none where it takes no body.
    What the bodies of calls and answers are, `schema_names.py` says.
    `is_once`: with an Idempotency-Key it is done once, in one transaction; no handler may be that waits for anything
    but the store: what has to is done `ahead`. Of the others those are `is_repeatable` that change nothing more when
    they come again; the rest refuse that header. `needs` names what a query has to have.
    """

    method: str
    path: str
    permission: Permission | None
    handler: Handler
    summary: str
    body: tuple[str, ...] = ()
    max_body: int = MAX_BODY
    query: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ()
    is_once: bool = True
    is_repeatable: bool = False
    ahead: Callable[[Call], None] | None = None
    needs: tuple[str, ...] = ()

    @property
    def about(self) -> str | None:
        """Return the parameter that names the one rollout or app that the path is about, whose tag a call may name."""
        return next((name for name in ("id", "app") if f"{{{name}}}" in self.path), None)


def _get(path: str, permission: Permission | None, handler: Handler, summary: str, *query: str) -> Endpoint:
    return Endpoint("GET", path, permission, handler, summary, query=query)


def _post(
    path: str,
    permission: Permission,
    handler: Handler,
    summary: str,
    *,
    is_once: bool = True,
    is_repeatable: bool = False,
) -> Endpoint:
    return Endpoint(
        "POST", path, permission, handler, summary, JSON_TYPES, is_once=is_once, is_repeatable=is_repeatable
    )


ENDPOINTS = (
    _get("/healthz", None, state.alive, "Say that the process answers"),
    _get("/readyz", None, state.ready, "Say that the store can be read, and whether this server ticks"),
    Endpoint(
        "POST",
        f"{API}/oidc/token",
        None,
        oidc.exchange_token,
        "Give a CI job a key for the token that its CI system has signed",
        JSON_TYPES,
        oidc.MAX_BODY,
        is_once=False,
        is_repeatable=True,
    ),
    _get("/metrics", Permission.READ_METRICS, metrics.show, "Show metrics for Prometheus"),
    _post(f"{API}/rollouts", Permission.MANAGE, rollouts.create_rollout, "Put a candidate on trial"),
    _get(f"{API}/rollouts", Permission.READ, rollouts.list_all, "List rollouts, the oldest first", *rollouts.FILTERS),
    _post(
        f"{API}/rollouts/evaluate",
        Permission.TICK,
        turns.evaluate_all,
        "Take a turn of every active rollout",
        # In one transaction it would keep all others from writing.
        is_once=False,
    ),
    _get(ROLLOUT, Permission.READ, rollouts.show, "Show where a rollout stands, without a turn"),
    _get(f"{ROLLOUT}/verdict", Permission.READ, rollouts.verdict, "Show the verdict, always by 200"),
    _get(f"{ROLLOUT}/explain", Permission.READ, explanation.explain_one, "Say in sentences why a rollout holds"),
    _post(f"{ROLLOUT}/weight", Permission.WRITE_WEIGHT, weight.acknowledge_weight, "Say which weight is live"),
    _post(f"{ROLLOUT}/evaluate", Permission.TICK, turns.evaluate_one, "Take a turn; 422 where it rolled back"),
    _post(f"{ROLLOUT}/pause", Permission.MANAGE, actions.pause_one, "Let nothing be promoted"),
    _post(f"{ROLLOUT}/resume", Permission.MANAGE, actions.resume_one, "Let a paused rollout go on"),
    _post(f"{ROLLOUT}/cancel", Permission.MANAGE, actions.cancel_one, "End a rollout that users have not met"),
    _post(f"{ROLLOUT}/approve", Permission.OVERRIDE, actions.approve_one, "Let a rollout leave the step that was seen"),
    _post(f"{ROLLOUT}/promote", Permission.OVERRIDE, actions.promote_one, "Move a rollout one step forward"),
    _post(f"{ROLLOUT}/rollback", Permission.OVERRIDE, actions.rollback_one, "Take a candidate out of traffic"),
    _post(f"{ROLLOUT}/clear-alarm", Permission.OVERRIDE, actions.clear_alarm_of, "Clear a sample-ratio alarm"),
    _get(
        f"{ROLLOUT}/receipts",
        Permission.READ_RECEIPTS,
        receipts.list_of,
        "List a rollout's receipts",
        "limit",
        "cursor",
    ),
    _get(f"{ROLLOUT}/receipts/{{seq}}", Permission.READ_RECEIPTS, receipts.show_one, "Fetch a receipt with its proof"),
    _get(
        f"{ROLLOUT}/receipts/{{seq}}/envelope",
        Permission.READ_RECEIPTS,
        receipts.show_envelope,
        "Fetch a receipt byte for byte",
    ),
    _get(
        f"{ROLLOUT}/receipts/{{seq}}/proof",
        Permission.READ_RECEIPTS,
        receipts.show_proof,
        "Fetch the proof that the log holds a receipt",
    ),
    _get(f"{LOG}/checkpoint", Permission.READ_RECEIPTS, log.show_checkpoint, "Fetch the log's latest checkpoint"),
    _get(f"{LOG}/tile/entries/{{tile}}", Permission.READ_RECEIPTS, log.show_entries, "Fetch a tile of entries"),
    _get(f"{LOG}/tile/{{level}}/{{tile}}", Permission.READ_RECEIPTS, log.show_tile, "Fetch a tile of hashes"),
    Endpoint(
        "GET",
        f"{LOG}/consistency",
        Permission.READ_RECEIPTS,
        log.show_growth,
        "Fetch the proof that the log has only grown",
        query=log.SPAN,
        needs=("old",),
    ),
    _get(f"{LOG}/entries/{{index}}", Permission.READ_RECEIPTS, log.show_entry, "Fetch an entry byte for byte"),
    _get(f"{LOG}/proof/{{index}}", Permission.READ_RECEIPTS, log.show_proof, "Fetch the proof that the log holds it"),
    _get(f"{LOG}/export", Permission.EXPORT, log.export_lines, "Export what was appended since", *log.SINCE),
    _get(KEY_MANIFEST, None, published_keys.show_manifest, "Fetch the signed manifest of all keys", "org"),
    _get("/keys/{file}", None, published_keys.show_file, "Fetch public keys", "org"),
    _get(
        f"{ROLLOUT}/bundle",
        Permission.EXPORT,
        bundles.send,
        "Export a rollout's receipts, and all that proves and explains them, as one zip",
        *bundles.PARAMETERS,
    ),
    Endpoint(
        "POST",
        f"{API}/runs",
        Permission.WRITE_RUNS,
        runs.take,
        "Keep a batch of runs, one a line",
        runs.NDJSON_TYPES,
        runs.MAX_BODY,
        ("app_id",),
        encodings=PACKED,
        # By its bytes a batch is known that comes again, and batches of several callers are kept together.
        is_once=False,
        is_repeatable=True,
    ),
    Endpoint(
        "GET",
        f"{API}/releases",
        Permission.READ,
        releases.list_releases,
        "List an app's releases, the first seen first",
        query=releases.PARAMETERS,
        needs=("app_id",),
    ),
    _post(
        f"{API}/compare",
        Permission.READ,
        compare.compare_kept,
        "Compare two releases by the runs that are kept",
        is_once=False,
        is_repeatable=True,
    ),
    _get(f"{API}/apps", Permission.READ, apps.list_all, "Show apps, by name", "limit", "cursor"),
    _get(APP, Permission.READ, apps.show, "Show an app"),
    _post(f"{APP}/freeze", Permission.OVERRIDE, apps.freeze_one, "Let nothing of an app start or be promoted"),
    _post(f"{APP}/unfreeze", Permission.OVERRIDE, apps.unfreeze_one, "End an app's freeze"),
    _post(f"{APP}/kill", Permission.OVERRIDE, apps.kill_one, "Roll back everything on trial in an app, and freeze it"),
    _post(f"{API}/kill", Permission.OVERRIDE, apps.kill_all, "Do that to every known app"),
    _post(f"{API}/freeze", Permission.OVERRIDE, apps.freeze_every, "Let nothing of any known app start or be promoted"),
    _post(f"{API}/unfreeze", Permission.OVERRIDE, apps.unfreeze_every, "End the freeze of every known app"),
    Endpoint(
        "POST",
        f"{API}/imports/runs",
        Permission.WRITE_RUNS,
        imports.keep,
        "Keep a batch of runs, one a line, by the times at which they started",
        runs.NDJSON_TYPES,
        runs.MAX_BODY,
        imports.PARAMETERS,
        encodings=PACKED,
        is_once=False,
        is_repeatable=True,
    ),
    *(
        _post(
            f"{API}{each.path}",
            each.permission,
            HANDLERS[each.path],
            f"Answer `lockgate {each.command}` as text",
            is_once=False,
        )
        for each in COMMANDS
    ),
    _post(KEYS, Permission.MANAGE_KEYS, api_keys.create_key, "Make a key, and show its token this once"),
    _get(KEYS, Permission.MANAGE_KEYS, api_keys.list_all, "List keys, the oldest first", "limit", "cursor"),
    _get(f"{KEYS}/{{key}}", Permission.MANAGE_KEYS, api_keys.show, "Show a key"),
    _post(
        f"{KEYS}/{{key}}/revoke",
        Permission.MANAGE_KEYS,
        api_keys.revoke,
        "Let a key open nothing any more",
        # A second time changes nothing, and no reply has to be kept where only this may be.
        is_once=False,
        is_repeatable=True,
    ),
    Endpoint(
        "POST",
        WEBHOOKS,
        Permission.MANAGE_WEBHOOKS,
        webhooks.create_one,
        "Declare a receiver of messages, and show its secret this once",
        JSON_TYPES,
        ahead=webhooks.check_one,
    ),
    _get(WEBHOOKS, Permission.MANAGE_WEBHOOKS, webhooks.list_all, "List webhooks", "limit", "cursor"),
    _get(WEBHOOK, Permission.MANAGE_WEBHOOKS, webhooks.show, "Show a webhook"),
    Endpoint(
        "PATCH",
        WEBHOOK,
        Permission.MANAGE_WEBHOOKS,
        webhooks.change,
        "Let a webhook hear other events, or nothing for a while",
        JSON_TYPES,
    ),
    Endpoint("DELETE", WEBHOOK, Permission.MANAGE_WEBHOOKS, webhooks.delete, "Send nothing there any more", JSON_TYPES),
    _post(
        f"{WEBHOOK}/test",
        Permission.MANAGE_WEBHOOKS,
        webhooks.try_one,
        "Send a message that asks for nothing, and show the answer",
        is_once=False,
    ),
    _post(f"{WEBHOOK}/rotate", Permission.MANAGE_WEBHOOKS, webhooks.rotate, "Give a webhook a new secret"),
    _get(
        f"{WEBHOOK}/deliveries",
        Permission.MANAGE_WEBHOOKS,
        webhooks.list_deliveries,
        "List what a webhook was sent or is to be sent, the latest first",
        "state",
        "limit",
        "cursor",
    ),
    _post(
        f"{WEBHOOK}/deliveries/{{message}}/redeliver",
        Permission.MANAGE_WEBHOOKS,
        webhooks.redeliver_one,
        "Send a message once more",
    ),
    Endpoint(
        "POST",
        f"{WEBHOOK}/recover",
        Permission.MANAGE_WEBHOOKS,
        webhooks.recover_all,
        "Send again what was given up",
        JSON_TYPES,
        query=("since",),
    ),
)
