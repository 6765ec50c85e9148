# SPDX-License-Identifier: Apache-2.0
"""Key manifests come in, good and bad; the good say which keys count where, the bad are refused by one reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockgate.core.canonical import canonicalize
from lockgate.core.key_manifest import SignedManifest, check_successor, open_manifest, read_manifest, read_manifests
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import PAYLOAD_TYPE, KeyManifest
from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import is_signed

SECRETS = {letter: Ed25519PrivateKey.from_private_bytes(letter.encode() * 32) for letter in "abcdrsl"}
PUBLIC = {letter: PublicKey(secret.public_key().public_bytes_raw()) for letter, secret in SECRETS.items()}
LETTERS = {key.key_id: letter for letter, key in PUBLIC.items()}
WEAK = PublicKey((1).to_bytes(32, "little")).pem.decode()


def listed(letter: str, use: Use, first: int, last: int | None = None, status: Status | None = None) -> ListedKey:
    """Return an entry."""
    found = status or (Status.ACTIVE if last is None else Status.RETIRED)
    return ListedKey(key=PUBLIC[letter], use=use, status=found, first=first, last=last)


MANIFEST = KeyManifest(
    version=1,
    previous=None,
    org="default",
    origin="lockgate.example/default",
    roots=(PUBLIC["a"], PUBLIC["b"], PUBLIC["c"]),
    threshold=2,
    keys=(listed("r", Use.RECEIPT, 0, 41), listed("s", Use.RECEIPT, 42), listed("l", Use.LOG, 0)),
)


def signed(manifest: KeyManifest, letters: str) -> bytes:
    """Return a manifest that some have signed."""
    message = manifest.signed_bytes()
    signatures = tuple((PUBLIC[each].key_id, SECRETS[each].sign(message)) for each in letters)
    return SignedManifest(manifest, signatures).encode()


def trusted(letters: str) -> list[PublicKey]:
    """Return root keys."""
    return [PUBLIC[each] for each in letters]


def reading(data: bytes, letters: str = "abc", threshold: int = 1) -> KeyManifest:
    """Return a manifest as one who trusts some roots reads it."""
    return read_manifest(data, trusted(letters), is_signed, threshold)


def refusal(data: bytes, letters: str = "abc", threshold: int = 1) -> Reason:
    """Return why a manifest is refused."""
    with pytest.raises(VerifyError) as refused:
        reading(data, letters, threshold)
    return refused.value.reason


def body(**members: Any) -> bytes:
    """Return a manifest, signed by two, with other members of its payload; None takes one out."""
    whole = {**json.loads(MANIFEST.payload()), **members}
    payload = canonicalize({name: value for name, value in whole.items() if value is not None or name in KEPT})
    return enveloped(payload)


KEPT = {"prevManifest"}


def enveloped(payload: bytes, kind: str = PAYLOAD_TYPE) -> bytes:
    """Return a payload that two roots signed, whatever it says."""
    from base64 import b64encode

    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    entries: list[Any] = [
        {"keyid": key_id, "sig": b64encode(SECRETS[LETTERS[key_id]].sign(message)).decode()}
        for key_id in sorted(PUBLIC[each].key_id for each in "ab")
    ]
    return canonicalize({"payload": b64encode(payload).decode(), "payloadType": kind, "signatures": entries})


@pytest.mark.clause("KY-01")
def test_a_manifest_that_enough_trusted_roots_signed_says_which_key_counts_where() -> None:
    """A receipt key counts from its first to its last place, and not beside them."""
    found = reading(signed(MANIFEST, "ac"))

    assert found == MANIFEST
    assert [found.keys_at(index, "receipt") for index in (0, 41, 42, 10**9)] == [
        (PUBLIC["r"],),
        (PUBLIC["r"],),
        (PUBLIC["s"],),
        (PUBLIC["s"],),
    ]
    assert found.keys_at(7, Use.LOG) == (PUBLIC["l"],)


@pytest.mark.clause("KY-01")
def test_log_keys_may_overlap_and_a_revoked_key_leaves_a_gap() -> None:
    """Checkpoints of an overlap have two keys; behind a revoked key's last place none counts for a while."""
    keys = (
        listed("r", Use.RECEIPT, 0, 5, Status.REVOKED),
        listed("s", Use.RECEIPT, 9),
        listed("l", Use.LOG, 0, 8),
        listed("d", Use.LOG, 4),
    )

    found = reading(signed(replace(MANIFEST, keys=keys), "ab"))

    assert [len(found.keys_at(index, "receipt")) for index in (5, 6, 8, 9)] == [1, 0, 0, 1]
    assert [len(found.keys_at(index, "log")) for index in (3, 4, 8, 9)] == [1, 2, 2, 1]


