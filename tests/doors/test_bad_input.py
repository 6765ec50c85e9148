# SPDX-License-Identifier: Apache-2.0
"""What cannot be meant, and disks that cannot be written, come in; each gets its own message and exit code.

Nothing of it is stored: neither an app, nor a rollout, nor a run.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from lockgate.cli.exit_codes import ExitCode
from lockgate.operations.intake.ingest import MAX_AGE
from lockgate.wiring import local_house, system_clock
from tests.doors.line import APP, GOOD, Door, write_runs

pytestmark = pytest.mark.clause("LI-166")

NEEDED = {"--app-id": APP, "--baseline": "v36", "--candidate": "abc123"}
USAGE, DATA = exit_codes.USAGE, exit_codes.DATA


def _stored() -> tuple[object, ...]:
    """Return everything that the store has of apps and rollouts."""
    house = local_house()
    with house.store.reading(house.org) as seen:
        found = seen.apps(), seen.rollouts()
    return tuple(each for some in found for each in some)


def _run(**fields: object) -> str:
    now = datetime.fromtimestamp(system_clock().now() / 1_000, UTC)
    given = {"run_id": "r", "app_id": APP, "release": "v36", "started_at": now.isoformat(), "status": "ok"}
    return json.dumps(given | fields)


def _moment(seconds: float) -> str:
    return (datetime.fromtimestamp(system_clock().now() / 1_000, UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"--app-id": "claims agent"}, USAGE, "'claims agent' is not the name of an app"),
        ({"--app-id": "x" * 257}, USAGE, "is not the name of an app"),
        ({"--candidate": "-v"}, USAGE, "'-v' is not the name of a release"),
        ({"--candidate": "a\nb"}, USAGE, "is not the name of a release"),
        ({"--candidate": "v36"}, USAGE, "baseline and candidate are both 'v36'"),
        ({"--steps": "25,5,100"}, DATA, "steps[1].weight: 5 must be above 25"),
        ({"--steps": "5,5,100"}, DATA, "steps[1].weight: 5 must be above 5"),
        ({"--steps": "5,50"}, DATA, "steps[1].weight: 50 must be 100, because it is the last"),
        ({"--steps": "5,101"}, DATA, "steps[1].weight"),
        ({"--steps": "a,b"}, DATA, "'a,b' must be weights such as 5,25,50,100"),
        ({"--min-runs": "0"}, USAGE, "0 is not in the range x>=1"),
        ({"--mode": "loud"}, USAGE, "'loud' is not one of"),
        ({"--metric": "error_rat"}, DATA, "error_rat"),
    ],
)
def test_what_cannot_be_declared(options: dict[str, str], code: ExitCode, said: str, door: Door) -> None:
    """The word that is wrong stands in the message."""
    words = [word for option, value in {**NEEDED, **options}.items() for word in (f"{option}={value}",)]

    answered = door("create", *words)

    assert answered == code.code
    assert said in door.err
    assert _stored() == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app: app\ngates:\n" + "  - {metric: scores.m}\n" * 50_000, "is larger than 1,000,000 bytes"),
        ("gates:\n" + "".join(f"  - {{metric: scores.m{n}}}\n" for n in range(401)), "at most 400 are allowed"),
        ("gates: [", "Mend the YAML there."),
        ("gates: error_rate\nsteps: 5\n", "the policy has "),
    ],
)
def test_a_policy_that_is_none_or_too_large(text: str, said: str, home: Path, door: Door) -> None:
    """A policy is a page of text; a fault names its field."""
    (home / "policy.yaml").write_text(text, encoding="utf-8")

    code = door("create", *(f"{option}={value}" for option, value in NEEDED.items()), "--policy", home / "policy.yaml")

    assert code == DATA.code
    assert said in door.err
    assert _stored() == ()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (lambda: [_run(started_at=_moment(7_200))], "which is in the future"),
        (lambda: [_run(started_at=_moment(-MAX_AGE / 1_000 - 3_600))], "longer ago than runs are kept"),
        (lambda: [_run(), _run(release="abc123")], "run r of claims-agent is of release v36 and of release abc123"),
        (lambda: [_run(app_id="claims agent")], "'claims agent' is not the name of an app"),
        (lambda: [_run(release="v\t36")], "is not the name of a release"),
        (lambda: [_run(app_id=None)], "app_id is missing"),
        (lambda: [_run(), "{not json"], "runs.ndjson:2"),
        (lambda: [_run(), _run().replace("v36", "v\udcff")], "UTF-8"),
        (lambda: [_run(latency_ms=-1)], "latency_ms"),
        (lambda: [_run(status="fine")], "status"),
        (lambda: [_run(labels={"": "x"})], "a label has no name"),
    ],
)
def test_runs_that_cannot_be_meant(lines: Callable[[], list[str]], said: str, home: Path, door: Door) -> None:
    """Of a file with such a run nothing is kept, also of its good runs."""
    text = "\n".join(lines()) + "\n"
    (home / "runs.ndjson").write_bytes(text.encode("utf-8", "surrogateescape"))

    code = door("ingest", home / "runs.ndjson")

    assert code == DATA.code
    assert said in door.err
    assert _stored() == ()


def test_a_line_without_end_is_refused(home: Path, door: Door) -> None:
    """What is held in memory at once is bounded, whatever is sent."""
    (home / "runs.ndjson").write_text(_run(labels={"x": "y" * (20 << 20)}), encoding="utf-8")

    code = door("ingest", home / "runs.ndjson")

    assert code == DATA.code
    assert "runs.ndjson:1" in door.err
    assert _stored() == ()


def _kept(door: Door, home: Path) -> Path:
    """Return the folder of a store with a few runs."""
    assert door("ingest", write_runs(home / "before.ndjson", {"v36": GOOD}, runs=20)) == 0
    return home / "home"


@pytest.mark.tampers
def test_a_database_of_a_later_version(home: Path, door: Door) -> None:
    """An older program neither reads nor writes what it does not know."""
    store = _kept(door, home)
    with closing(sqlite3.connect(store / "runs.db")) as file:
        file.execute("PRAGMA user_version = 99")

    code = door("ingest", write_runs(home / "more.ndjson", {"v36": GOOD}, runs=30))

    assert code == DATA.code
    assert "was written by a later version of Lockgate" in door.err


def _bounded() -> None:
    """Let no file of this process grow beyond what a store of a few runs has."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))


