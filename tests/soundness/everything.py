# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a store in it goes out that has rows in every table, as the operations write them."""

from __future__ import annotations

from pathlib import Path

from lockgate.adapters.webhooks.secret_box import SecretBox, make_key
from lockgate.adapters.webhooks.sender import Sender
from lockgate.core.address import read_networks
from lockgate.core.dedupe import Dedupe
from lockgate.core.permission import Permission
from lockgate.core.receipt import operator
from lockgate.core.trust_rule import Provider
from lockgate.core.webhook_url import Reach
from lockgate.operations.access.issue_key import KeyOrder, issue_key
from lockgate.operations.access.trust import TrustOrder, create_rule
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.steering.once import Came, Once, do_once
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.tick import tick
from lockgate.operations.webhooks.webhooks import WebhookOrder, create_webhook
from lockgate.operations.witness.witnessing import ask_witnesses
from tests.faults import steps
from tests.spec.line import batch
from tests.witness.test_witnessing import key_of
from tests.witness.witnessed import Beside, witness

DAY = 24 * 60
AFTER = 30 * DAY
ADA = operator("ada", "drill")


def fill(folder: Path) -> None:
    """Let a store live, and be pruned, and live on, until every table has rows."""
    for step in steps.LIFE:
        steps.do(folder, step.name)
    _hooked(folder)
    _paired(folder)
    _crowded(folder)
    _going(folder)
    _open(folder)
    house = steps.house_of(folder, AFTER + 30)
    ask_witnesses(house, Beside(witness(folder.parent / "witness", key_of(house))))


def _hooked(folder: Path) -> None:
    """Let somebody outside be told, call, and be trusted."""
    house = steps.house_of(folder, AFTER + 1)
    make_key(folder / "keys")
    receivers = Sender(SecretBox(folder / "keys"), Reach(allowed=read_networks("127.0.0.0/8")), house.clock)
    create_webhook(WebhookOrder(url="http://127.0.0.1:9/hook"), ADA, house, receivers)
    issue_key(KeyOrder(name="ci", permissions=(Permission.READ,)), house)
    rule = TrustOrder(
        name="web",
        provider=Provider.GITHUB,
        audience="lockgate",
        permissions=(Permission.READ,),
        pins=(("repository_id", "74"), ("repository_owner_id", "65"), ("ref", "refs/heads/main")),
    )
    create_rule(rule, ADA, house)


def _paired(folder: Path) -> None:
    """Let both releases of an app answer probes, and be compared by them."""
    policy = {"mode": "shadow", "min_runs": 10, "gates": ["scores.groundedness:paired"], "steps": [50, 100]}
    order = Order(app="claims", baseline="v1", candidate="v2", policy=policy)
    rollout = create(order, steps.house_of(folder, AFTER + 2)).rollout.id
    for minute in range(4):
        house = steps.house_of(folder, AFTER + 3 + minute)
        answers = [
            {"app_id": "claims", "release": release, "probe_id": f"p{minute}-{number}", "scores": {"groundedness": 0.8}}
            for number in range(10)
            for release in ("v1", "v2")
        ]
        ingest(batch(*answers, {**answers[0], "probe_id": f"alone-{minute}"}), house)
        tick(rollout, house)


def _crowded(folder: Path) -> None:
    """Let a verdict be too long for its receipt, so that its bytes are kept beside it."""
    intents = [f"intent-{number}" for number in range(40)]
    gates = [{"metric": "error_rate", "slice": {"intent": intent}} for intent in intents]
    policy = {"mode": "shadow", "bucket": "1s", "gates": gates}
    order = Order(app="crowded", baseline="v1", candidate="v2", policy=policy)
    rollout = create(order, steps.house_of(folder, AFTER + 7)).rollout.id
    answers = [
        {"app_id": "crowded", "release": release, "run_id": f"c{release}-{intent}", "labels": {"intent": intent}}
        for intent in intents
        for release in ("v1", "v2")
    ]
    ingest(batch(*answers), steps.house_of(folder, AFTER + 8))
    tick(rollout, steps.house_of(folder, AFTER + 9))


def _going(folder: Path) -> None:
    """Leave a canary on trial, that has read much, was looked at and acted on; one call of it has a key."""
    house = steps.house_of(folder, AFTER + 10)
    steps.do(folder, "unfreeze", AFTER)
    policy = {**steps.POLICY, "min_runs": 10_000}
    order = Order(app=steps.APP, candidate="v3", baseline="v1", policy=policy)
    rollout = create(order, house).rollout.id
    for minute in range(11, 16):
        ingest(steps.runs(100 + minute), steps.house_of(folder, AFTER + minute))
        tick(rollout, steps.house_of(folder, AFTER + minute + 0.5))
    house = steps.house_of(folder, AFTER + 17)
    pause(rollout, ADA, house)
    resume(rollout, ADA, house)
    do_once(house, Once("key", "sha256:x"), lambda _work, _house: Came(status=200, headers=(), body=b"{}"))
    tick(rollout, steps.house_of(folder, AFTER + 18))


def _open(folder: Path) -> None:
    """Leave runs in slots that are not sealed, some of which came twice, and those of an app that knows all ids."""
    house = steps.house_of(folder, AFTER + 20)
    for seed in (300, 301):
        ingest(steps.runs(seed), house)
    again = {"app_id": steps.APP, "release": "v1", "run_id": "300-0"}
    ingest(batch({**again, "status": "error"}, {**again, "run_id": "new"}), house)
    ingest(batch({"app_id": "strict", "release": "v1", "run_id": "a"}), house, dedupe=Dedupe(is_strict=True))
