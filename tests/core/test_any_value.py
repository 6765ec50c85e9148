# SPDX-License-Identifier: Apache-2.0
"""Documents that are signed come in, and every kind of value in every place of them; each is read back or refused."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import (
    MAX_ENVELOPE_SIZE,
    MAX_PAYLOAD_SIZE,
    Envelope,
    is_malleated,
    open_envelope,
    signer_of,
)
from lockgate.core.key_manifest import SignedManifest, open_manifest
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import MAX_KEYS, MAX_ROOTS, KeyManifest
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import PREDICATE_TYPE, STATEMENT_TYPE, read_statement, receipt_name
from tests.spec.signed import drafted

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, 3, -1, 1.5, 2**53 - 1, float(2**53), "", "x", "a b", "\udcff", "0" * 64, "é" * 64),
    *([], {}, [None], [[]], [{}], {"": None}, {"x": 1}),
)
_MADE: dict[int, PublicKey] = {}


def _key(number: int) -> PublicKey:
    if number not in _MADE:
        secret = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
        _MADE[number] = PublicKey(secret.public_key().public_bytes_raw())
    return _MADE[number]


def _listed(
    number: int, use: Use, first: int, last: int | None, status: Status, reason: str | None = None
) -> ListedKey:
    return ListedKey(key=_key(number), use=use, status=status, first=first, last=last, reason=reason)


MANIFEST = KeyManifest(
    version=2,
    previous="ab" * 32,
    org="default",
    origin="lockgate.example/default",
    roots=(_key(1), _key(2)),
    threshold=2,
    keys=(
        _listed(3, Use.RECEIPT, 0, 41, Status.RETIRED),
        _listed(4, Use.RECEIPT, 42, 50, Status.REVOKED, "it was copied"),
        _listed(5, Use.RECEIPT, 51, None, Status.ACTIVE),
        _listed(6, Use.LOG, 0, None, Status.ACTIVE),
    ),
    former=(_key(7),),
)
ENVELOPE = Envelope("application/vnd.in-toto+json", b"{}", "ab" * 32, bytes(64))
SIGNATURES = tuple(sorted((_key(number).key_id, bytes(64)) for number in (1, 7)))


def _enveloped(payload: Any) -> Any:
    """Return the manifest's envelope around another payload."""
    whole: dict[str, Any] = json.loads(SignedManifest(MANIFEST, SIGNATURES).encode())
    return {**whole, "payload": b64encode(canonicalize(payload)).decode()}


STATEMENT = json.loads(drafted())


def _statement_again(data: bytes) -> bytes:
    said = read_statement(data)
    return canonicalize(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in said.subjects],
            "predicateType": PREDICATE_TYPE,
            "predicate": said.predicate,
        }
    )


