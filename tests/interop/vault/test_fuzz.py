# SPDX-License-Identifier: Apache-2.0
"""Envelopes changed at random come in; what we take every tool takes, and what a tool takes says what was signed."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import open_envelope
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import verify_receipt
from tests.interop.vault import tools
from tests.interop.vault.rollouts import promoted
from tests.interop.vault.tampers import flipped

pytestmark = pytest.mark.interop
ENVELOPES = st.sampled_from(range(4)).map(lambda number: promoted().envelopes[number])
# Why we refuse what is signed, but written otherwise than a receipt is.
STRICTNESS = {
    Reason.ENVELOPE_NOT_JSON,
    Reason.ENVELOPE_NOT_CANONICAL,
    Reason.ENVELOPE_DUPLICATE_KEY,
    Reason.ENVELOPE_SHAPE,
    Reason.ENVELOPE_BASE64,
    Reason.SIGNATURE_COUNT,
    Reason.KEY_ID_MISSING,
    Reason.KEY_ID_SHAPE,
    Reason.KEY_UNKNOWN,
}
LETTERS = re.compile(r"[A-Za-z0-9+/]")
FRAGMENTS = [b" ", b"\n", b"=", b"-", b'"', b",", b"{", b"}", b"\\u0065", b'"x":1,', b"\x00", b"\xff", b"A", b"0"]


def edited(envelope: bytes, at: int, until: int, by: bytes) -> bytes:
    """Return an envelope with other bytes in the place of some."""
    at %= len(envelope)
    return envelope[:at] + by + envelope[at + until :]


def crossed(one: bytes, other: bytes, name: str) -> bytes:
    """Return an envelope with a member of another one."""
    return canonicalize({**json.loads(one), name: json.loads(other)[name]})


def respelled(envelope: bytes, indent: int | None, is_sorted: bool, is_doubled: bool) -> bytes:
    """Return the same envelope, written otherwise."""
    document = json.loads(envelope)
    if is_doubled:
        document["signatures"] *= 2
    return json.dumps(document, indent=indent, sort_keys=is_sorted).encode()


PLACES = st.integers(0, 5_000)
CHANGED = st.one_of(
    ENVELOPES,
    st.builds(flipped, ENVELOPES, st.integers(0, 40_000)),
    st.builds(edited, ENVELOPES, PLACES, st.integers(0, 3), st.sampled_from(FRAGMENTS)),
    # The last letters of a text in base64 and what stands around it are where decoders differ.
    st.builds(edited, ENVELOPES, st.integers(-120, -1), st.integers(0, 3), st.sampled_from(FRAGMENTS)),
    st.builds(crossed, ENVELOPES, ENVELOPES, st.sampled_from(("payload", "payloadType", "signatures"))),
    st.builds(respelled, ENVELOPES, st.sampled_from((None, 0, 2)), st.booleans(), st.booleans()),
)


PROOFS = st.sampled_from(range(4)).map(lambda number: promoted().proofs[number])
CHANGED_PROOFS = st.one_of(
    PROOFS,
    st.builds(flipped, PROOFS, st.integers(0, 4_000)),
    st.builds(edited, PROOFS, st.integers(0, 500), st.integers(0, 3), st.sampled_from([*FRAGMENTS, b"1", b"=\n"])),
    st.builds(lambda proof, line: b"\n".join(proof.split(b"\n")[:line]), PROOFS, st.integers(0, 12)),
)


def as_read(envelope: bytes) -> set[bytes]:
    """Return the payload as the most lenient readers find it: only what is JSON, UTF-8 and base64 is left."""
    text = envelope.decode("utf-8", "replace")
    document, _ = json.JSONDecoder(strict=False).raw_decode(text, text.index("{"))
    payload: str = document["payload"]
    # Some stop at the first padding, and others pass over it; none misses any.
    return {_decoded(each) for each in (payload, payload.partition("=")[0])}


def _decoded(payload: str) -> bytes:
    letters = "".join(LETTERS.findall(payload))
    # One letter more than fours holds no byte.
    return b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "==")


def refusal(envelope: bytes) -> Reason | None:
    """Return why we refuse an envelope; None where we take it."""
    try:
        verify_receipt(envelope, promoted().keys)
    except VerifyError as error:
        return error.reason
    return None


@pytest.fixture(scope="module")
def readers() -> Iterator[dict[str, Callable[[bytes], bool]]]:
    """Return what asks a tool about one envelope; one process of Node answers for all."""
    key = promoted().key
    with (
        tools.reader("node", key) as node,
        tools.reader("sigstore", key) as sigstore,
        tools.reader("verifier", key) as verifier,
    ):
        yield {
            "node": node,
            "sigstore": sigstore,
            "verifier": verifier,
            "openssl": lambda envelope: tools.openssl([envelope], key)[0],
            "securesystemslib": lambda envelope: tools.securesystemslib([envelope], key)[0],
        }


@pytest.mark.clause("IO-08")
@settings(max_examples=300)
@given(CHANGED)
def test_tools_differ_by_strictness_alone(readers: dict[str, Callable[[bytes], bool]], envelope: bytes) -> None:
    """What we take all take; what another takes and we do not is a signed payload in another envelope."""
    signed = {open_envelope(each).payload for each in promoted().envelopes}
    takers = {name for name, asked in readers.items() if asked(envelope)}
    reason = refusal(envelope)
    if reason is None:
        assert takers == set(readers)
    elif takers:
        # It is as strict as we are.
        assert "verifier" not in takers
        assert reason in STRICTNESS
        assert as_read(envelope) & signed


@pytest.fixture(scope="module")
def of_proofs() -> Iterator[tuple[Callable[..., bool], Callable[..., bool]]]:
    """Return what asks sigstore's code, and the second verifier, about a receipt and its proof."""
    key, log = promoted().key, promoted().log.text
    with tools.asking("proofs.mjs", log) as sigstore, tools.reader("verifier", key, log) as verifier:
        yield sigstore, verifier


@pytest.mark.clause("IO-08")
@settings(max_examples=600)
@given(st.sampled_from(range(4)), CHANGED_PROOFS)
def test_two_verifiers_take_the_same_proofs(
    of_proofs: tuple[Callable[..., bool], Callable[..., bool]], number: int, proof: bytes
) -> None:
    """What we take the second verifier takes, and nothing else; and sigstore takes all of it."""
    sigstore, verifier = of_proofs
    envelope = promoted().envelopes[number]

    try:
        verify_receipt(envelope, promoted().keys, proof)
        is_ours = True
    except VerifyError:
        is_ours = False

    assert verifier(envelope, proof) is is_ours
    assert sigstore(envelope, proof) or not is_ours
