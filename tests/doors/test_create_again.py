# SPDX-License-Identifier: Apache-2.0
"""A call of `create` is typed again, or tried dry; what it does not do must be said, with the way out that works."""

from __future__ import annotations

import io
import json
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import APP, GOOD, Door, write_runs

CALL = ("create", "--app-id", APP, "-b", "v36", "-c", "abc123")
CANARY = (*CALL, "--mode", "canary", "--steps", "5,100")


@pytest.fixture
def ingested(home: Path, door: Door) -> None:
    """Keep runs of both releases."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": GOOD}, runs=50))


def type_what_was_advised(door: Door, line: str) -> None:
    """Type each command of a line of advice."""
    for words in line.split(" && "):
        program, *rest = shlex.split(words)
        assert (program, door(*rest)) == ("lockgate", 0), door.err


@pytest.mark.clause("LC-46")
@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_since_on_a_rollout_that_is_there_is_not_done_unsaid(ingested: None, door: Door, mode: str) -> None:
    """The equal rollout goes on as it began, and the commands that are printed begin one that reads the runs."""
    words = (*CALL, "--mode", mode, "--link", "ci=https://example.org/a b".replace(" ", "%20"))
    first = door.read(*words)["id"]

    again = door.read(*words, "--since", "2h")
    told = door.err

    assert (again["id"], len(again["unmet"])) == (first, 1)
    assert f"note: {first} is on trial already, and goes on to read no run from before " in told
    type_what_was_advised(door, told.partition("To begin anew: ")[2].strip())
    (newer,) = [each["id"] for each in door.read("list", "--active")["rollouts"]]
    door("tick", "--id", newer)
    assert (newer == first, door.read("show", newer)["fresh_runs"]) == (False, 50 if mode == "shadow" else 0)


@pytest.mark.clause("LI-555")
def test_a_smaller_since_on_a_rollout_that_is_there_is_not_dropped_unsaid(ingested: None, door: Door) -> None:
    """It goes on to read what it began with, which is more than is asked for."""
    words = (*CALL, "--mode", "canary", "--steps", "50,100")
    first = door.read(*words, "--since", "2h")["id"]

    again = door.read(*words, "--since", "1h")

    assert (again["id"], len(again["unmet"])) == (first, 1)
    assert f"note: {first} is on trial already, and goes on to read runs from " in door.err


@pytest.mark.clause("LC-46")
def test_the_first_advice_works_as_well(ingested: None, door: Door) -> None:
    """Whoever is told after the start that runs are not read can type what is printed."""
    first = door.read(*CALL)["id"]

    type_what_was_advised(door, door.err.partition("to read them: ")[2].strip())

    assert door.read("show", first)["status"] == "cancelled"


@pytest.mark.clause("LC-46")
def test_a_policy_from_standard_input_is_read_once(ingested: None, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice needs no second look at it, after which nothing would be there."""
    typed = io.TextIOWrapper(io.BytesIO(b"mode: canary\nsteps: 5,100\n"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", typed)

    code = door(*CALL, "--policy", "-")

    assert (code, "--since 1h --policy -" in door.err) == (0, True), door.err


@pytest.mark.clause("LC-46")
def test_a_job_that_runs_again_is_not_troubled(ingested: None, door: Door) -> None:
    """What the rollout reads already is asked for and done."""
    first = door.create("--since", "2h")

    assert (door.create("--since", "2h"), door.err) == (first, "")


@pytest.mark.clause("LC-46")
def test_replace_on_an_equal_rollout_replaces_nothing_and_says_so(door: Door) -> None:
    """The way out is whole, and without the option that would do nothing again."""
    first = door.read(*CANARY)["id"]

    again = door.read(*CANARY, "--replace")

    assert again["id"] == first
    assert f"note: {first} is on trial already, so nothing was replaced\nTo begin anew: lockgate rollback" in door.err
    assert "--replace" not in door.err


@pytest.mark.clause("LC-47")
def test_a_dry_run_promises_and_begins_nothing(home: Path, door: Door) -> None:
    """Where there is no store none is made, no program is told, and the answer is that of the call itself."""
    router = home / "router"
    router.write_text(f"#!/bin/sh\necho told > {home}/told\n", encoding="utf-8")
    router.chmod(0o755)

    dry = door.read(*CANARY, "--actuator", router, "--dry-run")
    shown = door(*CANARY, "--dry-run"), door.out

    assert not (home / "home").exists()
    assert not (home / "told").exists()
    assert "would go on trial, and nothing was stored." in shown[1]
    assert "abc123 would serve 5 %" in shown[1]
    assert shown[1].endswith("Next: the same call without --dry-run\n")
    real = door.read(*CANARY, "--actuator", router)
    assert (dry["dry_run"], real["dry_run"]) == (True, False)
    assert [dry[name] for name in ("id", "policy", "promises", "foreseen", "warnings")] == [
        real[name] for name in ("id", "policy", "promises", "foreseen", "warnings")
    ]


@pytest.mark.clause("LC-47")
def test_a_dry_run_reads_a_store_and_writes_nothing(ingested: None, home: Path, door: Door) -> None:
    """Promises in numbers come from the runs that are there, and the store stays as it was."""
    before = _rows(home / "home")

    door(*CANARY, "--dry-run")

    assert "to read them: lockgate create --app-id claims-agent" in door.err
    assert " --since 1h --dry-run\n" in door.err
    assert door.read("list") == {"rollouts": []}
    assert _rows(home / "home") == before


def _rows(folder: Path) -> dict[str, list[str]]:
    """Return all that is stored; the bytes of the files also change when the writer before closes its log."""
    stored = {}
    for path in folder.glob("*.db"):
        with closing(sqlite3.connect(path)) as file:
            stored[path.name] = list(file.iterdump())
    assert stored
    return stored


@pytest.mark.clause("LC-47")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((*CALL, "--steps", "50,5"), exit_codes.DATA),
        ((*CALL, "-c", "v36"), exit_codes.USAGE),
        ((*CALL, "--quiet"), exit_codes.USAGE),
        ((*CANARY, "-c", "def456"), exit_codes.TRY_AGAIN),
        ((*CALL, "--link", "ci=no"), exit_codes.USAGE),
        ((*CALL, "--policy", "nowhere.yaml"), exit_codes.USAGE),
    ],
)
def test_a_dry_run_refuses_what_the_call_would(door: Door, words: tuple[str, ...], code: exit_codes.ExitCode) -> None:
    """The code is the same, so that a pipeline may check a change before it lands."""
    first = door.read(*CANARY)["id"]

    assert door(*words, "--dry-run") == code.code, door.err
    assert [each["id"] for each in door.read("list")["rollouts"]] == [first]