@pytest.mark.clause("KY-02")
@pytest.mark.parametrize(
    ("signers", "letters", "threshold"),
    [("a", "abc", 1), ("ab", "a", 1), ("ab", "d", 1), ("ab", "abc", 3), ("", "abc", 1)],
)
def test_too_few_root_keys_are_refused(signers: str, letters: str, threshold: int) -> None:
    """Neither one of two that it takes, nor two of which one is trusted, nor fewer than the verifier asks for."""
    assert refusal(signed(MANIFEST, signers), letters, threshold) is Reason.MANIFEST_SIGNATURES


@pytest.mark.clause("KY-02")
def test_one_key_that_is_named_twice_counts_once() -> None:
    """A second signature line of the same root makes no threshold."""
    document = json.loads(signed(MANIFEST, "a"))
    twice = canonicalize({**document, "signatures": document["signatures"] * 2})

    assert refusal(twice) is Reason.SIGNATURE_COUNT
    assert reading(signed(MANIFEST, "ab"), "aabb") == MANIFEST
    assert refusal(signed(MANIFEST, "ab"), "aaa") is Reason.MANIFEST_SIGNATURES


@pytest.mark.clause("KY-02")
def test_a_signature_of_anybody_else_is_refused() -> None:
    """Every signature that a manifest carries is of one of its roots, and verifies."""
    assert refusal(signed(MANIFEST, "abd"), "abcd") is Reason.KEY_UNKNOWN
    wrong = SignedManifest(MANIFEST, tuple((PUBLIC[each].key_id, bytes(64)) for each in "ab")).encode()
    assert refusal(wrong) is Reason.SIGNATURE
    doubled = SignedManifest(MANIFEST, tuple((PUBLIC[each].key_id, b"\xff" * 64) for each in "ab")).encode()
    assert refusal(doubled) is Reason.SIGNATURE_MALLEATED


@pytest.mark.clause("KY-03")
def test_every_changed_bit_is_refused() -> None:
    """Whichever bit of a manifest changes, nobody reads a manifest of it."""
    data = signed(MANIFEST, "abc")
    read = 0
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :]
        try:
            reading(changed)
            read += 1
        except VerifyError:
            continue
    assert read == 0


KEY = MANIFEST.keys[0].document()
ROOT = json.loads(MANIFEST.payload())["root"]


@pytest.mark.clause("KY-03")
@pytest.mark.parametrize(
    "data",
    [
        body(more=1),
        body(keys=None),
        body(version=0),
        body(version=True),
        body(version=2),
        body(prevManifest="0" * 64),
        body(version=2, prevManifest="0" * 63),
        body(org="two words"),
        body(origin=7),
        body(keys=[]),
        body(keys=[{**KEY, "alg": "ed25519"}]),
        body(keys=[{**KEY, "use": "webhook"}]),
        body(keys=[{**KEY, "status": "lost"}]),
        body(keys=[{**KEY, "firstIndex": -1}]),
        body(keys=[{**KEY, "firstIndex": True}]),
        body(keys=[{**KEY, "lastIndex": 41.5}]),
        body(keys=[{**KEY, "reason": ""}]),
        body(keys=[{**KEY, "publicKeyPem": str(KEY["publicKeyPem"]).rstrip()}]),
        body(keys=[{**KEY, "publicKeyPem": 1}]),
        body(root={**ROOT, "kind": "tuf"}),
        body(root={"keys": ROOT["keys"]}),
        body(root={**ROOT, "keys": ROOT["keys"] * 11}),
        enveloped(b"[]"),
    ],
)
def test_another_form_is_refused(data: bytes) -> None:
    """What is missing, more, or of another kind is no manifest."""
    assert refusal(data) is Reason.MANIFEST_SHAPE


