# SPDX-License-Identifier: Apache-2.0
"""Answers of timestamp authorities come in; their certificates are put in order, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.timestamps.certificate_set import ordered

pytestmark = pytest.mark.clause("WT-51")
SEQUENCE, SET, FIRST = 0x30, 0x31, 0xA0


def element(tag: int, *contents: bytes) -> bytes:
    """Return an element of DER."""
    content = b"".join(contents)
    size = (len(content).bit_length() + 7) // 8
    length = bytes([len(content)]) if len(content) < 128 else bytes([128 + size]) + len(content).to_bytes(size, "big")
    return bytes([tag]) + length + content


def answer(certificates: list[bytes]) -> bytes:
    """Return the form of an answer with certificates."""
    known = element(FIRST, *(element(SEQUENCE, each) for each in certificates))
    signed = element(SEQUENCE, b"\x02\x01\x03", element(SET), element(SEQUENCE, b"\x05\x00"), known, element(SET))
    return element(
        SEQUENCE, element(SEQUENCE, b"\x02\x01\x00"), element(SEQUENCE, b"\x06\x01\x2a", element(FIRST, signed))
    )


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_certificates_are_put_in_order(certificates: list[bytes]) -> None:
    """As the bytes of each with its length are ordered; an answer in order stays as it is."""
    wanted = answer(sorted(certificates, key=lambda each: element(SEQUENCE, each)))

    assert ordered(answer(certificates)) == wanted
    assert ordered(wanted) == wanted


@given(st.binary(max_size=60) | st.integers(0, 90).map(lambda size: answer([b"b", b"a" * 40])[:size]))
def test_what_is_no_answer_is_left_to_who_reads_it(data: bytes) -> None:
    """Cut anywhere, or any bytes."""
    assert sorted(ordered(data)) == sorted(data)
    assert ordered(data) in (data, answer([b"b", b"a" * 40]))
