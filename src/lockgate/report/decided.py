# SPDX-License-Identifier: Apache-2.0
"""A receipt comes in; the reason that it states goes out."""

from __future__ import annotations

from lockgate.core.envelope import open_envelope
from lockgate.core.statement import read_statement
from lockgate.core.vault import Receipt


def reason_of(receipt: Receipt) -> str:
    """Return why a receipt's decision was taken, in words."""
    decision = read_statement(open_envelope(receipt.envelope).payload).predicate["decision"]
    assert isinstance(decision, dict)
    return str(decision["reason"])