READERS: dict[str, tuple[Any, Callable[[Any], Any], Callable[[bytes], bytes]]] = {
    "envelope": (json.loads(ENVELOPE.encode()), lambda value: value, lambda data: open_envelope(data).encode()),
    "statement": (STATEMENT, lambda value: value, _statement_again),
    "manifest": (
        _enveloped(json.loads(MANIFEST.payload())),
        lambda value: value,
        lambda data: open_manifest(data).encode(),
    ),
    "manifest's payload": (json.loads(MANIFEST.payload()), _enveloped, lambda data: open_manifest(data).encode()),
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inside:
        yield from _places(part, (*path, name))


def _others(document: Any, path: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the document with another value at a place, without that place, and with one more thing in it."""
    if not path:
        yield from VALUES
        return
    for value in VALUES:
        yield from _changed(document, path, partial(_put, value))
    yield from _changed(document, path, lambda within, last: within.__delitem__(last))
    yield from _changed(document, path, _doubled)


def _changed(document: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Iterator[Any]:
    copy = deepcopy(document)
    within = copy
    for name in path[:-1]:
        within = within[name]
    change(within, path[-1])
    yield copy


def _put(value: Any, within: Any, last: Any) -> None:
    within[last] = value


def _doubled(within: Any, last: Any) -> None:
    if isinstance(within, list):
        within.insert(last, deepcopy(within[last]))
    else:
        within[f"{last}2"] = within[last]


@pytest.mark.clause("VF-141")
@pytest.mark.parametrize("kind", READERS)
def test_whatever_stands_in_a_place_is_refused_or_written_as_it_was_read(kind: str) -> None:
    """What is read has one form; what is not is refused by a reason, and never by a fault of ours."""
    document, wrap, again = READERS[kind]
    good, refused = canonicalize(wrap(document)), 0
    assert again(good) == good

    for path in _places(document):
        for other in _others(document, path):
            try:
                data = canonicalize(wrap(other))
            except ValueError:
                # No text in UTF-8 holds a half of a pair of surrogates.
                continue
            try:
                assert again(data) == data, path
            except VerifyError:
                refused += 1
    assert refused > 100


def _with(**members: Any) -> bytes:
    return canonicalize(_enveloped({**json.loads(MANIFEST.payload()), **members}))


def _reason(data: bytes) -> Reason | None:
    try:
        open_manifest(data)
    except VerifyError as error:
        return error.reason
    return None


@pytest.mark.clause("KY-04")
def test_as_many_roots_and_keys_as_a_manifest_may_hold_are_read_and_one_more_is_not() -> None:
    """So are the signatures of all roots and of all former ones."""
    pems = [_key(number).pem.decode() for number in range(100, 100 + 2 * MAX_ROOTS + 1)]
    most = {"keys": pems[:MAX_ROOTS], "threshold": MAX_ROOTS, "former": pems[MAX_ROOTS : 2 * MAX_ROOTS]}
    keys = [_listed(number, Use.LOG, 0, 0, Status.RETIRED).document() for number in range(200, 200 + MAX_KEYS + 1)]
    signatures = [{"keyid": f"{n:064x}", "sig": b64encode(bytes(64)).decode()} for n in range(2 * MAX_ROOTS + 1)]

    def signed(count: int) -> bytes:
        return canonicalize({**_enveloped(json.loads(MANIFEST.payload())), "signatures": signatures[:count]})

    assert _reason(_with(root=most)) is None
    assert _reason(_with(root={**most, "keys": pems[: MAX_ROOTS + 1], "former": pems[-1:]})) is Reason.MANIFEST_SHAPE
    assert _reason(_with(root={**most, "threshold": MAX_ROOTS + 1})) is Reason.MANIFEST_KEYS
    assert _reason(_with(keys=keys[:MAX_KEYS])) is None
    assert _reason(_with(keys=keys)) is Reason.MANIFEST_SHAPE
    assert _reason(signed(2 * MAX_ROOTS)) is None
    assert _reason(signed(2 * MAX_ROOTS + 1)) is Reason.SIGNATURE_COUNT


@pytest.mark.clause("KY-04")
def test_texts_and_places_of_a_manifest_have_their_bounds() -> None:
    """A name has at most 512 letters and no blank, a reason at most 800, and places end where doubles count exactly."""
    key = _listed(6, Use.LOG, 0, None, Status.ACTIVE).document()
    ends = 2**53 - 1

    def of_key(**members: Any) -> Reason | None:
        return _reason(_with(keys=[{**key, **members}]))

    for name in ("org", "origin"):
        assert _reason(_with(**{name: "n" * 512})) is None
        assert {_reason(_with(**{name: text})) for text in ("", "n" * 513, "a b", "a\x00b")} == {Reason.MANIFEST_SHAPE}
    assert (of_key(reason="r" * 800), of_key(reason="r" * 801)) == (None, Reason.MANIFEST_SHAPE)
    assert of_key(reason="r") is None
    assert of_key(firstIndex=ends) is None
    assert (_reason(_with(version=ends)), _reason(_with(version=1))) == (None, Reason.MANIFEST_SHAPE)
    assert of_key(status="retired", lastIndex=0) is None
    assert of_key(status="revoked", firstIndex=5, lastIndex=4) is None
    assert of_key(status="revoked", firstIndex=5, lastIndex=3) is Reason.MANIFEST_KEYS
    assert of_key(status="retired", firstIndex=5, lastIndex=4) is Reason.MANIFEST_KEYS


def test_a_key_that_is_not_listed_has_no_entry() -> None:
    """And one that is has its own."""
    assert MANIFEST.listed(_key(5).key_id) == MANIFEST.keys[2]
    assert MANIFEST.listed("0" * 64) is None


@pytest.mark.clause("RE-01")
def test_an_envelope_has_a_largest_size_in_each_of_its_parts() -> None:
    """The largest is written and read, and nothing larger is."""

    def reason(data: bytes) -> Reason | None:
        try:
            open_envelope(data)
        except VerifyError as error:
            return error.reason
        return None

    def with_size(payload: int, kind: int) -> bytes:
        document = {**json.loads(ENVELOPE.encode()), "payload": b64encode(bytes(payload)).decode()}
        return canonicalize({**document, "payloadType": "t" * kind})

    assert reason(with_size(MAX_PAYLOAD_SIZE, 256)) is None
    assert reason(with_size(MAX_PAYLOAD_SIZE + 1, 256)) is Reason.PAYLOAD_SIZE
    assert [reason(with_size(0, kind)) for kind in (0, 1, 257)] == [Reason.PAYLOAD_TYPE, None, Reason.PAYLOAD_TYPE]
    assert reason(b" " * (MAX_ENVELOPE_SIZE + 1)) is Reason.ENVELOPE_SIZE
    assert reason(b" " * MAX_ENVELOPE_SIZE) is Reason.ENVELOPE_NOT_JSON


@pytest.mark.clause("RE-01")
def test_a_signature_whose_number_is_not_below_the_groups_order_is_a_second_form() -> None:
    """The order is that of RFC 8032 section 5.1, to the last unit."""
    order = int("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
    numbers = {0: False, order - 1: False, order: True, order + 1: True, 2**256 - 1: True}

    assert {number: is_malleated(b"\xff" * 32 + number.to_bytes(32, "little")) for number in numbers} == numbers


@pytest.mark.clause("RE-02")
def test_the_signer_of_an_envelope_is_read_without_the_rest() -> None:
    """Of what is no envelope it is nobody's id, and no fault."""
    assert signer_of(ENVELOPE.encode()) == ENVELOPE.key_id
    assert signer_of(b'{"keyid":"' + b"a" * 64 + b'"},{"keyid":"' + b"b" * 64 + b'"}') == "b" * 64
    assert signer_of(b'"keyid":"\xff') == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.clause("RE-01")
def test_a_receipt_is_counted_as_far_as_doubles_count_exactly() -> None:
    """From 1 to 2^53 - 1, and by whole numbers."""
    predicate = STATEMENT["predicate"]

    def read(seq: Any) -> int | Reason:
        name = receipt_name(predicate["org"], predicate["rolloutId"], int(seq))
        previous = None if seq == 1 else {"sha256": "ab" * 32}
        changed = {**predicate, "seq": seq, "receiptId": name, "prevReceipt": previous}
        try:
            return read_statement(canonicalize({**STATEMENT, "predicate": changed})).seq
        except VerifyError as error:
            return error.reason

    assert [read(seq) for seq in (1, 2, 2**53 - 1)] == [1, 2, 2**53 - 1]
    assert {read(seq) for seq in (0, -1, True, float(2**53))} == {Reason.STATEMENT_SHAPE}


@pytest.mark.clause("RE-02")
@pytest.mark.parametrize(
    "change",
    [
        lambda pem: pem.replace("BEGIN PUBLIC", "BEGIN SOME"),
        lambda pem: pem.replace("END PUBLIC", "END SOME"),
        lambda pem: pem.replace("MCow", "MCox"),
        lambda pem: pem.replace("\n-----END", "AAAA\n-----END"),
        lambda pem: pem.replace("MCow", "!"),
        lambda pem: pem[:0],
    ],
)
def test_a_public_key_in_another_form_is_refused(change: Callable[[str], str]) -> None:
    """One by itself, another's frame, another kind of key and one with more bytes."""
    with pytest.raises(VerifyError, match="not an Ed25519 public key"):
        read_public_key(change(_key(1).pem.decode()).encode())
    with pytest.raises(VerifyError, match="this is a private key"):
        read_public_key(_key(1).pem.replace(b"PUBLIC", b"PRIVATE"))
