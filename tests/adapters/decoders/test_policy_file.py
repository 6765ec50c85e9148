# SPDX-License-Identifier: Apache-2.0
"""Texts of policy files come in; plain values, or where the syntax is wrong, must go out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.decoders.policy_file import (
    MAX_BYTES,
    MAX_NODES,
    Plain,
    decode_policy,
    encode_policy,
    read_policy_file,
)
from lockgate.errors import DataError, UsageError

WORDS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12),
    st.sampled_from(
        ["on", "no", "yes", "1:30", "010", "1e1", ".5", "1_000", "0x1f", "~", "null", "true", "=", "<<", "-"]
    ),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), WORDS)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.clause("PO-10")
@given(st.dictionaries(WORDS, TREES, max_size=4))
def test_what_is_written_is_read_back(document: dict[str, Plain]) -> None:
    """YAML out and in again is the same values, and so is JSON."""
    assert decode_policy(encode_policy(document)) == document
    assert decode_policy(json.dumps(document), "policy.json") == document


@pytest.mark.clause("PO-10")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        (".inf", ".inf"),
        ("1e1", 10.0),
        (".5", 0.5),
        ("25", 25),
        ("'25'", "25"),
        ("true", True),
        ("~", None),
        ("", None),
        ("30m", "30m"),
        ("5% + 1pp", "5% + 1pp"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_a_word_means_one_thing(text: str, value: Plain) -> None:
    """Words that other readers take for numbers, times or flags are text."""
    assert decode_policy(f"field: {text}") == {"field": value}


@pytest.mark.clause("PO-10")
def test_a_fields_name_is_text() -> None:
    """A label may be called `on`, `1` or `null`."""
    assert decode_policy("{on: 1, 1: 2, null: 3}") == {"on": 1, "1": 2, "null": 3}


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)
REFUSED = {
    "a bomb of aliases": (BOMB, "policy, line 1, column 4: anchors and aliases"),
    "an alias": ("a: *x", "line 1, column 4: anchors and aliases"),
    "a tag that runs code": ("a: !!python/object/apply:os.system [id]", "line 1, column 4: tags such as"),
    "a field twice": ("alpha: 1\nalpha: 2", "line 2, column 1: the field 'alpha' is there twice"),
    "a depth of thousands": ("[" * 100_000, "nested deeper than 16 levels"),
    "more values than a policy has": ("a: [" + "1," * MAX_NODES + "]", "more than 50,000 values"),
    "a list for a name": ("? [a]\n: 1", "a field's name must be a word"),
    "two documents": ("a: 1\n---\nb: 2", "line 2, column 1: a second document"),
    "broken syntax": ("gates: [a\nsteps: 5", "policy, line 2"),
    "a control character": ("a: \x01", "unacceptable character"),
    "a list": ("- 1", "must hold a mapping"),
    "nothing": ("# only a comment\n", "is empty"),
}


@pytest.mark.clause("PO-10")
@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_policy_does_not_need_is_refused(text: str, message: str) -> None:
    """The answer says where, and costs no more than reading the text."""
    with pytest.raises(DataError) as refused:
        decode_policy(text)

    assert message in refused.value.message
    assert refused.value.advice


JSON_REFUSED = {
    "broken syntax": ('{"a": 1,}', "policy.json, line 1, column 9"),
    "a field twice": ('{"a": 1, "a": 2}', "the field 'a' is there twice"),
    "no number": ('{"a": NaN}', "NaN is no number"),
    "digits without end": ('{"a": ' + "1" * 5000 + "}", "a number of 5000 digits"),
    "a depth of thousands": ("[" * 100_000, "nested deeper"),
}


@pytest.mark.clause("PO-10")
@pytest.mark.parametrize(("text", "message"), JSON_REFUSED.values(), ids=JSON_REFUSED)
def test_json_that_a_policy_does_not_need_is_refused(text: str, message: str) -> None:
    """JSON is held to the same."""
    with pytest.raises(DataError) as refused:
        decode_policy(text, "policy.json")

    assert message in refused.value.message


@pytest.mark.clause("PO-10")
def test_a_file_of_more_than_a_megabyte_is_refused(tmp_path: Path) -> None:
    """It is not read to its end."""
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))

    with pytest.raises(DataError, match="larger than 1,000,000 bytes"):
        read_policy_file(str(file))


@pytest.mark.clause("PO-10")
def test_a_file_that_is_not_utf8_is_refused_at_its_line(tmp_path: Path) -> None:
    """The line of the first wrong byte is named."""
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"app: x\nunit: \xff\n")

    with pytest.raises(DataError, match="line 2: not UTF-8"):
        read_policy_file(str(file))


@pytest.mark.clause("PO-10")
def test_a_byte_order_mark_is_no_part_of_the_policy(tmp_path: Path) -> None:
    """Editors that write one are not punished."""
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"\xef\xbb\xbfapp: x\r\n")

    assert read_policy_file(str(file)) == {"app": "x"}


@pytest.mark.clause("PO-10")
def test_a_file_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    """The name is at fault, not the data."""
    with pytest.raises(UsageError, match="cannot read"):
        read_policy_file(str(tmp_path / "policy.yaml"))