def _without_override() -> None:
    """Let the modes of files bind this process, even where it is the superuser's (prctl PR_CAPBSET_DROP)."""
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def _ingest(file: Path, before: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "lockgate", "ingest", str(file)]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=60, preexec_fn=before)


def test_a_full_disk_keeps_nothing_of_a_call(home: Path, door: Door) -> None:
    """What did not fit is gone whole, and the same call succeeds when there is room."""
    store = _kept(door, home)
    more = write_runs(home / "more.ndjson", {f"w{number}": GOOD for number in range(40)}, runs=250)

    full = _ingest(more, _bounded)

    assert full.returncode == exit_codes.UNREACHABLE.code, full.stderr
    assert re.search(rf"{re.escape(str(store))}/\S+ cannot be written", full.stderr)
    assert "Make room on the disk, then try again; nothing was stored." in full.stderr
    assert door.read("ingest", more)["runs"] == 10_000


def test_a_disk_that_is_read_only(home: Path, door: Door) -> None:
    """Whoever may not write is told whose store it is."""
    store = _kept(door, home)
    for path in sorted(store.rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)
    store.chmod(0o500)

    refused = _ingest(write_runs(home / "more.ndjson", {"v36": GOOD}, runs=30), _without_override)

    store.chmod(0o700)
    assert refused.returncode == exit_codes.NOT_PERMITTED.code, refused.stderr
    assert "may not be written\nRun as the owner of LOCKGATE_HOME" in refused.stderr


HOLD = """
import os, sys
from lockgate.wiring import local_house
house = local_house()
with house.store.writing(house.org) as work:
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_store_that_a_dead_process_held(home: Path, door: Door) -> None:
    """A lock dies with its process, and nothing of what that had begun is there."""
    _kept(door, home)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holding:
        assert holding.stdout is not None
        assert holding.stdout.readline() == "held\n"
        os.kill(holding.pid, signal.SIGKILL)

    code = door("ingest", write_runs(home / "more.ndjson", {"v36": GOOD}, runs=30))

    assert (code, "error: " in door.err) == (0, False)