@pytest.mark.clause("KY-04")
@pytest.mark.parametrize(
    "data",
    [
        body(keys=[KEY, KEY]),
        body(keys=[KEY, {**KEY, "use": "log"}]),
        body(keys=[KEY, listed("s", Use.RECEIPT, 41).document()]),
        body(keys=[listed("s", Use.RECEIPT, 7).document(), listed("r", Use.RECEIPT, 9).document()]),
        body(keys=[listed("a", Use.RECEIPT, 0).document()]),
        body(keys=[listed("c", Use.LOG, 0).document()]),
        body(keys=[{**KEY, "keyid": PUBLIC["s"].key_id}]),
        body(keys=[{**KEY, "firstIndex": 42}]),
        body(keys=[{**KEY, "firstIndex": 43, "status": "revoked"}]),
        body(keys=[{**KEY, "status": "active"}]),
        body(keys=[{**KEY, "lastIndex": None}]),
        body(root={**ROOT, "keys": [ROOT["keys"][0], ROOT["keys"][0]]}),
        body(root={**ROOT, "former": [ROOT["keys"][0]]}),
        body(root={**ROOT, "threshold": 0}),
        body(root={**ROOT, "threshold": 4}),
        body(root={**ROOT, "threshold": True}),
    ],
)
def test_keys_that_cannot_stand_together_are_refused(data: bytes) -> None:
    """One key has one use and one span, a root signs nothing else, and one key signs a receipt."""
    assert refusal(data) is Reason.MANIFEST_KEYS


@pytest.mark.clause("KY-04")
@pytest.mark.parametrize("first", [3, 42, 50])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_key_that_counts_nowhere_stands_beside_every_other(first: int, turn: int) -> None:
    """Revoked before its first entry it signs nothing that another one signs, wherever it is listed."""
    nowhere = listed("d", Use.RECEIPT, first, first - 1, Status.REVOKED)
    keys = (*MANIFEST.keys, nowhere)[::turn]

    found = reading(signed(replace(MANIFEST, keys=keys), "ab"))

    assert [len(found.keys_at(index, "receipt")) for index in (first - 1, first, first + 1)] == [1, 1, 1]


@pytest.mark.clause("KY-04")
def test_a_weak_key_is_refused() -> None:
    """For a point of small order anybody makes signatures, of receipts as of manifests."""
    assert refusal(body(keys=[{**KEY, "publicKeyPem": WEAK}])) is Reason.PUBLIC_KEY
    assert refusal(body(root={"keys": [WEAK], "threshold": 1})) is Reason.PUBLIC_KEY


@pytest.mark.clause("KY-03")
def test_the_envelope_is_read_as_strictly() -> None:
    """Another type, other base64, another form of the JSON, a short signature: each by its own reason."""
    document = json.loads(signed(MANIFEST, "ab"))
    first, second = document["signatures"]

    assert refusal(enveloped(MANIFEST.payload(), "application/vnd.in-toto+json")) is Reason.PAYLOAD_TYPE
    assert refusal(signed(MANIFEST, "ab") + b"\n") is Reason.ENVELOPE_NOT_CANONICAL
    assert refusal(b"{}") is Reason.MANIFEST_SHAPE
    assert refusal(b" " * 1_000_001) is Reason.ENVELOPE_SIZE
    assert refusal(enveloped(b"{ }")) is Reason.PAYLOAD_NOT_CANONICAL
    assert refusal(canonicalize({**document, "payload": "e30"})) is Reason.ENVELOPE_BASE64
    assert refusal(canonicalize({**document, "signatures": [second, first]})) is Reason.SIGNATURE_COUNT
    assert refusal(canonicalize({**document, "signatures": [{**first, "sig": "AAAA"}]})) is Reason.SIGNATURE_SIZE
    assert refusal(canonicalize({**document, "signatures": {}})) is Reason.MANIFEST_SHAPE


def _next(**members: Any) -> KeyManifest:
    previous = open_manifest(signed(MANIFEST, "ab")).digest
    return replace(MANIFEST, **{"version": 2, "previous": previous, **members})


NEW_ROOTS: dict[str, Any] = {"roots": (PUBLIC["d"],), "threshold": 1, "former": MANIFEST.roots}


