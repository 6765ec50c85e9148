# SPDX-License-Identifier: Apache-2.0
"""Receivers of messages are declared, rotated, disabled and removed: docs/spec.md, Webhooks."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Reference
from standardwebhooks import WebhookVerificationError

from lockgate.adapters.outgoing.resolving import Names
from lockgate.adapters.webhooks.secret_box import KEY_FILE, SecretBox, make_key
from lockgate.core.custody import custody_series
from lockgate.core.delivery import State
from lockgate.core.endpoint import Kind
from lockgate.core.transition import Event
from lockgate.core.webhook import BY_HAND, MAX_WEBHOOKS, Format, Webhook, hub_header, secret_text, signed_headers
from lockgate.errors import DataError, LockgateError, NotPermittedError, TryAgainError, UnknownError, UsageError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliver import deliver, untold
from lockgate.operations.webhooks.webhooks import (
    change_events,
    delete_webhook,
    find_webhook,
    list_webhooks,
    part_of,
    rotate_secret,
    switch_webhook,
)
from lockgate.testing.recipients import Recipients
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store, system_clock
from tests.spec.line import created, predicate, receipts, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING, kept_deliveries, routed, states
from tests.spec.webhooked import Listener, hooked, listening, sender

pytestmark = pytest.mark.usefixtures("each_store")
URL = "https://hooks.example.com/lockgate"
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "trust_standard_webhooks.json").read_text("utf-8"))
DAY_S = 86_400


@pytest.mark.clause("WH-10")
@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["id"])
def test_signatures_are_those_of_standard_webhooks(case: dict[str, str]) -> None:
    """By one secret, and by two while one replaces the other."""
    secrets = [b64decode(case[name].removeprefix("whsec_")) for name in ("secret", "old_secret")]
    body, now = b64decode(case["body_b64"]), int(case["timestamp"]) * 1_000 + 999

    one, both = (signed_headers(case["id"], body, some, now) for some in (secrets[:1], secrets))

    assert one["webhook-signature"] == case["signature"]
    assert both["webhook-signature"] == case["signature_header_during_rotation"]
    assert both["webhook-timestamp"] == str(case["timestamp"])
    assert secret_text(secrets[0]) == case["secret"]


def _sent(here: World, listener: Listener, folder: Path, **order: object) -> str:
    """Send one message to a listener, and return the secret that signed it."""
    receivers = sender(here, folder)
    shared = hooked(here, receivers, listener.url, events=(Event.CREATED,), **order)
    created(here)
    deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)
    return shared.secret


@pytest.mark.clause("WH-10")
def test_the_reference_library_verifies_what_is_sent(tmp_path: Path) -> None:
    """And nothing that was changed on the way."""
    here = world()
    here.clock.advance((system_clock().now() - here.clock.now()) / 1_000)
    with listening() as listener:
        secret = _sent(here, listener, tmp_path)
    (came,) = listener.came

    said = Reference(secret).verify(came.body, came.headers)

    assert said["type"] == "rollout.created"
    with pytest.raises(WebhookVerificationError):
        Reference(secret).verify(came.body.replace(b"v36", b"v37"), came.headers)


@pytest.mark.clause("WH-11")
def test_the_body_alone_is_signed_too_where_that_is_asked_for(tmp_path: Path) -> None:
    """As others do it, by the secret's text; and only there."""
    with listening() as listener, listening() as plain:
        secret = _sent(world(), listener, tmp_path, has_hub_header=True)
        _sent(world(), plain, tmp_path)

    said = hub_header(listener.came[0].body, b64decode(secret.removeprefix("whsec_")))
    assert listener.came[0].headers["x-lockgate-signature"] == said["X-Lockgate-Signature"]
    assert re.fullmatch("sha256=[0-9a-f]{64}", said["X-Lockgate-Signature"])
    assert "x-lockgate-signature" not in plain.came[0].headers


