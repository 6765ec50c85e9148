# SPDX-License-Identifier: Apache-2.0
"""`lockgate replay` is called as a person calls it; what it says and how it leaves must be right."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lockgate.core.bundle import decode, encode
from lockgate.core.canonical import canonicalize
from lockgate.operations.replay import replay
from tests.doors.both import Both, Made
from tests.doors.line import APP, Door, write_runs


@pytest.fixture
def rolled_back(door: Door, home: Path) -> str:
    """Return the id of a rollout that one tick rolled back."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": 0.01, "abc123": 0.2}))
    releases = ("--baseline", "v36", "--candidate", "abc123")
    door("create", "--app-id", APP, *releases, "--since", "1h", "--json")
    name: str = json.loads(door.out)["id"]
    door("tick", "--id", name)
    return name


@pytest.fixture
def files(door: Door, home: Path, rolled_back: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that a bundle of the rollout was unpacked to; its zip stands beside it."""
    door("export", "--rollout", rolled_back, "-o", home / "bundle.zip")
    monkeypatch.delenv("LOCKGATE_HOME")
    folder = home / "bundle"
    for name, data in decode((home / "bundle.zip").read_bytes()).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def changed(file: Path) -> bytes:
    """Return a case whose first bucket counts one run more."""
    document = json.loads(file.read_bytes())
    document["buckets"][0]["arms"][0][1]["runs"] += 1
    return canonicalize(document)


def lost_runs(folder: Path) -> None:
    """Take away raw runs behind the store's back."""
    with closing(sqlite3.connect(folder / "lockgate.db")) as connection, connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name IN ('segments', 'held_segments')")
        for (table,) in tables.fetchall():
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- the tables of this line


@pytest.mark.clause("RP-21")
@pytest.mark.parametrize("more", [(), ("--from-runs",)])
def test_an_equal_rollout_leaves_by_0(door: Door, rolled_back: str, more: tuple[str, ...]) -> None:
    """It says how many were replayed, what that proves, and what it does not."""
    code = door("replay", rolled_back, *more)

    said = door.out.splitlines()
    assert (code, said[0]) == (0, "Replayed: equal 2.")
    assert said.index("Proven:") < said.index("Not proven:")
    assert ("--from-runs counts them again" in door.out) is not bool(more)


@pytest.mark.clause("RP-21")
def test_machines_get_every_receipt(door: Door, rolled_back: str) -> None:
    """As JSON, with the counts; one receipt by its own id."""
    code = door("replay", rolled_back, "--json")
    whole = json.loads(door.out)
    door("replay", whole["receipts"][1]["receiptId"], "--json")

    assert (code, whole["equal"], whole["runs"]) == (0, True, None)
    assert whole["counts"] == {"equal": 2, "different": 0, "unreplayed": 0}
    assert json.loads(door.out)["receipts"] == whole["receipts"][1:]


@pytest.mark.tampers
@pytest.mark.clause("RP-90")
def test_raw_runs_that_contradict_the_buckets_prove_nothing(door: Door, home: Path, rolled_back: str) -> None:
    """Neither to a person nor to a program, though each decision follows from its buckets."""
    lost_runs(home / "home")

    code = door("replay", rolled_back, "--from-runs")
    text = door.out
    door("replay", rolled_back, "--from-runs", "--json")

    answer = json.loads(door.out)
    assert (code, answer["equal"], answer["proven"]) == (65, False, [])
    assert answer["counts"] == {"equal": 2, "different": 0, "unreplayed": 0}
    assert "its raw runs are not there, and were not pruned" in answer["runs"]["flaws"][0]
    assert "Proven:" not in text


@pytest.mark.clause("RP-22")
def test_a_bundle_needs_no_store(door: Door, files: Path) -> None:
    """Its zip, and the folder that it was unpacked to."""
    assert [door("replay", files), door("replay", f"{files}.zip")] == [0, 0]
    assert door.out.startswith("Replayed: equal 2.\n")


@pytest.mark.clause("RP-22")
def test_a_difference_leaves_by_65_and_is_named(door: Door, files: Path) -> None:
    """By the receipt, the path to it, and both values."""
    (files / "replay" / "2.json").write_bytes(changed(files / "replay" / "2.json"))

    code = door("replay", files)
    text = door.out
    door("replay", files, "--json")

    answer = json.loads(door.out)
    assert (code, answer["equal"], answer["counts"]["different"]) == (65, False, 1)
    assert "- receipt 2 (rcp_" in text
    assert "is recorded as " in text
    assert answer["receipts"][1]["reason"] == "payload"
    assert answer["receipts"][1]["difference"]["path"].startswith("$.predicate.")
    assert "Proven:" not in text


@pytest.mark.clause("EX-71")
def test_a_bundle_with_a_gap_says_what_it_replayed_and_what_not(door: Door, files: Path) -> None:
    """Which receipts, in one line, and what the equality of the others leaves open; it leaves by 3."""
    (files / "replay" / "1.json").unlink()

    code = door("replay", files)
    text = door.out
    door("replay", files, "--json")

    answer = json.loads(door.out)
    assert (code, answer["equal"], answer["left"]) == (3, False, [{"from": 1, "to": 1}])
    assert "Equal: made again, each that was replayed is the recorded one, byte for byte." in text
    assert "That the decisions of receipt 1 follow from their evidence: they were not replayed." in text
    assert answer["proven"][0].startswith("1 decision of Lockgate")


@pytest.mark.clause("RP-22")
def test_one_case_takes_its_receipt(door: Door, files: Path) -> None:
    """And the receipt before it, where that is at hand."""
    case, receipt = files / "replay" / "2.json", files / "receipts" / "2.json"

    codes = [
        door("replay", case, "--receipt", receipt),
        door("replay", case, "--receipt", receipt, "--previous", files / "receipts" / "1.json"),
        door("replay", case, "--receipt", files / "receipts" / "1.json"),
    ]

    assert codes == [0, 0, 65]


@pytest.mark.clause("RP-22")
def test_what_cannot_be_meant_leaves_by_64(door: Door, files: Path) -> None:
    """A case without a receipt, a receipt without a case, raw runs of files, and what is not there."""
    case, receipt = files / "replay" / "2.json", files / "receipts" / "2.json"

    codes = [
        door("replay", case),
        door("replay", files, "--receipt", receipt),
        door("replay", files, "--previous", receipt),
        door("replay", files, "--from-runs"),
        door("replay", files / "none.zip"),
    ]

    assert codes == [64, 64, 64, 64, 64]


@pytest.mark.clause("RP-23")
def test_a_version_that_is_not_there_leaves_by_3(door: Door, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told which one to install, and nothing is called different."""
    monkeypatch.setattr(replay, "__version__", "9.9.9")

    code = door("replay", files, "--json")

    answer = json.loads(door.out)
    assert (code, answer["counts"]["unreplayed"], answer["proven"]) == (3, 2, [])
    assert {each["reason"] for each in answer["receipts"]} == {"engine"}
    assert "install Lockgate 0.1.0 in an environment of its own" in answer["receipts"][0]["message"]


@pytest.mark.clause("RP-23")
def test_a_case_that_is_missing_leaves_by_3(door: Door, files: Path, home: Path) -> None:
    """The others are replayed, and what is found different wins."""
    held = {name: data for name, data in decode(Path(f"{files}.zip").read_bytes()).items() if name != "replay/2.json"}
    (home / "thin.zip").write_bytes(encode(held))

    code = door("replay", home / "thin.zip")

    assert code == 3
    assert door.out.startswith("Replayed: equal 1, unreplayed 1.\n")
    assert "the bundle has no case of it" in door.out


@pytest.mark.clause("RP-22")
def test_a_zip_that_was_cut_is_refused(door: Door, files: Path, home: Path) -> None:
    """As `lockgate verify` refuses it."""
    (home / "cut.zip").write_bytes(Path(f"{files}.zip").read_bytes()[:-30])

    assert door("replay", home / "cut.zip") == 65
    assert "ends in the middle" in door.err


@pytest.mark.clause("RP-22")
def test_links_out_of_a_folder_are_not_followed(door: Door, files: Path, home: Path) -> None:
    """A receipt that is a link is none, and a bundle holds nothing else: it is refused."""
    moved = home / "elsewhere.json"
    (files / "receipts" / "2.json").rename(moved)
    (files / "receipts" / "2.json").symlink_to(moved)

    code = door("replay", files)

    assert code == 65
    assert "'receipts/2.json' is there, which is no plain file" in door.err


@pytest.mark.clause("RP-50")
def test_a_rollout_of_a_server_is_replayed_here(both: Both, made: Made) -> None:
    """All its receipts, as from the store; what only its cases say is left open, as for every bundle."""
    bad = made.names["bad"]

    here, there = (json.loads(call("replay", bad, "--json").out) for call in (both.local, both.remote))

    assert (there["equal"], there["receipts"]) == (True, here["receipts"])
    assert any(sentence.startswith("That the app was frozen") for sentence in there["unproven"])


@pytest.mark.clause("RP-50")
def test_what_a_server_has_no_bundle_of_is_refused(both: Both, made: Made) -> None:
    """Each is told what to call in its place."""
    bad = made.names["bad"]
    receipt = json.loads(both.local("replay", bad, "--json").out)["receipts"][0]["receiptId"]

    refused = [both.remote("replay", *words) for words in ((receipt,), (bad, "--from-runs"), ("rol_none",))]

    assert [each.code for each in refused] == [64, 64, 64]
    assert "`lockgate replay ROLLOUT`" in refused[0].err
    assert "Call it on the server's machine" in refused[1].err
    assert "rol_none" in refused[2].err


@pytest.mark.clause("RP-22")
def test_the_file_that_export_names_after_a_rollout_is_no_id(
    door: Door, home: Path, rolled_back: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named by what export printed, and read as the file that it is."""
    monkeypatch.chdir(home)
    door("export", "--rollout", rolled_back)

    code = door("replay", f"{rolled_back}.zip")

    assert (code, "Not proven:\n  Who signed" in door.out) == (0, True)
    assert "That the app was frozen" in door.out
