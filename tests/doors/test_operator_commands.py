# SPDX-License-Identifier: Apache-2.0
"""An operator types; rollouts and apps must stand as asked, and the exit code must say so."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from lockgate.cli import exit_codes, main
from tests.doors.line import APP, Door

WHY = ("--by", "ann", "--reason", "errors in the log")
SEEN = ("--step", "0", "--revision", "1")
MANUAL = "steps: [{weight: 5, approval: manual}, 100]\nmode: canary\n"


@pytest.fixture
def rollout(door: Door, tmp_path: Path) -> str:
    """Return a canary that waits for an approval."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(MANUAL, encoding="utf-8")
    return door.create("--policy", policy)


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Let a person sit there who types an answer."""
    keyboard = io.StringIO(typed)
    monkeypatch.setattr(keyboard, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", keyboard)


COMMANDS: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
    "pause": ((), {"status": "paused", "revision": 2, "pause_reason": "errors in the log"}),
    "approve": (SEEN, {"status": "active", "revision": 2, "approved_step": 0}),
    "promote": ((*SEEN, "--yes"), {"status": "promoted", "revision": 2, "weight": 100.0}),
    "rollback": (("--yes",), {"status": "rolled_back", "revision": 2, "weight": 0.0}),
    "resume": ((), {"status": "active", "revision": 1}),
    "clear-alarm": ((), {"status": "active", "revision": 1}),
}


@pytest.mark.clause("AC-14", "AC-02")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_leaves_by_0_and_answers_the_same_again(door: Door, rollout: str, command: str) -> None:
    """The document says where the rollout stands, whether or not this very call put it there."""
    options, expected = COMMANDS[command]

    first = door.read(command, "--id", rollout, *WHY, *options)
    again = door.read(command, "--id", rollout, *WHY, *options)

    assert again == {**first, "signed": None}
    assert {name: first[name] for name in expected} == expected
    assert (first["id"], first["receipt"]) == (rollout, first["revision"])


@pytest.mark.clause("AC-14")
def test_a_person_reads_where_it_stands(door: Door, rollout: str) -> None:
    """The lines name the status, the reason, the step and the receipt."""
    door("pause", "--id", rollout, *WHY)

    assert door.out == (
        f"{rollout}  paused  abc123 serves 5 % of claims-agent beside v36.\n"
        "  paused: errors in the log\n"
        "  step 0 (5 %), revision 2, receipt 2\n"
    )


@pytest.mark.clause("AC-14", "AC-03")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("approve", "--step", "0", "--revision", "9"), exit_codes.TRY_AGAIN, "you saw step 0, revision 9"),
        (("approve", "--step", "0"), exit_codes.USAGE, "name the step and the revision that you saw, both"),
        (("approve",), exit_codes.USAGE, "name the step and the revision that you saw, both"),
        (("promote", "--yes"), exit_codes.USAGE, "name the step and the revision that you saw, both"),
        (("promote", *SEEN), exit_codes.USAGE, "nobody can be asked"),
        (("rollback",), exit_codes.USAGE, "nobody can be asked"),
        (("cancel",), exit_codes.NOT_PERMITTED, "is exposed at 5 %"),
        (("pause", "--reason", "x" * 801), exit_codes.USAGE, "a receipt keeps 800"),
        (("pause", "--reason", " "), exit_codes.USAGE, "the reason is empty"),
    ],
)
def test_a_refusal_has_its_code_and_changes_nothing(
    door: Door, rollout: str, words: tuple[str, ...], code: exit_codes.ExitCode, said: str
) -> None:
    """What stands against it is said on standard error."""
    left = door(words[0], "--id", rollout, *WHY, *words[1:])

    assert (left, said in door.err) == (code.code, True), door.err
    assert door.read("show", rollout)["revision"] == 1


@pytest.mark.clause("LC-49")
def test_an_alarm_that_is_not_on_is_not_said_to_be_cleared(door: Door, rollout: str) -> None:
    """The answer is that of a repetition, a note says why, and an ended rollout refuses as it does everything else."""
    first = door("clear-alarm", "--id", rollout, *WHY), door.err
    door("rollback", "--id", rollout, *WHY, "--yes")
    ended = door.out

    left = door("clear-alarm", "--id", rollout, *WHY)

    assert first == (0, "note: no alarm was on, so nothing was cleared\n")
    assert (left, "has ended: rolled_back" in door.err) == (exit_codes.NOT_PERMITTED.code, True)
    assert "  ended at step 0 (5 %), revision 2, receipt 2\n" in ended


# They open no store, or are groups of commands, or have tests of their own.
ELSEWHERE = {
    "actuator",
    "backup",
    "compare",
    "demo",
    "keys",
    "orgs",
    "policy",
    "store",
    "trust",
    "verify",
    "webhooks",
    "witness",
    "witnesses",
}


@pytest.mark.clause("LC-50")
@pytest.mark.parametrize(
    "command",
    sorted(main.COMMANDS.keys() - ELSEWHERE),
)
def test_help_names_the_codes_of_a_store_that_cannot_be_used(door: Door, command: str) -> None:
    """A store that is not whole, fails, is held, or is somebody else's has a code of its own in each command."""
    assert door(command, "--help") == 0

    _, _, said = " ".join(door.out.split()).partition("Exit codes: ")
    assert all(f"{code} " in said for code in (64, 65, 69, 75, 77)), said