@pytest.mark.clause("WH-12")
def test_a_cloud_event_says_the_same(tmp_path: Path) -> None:
    """In structured mode: the same id, the same data, still signed."""
    with listening() as listener, listening() as plain:
        _sent(world(), listener, tmp_path, format=Format.CLOUDEVENTS)
        _sent(world(), plain, tmp_path)

    (came,), (other,) = listener.came, plain.came
    said, standard = json.loads(came.body), json.loads(other.body)
    assert came.headers["content-type"] == "application/cloudevents+json"
    assert (said["specversion"], said["id"]) == ("1.0", came.headers["webhook-id"])
    assert (said["type"], said["time"], said["subject"]) == (
        standard["type"],
        standard["timestamp"],
        standard["data"]["rollout_id"],
    )
    assert (said["data"], said["receipt"]) == (standard["data"], standard["receipt"])


@pytest.mark.clause("WH-01")
def test_a_secret_is_shown_once_and_kept_unreadable(tmp_path: Path) -> None:
    """It is in no file of the store, in no message and in no receipt."""
    here = World(sqlite_store(tmp_path / "store"))
    with listening() as listener:
        secret = _sent(here, listener, tmp_path / "keys")
    raw, text = b64decode(secret.removeprefix("whsec_")), secret.removeprefix("whsec_").encode()

    files = [path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()]

    assert len(raw) == 32
    assert files
    assert not any(part in data for data in files for part in (raw, text, raw.hex().encode()))
    assert text not in listener.came[0].body
    assert secret not in repr(list_webhooks(here.house))


@pytest.mark.clause("WH-02")
def test_a_secret_is_bound_to_its_endpoint_and_to_its_key(tmp_path: Path) -> None:
    """A row that was moved, a byte that was changed and another key open nothing; each seal differs."""
    make_key(tmp_path / "a")
    make_key(tmp_path / "b")
    box, other = SecretBox(tmp_path / "a"), SecretBox(tmp_path / "b")
    sealed = box.seal(b"s" * 32, "end_1")

    assert box.open(sealed, "end_1") == b"s" * 32
    assert sealed != box.seal(b"s" * 32, "end_1")
    for opener, data, name in (
        (box, sealed, "end_2"),
        (other, sealed, "end_1"),
        (box, sealed[:-1] + bytes([sealed[-1] ^ 1]), "end_1"),
        (box, b"", "end_1"),
    ):
        with pytest.raises(DataError):
            opener.open(data, name)