@pytest.mark.clause("LC-47")
def test_a_dry_run_would_replace_and_does_not(door: Door) -> None:
    """The canary that is there stays there."""
    first = door.read(*CANARY)["id"]

    assert door(*CANARY, "-c", "def456", "--replace", "--dry-run") == 0
    assert door.read("show", first)["status"] == "active"


@pytest.mark.clause("LC-48")
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_of_a_rollout_is_checked_as_a_policy(home: Path, door: Door, command: str) -> None:
    """What `create -f` reads beside the policy is no fault of it, and is checked too."""
    file = home / "rollout.yaml"
    file.write_text("app: a\nbaseline: v36\ncandidate: 7\nsince: 2h\nlinks: {ci: 'https://x.org'}\n", encoding="utf-8")

    assert door("policy", command, file) == 0, door.err
    file.write_text("app: a\nsince: banana\n", encoding="utf-8")
    assert door("policy", command, file) == exit_codes.USAGE.code
    assert "since in the file: 'banana' is not a span of time" in door.err


@pytest.mark.clause("LC-48")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app: a\nbaseline: v36\ncandidat: abc123\n", "candidat is no field of the file; did you mean 'candidate'?"),
        ("app: a\nbasline: v36\ncandidate: abc123\n", "basline is no field of the file; did you mean 'baseline'?"),
        ("app: a\nbaseline: v36\ncandidate: abc123\nsince: banana\n", "since in the file: 'banana' is not a span"),
    ],
)
def test_a_slip_in_a_file_is_named(home: Path, door: Door, text: str, said: str) -> None:
    """The message names the field of the file, not an option that nobody typed."""
    file = home / "rollout.yaml"
    file.write_text(text, encoding="utf-8")

    code = door("create", "-f", file)

    assert (code, said in door.err) == (exit_codes.USAGE.code, True), door.err


@pytest.mark.clause("LC-47")
def test_a_dry_run_of_what_is_on_trial_says_that_it_is(door: Door) -> None:
    """The document names the rollout that is there."""
    first = door.read(*CANARY)["id"]

    door(*CANARY, "--dry-run", "--json")

    document = json.loads(door.out)
    assert (document["id"], document["existing"], document["dry_run"]) == (first, True, True)


STEPS = ("--steps", "5,25,50,100")
CANARY_CALL = (*CALL, "--mode", "canary")


@pytest.mark.clause("LI-600")
@pytest.mark.parametrize("first", [(), STEPS])
def test_what_means_the_same_is_the_same_rollout_after_runs_came(
    home: Path, door: Door, first: tuple[str, ...]
) -> None:
    """Runs with a latency would let a new rollout gate it; words that spell a default out change nothing either."""
    made = door.read(*CANARY_CALL, *first)["id"]
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": GOOD}, runs=50))

    again = [door.read(*CANARY_CALL, *words) for words in ((), STEPS, ("--min-runs", "30"))]

    assert [(each["id"], each["existing"]) for each in again] == [(made, True)] * 3


@pytest.mark.clause("LI-600")
def test_what_differs_from_the_rollout_that_is_there_is_named(ingested: None, door: Door) -> None:
    """Another policy for the same releases names its fields, and another baseline names the one that is there."""
    door.read(*CANARY_CALL)

    codes = [door(*CANARY_CALL, "--min-runs", "50")]
    policy = door.err
    codes.append(door("create", "--app-id", APP, "-b", "v35", "-c", "abc123", "--mode", "canary"))

    assert codes == [75, 75]
    assert "to abc123 already, under a policy with other min_runs, gates and steps" in policy
    assert "to abc123 already, against v36" in door.err


@pytest.mark.clause("LI-601")
def test_no_latency_gate_is_warned_of(home: Path, door: Door) -> None:
    """Before any run came the default is the error rate alone; a policy that names its gates is not warned of."""
    door.read(*CALL)
    unsaid = door.err
    door.read("create", "--app-id", "other", "-b", "v36", "-c", "abc123", "--metric", "error_rate")

    assert "latency_ms:p95 is no gate" in unsaid
    assert "is no gate" not in door.err