@pytest.mark.clause("AC-14")
def test_a_reason_is_not_optional(door: Door, rollout: str) -> None:
    """A receipt without a why helps nobody."""
    left = door("pause", "--id", rollout)

    assert (left, "Missing option '--reason'" in door.err) == (exit_codes.USAGE.code, True)


@pytest.mark.clause("AC-14")
@pytest.mark.parametrize("command", ["pause", "rollback", "approve"])
def test_an_unknown_id_is_answered_with_those_that_are(door: Door, rollout: str, command: str) -> None:
    """A mistyped id is a fault of the call."""
    options = COMMANDS[command][0]

    left = door(command, "--id", "rol_nothing", *WHY, *options)

    assert (left, rollout in door.err) == (exit_codes.USAGE.code, True)


@pytest.mark.clause("AC-03", "AC-14")
@pytest.mark.parametrize(("typed", "ending"), [("y\n", (0, 2)), ("n\n", (exit_codes.USAGE.code, 1))])
@pytest.mark.parametrize("command", ["approve", "promote", "rollback"])
def test_at_a_terminal_a_person_is_asked(
    door: Door, rollout: str, monkeypatch: pytest.MonkeyPatch, command: str, typed: str, ending: tuple[int, int]
) -> None:
    """What is approved or promoted is what was shown; a no leaves everything as it is."""
    at_a_terminal(monkeypatch, typed)

    left = door(command, "--id", rollout, *WHY)

    asked, said = "?" in door.err, "nothing was changed" in door.err
    assert (left, door.read("show", rollout)["revision"], asked, said) == (*ending, True, typed == "n\n")


