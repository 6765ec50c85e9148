# SPDX-License-Identifier: Apache-2.0
"""Files of runs and command lines come in; rollouts must end as they should, and each command answer for itself."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from lockgate.cli import exit_codes, main
from tests.doors.line import APP, BAD, GOOD, ID, Door, typed, write_runs

QUICK = ("--mode", "canary", "--steps", "50,100", "--since", "2h")


@pytest.fixture
def regressed(home: Path, door: Door) -> str:
    """Return a rollout whose candidate fails much more often, with its runs ingested, before the first tick."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": BAD}))
    return door.create(*QUICK)


@pytest.fixture
def level(home: Path, door: Door) -> str:
    """Return a rollout whose candidate is as good, with runs from before and after its start, before the first tick."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": GOOD}))
    (home / "policy.yaml").write_text("bucket: 1s\n", encoding="utf-8")
    rollout = door.create(*QUICK, "--policy", home / "policy.yaml")
    # By the clock of their writer, which is a little fast.
    door(
        "ingest",
        write_runs(home / "later.ndjson", {"v36": GOOD, "abc123": GOOD}, runs=50, minutes=1, ago=-5, first=2_000),
    )
    return rollout


@pytest.mark.clause("LC-01")
def test_ingest_says_what_was_kept(home: Path, door: Door) -> None:
    """The same file again is known, byte for byte, and changes nothing."""
    file = write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": BAD}, runs=50)

    first, again = door.read("ingest", file), door.read("ingest", file)

    assert (first["runs"], first["repeated"], first["apps"]) == (100, 0, {APP: 100})
    assert (again["runs"], again["repeated"], again["apps"]) == (0, 100, {})


@pytest.mark.clause("LC-01")
def test_runs_without_an_app_need_one(home: Path, door: Door) -> None:
    """A run of nobody is refused, and `--app-id` names whose it is."""
    file = home / "runs.ndjson"
    file.write_text('{"release": "v36", "status": "ok"}\n', encoding="utf-8")

    refused = door("ingest", file)
    said = door.err

    assert refused == exit_codes.DATA.code
    assert "app_id is missing" in said
    assert door.read("ingest", file, "--app-id", "other")["apps"] == {"other": 1}


@pytest.mark.clause("LC-02")
def test_create_prints_the_id_and_what_is_promised(door: Door) -> None:
    """A person reads the promise before relying on it, and a script takes the id from the top."""
    code = door("create", "--app-id", APP, "--baseline", "v36", "--candidate", "abc123", "--min-runs", "40")
    shown, warned = door.out, door.err
    document = door.read("create", "--app-id", APP, "--baseline", "v36", "--candidate", "abc123", "--min-runs", "40")

    assert code == 0
    assert ID.match(shown)
    assert "with probability at most 5 %, all gates together." in " ".join(shown.split())
    assert f"Next: lockgate watch --id {document['id']}" in shown
    assert warned == (
        "warning: no run of the baseline v36 has been seen, and so latency_ms:p95 is no gate, because none is named\n"
    )
    assert (document["existing"], document["policy"]["min_runs"]) == (True, 40)
    assert next(iter(document)) == "id"


@pytest.mark.clause("LC-02")
def test_a_file_declares_a_rollout_and_options_win_over_it(home: Path, door: Door) -> None:
    """CI keeps the declaration in a file and names the candidate of the day."""
    file = home / "rollout.yaml"
    file.write_text("app: claims-agent\nbaseline: 36\nmode: canary\nsteps: 10,100\nsince: 1h\n", encoding="utf-8")

    document = door.read("create", "-f", file, "--candidate", "abc123", "--mode", "shadow")

    assert (document["baseline"], document["candidate"], document["mode"]) == ("36", "abc123", "shadow")
    assert [step["weight"] for step in document["policy"]["steps"]] == [10, 100]


@pytest.mark.clause("LC-02")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("-b", "v36", "-c", "abc123"), 64, "--app-id is missing"),
        (("--app-id", APP, "-b", "v36"), 64, "--candidate is missing"),
        (("--app-id", APP, "-c", "abc123"), 64, "has no champion yet"),
        (("--app-id", APP, "-b", "v36", "-c", "v36"), 64, "baseline and candidate are both 'v36'"),
        (("--app-id", "two words", "-b", "v36", "-c", "abc123"), 64, "is not the name of an app"),
        (("--app-id", APP, "-b", "v36", "-c", "abc123", "--steps", "25,5"), 65, "5 must be above 25"),
        (("--app-id", APP, "-b", "v36", "-c", "abc123", "--since", "soon"), 64, "is not a span of time"),
        (("--app-id", APP, "-b", "v36", "-c", "abc123", "-f", "a", "--policy", "b"), 64, "both name a policy"),
        (("--app-id", APP, "-b", "v36", "-c", "abc123", "--policy", "nowhere.yaml"), 64, "nowhere.yaml"),
    ],
)
def test_what_cannot_be_meant_creates_nothing(words: tuple[str, ...], code: int, said: str, door: Door) -> None:
    """Each fault has its message and exit code, and no rollout is there afterwards."""
    left = door("create", *words)

    assert (left, said in door.err) == (code, True), door.err
    assert door.read("list") == {"rollouts": []}


@pytest.mark.clause("LC-02")
def test_a_second_canary_of_an_app_waits(regressed: str, door: Door) -> None:
    """One candidate at a time moves traffic: another is told whom to wait for."""
    code = door("create", "--app-id", APP, "-b", "v36", "-c", "def456", "--mode", "canary")

    assert code == exit_codes.TRY_AGAIN.code
    assert regressed in door.err


@pytest.mark.clause("LI-554")
def test_what_would_only_hold_is_no_cause_of_a_rollback(regressed: str, door: Door) -> None:
    """A step with too few fresh runs has nothing to do with it; a later tick says in words how it ended."""
    door("explain", regressed)
    said = " ".join(door.out.partition("The next tick rolls it back:")[2].partition("What would change it")[0].split())
    door("tick", "--id", regressed)

    door("tick", "--id", regressed)

    assert "is shown" in said
    assert "fresh candidate runs" not in said
    assert "the rollout has ended: rolled back" in door.out


@pytest.mark.clause("LI-556")
@pytest.mark.parametrize("command", ["watch", "tick"])
def test_an_empty_id_is_called_empty(regressed: str, command: str, door: Door) -> None:
    """A pipeline that lost what `create` said asks for no rollout, and is told why."""
    code = door(command, "--id", "")

    assert (code, "the id of the rollout is empty" in door.err) == (exit_codes.USAGE.code, True)


@pytest.mark.clause("LC-03")
def test_a_regression_is_rolled_back_by_one_tick(regressed: str, door: Door) -> None:
    """1 % against 20 % of errors in overlapping times: the tick that says so leaves by 1, and so do later ones."""
    code = door("tick", "--id", regressed)
    said = door.out
    later = door("tick", "--id", regressed, "--json")
    again = json.loads(door.out)

    assert (code, later) == (exit_codes.REGRESSED.code, exit_codes.REGRESSED.code)
    assert "rollback (regression): over all steps error_rate rose from" in said
    assert (again["status"], again["decision"]["cause"], again["receipt"]) == ("rolled_back", "ended", 2)


@pytest.mark.clause("LC-03")
def test_a_tick_of_all_leaves_by_0(regressed: str, door: Door) -> None:
    """Several rollouts have no one outcome; their states say what became of each."""
    document = door.read("tick", "--all")

    assert [(each["id"], each["status"]) for each in document["rollouts"]] == [(regressed, "rolled_back")]
    assert door.read("tick", "--all") == {"rollouts": [], "problems": []}


@pytest.mark.clause("LC-03")
@pytest.mark.parametrize("words", [(), ("--id", "rol_x", "--all")])
def test_a_tick_is_of_one_or_of_all(words: tuple[str, ...], door: Door) -> None:
    """Neither and both cannot be meant."""
    assert door("tick", *words) == exit_codes.USAGE.code


@pytest.mark.clause("LC-03")
def test_arms_that_never_ran_together_hold(home: Path, door: Door) -> None:
    """A baseline of yesterday says nothing about a candidate of today, whatever the counts."""
    door("ingest", write_runs(home / "old.ndjson", {"v36": GOOD}, ago=24 * 60))
    door("ingest", write_runs(home / "new.ndjson", {"abc123": BAD}))
    rollout = door.create("--mode", "canary", "--since", "2d")

    document = door.read("tick", "--id", rollout)

    assert (document["status"], document["decision"]["action"]) == ("active", "hold")
    assert "never ran together" in json.dumps(document["decision"])


@pytest.mark.clause("LC-04")
def test_watch_leaves_by_0_when_promoted(level: str, door: Door) -> None:
    """A pipeline goes on when the candidate has all the traffic."""
    code = door("watch", "--id", level, "--interval", "1", "--timeout", "30")

    lines = door.out.splitlines()
    assert code == 0
    assert "promoted     100 %  promote (satisfied): clean at 50 %" in lines[-1]
    assert door.read("list", "--active") == {"rollouts": []}


@pytest.mark.clause("LC-04")
def test_watch_leaves_by_1_when_rolled_back(regressed: str, door: Door) -> None:
    """A pipeline stops, and its log says why in the line of the change."""
    code = door("watch", "--id", regressed, "--json")

    change = json.loads(door.out)
    assert code == exit_codes.REGRESSED.code
    assert (change["id"], change["status"], change["cause"]) == (regressed, "rolled_back", "regression")


@pytest.mark.clause("LC-04")
def test_watch_leaves_by_2_and_says_which_weight_is_live(door: Door) -> None:
    """When time is over somebody must know what still takes traffic, and why nothing was decided."""
    rollout = door.create("--mode", "canary")

    code = door("watch", "--id", rollout, "--interval", "0.1", "--timeout", "0.5")

    assert code == exit_codes.TIMED_OUT.code
    assert "5 % of the traffic of claims-agent is still live on abc123; hold: " in door.err
    assert [line.split("  ")[-1].split(":")[0] for line in door.out.splitlines()] == [
        "promote (operator)",
        "hold (insufficient)",
    ]


@pytest.mark.clause("LC-04")
def test_watch_rolls_back_what_nobody_waits_for(door: Door) -> None:
    """A job may ask that nothing undecided stays live when it gives up; the receipt says so."""
    rollout = door.create("--mode", "canary")

    code = door("watch", "--id", rollout, "--interval", "0.1", "--timeout", "0.2", "--on-timeout", "rollback")
    said = door.out

    assert code == exit_codes.REGRESSED.code
    assert "rollback (operator): " in said.splitlines()[-1]
    assert "undecided when watching ended after 0 s" in said
    assert door.read("show", rollout)["exposed_weight"] == 0.0


@pytest.mark.clause("LC-02")
def test_create_tells_of_runs_that_it_does_not_read(home: Path, door: Door) -> None:
    """Whoever ingested first and forgot `--since` is told what to write."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": GOOD}, runs=50))

    rollout = door.create("--mode", "canary")
    told = door.err
    door.create("--mode", "canary")

    assert told.endswith(
        "note: runs are there already, 50 of v36 and 50 of abc123, and are not read; to read them: "
        f"lockgate rollback --id {rollout} --reason 'to begin anew' --yes && "
        f"lockgate create --app-id {APP} --baseline v36 --candidate abc123 --mode canary --since 1h\n"
    )
    assert door.err == ""


