# SPDX-License-Identifier: Apache-2.0
"""The published vectors of the vault come in; each is read by some test, and what no other reads is tested here."""

from __future__ import annotations

import ast
import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockgate.core import sshsig, webhook
from lockgate.core.canonical import canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.envelope import open_envelope
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
SIGNER = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"TEST KEY receipt").digest())
KEY = PublicKey(SIGNER.public_key().public_bytes_raw())
NAMESPACE = VAULT["allowed_signers"].partition('namespaces="')[2].partition('"')[0]
# minisign and signify name a key by eight bytes of their own choice: here the first of its id.
NUMBER = bytes.fromhex(KEY.key_id)[:8]
# Members that say how the vectors were made, in words.
WORDS = {"description", "keyid_rule", "cross_checked_with"}
# Members that are compared as they are, whatever is in them.
WHOLE = {"envelope", "input", "jcs", "trees", "files", "path_index"}


@pytest.mark.clause("IO-13")
@pytest.mark.parametrize("path", sorted((TESTS / "vectors").glob("trust_*.json")), ids=lambda path: path.stem)
def test_every_vector_is_read_by_a_test(path: Path) -> None:
    """A file that nothing reads would prove nothing."""
    named = [each for each in TESTS.rglob("test_*.py") if path.name in each.read_text(encoding="utf-8")]

    assert named


@pytest.mark.clause("VF-170")
@pytest.mark.parametrize("path", sorted((TESTS / "vectors").glob("trust_*.json")), ids=lambda path: path.stem)
def test_every_member_of_a_vector_is_named_by_a_test(path: Path) -> None:
    """Of each entry all that it says, but for words: what no test of the file so much as names could say anything."""
    there = {*members(json.loads(path.read_text(encoding="utf-8")))} - WORDS
    texts = (each.read_text(encoding="utf-8") for each in TESTS.rglob("test_*.py"))
    named = {name for text in texts if path.name in text for name in named_in(text)}

    assert there - named == set()


def members(value: Any) -> Iterator[str]:
    """Yield the names of members at any depth, but for what is within those that are compared whole."""
    if isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from () if name in WHOLE else members(held)
    if isinstance(value, list):
        for held in value:
            yield from members(held)


def named_in(text: str) -> Iterator[str]:
    """Yield the texts of a module's code, among which are the members that it takes out of documents."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


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
    monkeypatch.setattr(sshsig, "SSH_NAMESPACE", NAMESPACE)

    made = ssh_signature(KEY, SIGNER.sign(ssh_signed_bytes(VAULT["leaves"][3].encode())))

    assert made.decode() == VAULT["sshsig_over_envelope"]
    assert read_public_key(VAULT["receipt_pub_pem"].encode()) == KEY


@pytest.mark.clause("VF-171")
def test_a_published_list_of_signers_is_of_the_key_the_namespace_and_the_year() -> None:
    """One line, with the key as OpenSSH writes it: the lengths of its kind and of its bytes before each."""
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + KEY.raw

    held = f'namespaces="{NAMESPACE}",valid-after="20260101",valid-before="20270101"'

    assert VAULT["allowed_signers"] == f"vault@acme {held} ssh-ed25519 {b64encode(blob).decode()}\n"


@pytest.mark.clause("VF-171")
def test_a_published_signature_of_minisign_comes_out_byte_for_byte() -> None:
    """Of the BLAKE2b-512 of the receipt, and once more with the comment that it trusts."""
    told = "receipt index:3"
    signature = SIGNER.sign(hashlib.blake2b(VAULT["leaves"][3].encode()).digest())

    lines = ("untrusted comment: signature", _packed(b"ED", signature), f"trusted comment: {told}")
    made = "\n".join((*lines, b64encode(SIGNER.sign(signature + told.encode())).decode(), ""))

    assert made == VAULT["minisig_over_envelope"]
    assert VAULT["minisign_pub"] == f"untrusted comment: minisign public key\n{_packed(b'Ed', KEY.raw)}\n"


@pytest.mark.clause("VF-171")
def test_a_published_signature_of_signify_is_the_receipt_s_own() -> None:
    """The same 64 bytes stand in the envelope, and are the key's over what an envelope signs."""
    opened = open_envelope(VAULT["leaves"][3].encode())

    head, line = VAULT["signify_over_pae"].splitlines()
    SIGNER.public_key().verify(b64decode(line)[10:], opened.signed_bytes())

    assert (head, line) == ("untrusted comment: verify with vault.pub", _packed(b"Ed", opened.signature))
    assert VAULT["signify_pub"] == f"untrusted comment: vault public key\n{_packed(b'Ed', KEY.raw)}\n"


def _packed(kind: bytes, data: bytes) -> str:
    """Return a key or signature as both tools write it: an algorithm, the key's number, the bytes."""
    return b64encode(kind + NUMBER + data).decode()


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