@pytest.mark.clause("AC-14", "AC-08")
@pytest.mark.parametrize("command", ["kill", "rollback", "promote"])
def test_who_is_asked_reads_what_a_yes_would_do(
    door: Door, rollout: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Which release leaves which app, or how much traffic it gets; of a kill a line for each app."""
    at_a_terminal(monkeypatch, "n\n")
    which = ("--all",) if command == "kill" else ("--id", rollout)

    door(command, *which, *WHY)

    said = {
        "kill": f"{APP}: the traffic of abc123 goes back, frozen\nKill? [y/N]: ",
        "rollback": f"Roll back abc123 in {APP} to v36, for good? [y/N]: ",
        "promote": f"Promote abc123 in {APP} from 5 % to 100 %, without waiting? [y/N]: ",
    }
    assert said[command] in door.err
    assert door.read("show", rollout)["status"] == "active"


@pytest.mark.clause("LI-163")
@pytest.mark.parametrize(
    "words",
    [
        ("kill", "--all", "--yes", *WHY),
        ("kill", "--app-id", APP, "--yes", *WHY),
        ("freeze", "--app-id", APP, *WHY),
        ("tick", "--all"),
        ("prune",),
        ("prune", "--dry-run"),
    ],
)
def test_in_the_wrong_folder_nothing_is_done_and_nothing_made(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Who kills, and names another folder by mistake, must not read that it is done."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "elsewhere"))

    left = door(*words)

    assert (left, "there is no store" in door.err) == (exit_codes.USAGE.code, True)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.clause("AC-14", "AC-09")
def test_freeze_and_unfreeze(door: Door, rollout: str) -> None:
    """A frozen app starts nothing, by its own exit code; unfrozen it does again."""
    door("rollback", "--id", rollout, *WHY, "--yes")
    frozen = door.read("freeze", "--app-id", APP, *WHY)
    refused = door("create", "--app-id", APP, "-b", "v36", "-c", "def456")

    door("unfreeze", "--app-id", APP, *WHY)

    assert (frozen["frozen"], frozen["killed"], frozen["receipt"]) == ("errors in the log", False, 1)
    assert refused == exit_codes.NOT_PERMITTED.code
    assert door.out == f"{APP}  not frozen\n  no champion yet, receipt 2 of {frozen['id']}\n"
    assert door("create", "--app-id", APP, "-b", "v36", "-c", "def456") == 0


@pytest.mark.clause("AC-14", "AC-09")
def test_every_app_is_unfrozen_at_once(door: Door, rollout: str) -> None:
    """As every app can be killed at once; an app that was not frozen stays as it is."""
    door("kill", "--all", *WHY, "--yes")
    killed = door.read("list", "--json")["rollouts"]

    stands = [door.read("unfreeze", "--all", *WHY)["apps"] for _ in range(2)]

    assert [each["frozen"] for each in stands[0]] == [None]
    assert stands[1] == [{**each, "signed": None} for each in stands[0]]
    assert [each["id"] for each in killed] == [rollout]


@pytest.mark.clause("LC-05")
@pytest.mark.parametrize("command", ["show", "explain", "receipts"])
def test_a_question_takes_the_id_with_and_without_its_option(door: Door, rollout: str, command: str) -> None:
    """Nobody needs to remember which command wants `--id`; none and both cannot be meant."""
    bare, named = (door.read(command, *words)["id"] for words in ((rollout,), ("--id", rollout)))

    left = [door(command, *words) for words in ((), (rollout, "--id", rollout))]

    assert (bare, named, left) == (rollout, rollout, [exit_codes.USAGE.code] * 2)


@pytest.mark.clause("AC-14", "AC-08")
@pytest.mark.parametrize("which", [("--app-id", APP), ("--all",)])
def test_kill_takes_every_candidate_out_and_freezes_its_app(door: Door, rollout: str, which: tuple[str, ...]) -> None:
    """One app or all; asked twice it is answered the same."""
    calls = [door.read("kill", *which, *WHY, "--yes") for _ in range(2)]

    app, again = (call["apps"][0] if which == ("--all",) else call for call in calls)
    assert again == {**app, "signed": None, "rolled_back": []}
    assert (app["app"], app["killed"], app["frozen"]) == (APP, True, "errors in the log")
    assert door.read("show", rollout)["status"] == "rolled_back"


@pytest.mark.clause("AC-14", "AC-08")
@pytest.mark.parametrize(
    "words", [("--yes",), ("--app-id", APP, "--all", "--yes"), ("--app-id", "claims-agnet", "--yes"), ("--app-id", APP)]
)
def test_a_kill_of_nothing_in_particular_is_refused(door: Door, rollout: str, words: tuple[str, ...]) -> None:
    """Neither, both, a mistyped app, and a script that did not say --yes."""
    left = door("kill", *words, *WHY)

    assert left == exit_codes.USAGE.code
    assert door.read("show", rollout)["status"] == "active"


@pytest.mark.clause("AC-12", "AC-14")
def test_what_was_done_to_an_app_verifies_offline(door: Door, rollout: str, tmp_path: Path) -> None:
    """The id in the answer is the one by which receipts are listed and written."""
    frozen = door.read("freeze", "--app-id", APP, *WHY)
    out = tmp_path / "out"
    assert door("receipts", frozen["id"], "--save", out) == 0, door.err

    left = door(
        *("verify", out / "receipt-1.json", "--key", out / "receipt-key.pem"),
        *("--proof", out / "receipt-1.tlog-proof", "--log-key", out / "log-key.txt"),
    )

    assert (left, "freeze (operator) of claims-agent" in door.out) == (0, True)
    assert len(door.read("receipts", frozen["id"])["receipts"]) == 1


@pytest.mark.clause("AC-15")
def test_create_may_replace_what_is_on_trial(door: Door, rollout: str) -> None:
    """Without the word it is refused, by the code for trying again."""
    call = ("create", "--app-id", APP, "-b", "v36", "-c", "def456", "--mode", "canary")
    refused = door(*call)

    newer = door.read(*call, "--replace")

    assert (refused, newer["status"]) == (exit_codes.TRY_AGAIN.code, "active")
    assert door.read("show", rollout)["status"] == "rolled_back"


@pytest.mark.clause("AC-01")
def test_the_name_comes_from_the_machine_where_none_is_given(
    door: Door, rollout: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--by` wins over LOCKGATE_ACTOR, which wins over the user."""
    monkeypatch.setenv("LOGNAME", "carla")
    door("pause", "--id", rollout, "--reason", "one")
    monkeypatch.setenv("LOCKGATE_ACTOR", "ci/job-7")
    door("resume", "--id", rollout, "--reason", "two")
    door("pause", "--id", rollout, "--reason", "three", "--by", "ann")
    door("receipts", rollout, "--save", tmp_path / "out")

    names = []
    for seq in (2, 3, 4):
        envelope = json.loads((tmp_path / "out" / f"receipt-{seq}.json").read_text(encoding="ascii"))
        names.append(json.loads(_decoded(envelope["payload"]))["predicate"]["actor"]["name"])
    assert names == ["carla", "ci/job-7", "ann"]


def _decoded(text: str) -> bytes:
    from base64 import b64decode

    return b64decode(text)
