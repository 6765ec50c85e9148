# SPDX-License-Identifier: Apache-2.0
"""Requests come in, most of them wrong in one thing; only what was signed lately with a known secret is an event."""

from __future__ import annotations

import hmac
import json
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from dataclasses import asdict
from email.message import Message as Headers
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from lockgate.core.instant import SECOND
from lockgate.core.outbox import Message
from lockgate.core.webhook import cloud_event, signed_headers
from lockgate.errors import LockgateError, UsageError
from lockgate.operations.create import Order, create
from lockgate.testing.world import World
from lockgate.webhooks import (
    BodyError,
    HeadersError,
    SecretError,
    SignatureError,
    TimestampError,
    WebhookError,
    verify,
)
from lockgate.webhooks.event import MAX_BODY, PREFIX
from lockgate.wiring import memory_store
from tests.receiver.signed import NOW, OLD_SECRET, SECRET, body, headers

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "trust_standard_webhooks.json").read_text("utf-8"))
CASES = [case for case in VECTORS["cases"] if case["body_b64"]]
SIGNED = headers(body())
KEYS = [b64decode(secret.removeprefix(PREFIX)) for secret in (SECRET, OLD_SECRET)]


@pytest.fixture
def sent() -> Message:
    """Return the message of a canary that begins."""
    house = World(memory_store()).house
    create(Order(app="web", baseline="v36", candidate="v37", policy={"mode": "canary"}), house)
    with house.store.reading(house.org) as seen:
        return seen.messages()[0]


def _case(case: dict[str, Any], signature: str) -> dict[str, str]:
    return {"webhook-id": case["id"], "webhook-timestamp": str(case["timestamp"]), "webhook-signature": signature}


@pytest.mark.clause("WH-60")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
@pytest.mark.parametrize("secret", ["secret", "old_secret"])
def test_published_vectors_verify_with_either_secret_of_a_rotation(case: dict[str, Any], secret: str) -> None:
    """A header with two signatures is accepted by who knows one of the secrets."""
    sent = _case(case, case["signature_header_during_rotation"])

    event = verify(sent, b64decode(case["body_b64"]), case[secret], now=case["timestamp"])

    assert (event.id, event.timestamp) == (case["id"], case["timestamp"])
    assert event.type in ("contact.created", "rollout.promote")


@pytest.mark.clause("WH-60")
def test_an_event_names_what_a_receiver_needs() -> None:
    """The fields are those of the body; the rest of the traffic is the baseline's unless a target says otherwise."""
    event = verify(headers(body()), body(), SECRET, now=NOW)
    back = body("rollout.rollback", weight=0, terminal=True, target={"kind": "former", "release": "v35"})
    rollback = verify(headers(back), back, SECRET, now=NOW)

    assert (event.type, event.app, event.rollout_id, event.candidate) == (
        "rollout.promote",
        "claims-agent",
        "rol_01",
        "abc123",
    )
    assert (event.baseline, event.target, event.weight, event.terminal) == ("v36", "v36", 25.0, False)
    assert (event.revision, event.seq, event.log_index, event.receipt_id) == (2, 3, 7, "rcp_01")
    assert (rollback.target, rollback.weight, rollback.terminal) == ("v35", 0.0, True)
    assert event.is_movement


@pytest.mark.clause("WH-60")
@pytest.mark.parametrize(
    "sent", [body("rollout.pause"), body(mode="shadow"), body("endpoint.ping", app=None), body(weight=None)]
)
def test_only_what_moves_a_canary_asks_for_a_weight(sent: bytes) -> None:
    """A shadow's weight, a pause or a ping is told, and nothing is to be carried out."""
    assert not verify(headers(sent), sent, SECRET, now=NOW).is_movement


@pytest.mark.clause("WH-60")
@given(st.text(max_size=300), st.binary(min_size=24, max_size=64), st.integers(-299, 299))
def test_what_the_library_signs_verifies_here_and_by_itself(text: str, key: bytes, late: int) -> None:
    """Both judge the same bytes alike, whatever is in them."""
    secret = "whsec_" + b64encode(key).decode()
    sent = body(reason=text)

    event = verify(headers(sent, secret, at=NOW + late), sent, secret, now=NOW)

    assert event.data["reason"] == text


@pytest.mark.clause("WH-60")
@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_what_lockgate_sends_is_understood(sent: Message, secret: str) -> None:
    """In both forms of bodies, by either secret of a rotation; the message names all that a receiver needs."""
    said = json.loads(sent.body)
    events = [
        verify(signed_headers(sent.id, body, KEYS, NOW * SECOND), body, secret, now=NOW)
        for body in (sent.body, cloud_event(sent.id, "default", said))
    ]

    assert events[0] == events[1]
    assert events[0].is_movement
    assert (events[0].id, events[0].type, events[0].data) == (sent.id, "rollout.created", said["data"])
    assert None not in asdict(events[0]).values()


