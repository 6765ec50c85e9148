# SPDX-License-Identifier: Apache-2.0
"""Checkpoints come in; what a timestamp authority signs over them is kept when it verifies, and never waited for."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lockgate.adapters.timestamps import rfc3161
from lockgate.adapters.timestamps.rfc3161 import Rfc3161Authority
from lockgate.core.refusal import Reason, VerifyError
from lockgate.errors import LockgateError, NotPermittedError, UnreachableError, UsageError
from lockgate.operations.steering.pause import pause
from lockgate.operations.vault.witnessed import timestamp_of, vouched_size
from lockgate.operations.witness.stamping import StampOutcome, stamp
from lockgate.operations.witness.vouching import Vouching
from lockgate.testing.world import World
from lockgate.wiring import memory_store, timestamp_authority
from tests.spec.line import created, world
from tests.witness.stamping import Answer, answering
from tests.witness.test_witnessing import ADA
from tests.witness.witnessed import Beside

REPLY = "application/timestamp-reply"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a certificate that signs nothing here."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = made.serial_number(7).not_valid_before(now).not_valid_after(now + dt.timedelta(days=3650))
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(dated.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


class Counting:
    """An authority whose answer is given, and which counts how often it was asked."""

    url = "https://tsa.example"

    def __init__(self, error: LockgateError | None = None) -> None:
        self.asked, self.error = list[bytes](), error

    def stamp(self, data: bytes, seconds: float) -> bytes:
        """Return a token that nobody reads."""
        self.asked.append(data)
        assert seconds > 0
        if self.error is not None:
            raise self.error
        return b"token over %d" % len(data)


@pytest.mark.clause("WT-30")
def test_a_log_is_stamped_now_and_then_and_once_more_when_it_has_come_to_rest() -> None:
    """At most once in a quarter of an hour; the last checkpoint of a quiet log is stamped, and then nothing is."""
    here, authority, asked = world(), Counting(), []
    rollout = created(here).rollout.id
    for minute in range(60):
        if minute == 1:
            pause(rollout, ADA, here.house)
        stamp(here.house, authority)
        asked.append(len(authority.asked))
        here.clock.advance(60)

    assert (asked[0], asked[14], asked[15], asked[59]) == (1, 1, 2, 2)
    with here.house.store.reading() as seen:
        assert [timestamp_of(seen, size) for size in (1, 2)] == [
            b"token over %d" % len(each) for each in authority.asked
        ]
        assert (timestamp_of(seen, 3), vouched_size(seen, 1)) == (None, 2)
        assert authority.asked[1] == seen.checkpoint(2)


@pytest.mark.clause("WT-30")
def test_a_log_without_entries_is_not_stamped_and_a_clock_that_was_set_back_stops_no_stamp() -> None:
    """The time of the last stamp may lie ahead."""
    here, authority = World(memory_store(), 1), Counting()
    nothing = stamp(here.house, authority)
    rollout = created(here).rollout.id
    stamp(here.house, authority)
    pause(rollout, ADA, here.house)
    here.clock.advance(-3_600)

    again = stamp(here.house, authority)

    assert [each.outcome for each in (nothing, again)] == [StampOutcome.NOT_DUE, StampOutcome.STAMPED]
    assert len(authority.asked) == 2


@pytest.mark.clause("WT-31")
@pytest.mark.parametrize("error", [UnreachableError("it is away"), VerifyError(Reason.TIMESTAMP, "it is away")])
def test_an_authority_that_gives_no_stamp_is_told_and_asked_after_waits_that_double(error: LockgateError) -> None:
    """Nothing is kept of it, and the line goes on."""
    here, authority, told = world(), Counting(error), list[str]()
    rollout = created(here).rollout.id
    vouching, counts = Vouching(Beside(), authority, told.append), []
    for _ in range(4):
        vouching.turn(here.house)
        counts.append(len(authority.asked))
        here.clock.advance(30)
    pause(rollout, ADA, here.house)

    assert counts == [1, 2, 2, 3]
    assert set(told) == {"timestamp authority https://tsa.example: it is away"}
    with here.house.store.reading() as seen:
        assert seen.latest_vouchers() == ()


@pytest.mark.clause("WT-31")
@pytest.mark.parametrize(
    ("answer", "raised", "said"),
    [
        (lambda _: (500, "text/plain", b"no"), UnreachableError, "answered 500"),
        (lambda _: (200, "text/html", b"<html>"), UnreachableError, "no timestamp"),
        (lambda _: (302, REPLY, b""), UnreachableError, "answered 302"),
        (lambda _: (200, REPLY, b""), VerifyError, "no timestamp of these bytes"),
        (lambda _: (200, REPLY, b"\x30\x03\x02\x01\x02"), VerifyError, "no timestamp of these bytes"),
        (lambda _: (200, REPLY, bytes(70_000)), UnreachableError, "more than 65,536 bytes"),
    ],
)
def test_an_answer_that_is_no_timestamp_is_refused(
    certificates: Path, answer: Answer, raised: type[LockgateError], said: str
) -> None:
    """By another status, kind, form and size."""
    with answering(answer) as url, pytest.raises(raised, match=said):
        Rfc3161Authority(url, certificates).stamp(b"checkpoint", 5)


@pytest.mark.clause("WT-31")
def test_an_authority_that_cannot_work_is_refused_when_it_is_named(
    certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By http from elsewhere, without certificates, with a file that holds none, and without the extra."""
    none = timestamp_authority()
    monkeypatch.setenv("LOCKGATE_TSA_URL", "http://tsa.example")
    for known_by, said in (("", "LOCKGATE_TSA_CA is not"), (str(certificates), "https is needed")):
        monkeypatch.setenv("LOCKGATE_TSA_CA", known_by)
        with pytest.raises(UsageError, match=said):
            timestamp_authority()
    monkeypatch.setenv("LOCKGATE_TSA_URL", "https://tsa.example")
    made = timestamp_authority()
    (tmp_path / "empty").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="no file of certificates"):
        Rfc3161Authority("https://tsa.example", tmp_path / "empty")
    with pytest.raises(NotPermittedError, match="cannot be read"):
        Rfc3161Authority("https://tsa.example", tmp_path / "none")
    rfc3161._library.cache_clear()
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(UsageError, match="not installed") as refused:
        timestamp_authority()
    rfc3161._library.cache_clear()

    assert none is None
    assert made is not None
    assert "the package rfc3161-client" in refused.value.advice