@pytest.mark.clause("KY-05")
def test_roots_change_with_the_consent_of_the_former_and_of_the_new() -> None:
    """Who trusts the former roots follows them to the new one."""
    versions = [signed(MANIFEST, "ab"), signed(_next(**NEW_ROOTS), "bcd")]

    assert read_manifests(versions, trusted("ab"), is_signed).roots == (PUBLIC["d"],)
    assert check_successor(versions[0], versions[1], is_signed).version == 2


@pytest.mark.clause("KY-05")
@pytest.mark.parametrize(
    ("manifest", "signers", "reason"),
    [
        (_next(**NEW_ROOTS), "d", Reason.MANIFEST_SIGNATURES),
        (_next(**NEW_ROOTS), "bd", Reason.MANIFEST_SIGNATURES),
        (_next(**NEW_ROOTS), "bc", Reason.MANIFEST_SIGNATURES),
        (_next(**{**NEW_ROOTS, "former": MANIFEST.roots[:2]}), "abd", Reason.MANIFEST_SUCCESSION),
        (_next(**{**NEW_ROOTS, "former": ()}), "d", Reason.MANIFEST_SUCCESSION),
        (_next(version=3), "ab", Reason.MANIFEST_SUCCESSION),
        (_next(previous="0" * 64), "ab", Reason.MANIFEST_SUCCESSION),
        (_next(origin="lockgate.example/other"), "ab", Reason.MANIFEST_SUCCESSION),
        (_next(org="other"), "ab", Reason.MANIFEST_SUCCESSION),
    ],
)
def test_no_other_version_follows(manifest: KeyManifest, signers: str, reason: Reason) -> None:
    """Nobody leads a log to roots of their own, to another log, or past a version."""
    with pytest.raises(VerifyError) as refused:
        check_successor(signed(MANIFEST, "ab"), signed(manifest, signers), is_signed)

    assert refused.value.reason is reason


@pytest.mark.clause("VF-71")
@pytest.mark.parametrize(("signers", "is_enough"), [("a", False), ("c", False), ("ab", True), ("abc", True)])
def test_as_many_roots_as_the_verifier_demands_sign_every_version(signers: str, is_enough: bool) -> None:
    """One stolen root key does not lead from a version that demands one signature to keys of the thief's."""
    first = signed(replace(MANIFEST, threshold=1), "ab")
    second = replace(MANIFEST, version=2, previous=open_manifest(first).digest, threshold=1)
    versions = [first, signed(second, signers)]

    assert read_manifests(versions, trusted("abc"), is_signed).version == 2
    if is_enough:
        assert read_manifests(versions, trusted("abc"), is_signed, 2).version == 2
        return
    with pytest.raises(VerifyError) as refused:
        read_manifests(versions, trusted("abc"), is_signed, 2)
    assert refused.value.reason is Reason.MANIFEST_SIGNATURES


@pytest.mark.clause("VF-71")
def test_consent_takes_as_many_of_the_former_roots_as_the_verifier_demands() -> None:
    """Many new roots do not make up for former ones who did not sign."""
    first = signed(replace(MANIFEST, threshold=1), "ab")
    second = _next(roots=tuple(trusted("cd")), former=tuple(trusted("ab")), previous=open_manifest(first).digest)

    with pytest.raises(VerifyError, match="takes 2 of its own roots"):
        read_manifests([first, signed(second, "cd")], trusted("ab"), is_signed, 2)


@pytest.mark.clause("KY-05")
def test_a_succession_begins_at_trusted_roots() -> None:
    """A chain that leads from strangers to strangers proves nothing, and no versions prove nothing."""
    versions = [signed(MANIFEST, "ab"), signed(_next(**NEW_ROOTS), "abd")]

    for given, letters in ((versions, "c"), (versions, "ac"), ([], "abc")):
        with pytest.raises(VerifyError):
            read_manifests(given, trusted(letters), is_signed)


@pytest.mark.clause("KY-66")
def test_who_trusts_the_new_roots_alone_reads_the_versions_from_theirs_on() -> None:
    """A root that was stolen is trusted no more, and what it signed before its successor still has to lead there."""
    first, second = signed(MANIFEST, "ab"), signed(_next(**NEW_ROOTS), "abd")
    other = signed(replace(MANIFEST, org="other"), "ab")

    assert read_manifests([first, second], trusted("d"), is_signed).roots == (PUBLIC["d"],)
    with pytest.raises(VerifyError) as refused:
        read_manifests([other, second], trusted("d"), is_signed)

    assert refused.value.reason is Reason.MANIFEST_SUCCESSION


