# SPDX-License-Identifier: Apache-2.0
"""A receipt comes in; the reason that it states, and where it sends traffic back to, go out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.envelope import open_envelope
from lockgate.core.situation import Target, WayBack
from lockgate.core.statement import read_statement
from lockgate.core.vault import Receipt


def reason_of(receipt: Receipt) -> str:
    """Return why a receipt's decision was taken, in words."""
    return str(_decision(receipt)["reason"])


def way_back_of(receipt: Receipt) -> str:
    """Return where a receipt's decision sends traffic back to, in words; nothing where it sends none back."""
    back = _decision(receipt)["target"]
    if not isinstance(back, dict):
        return ""
    release = back["release"]
    return WayBack(Target(str(back["kind"])), None if release is None else str(release)).sentence()


def _decision(receipt: Receipt) -> dict[str, Json]:
    decision = read_statement(open_envelope(receipt.envelope).payload).predicate["decision"]
    assert isinstance(decision, dict)
    return decision