@pytest.mark.clause("WH-60")
def test_names_of_headers_have_any_case() -> None:
    """Servers and proxies write them as they like; other headers do not matter."""
    shouted = {name.upper(): value for name, value in SIGNED.items()} | {"Host": "receiver"}
    message = Headers()
    for name, value in SIGNED.items():
        message[name.title()] = value

    assert verify(shouted, body(), SECRET, now=NOW) == verify(message, body(), SECRET, now=NOW)


@pytest.mark.clause("WH-60")
def test_one_of_several_secrets_is_enough() -> None:
    """A receiver that was given the new secret before the sender, or after, refuses nothing."""
    assert verify(headers(body(), OLD_SECRET), body(), [SECRET, OLD_SECRET], now=NOW).id == "evt_01"


@pytest.mark.clause("WH-61")
@pytest.mark.parametrize("age", [300, -300, 0])
def test_it_is_let_through_within_the_tolerance(age: int) -> None:
    """Both ends belong to it."""
    assert verify(SIGNED, body(), SECRET, now=NOW + age).timestamp == NOW


@pytest.mark.clause("WH-61")
@pytest.mark.parametrize(("age", "says"), [(301, "301 s ago"), (-301, "301 s ahead"), (float("nan"), "nan s")])
def test_what_is_too_old_or_too_new_is_refused(age: float, says: str) -> None:
    """In both directions, and by a clock that says nothing."""
    with pytest.raises(TimestampError, match=says):
        verify(SIGNED, body(), SECRET, now=NOW + age)


@pytest.mark.clause("WH-61")
def test_a_tolerance_that_is_no_number_lets_nothing_through() -> None:
    """A setting that was read wrongly must not open the door."""
    with pytest.raises(TimestampError):
        verify(SIGNED, body(), SECRET, now=NOW, tolerance=float("nan"))


@pytest.mark.clause("WH-60")
@given(st.integers(0, len(body()) - 1), st.integers(1, 255))
@example(place=0, bits=32)
def test_one_changed_byte_is_seen(place: int, bits: int) -> None:
    """Of the body."""
    changed = bytearray(body())
    changed[place] ^= bits

    with pytest.raises(SignatureError):
        verify(SIGNED, bytes(changed), SECRET, now=NOW)


@pytest.mark.clause("WH-60")
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"webhook-id": "evt_02"}, SignatureError),
        ({"webhook-timestamp": str(NOW + 1)}, SignatureError),
        ({"webhook-signature": "v1,"}, SignatureError),
        ({"webhook-signature": "v1a," + SIGNED["webhook-signature"][3:]}, SignatureError),
        ({"webhook-signature": SIGNED["webhook-signature"].rstrip("=")}, SignatureError),
        ({"webhook-signature": SIGNED["webhook-signature"] + "\n"}, SignatureError),
        ({"webhook-signature": SIGNED["webhook-signature"].replace(",", "")}, SignatureError),
        ({"webhook-signature": "v1,\N{LATIN SMALL LETTER E WITH ACUTE}"}, SignatureError),
        ({"webhook-signature": headers(body(), OLD_SECRET)["webhook-signature"]}, SignatureError),
        ({"webhook-signature": " ".join(["v1,x"] * 33)}, HeadersError),
        ({"webhook-signature": "v1," * 2_000}, HeadersError),
        ({"webhook-id": ""}, HeadersError),
        ({"webhook-id": "evt.01"}, HeadersError),
        ({"webhook-id": "evt_01\n"}, HeadersError),
        ({"webhook-id": "e" * 201}, HeadersError),
        ({"webhook-timestamp": ""}, HeadersError),
        ({"webhook-timestamp": f"{NOW}.0"}, HeadersError),
        ({"webhook-timestamp": f"-{NOW}"}, HeadersError),
        ({"webhook-timestamp": "\N{ARABIC-INDIC DIGIT ONE}"}, HeadersError),
        ({"webhook-timestamp": "9" * 13}, HeadersError),
        ({"Webhook-Id": "evt_01"}, HeadersError),
    ],
)
def test_what_is_wrong_with_a_header_has_its_type(changed: dict[str, str], error: type[WebhookError]) -> None:
    """One spelling of each header counts, and every other is refused."""
    with pytest.raises(error) as caught:
        verify({**SIGNED, **changed}, body(), SECRET, now=NOW)

    assert caught.value.advice


@pytest.mark.clause("WH-60")
@pytest.mark.parametrize("name", SIGNED)
def test_a_missing_header_is_named(name: str) -> None:
    """A proxy that drops it is found by that."""
    with pytest.raises(HeadersError, match=name):
        verify({key: value for key, value in SIGNED.items() if key != name}, body(), SECRET, now=NOW)