@pytest.mark.clause("LC-04")
def test_watch_without_ticks_changes_nothing(regressed: str, door: Door) -> None:
    """Who only looks leaves no receipt behind."""
    code = door("watch", "--id", regressed, "--no-tick", "--interval", "0.1", "--timeout", "0.2")

    assert code == exit_codes.TIMED_OUT.code
    assert len(door.read("receipts", regressed)["receipts"]) == 1


@pytest.mark.clause("LC-04")
def test_a_shadow_rollout_is_watched_by_what_would_be(home: Path, door: Door) -> None:
    """The exit code is that of the outcome that would have been, and the words say that nothing was moved."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": BAD}))
    rollout = door.create("--since", "2h")

    code = door("watch", "--id", rollout)
    door("show", rollout)

    assert code == exit_codes.REGRESSED.code
    assert "abc123 would have been rolled back to v36 in claims-agent; nothing was moved." in door.out


@pytest.mark.clause("LC-05")
def test_show_moves_nothing_and_says_what_a_tick_would(regressed: str, door: Door) -> None:
    """Looking is free: revision and receipts stay, and the decision is the one that the next tick takes."""
    before = door.read("show", regressed)
    after = door.read("show", regressed)

    assert (before["revision"], before["receipt"], before["decision"]) == (1, 1, after["decision"])
    assert (before["decision"]["action"], before["fresh_runs"], before["min_runs"]) == ("rollback", 0, 30)
    assert before["steps"] == ["50 %", "100 %"]
    assert {"seals_at", "overdue", "runs_per_hour", "seconds_left", "verdict"} <= set(before)


@pytest.mark.clause("LC-05")
@pytest.mark.parametrize("command", [("show",), ("explain",), ("receipts",), ("tick", "--id"), ("watch", "--id")])
def test_an_unknown_id_is_answered_with_the_known_ones(command: tuple[str, ...], regressed: str, door: Door) -> None:
    """A slip of the hand is mended by reading on."""
    code = door(*command, f"{regressed[:-1]}9")

    assert code == exit_codes.USAGE.code
    assert f"Did you mean '{regressed}'? Known, the latest first: {regressed}." in door.err


@pytest.mark.clause("LC-05")
def test_without_any_rollout_the_advice_is_to_create_one(home: Path, door: Door) -> None:
    """A store without rollouts lists nothing and says what to do."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD}, runs=10))
    listed, shown = door("list"), door("show", "rol_x")

    assert (listed, shown) == (0, 64)
    assert "There is none yet; `lockgate create` makes one." in door.err


