# SPDX-License-Identifier: Apache-2.0
"""A receipt comes in; who decided, the reason that it states, and where it sends traffic back to go out."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.canonical import Json
from lockgate.core.envelope import open_envelope
from lockgate.core.receipt import Actor
from lockgate.core.situation import Target, WayBack
from lockgate.core.statement import read_statement
from lockgate.core.vault import Receipt

PERSON = "person"


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


def actor_of(receipt: Receipt) -> dict[str, Json]:
    """Return who decided, as a receipt has it: the kind, the name if there is one, and the reason."""
    return _part(receipt, "actor")


def actor_words(actor: Mapping[str, Json]) -> str:
    """Return who decided, as people say it."""
    kind, name = str(actor["type"]), actor["name"]
    if name is None:
        return f"the {kind}" if kind == Actor().kind else f"a {kind}"
    return str(name) if kind == PERSON else f"{name} ({kind})"


def _decision(receipt: Receipt) -> dict[str, Json]:
    return _part(receipt, "decision")


def _part(receipt: Receipt, name: str) -> dict[str, Json]:
    part = read_statement(open_envelope(receipt.envelope).payload).predicate[name]
    assert isinstance(part, dict)
    return part