@pytest.mark.clause("WH-62")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"[]",
        b"{}",
        b"{" * 100_000,
        b'{"type": "a", "type": "b", "data": {}}',
        b'{"type": "a", "data": {"weight": NaN}}',
        b'{"type": 1, "data": {}}',
        b'{"type": "a", "data": []}',
        body(weight=101),
        body(weight=-1),
        body(weight=True),
        body(weight="25"),
        body(seq=1.5),
        body(app=7),
        body(terminal="no"),
        body(target="v35"),
    ],
)
def test_what_is_signed_and_cannot_be_meant_is_refused(sent: bytes) -> None:
    """Nothing is guessed from a body that names a field twice, or holds what is no percent."""
    with pytest.raises(BodyError) as caught:
        verify(headers(sent), sent, SECRET, now=NOW)

    assert caught.value.advice


@pytest.mark.clause("WH-62")
def test_bytes_that_are_no_text_are_refused() -> None:
    """They are signed as they are, and say nothing."""
    sent = b'{"type": "\xff", "data": {}}'
    stamped = b".".join((b"evt_01", str(NOW).encode(), sent))
    made = b64encode(hmac.digest(b64decode(SECRET[6:]), stamped, "sha256")).decode()

    with pytest.raises(BodyError):
        verify({**SIGNED, "webhook-signature": f"v1,{made}"}, sent, SECRET, now=NOW)


@pytest.mark.clause("WH-62")
def test_an_endless_body_is_refused_before_anything_is_computed() -> None:
    """Its size is looked at first."""
    with pytest.raises(BodyError, match="more than"):
        verify(SIGNED, b" " * (MAX_BODY + 1), SECRET, now=NOW)


@pytest.mark.clause("WH-62")
def test_a_body_that_was_parsed_is_told() -> None:
    """Who hands over text or an object is told what is wanted."""
    with pytest.raises(UsageError, match="not bytes"):
        verify(SIGNED, body().decode(), SECRET, now=NOW)  # type: ignore[arg-type]  # it is the mistake that is tried


@pytest.mark.clause("WH-62")
@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2-hunter2-hunter2-hunter2-hunter2",
        "whsec_",
        "whsec_" + b64encode(b"x" * 23).decode(),
        "whsec_" + b64encode(b"x" * 65).decode(),
        SECRET.rstrip("="),
        SECRET + "\n",
        "whsec_\N{LATIN SMALL LETTER E WITH ACUTE}" + SECRET[7:],
        SECRET.removeprefix("whsec_"),
    ],
)
def test_a_secret_that_is_none_is_not_shown(secret: str) -> None:
    """Neither in the sentence nor in what led to it; an empty one would accept what anybody signs."""
    with pytest.raises(SecretError, match="secret 2") as caught:
        verify(SIGNED, body(), [SECRET, secret], now=NOW)

    assert secret.strip() in ("", PREFIX) or secret.strip() not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.clause("WH-62")
@pytest.mark.parametrize("secrets", [[], [SECRET] * 17])
def test_secrets_are_some_and_few(secrets: list[str]) -> None:
    """Without any nothing is accepted."""
    with pytest.raises(SecretError):
        verify(SIGNED, body(), secrets, now=NOW)


@pytest.mark.clause("WH-60")
@given(st.binary(max_size=200), st.dictionaries(st.sampled_from([*SIGNED, "x"]), st.text(max_size=60)))
def test_whatever_comes_is_explained(sent: bytes, said: dict[str, str]) -> None:
    """No request raises anything but an error with advice."""
    with pytest.raises(LockgateError) as caught:
        verify(said, sent, SECRET, now=NOW)

    assert caught.value.advice


@pytest.mark.clause("WH-60", "WH-61")
@pytest.mark.parametrize(
    ("secret", "age", "is_right"), [(SECRET, 0, True), (OLD_SECRET, 0, False), (SECRET, 320, False)]
)
def test_the_library_judges_alike_by_the_clock_of_the_machine(secret: str, age: int, *, is_right: bool) -> None:
    """Without a time that is given both read the clock, and accept and refuse the same."""
    sent = headers(body(), secret, at=time.time() - age)

    if is_right:
        assert Webhook(SECRET).verify(body(), sent)["data"] == verify(sent, body(), SECRET).data
        return
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body(), sent)
    with pytest.raises(WebhookError):
        verify(sent, body(), SECRET)


@pytest.mark.clause("WH-63")
def test_a_receiver_loads_the_standard_library_only() -> None:
    """Whoever receives needs nothing else, and no part of Lockgate that decides."""
    script = (
        "import sys; before = set(sys.modules); import lockgate.webhooks.receiver; "
        "loaded = set(sys.modules) - before; "
        "print(sorted({name.partition('.')[0] for name in loaded} - set(sys.stdlib_module_names)), "
        "sorted(name for name in loaded if name.startswith('lockgate.')))"
    )

    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.split("] ")[0] == "['lockgate'"
    names = ["webhooks", "webhooks.applied", "webhooks.event", "webhooks.receiver"]
    own = ["core", "core.base64_text", "errors", *names]
    assert ran.stdout.strip().split("] ")[1] == str([f"lockgate.{name}" for name in own])