@pytest.mark.clause("LI-163")
@pytest.mark.parametrize(
    "words",
    [
        ("show", "rol_x"),
        ("explain", "rol_x"),
        ("receipts", "rol_x"),
        ("watch", "--id", "rol_x"),
        ("pause", "--id", "rol_x", "--reason", "a test"),
    ],
)
def test_looking_for_a_rollout_makes_no_store(words: tuple[str, ...], home: Path, door: Door) -> None:
    """Where there is no store an id is asked for in vain, and neither files nor keys are left behind."""
    code = door(*words)

    assert code == exit_codes.USAGE.code
    assert door.err == (
        f"error: there is no store at {home / 'home'} yet\n"
        "`lockgate create` or `lockgate ingest` makes one, in the folder that LOCKGATE_HOME names.\n"
    )
    assert not (home / "home").exists()


@pytest.mark.clause("LI-163")
def test_listing_makes_no_store(home: Path, door: Door) -> None:
    """No store is no rollouts, for a program too."""
    document, code = door.read("list"), door("list")

    assert (document, code) == ({"rollouts": []}, 0)
    assert door.out.startswith(f"There is no store at {home / 'home'} yet; `lockgate create` or ")
    assert not (home / "home").exists()


@pytest.mark.clause("LC-06")
def test_receipts_are_written_so_that_verify_takes_them(regressed: str, home: Path, door: Door) -> None:
    """Whoever has the folder needs neither the store nor a network."""
    door("tick", "--id", regressed)

    code = door("receipts", regressed, "--save", home / "kept")
    keys = ["--key", home / "kept" / "receipt-key.pem", "--log-key", home / "kept" / "log-key.txt"]
    answers = [
        door.read(
            "verify",
            home / "kept" / f"receipt-{seq}.json",
            *keys,
            "--proof",
            home / "kept" / f"receipt-{seq}.tlog-proof",
        )
        for seq in (1, 2)
    ]

    assert code == 0
    assert [answer["predicate"]["decision"]["action"] for answer in answers] == ["promote", "rollback"]
    assert [answer["log"]["index"] for answer in answers] == [0, 1]


