# SPDX-License-Identifier: Apache-2.0
"""docs/reference/receipt.md and receipts of every kind come in; each must name the members of the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.decision.decision import Action, Cause
from lockgate.core.envelope import open_envelope
from lockgate.core.finding import Outcome
from lockgate.core.listed_key import Status, Use
from lockgate.core.policy.policy import Inference, Mode, Promote
from lockgate.core.refusal import Reason
from lockgate.core.rollout import Status as Standing
from lockgate.core.situation import Target
from tests.spec.line import predicate, world
from tests.spec.test_soundness import live
from tools.receipt_samples import samples
from tools.receipt_vectors import text

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "receipt.md").read_text(encoding="utf-8")
# Members by names of their owner's own.
NAMED = ("candidate.digests", "actor.claims", "links")
KINDS = {"rol": "Receipts of a rollout", "app": "Receipts of an app", "org": "Receipts of an organisation"}
COMMON = "Every receipt"
# Files of the vault have pages of their own, and so has what others sign.
OTHERS = ("bundle_", "case_", "tile_", "log_export_", "witness_", "cosignature", "timestamp")


def section(title: str) -> str:
    """Return a section of the page, without those below it."""
    return re.split(r"^#+ ", PAGE.partition(f"# {title}\n")[2], flags=re.MULTILINE)[0]


def documented(title: str) -> set[str]:
    """Return the members that the table of a section names."""
    rows = re.findall(r"^\| (`[^|]*`) \|", section(title), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def members(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every member at any depth."""
    if isinstance(value, dict):
        for name, part in value.items():
            inner = "*" if path in NAMED else name
            own = f"{path}.{inner}" if path else inner
            yield own
            yield from members(part, own)
    if isinstance(value, list):
        for part in value:
            yield f"{path}[]"
            yield from members(part, f"{path}[]")


def emitted() -> dict[str, set[str]]:
    """Return the members of the receipts of each kind, of the samples and of a store that has lived."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    here = world()
    live(here)
    with here.house.store.reading() as seen:
        lived = [predicate(each) for each in seen.entries_after(-1, 10_000)]
    made = [json.loads(open_envelope(each.envelope).payload)["predicate"] for each in samples()]
    for said in (*lived, *made):
        found[said["rolloutId"].partition("_")[0]] |= set(members(said))
    return found


@pytest.mark.clause("RF-10")
def test_the_page_names_every_member_and_no_other() -> None:
    """What a receipt can hold is documented, and what is documented some receipt holds."""
    found, common = emitted(), documented(COMMON)

    for kind, title in KINDS.items():
        own = documented(title)
        assert found[kind] - common - own == set(), kind
        assert own - found[kind] == set(), kind
        assert own & common == set(), kind
    assert common - set().union(*found.values()) == set()


@pytest.mark.clause("RF-10")
def test_the_page_names_every_word_that_a_member_may_be() -> None:
    """Actions, causes, outcomes, statuses, modes and ways back."""
    words = [*Action, *Cause, *Outcome, *Standing, *Mode, *Inference, *Promote, *Target, *Use, *Status]

    assert [word.value for word in words if f"`{word.value}`" not in PAGE] == []


@pytest.mark.clause("RF-10")
def test_the_page_names_every_reason_to_refuse_a_receipt_or_a_manifest() -> None:
    """And no reason that there is none."""
    reasons = {each.value for each in Reason if not each.startswith(OTHERS)}
    codes = set(re.findall(r"`([a-z][a-z0-9_]*)`", PAGE))
    in_steps = set(re.findall(r"\(((?:`[a-z0-9_]+`(?:, )?)+)\)", PAGE))
    named = {code for each in in_steps for code in re.findall(r"`([a-z0-9_]+)`", each)}

    assert reasons - codes == set()
    assert named - reasons == set()


@pytest.mark.clause("RF-41")
def test_each_reason_of_the_page_has_a_vector_and_no_vector_another() -> None:
    """Whoever writes a verifier from the page can try every one of its refusals."""
    reasons = {each.value for each in Reason if f"`{each.value}`" in PAGE}

    assert reasons == {each["reason"] for each in json.loads(text())["mustFail"]}
