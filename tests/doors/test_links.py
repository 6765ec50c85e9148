# SPDX-License-Identifier: Apache-2.0
"""Links of a rollout come in; its receipts, its view and its documents must carry them, and nothing that is no link."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from lockgate.core.link import MAX_LINKS, MAX_URL
from tests.doors.line import APP, Door

CI, DIFF = "https://ci.example/job/7?x=1&y=2", "https://git.example/compare/v36...abc123"
NEEDED = ("create", "--app-id", APP, "-b", "v36", "-c", "abc123")
pytestmark = pytest.mark.clause("LI-164")


def test_links_are_shown_and_signed(door: Door, tmp_path: Path) -> None:
    """Who reads a receipt years later finds the job and the change that it was about."""
    rollout = door.create("--link", f"ci={CI}", "--link", f"diff={DIFF}")
    document = door.read("show", rollout)

    door("show", rollout)
    shown = door.out
    door("receipts", rollout, "--save", tmp_path / "kept")

    envelope = json.loads((tmp_path / "kept" / "receipt-1.json").read_bytes())
    signed = json.loads(b64decode(envelope["payload"]))["predicate"]
    assert document["links"] == signed["links"] == {"ci": CI, "diff": DIFF}
    assert f"links        ci: {CI}\n               diff: {DIFF}\n" in shown


def test_a_file_has_links_and_options_win(door: Door, tmp_path: Path) -> None:
    """The file of a team names its runbook, and the job of the day adds itself."""
    file = tmp_path / "rollout.yaml"
    file.write_text(
        f"app: {APP}\nbaseline: v36\nlinks: {{runbook: 'https://wiki.example/run', ci: 'https://old.example'}}\n",
        encoding="utf-8",
    )

    document = door.read("create", "-f", file, "-c", "abc123", "--link", f"ci={CI}")

    assert document["links"] == {"runbook": "https://wiki.example/run", "ci": CI}


def test_a_receipt_without_links_does_not_name_them(door: Door, tmp_path: Path) -> None:
    """Receipts of rollouts without links are what they were before there were links."""
    rollout = door.create()

    door("receipts", rollout, "--save", tmp_path / "kept")

    envelope = json.loads((tmp_path / "kept" / "receipt-1.json").read_bytes())
    assert "links" not in json.loads(b64decode(envelope["payload"]))["predicate"]


@pytest.mark.parametrize(
    ("links", "said"),
    [
        (["ci"], "--link 'ci' has no address"),
        (["=https://ci.example"], "'' is no name of a link"),
        (["a b=https://ci.example"], "'a b' is no name of a link"),
        (["ci=ftp://ci.example"], "the link ci is not an address on the web"),
        (["ci=javascript:alert(1)"], "the link ci is not an address on the web"),
        (["ci=https://ann:secret@ci.example"], "the link ci is not an address on the web"),
        (["ci=https://ci.example/\x1b[2J"], "the link ci is not an address on the web"),
        (["ci=https://ci.example/<script>"], "the link ci is not an address on the web"),
        (["ci=https://ci.example/" + "x" * MAX_URL], "the link ci is not an address on the web"),
        ([f"l{number}=https://ci.example/{'x' * 900}" for number in range(9)], "the links have 8,"),
        ([f"l{number}=https://ci.example" for number in range(MAX_LINKS + 1)], f"there are {MAX_LINKS + 1} links"),
    ],
)
def test_what_is_no_link_creates_nothing(links: list[str], said: str, door: Door) -> None:
    """An address is one that a page may show to anybody; what is refused is not repeated, it may hold a secret."""
    code = door(*NEEDED, *(word for link in links for word in ("--link", link)))

    told = door.err
    assert code == exit_codes.USAGE.code
    assert said in told
    assert "secret" not in told
    assert door.read("list") == {"rollouts": []}


def test_links_of_a_file_are_names_with_addresses(door: Door, tmp_path: Path) -> None:
    """A list, or a number, is told how to be written."""
    file = tmp_path / "rollout.yaml"
    file.write_text(f"app: {APP}\nbaseline: v36\ncandidate: abc123\nlinks: [https://ci.example]\n", encoding="utf-8")

    code = door("create", "-f", file)

    assert code == exit_codes.USAGE.code
    assert "Write `links: {ci: https://...}`." in door.err
