# SPDX-License-Identifier: Apache-2.0
"""Cosignatures and keys of witnesses come in as text; a published one is read and verifies, others are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.cosignature import Cosignature, WitnessKey, cosigned_message, read_cosignature, read_witness_key
from lockgate.core.note import NoteSignature, read_note
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.witness_policy import Group, Witness, WitnessPolicy, read_witness_policy
from lockgate.verify import is_signed

VAULT = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "trust_receipt_e2e.json").read_text(encoding="utf-8")
)
KEY = read_witness_key(VAULT["witness_vkey"])
LOG = VAULT["log_vkey"]
NOTE = read_note(VAULT["checkpoint"].encode())
LINE = next(line for line in NOTE.signatures if KEY.is_of(line))


def named(count: int) -> list[Witness]:
    """Return witnesses w1, w2 and so on, each with a key of its own."""
    return [
        Witness(f"w{number}", WitnessKey(f"w{number}.example", bytes([9, number] * 16)))
        for number in range(1, count + 1)
    ]


def refusal(text: str) -> str:
    """Return why a policy is refused."""
    with pytest.raises(VerifyError) as refused:
        read_witness_policy(text.encode())
    assert refused.value.reason is Reason.WITNESS_POLICY
    return refused.value.message


@pytest.mark.clause("WT-01")
def test_a_published_cosignature_is_read_verifies_and_is_written_back() -> None:
    """Key, line, time and signed bytes are those of another maker."""
    read = read_cosignature(LINE)

    assert KEY.text == VAULT["witness_vkey"]
    assert read.line(KEY) == LINE
    assert is_signed(KEY.raw, read.signature, cosigned_message(NOTE.body, read.time))


@pytest.mark.clause("WT-01")
@given(place=st.integers(0, 8 * 72 - 1))
def test_a_cosignature_with_one_bit_changed_does_not_verify(place: int) -> None:
    """Time and signature are both held by the signature; a time that no clock shows is refused before."""
    flipped = bytearray(LINE.signature)
    flipped[place // 8] ^= 1 << place % 8
    line = NoteSignature(LINE.name, LINE.key_hash, bytes(flipped))
    if flipped[0] & 0x80:
        with pytest.raises(VerifyError, match="this is not a cosignature"):
            read_cosignature(line)
        return

    read = read_cosignature(line)

    assert not is_signed(KEY.raw, read.signature, cosigned_message(NOTE.body, read.time))


@pytest.mark.clause("WT-01")
@pytest.mark.parametrize("size", [0, 8, 71, 73])
def test_a_line_of_another_length_is_no_cosignature(size: int) -> None:
    """Eight bytes of time and sixty-four of signature, nothing else."""
    with pytest.raises(VerifyError) as refused:
        read_cosignature(NoteSignature(KEY.name, KEY.key_hash, b"\x01" * size))

    assert refused.value.reason is Reason.COSIGNATURE_SHAPE


@pytest.mark.clause("WT-01")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "witness.example/w1",
        LOG,
        VAULT["witness_vkey"].replace("b9063ab3", "b9063ab4"),
        VAULT["witness_vkey"][:-1],
        WitnessKey("weak", bytes(32)).text,
    ],
)
def test_what_is_no_key_of_a_witness_is_refused(text: str) -> None:
    """Also the key of a log, and one for which anybody finds signatures."""
    with pytest.raises(VerifyError) as refused:
        read_witness_key(text)

    assert refused.value.reason is Reason.WITNESS_KEY


@pytest.mark.clause("WT-01")
def test_keys_and_cosignatures_are_made_of_their_parts_only() -> None:
    """A name with a blank, a short key, a time after the end of time and a short signature are none."""
    for made in (
        lambda: WitnessKey("two words", bytes(32)),
        lambda: WitnessKey("w1", bytes(31)),
        lambda: Cosignature(2**63, bytes(64)),
        lambda: Cosignature(1, bytes(63)),
    ):
        with pytest.raises(ValueError, match=r"a witness has|a cosignature is"):
            made()


@pytest.mark.clause("WT-02")
def test_a_policy_says_whose_cosignatures_suffice() -> None:
    """Two of three and any of two; blank lines and comments say nothing."""
    lines = [f"log {LOG} https://vault.example.com", "", "\t# x group", *(each.line() for each in named(5))]
    groups = ["group x 2 w1 w2 w3", "group y any w4 w5", "group both all x y", "quorum both"]
    policy = read_witness_policy("\n".join([*lines, *groups, ""]).encode())

    assert [each.name for each in policy.logs] == ["vault.example.com/orgs/acme"]
    assert policy.witnesses == tuple(named(5))
    assert policy.is_met({"w1", "w3", "w5"})
    assert not policy.is_met({"w1", "w4", "w5"})
    assert not policy.is_met({"w1", "w2", "w3"})


@pytest.mark.clause("VF-70")
def test_a_witness_counts_once_however_often_a_group_names_it() -> None:
    """A policy that was put together by a program wants so many different ones too."""
    policy = WitnessPolicy(witnesses=tuple(named(2)), groups={"g": Group(2, ("w1", "w1", "w2"))}, quorum="g")

    assert not policy.is_met({"w1"})
    assert policy.is_met({"w1", "w2"})


@pytest.mark.clause("WT-02")
def test_a_policy_may_ask_for_one_witness_or_for_none() -> None:
    """A witness is named as it is, with its address or without."""
    one = Witness("w1", KEY, "https://witness.example/")

    assert read_witness_policy(f"{one.line()}\nquorum w1\n".encode()).witnesses == (one,)
    assert not read_witness_policy(f"{one.line()}\nquorum w1".encode()).is_met(())
    assert read_witness_policy(b"quorum none").is_met(())


@pytest.mark.clause("WT-02")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "one line `quorum NAME`"),
        ("quorum none\nquorum none", "one line `quorum NAME`"),
        ("quorum w1", "named before it is defined"),
        ("witness w1", "a line is"),
        ("watcher w1 x", "a line is"),
        ("group g 1", "a line is"),
        ("witness none {w1}\nquorum none", "taken"),
        ("witness w1 {w1}\nwitness w1 {w2}\nquorum w1", "taken"),
        ("witness w1 {w1}\nwitness w2 {w1}\nquorum w1", "same key"),
        ("log {log}\nlog {log}\nquorum none", "same key"),
        ("witness w1 {log}\nquorum w1", "key of a witness"),
        ("witness w1 {w1}\ngroup w1 any w1\nquorum w1", "taken"),
        ("witness w1 {w1}\ngroup g any w1\ngroup h any w1\nquorum g", "twice"),
        ("witness w1 {w1}\ngroup g any none\nquorum g", "named before"),
        ("witness w1 {w1}\ngroup g 2 w1\nquorum g", "any, all, or 1 to 1"),
        ("witness w1 {w1}\ngroup g 0 w1\nquorum g", "any, all, or 1 to 1"),
        ("witness w1 {w1}\ngroup g 01 w1\nquorum g", "any, all, or 1 to 1"),
        ("witness w1 {w1}\r\nquorum w1", "control characters"),
        ("#" * 100_001, "larger than"),
    ],
)
def test_a_policy_that_is_not_clear_is_refused(text: str, said: str) -> None:
    """With the line and the cause."""
    first, second = (each.key.text for each in named(2))

    assert said in refusal(text.format(w1=first, w2=second, log=LOG))


@pytest.mark.clause("WT-02")
def test_a_policy_has_not_more_witnesses_than_can_be_asked() -> None:
    """Sixty-four of each kind."""
    assert "more than 64" in refusal("\n".join([*(each.line() for each in named(65)), "quorum none"]))