@pytest.mark.clause("WH-02")
def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It is made so, and refused where others may read it."""
    make_key(tmp_path / "keys")
    box = SecretBox(tmp_path / "keys")
    sealed = box.seal(b"s" * 32, "end_1")
    path = tmp_path / "keys" / KEY_FILE
    mode = path.stat().st_mode & 0o777
    path.chmod(0o640)

    with pytest.raises(NotPermittedError):
        box.open(sealed, "end_1")
    assert mode == 0o600


@pytest.mark.clause("WH-03")
def test_both_secrets_sign_until_the_grace_is_over(tmp_path: Path) -> None:
    """The newer one first; a second rotation meanwhile must be forced."""
    here = world()
    receivers = sender(here, tmp_path)
    with listening() as listener:
        first = hooked(here, receivers, listener.url)
        second = rotate_secret(first.endpoint.id, DAY_S, ANN, here.house, receivers)
        with pytest.raises(TryAgainError):
            rotate_secret(first.endpoint.id, DAY_S, ANN, here.house, receivers)
        created(here)
        deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)
        here.clock.advance(DAY_S)
        rollback(created(here).rollout.id, ANN, here.house)
        deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)

    during, after = listener.came[0], listener.came[1]
    keys = [b64decode(each.secret.removeprefix("whsec_")) for each in (second, first)]
    for came, some in ((during, keys), (after, keys[:1])):
        expected = signed_headers(
            came.headers["webhook-id"], came.body, some, int(came.headers["webhook-timestamp"]) * 1_000
        )
        assert came.headers["webhook-signature"] == expected["webhook-signature"]


@pytest.mark.clause("WH-93")
def test_a_secret_that_leaked_ends_at_once_within_a_grace_too(tmp_path: Path) -> None:
    """Without grace the newest secret alone signs, whatever was rotated before."""
    here = world()
    receivers = sender(here, tmp_path)
    first = hooked(here, receivers, "http://127.0.0.1:9/")
    rotate_secret(first.endpoint.id, DAY_S, ANN, here.house, receivers)

    newest = rotate_secret(first.endpoint.id, 0, ANN, here.house, receivers)

    assert newest.endpoint.webhook is not None
    assert newest.endpoint.webhook.sealed(here.house.clock.now()) == (newest.endpoint.webhook.secret,)


@pytest.mark.clause("WH-03")
@pytest.mark.parametrize("grace_s", [-1, 7 * DAY_S + 1, float("nan")])
def test_a_grace_is_at_most_seven_days(grace_s: float) -> None:
    """Nothing is rotated for longer."""
    here, receivers = world(), Recipients()
    shared = hooked(here, receivers, URL)

    with pytest.raises(UsageError):
        rotate_secret(shared.endpoint.id, grace_s, ANN, here.house, receivers)
    assert find_webhook(shared.endpoint.id, here.house) == shared.endpoint


@pytest.mark.clause("WH-03")
def test_a_secret_that_leaked_ends_at_once() -> None:
    """Also one that was to sign for a while yet."""
    here, receivers = world(), Recipients()
    shared = hooked(here, receivers, URL)
    rotate_secret(shared.endpoint.id, DAY_S, ANN, here.house, receivers)

    rotated = rotate_secret(shared.endpoint.id, 0, ANN, here.house, receivers, is_forced=True)

    assert len(part_of(rotated.endpoint).sealed(here.clock.now())) == 1
    assert rotated.secret != shared.secret


@pytest.mark.clause("WH-04")
def test_what_is_changed_has_a_receipt() -> None:
    """Who did it and why, in the organisation's series; what was declared is told by a digest alone."""
    here, receivers = world(), Recipients()
    shared = hooked(here, receivers, URL)
    identity = shared.endpoint.id
    change_events(identity, (Event.ROLLBACK,), ANN, here.house)
    rotate_secret(identity, DAY_S, ANN, here.house, receivers)
    switch_webhook(identity, ANN, here.house, is_enabled=False)
    delete_webhook(identity, ANN, here.house)

    written = receipts(here.house, custody_series("default"))

    assert [each.action for each in written] == [*["set_webhook"] * 4, "remove_webhook"]
    stated = [predicate(each) for each in written]
    assert [each["to"]["webhooks"] is None for each in stated] == [False] * 4 + [True]
    assert len({json.dumps(each["to"]["webhooks"]) for each in stated}) == 5
    assert {each["actor"]["name"] for each in stated} == {"ann"}
    assert "example.com" not in json.dumps(stated)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-04")
def test_a_webhook_that_nobody_declared_is_found() -> None:
    """Who writes into the store cannot listen in without a trace, nor let another be sent messages."""
    here = world()
    shared = hooked(here, Recipients(), URL)
    turned = replace(part_of(shared.endpoint), url="https://elsewhere.example.com/")
    with here.house.store.writing() as work:
        work.put_endpoint(replace(shared.endpoint, webhook=turned))

    (flaw,) = fsck(here.house).flaws

    assert "webhooks" in flaw.what


@pytest.mark.clause("WH-04")
def test_what_changes_nothing_has_no_receipt() -> None:
    """The same events, or enabling what is active."""
    here = world()
    shared = hooked(here, Recipients(), URL)
    identity = shared.endpoint.id

    same = change_events(identity, part_of(shared.endpoint).events, ANN, here.house)
    active = switch_webhook(identity, ANN, here.house, is_enabled=True)

    assert (same, active) == (shared.endpoint, shared.endpoint)
    assert len(receipts(here.house, custody_series("default"))) == 1


