# SPDX-License-Identifier: Apache-2.0
"""Digests of a candidate's parts come in; its receipts and documents must carry them, and nothing that is no digest."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from lockgate.core.release_digest import MAX_DIGESTS
from tests.doors.line import APP, Door

MODEL, PROMPT = "a" * 64, "b" * 64
NEEDED = ("create", "--app-id", APP, "-b", "v36", "-c", "abc123")
pytestmark = pytest.mark.clause("EX-01")


def _signed(folder: Path) -> dict[str, object]:
    envelope = json.loads((folder / "receipt-1.json").read_bytes())
    found: dict[str, object] = json.loads(b64decode(envelope["payload"]))["predicate"]["candidate"]
    return found


def test_digests_are_shown_and_signed(door: Door, tmp_path: Path) -> None:
    """Who reads a receipt years later knows exactly which model and which prompts were on trial."""
    rollout = door.create("--digest", f"model=sha256:{MODEL}", "--digest", f"prompts=sha256:{PROMPT}")
    document = door.read("show", rollout)

    door("receipts", rollout, "--save", tmp_path / "kept")

    assert document["digests"] == {"model": f"sha256:{MODEL}", "prompts": f"sha256:{PROMPT}"}
    assert _signed(tmp_path / "kept")["digests"] == {"model": {"sha256": MODEL}, "prompts": {"sha256": PROMPT}}


def test_a_rollout_with_digests_and_links_is_sound(door: Door) -> None:
    """What fsck makes again of such a rollout is what was signed."""
    door.create("--digest", f"model=sha256:{MODEL}", "--link", "ci=https://ci.example/7")

    assert door("fsck") == 0, door.out


def test_a_receipt_without_digests_does_not_name_them(door: Door, tmp_path: Path) -> None:
    """Receipts of candidates of which no digest was named are what they were before."""
    rollout = door.create()

    door("receipts", rollout, "--save", tmp_path / "kept")

    assert "digests" not in _signed(tmp_path / "kept")


@pytest.mark.parametrize(
    ("digests", "said"),
    [
        (["model"], "--digest 'model' has no digest"),
        ([f"=sha256:{MODEL}"], "'' is no name of a digest"),
        ([f"a b=sha256:{MODEL}"], "'a b' is no name of a digest"),
        (["model=latest"], "the digest model is no SHA-256"),
        ([f"model=sha256:{MODEL.upper()}"], "the digest model is no SHA-256"),
        ([f"model=sha256:{MODEL}0"], "the digest model is no SHA-256"),
        ([f"n{number}=sha256:{MODEL}" for number in range(MAX_DIGESTS + 1)], f"there are {MAX_DIGESTS + 1} digests"),
    ],
)
def test_what_is_no_digest_creates_nothing(door: Door, digests: list[str], said: str) -> None:
    """A receipt holds digests that anybody can compare, and no others."""
    code = door(*NEEDED, *(word for each in digests for word in ("--digest", each)))

    assert code == exit_codes.USAGE.code
    assert said in door.err
    assert door("list") == 0
    assert "abc123" not in door.out
