# SPDX-License-Identifier: Apache-2.0
"""Calls about rollouts come in; they are created, listed and looked at, and documents go out."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.canonical import Json
from lockgate.core.link import Link
from lockgate.core.policy.policy import Mode
from lockgate.core.release_digest import ReleaseDigest
from lockgate.core.rollout import Rollout, Status
from lockgate.errors import UsageError
from lockgate.operations.asking.foresee import foresee
from lockgate.operations.asking.overview import frozen_apps
from lockgate.operations.asking.queries import explain, overdue_rollouts
from lockgate.operations.asking.rollout_page import Wanted, rollout_page
from lockgate.operations.create import Order, create
from lockgate.operations.webhooks.deliver import Told, untold
from lockgate.report.created import created_document
from lockgate.report.rollout_document import explanation_document, rollout_document, verdict_document
from lockgate.report.signed import FIRST, with_signed
from lockgate.server.call import MAX_PAGE, Answer, Call, flag_of, needed, seconds_of, text_of
from lockgate.server.condition import tag_of
from lockgate.server.cursor import next_cursor, place_of

# Fields that say of the policy what its own document would.
FLAT = ("mode", "steps", "min_runs", "require_pairwise")
BESIDE = ("app_id", "baseline", "candidate", "since", "links", "digests", "replace", "metrics", "policy")
PAGE = 50
FILTERS = ("app_id", "status", "candidate", "active", "mode", "limit", "cursor")


def create_rollout(call: Call) -> Answer:
    """Put a candidate on trial; 201, or 200 where an equal rollout is there already."""
    document = call.document(*BESIDE, *FLAT)
    policy = _policy(document)
    app = needed("app_id", text_of(document, "app_id") or text_of(policy, "app"))
    call.caller.check_app(app)
    order = Order(
        app=app,
        candidate=needed("candidate", text_of(document, "candidate")),
        baseline=text_of(document, "baseline"),
        policy=policy,
        since_s=seconds_of(document, "since"),
        is_replacing=flag_of(document, "replace"),
        links=_links(document.get("links", {})),
        digests=_digests(document.get("digests", {})),
        actor=call.caller.actor(),
    )
    created = create(order, call.house)
    call.wake()
    rollout = created.rollout
    about = created_document(created, foresee(rollout, created.policy, call.house))
    said = with_signed(about, rollout.id, None if created.is_existing else FIRST, call.house)
    place = {"location": f"/api/v1/rollouts/{rollout.id}"}
    return Answer(document=said, status=200 if created.is_existing else 201, headers={**tag(rollout), **place})


def list_all(call: Call) -> Answer:
    """Return a page of rollouts, the oldest first, and the cursor of the next one."""
    app = call.text("app_id")
    if app is not None:
        call.caller.check_app(app)
    mode, status = call.choice("mode", Mode), call.choice("status", Status)
    wanted = Wanted(
        app=app,
        apps=call.caller.apps,
        candidate=call.text("candidate"),
        status=None if status is None else Status(status),
        mode=None if mode is None else Mode(mode),
        is_active=call.flag("active"),
    )
    page = rollout_page(wanted, place_of(call), call.whole("limit", PAGE, MAX_PAGE), call.house)
    overdue, frozen = overdue_rollouts(call.house, page.rollouts), frozen_apps(call.house)
    documents: list[Json] = [
        {**rollout_document(each), "overdue": overdue.get(each.id), "frozen": frozen.get(each.app)}
        for each in page.rollouts
    ]
    cursor = None if page.last is None else next_cursor(call, page.last)
    return Answer(document={"rollouts": documents, "cursor": cursor})


def show(call: Call) -> Answer:
    """Return where a rollout stands and what a tick would decide, without one."""
    said = explain(call.named["id"], call.house)
    left = untold(call.house, said.rollout.app)
    document = {
        **explanation_document(said),
        "frozen": frozen_apps(call.house).get(said.rollout.app),
        "untold": [_untold(each) for each in left if each.message.rollout_id == said.rollout.id],
    }
    return Answer(document=document, headers=tag(said.rollout))


def verdict(call: Call) -> Answer:
    """Return the verdict alone, always by 200, for whoever polls: it changes with each run, so it has no tag."""
    return Answer(document=verdict_document(explain(call.named["id"], call.house)))


def _untold(told: Told) -> dict[str, Json]:
    """Return what a router has not been told; which program tells it is this machine's business."""
    webhook = None if told.endpoint is None else told.endpoint.webhook
    return {
        "event": told.message.event.value,
        "receipt": told.message.seq,
        "attempts": told.delivery.attempts,
        "urgent": told.delivery.is_urgent,
        "state": told.delivery.state.value,
        "code": told.delivery.tries[-1].code if told.delivery.tries else None,
        "disabled": "" if webhook is None else webhook.disabled,
    }


def tag(rollout: Rollout) -> dict[str, str]:
    """Return the ETag of a rollout: its revision."""
    return {"etag": tag_of(rollout.revision)}


def _policy(document: Mapping[str, object]) -> dict[str, object]:
    policy = document.get("policy", {})
    if not isinstance(policy, dict):
        raise UsageError("policy is not an object", advice="Send what a policy file holds, as JSON.")
    metrics = document.get("metrics")
    if metrics is not None and "gates" in policy:
        raise UsageError("metrics and the policy both name gates", advice="Name them in the policy.")
    stated = {name: document[name] for name in FLAT if name in document}
    if metrics is not None:
        if not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics):
            raise UsageError("metrics is no list of names", advice='Send ["error_rate", "latency_ms:p95"].')
        stated["gates"] = [{"metric": name} for name in dict.fromkeys(metrics)]
    return {**policy, **stated}


def _links(value: object) -> tuple[Link, ...]:
    if not isinstance(value, dict) or not all(isinstance(url, str) for url in value.values()):
        raise UsageError("links is no object of addresses", advice='Send {"ci": "https://..."}.')
    return tuple(value.items())


def _digests(value: object) -> tuple[ReleaseDigest, ...]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise UsageError("digests is no object of digests", advice='Send {"model": "sha256:..."}.')
    return tuple(value.items())