@pytest.mark.clause("WH-05")
def test_a_webhook_hears_its_events_of_its_app() -> None:
    """Beside the app's actuator, which hears what it heard; and from when it was declared on."""
    here, receivers = world(), Recipients()
    routed(here)
    before = created(here).rollout
    every = hooked(here, receivers, URL).endpoint
    one = hooked(here, receivers, URL, app="claims-agent", events=(Event.ROLLBACK, Event.COMPLETED)).endpoint
    hooked(here, receivers, URL, app="other-app")

    rollback(before.id, ANN, here.house)

    heard: dict[str, list[str]] = {each.id: [] for each in (every, one)}
    for each in kept_deliveries(here):
        heard.setdefault(each.endpoint_id, []).append(each.event.value)
    assert heard[every.id] == heard[one.id] == ["rollout.rollback", "rollout.completed"]
    assert sorted(map(len, heard.values())) == [2, 2, 2]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-05")
def test_webhooks_are_bounded_and_known_by_their_ids() -> None:
    """One more than may be is refused and leaves nothing."""
    here, receivers = world(), Recipients()
    for _ in range(MAX_WEBHOOKS):
        hooked(here, receivers, URL)

    with pytest.raises(NotPermittedError):
        hooked(here, receivers, URL)
    with pytest.raises(UnknownError):
        find_webhook("end_none", here.house)
    assert len({each.id for each in list_webhooks(here.house)}) == MAX_WEBHOOKS


@pytest.mark.clause("WH-21")
@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://hooks.example.com/", "https://user@hooks.example.com/"])
def test_a_url_that_may_not_be_called_leaves_nothing(url: str, tmp_path: Path) -> None:
    """Neither an endpoint nor a receipt."""
    here = world()

    with pytest.raises(LockgateError):
        hooked(here, sender(here, tmp_path, names=Names(lambda _host: ())), url)

    with here.house.store.reading() as seen:
        assert (seen.endpoints(), seen.latest_receipt()) == ((), None)


@pytest.mark.clause("WH-06")
def test_what_is_disabled_is_sent_nothing_until_it_is_enabled() -> None:
    """What waits is kept; what is told meanwhile is not for it, and fsck knows."""
    here, receivers = world(), Recipients()
    identity = hooked(here, receivers, URL).endpoint.id
    rollout = created(here).rollout
    switch_webhook(identity, ANN, here.house, is_enabled=False)
    rollback(rollout.id, ANN, here.house)

    while_disabled = deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)
    (left,) = untold(here.house)
    sound = fsck(here.house).flaws
    switch_webhook(identity, ANN, here.house, is_enabled=True)
    deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)

    assert (while_disabled, left.delivery.state, sound) == ((), State.DUE, ())
    assert states(kept_deliveries(here)) == [("created", "delivered")]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-06")
def test_how_a_webhook_failed_is_told_until_it_is_enabled() -> None:
    """Who disabled it looks at what it was disabled for; enabled, it begins anew."""
    failing = Webhook(url=URL, secret=b"").tried(7, is_failed=True)

    disabled = failing.switched(8, is_enabled=False)
    enabled = disabled.switched(9, is_enabled=True)

    assert (disabled.disabled, disabled.failing_since, disabled.failures, disabled.well_since) == (BY_HAND, 7, 1, 0)
    assert (enabled.disabled, enabled.failing_since, enabled.failures, enabled.well_since) == ("", 0, 0, 9)


@pytest.mark.clause("WH-06")
def test_what_is_deleted_is_sent_nothing() -> None:
    """What it was not sent is superseded."""
    here, receivers = world(), Recipients()
    identity = hooked(here, receivers, URL).endpoint.id
    created(here)

    delete_webhook(identity, ANN, here.house)

    assert deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING) == ()
    assert states(kept_deliveries(here)) == [("created", "superseded")]
    assert list_webhooks(here.house) == ()
