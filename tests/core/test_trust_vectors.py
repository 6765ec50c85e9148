# SPDX-License-Identifier: Apache-2.0
"""The published vectors of the vault come in; each is read by some test, and what no other reads is tested here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockgate.core import sshsig, webhook
from lockgate.core.canonical import canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.note import read_note_key
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import VerifyError
from lockgate.core.sshsig import ssh_signature, ssh_signed_bytes

TESTS = Path(__file__).resolve().parents[1]
VAULT = json.loads((TESTS / "vectors" / "trust_receipt_e2e.json").read_text(encoding="utf-8"))
REJECTED = json.loads((TESTS / "vectors" / "trust_jcs.json").read_text(encoding="utf-8"))["must_reject"]
# What each of the list's words stands for, as a document; 2^53 itself is how a double is written, and is read as one.
SPELLED = {
    "NaN": b"[NaN]",
    "Infinity": b"[Infinity]",
    "integers outside +/-(2^53-1)": b"[9007199254740993]",
    "lone surrogates": b'["\\ud800"]',
    "duplicate object keys (parser must reject)": b'{"a":1,"a":1}',
}


@pytest.mark.clause("IO-13")
@pytest.mark.parametrize("path", sorted((TESTS / "vectors").glob("trust_*.json")), ids=lambda path: path.stem)
def test_every_vector_is_read_by_a_test(path: Path) -> None:
    """A file that nothing reads would prove nothing."""
    named = [each for each in TESTS.rglob("test_*.py") if path.name in each.read_text(encoding="utf-8")]

    assert named


@pytest.mark.clause("IO-13")
@pytest.mark.parametrize("what", REJECTED)
def test_what_has_no_canonical_form_is_refused(what: str) -> None:
    """Each entry of the list, in bytes that somebody hands over."""
    with pytest.raises(VerifyError):
        read_canonical(SPELLED[what], "payload")


@pytest.mark.clause("IO-13")
def test_an_integer_that_others_would_round_is_written_as_a_text() -> None:
    """It is the one entry of the list that the writer meets in counts of many years."""
    assert canonicalize({"count": 2**53}) == b'{"count":"9007199254740992"}'


@pytest.mark.clause("IO-13")
def test_a_published_signature_of_ssh_comes_out_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key, receipt and namespace make the file that ssh-keygen took."""
    words = VAULT["allowed_signers"].split()[1]
    monkeypatch.setattr(sshsig, "SSH_NAMESPACE", words.partition('namespaces="')[2].partition('"')[0])
    signer = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"TEST KEY receipt").digest())
    key = PublicKey(signer.public_key().public_bytes_raw())

    made = ssh_signature(key, signer.sign(ssh_signed_bytes(VAULT["leaves"][3].encode())))

    assert made.decode() == VAULT["sshsig_over_envelope"]
    assert key == read_public_key(VAULT["receipt_pub_pem"].encode())


@pytest.mark.clause("IO-13")
def test_a_published_log_key_is_one_key_in_both_forms() -> None:
    """As PEM for OpenSSL, and as a line for tools of C2SP."""
    assert read_note_key(VAULT["log_vkey"]).raw == read_public_key(VAULT["log_pub_pem"].encode()).raw


@pytest.mark.clause("IO-13")
def test_a_published_signature_of_a_body_alone_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header of those who sign as GitHub does, under our name, for the secret and body that GitHub shows."""
    shown = json.loads((TESTS / "vectors" / "trust_standard_webhooks.json").read_text(encoding="utf-8"))["github_style"]
    monkeypatch.setattr(webhook, "secret_text", lambda _: shown["secret"])

    made = webhook.hub_header(shown["body"].encode(), b"")

    assert list(made.values()) == [shown["header"].partition(": ")[2]]