@pytest.mark.clause("LC-06")
def test_one_receipt_is_chosen_by_its_number(regressed: str, home: Path, door: Door) -> None:
    """A number that is not there is answered with those that are."""
    door("receipts", regressed, "--seq", "1", "--save", home / "kept")
    refused = door("receipts", regressed, "--seq", "2")

    assert sorted(path.name for path in (home / "kept").iterdir()) == [
        "checkpoint.txt",
        "log-key.txt",
        "receipt-1.json",
        "receipt-1.tlog-proof",
        "receipt-key.pem",
    ]
    assert (refused, "count from 1 to 1" in door.err) == (64, True)


@pytest.mark.clause("LC-07")
def test_a_folder_that_cannot_be_made_is_said(home: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the store's folder should be is no store."""
    (home / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("LOCKGATE_HOME", str(home / "file" / "home"))

    code = door("create", "--app-id", APP, "-b", "v36", "-c", "abc123")

    assert code == exit_codes.UNREACHABLE.code
    assert door.err.startswith(f"error: {home / 'file' / 'home'} cannot be made")


@pytest.mark.clause("LC-07")
def test_processes_share_a_store(regressed: str, home: Path, door: Door) -> None:
    """A tick in one process is seen in the next, and its exit code is the outcome."""
    ticked = typed("tick", "--id", regressed)
    shown = typed("list", "--json")

    assert (ticked.returncode, ticked.stderr) == (1, "")
    assert [each["status"] for each in json.loads(shown.stdout)["rollouts"]] == ["rolled_back"]


@pytest.mark.clause("LC-07")
def test_each_status_has_its_exit_code() -> None:
    """How a rollout ended is a code; one that has not ended has timed out."""
    codes = {name: exit_codes.of_status(name) for name in ("promoted", "rolled_back", "active", "paused", "cancelled")}

    assert codes == {"promoted": 0, "rolled_back": 1, "active": 2, "paused": 2, "cancelled": 4}


@pytest.mark.tampers
@pytest.mark.clause("LC-07")
def test_a_store_of_a_later_version_is_left_alone(regressed: str, home: Path, door: Door) -> None:
    """An older program neither reads nor mends what it does not know."""
    with sqlite3.connect(home / "home" / "lockgate.db") as file:
        file.execute("PRAGMA user_version = 99")
    file.close()

    code = door("show", regressed)

    assert code == exit_codes.DATA.code
    assert "was written by a later version of Lockgate" in door.err


@pytest.mark.clause("LC-08")
def test_help_shows_what_people_do_every_day_first(door: Door) -> None:
    """Each command stands in one group, and the first group is the one to begin with."""
    door("--help")

    grouped = [name for names in main.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(main.COMMANDS)
    assert next(iter(main.GROUPS.values())) == ("create", "watch", "show", "explain", "compare", "demo")
    assert [title for title in main.GROUPS if f"{title}:" in door.out] == list(main.GROUPS)
