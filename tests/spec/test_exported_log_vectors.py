# SPDX-License-Identifier: Apache-2.0
"""tests/vectors/exported_log_v1.json and its page come in; our verifier says of each vector what the file says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lockgate.core.export_line import MAX_LINE
from lockgate.core.log_export import MAX_ENTRIES
from lockgate.core.refusal import Reason
from lockgate.verify import Keys, VerifiedExport, VerifyError, read_note_key, read_public_key, verify_log_export
from tools.exported_log_vectors import PAGE, VECTORS, text

DATA = json.loads(VECTORS.read_text(encoding="utf-8"))
WORDS = (VECTORS.parents[2] / PAGE).read_text(encoding="utf-8")
KEYS = Keys((read_public_key(DATA["keys"]["receiptKeyPem"].encode()),), (read_note_key(DATA["keys"]["logKey"]),))


def verified(each: dict[str, Any]) -> VerifiedExport:
    """Return what the lines of a vector prove."""
    return verify_log_export([f"{line}\n".encode() for line in each["lines"]], KEYS)


@pytest.mark.clause("VF-106")
def test_the_vectors_are_what_their_tool_makes() -> None:
    """Else run `python -m tools.exported_log_vectors`."""
    assert VECTORS.read_text(encoding="utf-8") == text()


@pytest.mark.clause("VF-106")
@pytest.mark.parametrize("each", DATA["mustVerify"], ids=lambda each: each["name"])
def test_an_exported_log_that_must_verify_does(each: dict[str, Any]) -> None:
    """From the entry to the entry that stand beside it."""
    found = verified(each)

    assert (found.since, found.size) == (each["since"], each["size"])


@pytest.mark.clause("VF-106")
@pytest.mark.parametrize("each", DATA["mustFail"], ids=lambda each: each["name"])
def test_an_exported_log_that_must_fail_fails_by_its_reason(each: dict[str, Any]) -> None:
    """No other check comes first."""
    with pytest.raises(VerifyError) as refused:
        verified(each)

    assert refused.value.reason.value == each["reason"]


@pytest.mark.clause("VF-106")
def test_the_page_names_the_reasons_and_members_that_there_are() -> None:
    """Every member of a line, every reason that is of such files alone, and the bounds."""
    lines = [json.loads(line) for each in DATA["mustVerify"] for line in each["lines"]]
    named = set(re.findall(r"`(\w+)`", WORDS))

    assert {name for line in lines for name in line} <= named
    assert {reason.value for reason in Reason if reason.startswith("log_export_")} <= named
    assert {each["reason"] for each in DATA["mustFail"]} <= named
    assert f"at most {MAX_ENTRIES:,} of them" in WORDS
    assert f"at most {MAX_LINE:,} bytes with its line break" in WORDS