@pytest.mark.clause("VF-71")
def test_versions_before_the_first_trusted_one_need_no_more_roots_than_they_demand() -> None:
    """They only lead to it: who demands two of the roots that took one's place trusts no version of before."""
    first = replace(MANIFEST, roots=(PUBLIC["a"],), threshold=1)
    older = signed(first, "a")
    former = (PUBLIC["a"],)
    second = replace(
        first, version=2, previous=open_manifest(older).digest, roots=(PUBLIC["b"], PUBLIC["c"]), former=former
    )

    found = read_manifests([older, signed(second, "abc")], trusted("bc"), is_signed, threshold=2)

    assert found.version == 2


@pytest.mark.clause("VF-71")
def test_the_version_that_is_followed_is_signed_by_as_many_as_well() -> None:
    """One stolen root key makes no version that another could follow."""
    first = replace(MANIFEST, threshold=1)
    older = signed(first, "a")
    newer = signed(replace(first, version=2, previous=open_manifest(older).digest), "abc")

    assert check_successor(older, newer, is_signed).version == 2
    with pytest.raises(VerifyError) as refused:
        check_successor(older, newer, is_signed, threshold=2)
    assert refused.value.reason is Reason.MANIFEST_SIGNATURES


@pytest.mark.clause("KY-02")
def test_a_wrong_signature_is_named_in_whichever_version_it_is() -> None:
    """It says more than that nobody who is trusted signed the first."""
    older = signed(MANIFEST, "ab")
    second = replace(MANIFEST, version=2, previous=open_manifest(older).digest)
    wrong = SignedManifest(second, ((PUBLIC["a"].key_id, SECRETS["b"].sign(second.signed_bytes())),)).encode()

    with pytest.raises(VerifyError) as refused:
        read_manifests([older, wrong], trusted("r"), is_signed)
    assert refused.value.reason is Reason.SIGNATURE


@pytest.mark.clause("KY-02")
@pytest.mark.parametrize(("size", "is_too_large"), [(1_000_000, False), (1_000_001, True)])
def test_a_manifest_has_a_largest_size(size: int, is_too_large: bool) -> None:
    """Beyond it nothing is read."""
    assert (refusal(b" " * size) is Reason.ENVELOPE_SIZE) is is_too_large


@pytest.mark.clause("VF-71")
def test_one_version_alone_is_signed_by_as_many_roots_as_the_verifier_demands() -> None:
    """Also where the manifest demands fewer; a former root of it is one that signed it as well."""
    alone = replace(MANIFEST, threshold=1)
    older = open_manifest(signed(alone, "a"))
    later = replace(alone, version=2, previous=older.digest, roots=(PUBLIC["b"],), former=(PUBLIC["a"],))

    assert read_manifests([signed(alone, "ab")], trusted("abc"), is_signed, threshold=2) == alone
    with pytest.raises(VerifyError) as refused:
        read_manifests([signed(alone, "a")], trusted("abc"), is_signed, threshold=2)
    assert refused.value.reason is Reason.MANIFEST_SIGNATURES
    assert read_manifests([signed(later, "ab")], trusted("a"), is_signed).version == 2


@pytest.mark.clause("VF-71")
def test_the_version_that_follows_is_signed_by_as_many_of_its_own_roots() -> None:
    """The consent of the former ones does not stand for theirs; of three versions the last one counts."""
    first = replace(MANIFEST, threshold=1)
    older = signed(first, "ab")
    same = replace(first, version=2, previous=open_manifest(older).digest)
    lone = replace(same, roots=(PUBLIC["d"],), former=first.roots)
    third = replace(same, version=3, previous=open_manifest(signed(same, "ab")).digest)

    with pytest.raises(VerifyError) as refused:
        check_successor(older, signed(lone, "abd"), is_signed, threshold=2)
    assert refused.value.reason is Reason.MANIFEST_SIGNATURES
    assert read_manifests([older, signed(same, "ab"), signed(third, "ab")], trusted("abc"), is_signed).version == 3
