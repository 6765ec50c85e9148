# SPDX-License-Identifier: Apache-2.0
"""Programs that behave in every way come in; what each came to must be told, and nothing of them stay."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.adapters.actuators.command import Command
from lockgate.adapters.actuators.conversation import converse
from lockgate.core.delivery import MAX_OUTPUT, Carried
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.outbox import Message
from lockgate.testing.actuator_contract import MESSAGE


def program(folder: Path, script: str, *, mode: int = 0o755) -> str:
    """Write a program and return its path."""
    path = folder / "shift.sh"
    path.write_text(script, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def run(folder: Path, script: str, *words: str, timeout_s: float = 20.0, message: Message = MESSAGE) -> Carried:
    """Run a shell script as an actuator."""
    argv = (program(folder, f"#!/bin/sh\n{script}\n"), *words)
    return Command().carry_out(endpoint(argv, folder, timeout_s), message)


def endpoint(argv: tuple[str, ...], folder: Path, timeout_s: float = 20.0) -> Endpoint:
    """Return the endpoint of a program."""
    return Endpoint(
        id="end_1", app="web", kind=Kind.COMMAND, argv=argv, folder=str(folder), since=0, timeout_s=timeout_s
    )


@pytest.mark.clause("LI-93")
def test_the_environment_says_what_to_do_and_holds_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the caller's own variables only PATH, HOME and LANG are there; no shell reads the values."""
    monkeypatch.setenv("LOCKGATE_HOME", "/secret/place")
    monkeypatch.setenv("API_KEY", "secret")
    monkeypatch.setenv("LANG", "C")

    carried = run(tmp_path, 'env | sort; echo "$1"', "$(id)")

    lines = carried.output.splitlines()
    told = {line.partition("=")[0]: line.partition("=")[2] for line in lines[:-1]}
    assert {name: told[name] for name in told if name.startswith("LOCKGATE_")} == {
        "LOCKGATE_APP": "web",
        "LOCKGATE_BASELINE": "v36",
        "LOCKGATE_CANDIDATE": "abc \N{SNOWMAN} 123",
        "LOCKGATE_EVENT": "rollout.promote",
        "LOCKGATE_RECEIPT": "rcp_1",
        "LOCKGATE_REVISION": "3",
        "LOCKGATE_ROLLOUT": "rol_1",
        "LOCKGATE_SEQ": "2",
        "LOCKGATE_STEP": "1",
        "LOCKGATE_TARGET": "v36",
        "LOCKGATE_WEIGHT": "25",
    }
    # What a shell sets by itself.
    assert set(told) - {"PWD", "SHLVL", "_", "OLDPWD"} - {name for name in told if "LOCKGATE" in name} == {
        "PATH",
        "HOME",
        "LANG",
    }
    assert lines[-1] == "$(id)"


@pytest.mark.clause("LI-93")
@pytest.mark.parametrize(
    ("weight", "target", "said"),
    [
        (0.0, {"kind": "former_champion", "release": "v35"}, "0 v35"),
        (0.0, {"kind": "none", "release": None}, "0 "),
        (33.5, None, "33.5 v36"),
        (100.0, None, "100 v36"),
    ],
)
def test_weight_and_target_are_words_of_a_shell(tmp_path: Path, weight: float, target: object, said: str) -> None:
    """A rollback is weight 0, and the target is where the rest goes."""
    data = MESSAGE.body.replace(b'"weight": 25.0', f'"weight": {weight}'.encode())
    body = data.replace(b'"target": null', b'"target": ' + _json(target))

    carried = run(tmp_path, 'echo "$LOCKGATE_WEIGHT $LOCKGATE_TARGET"', message=replace(MESSAGE, body=body))

    assert carried.output == f"{said}\n"


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.clause("LI-93")
@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("exit 3", "shift.sh left by 3"),
        ("echo one >&2; echo no such server >&2; exit 1", "shift.sh left by 1: no such server"),
        ("echo only said; exit 1", "shift.sh left by 1: only said"),
        ("kill -9 $$", "shift.sh was ended by SIGKILL"),
        ("""echo '{"weight": "25"}'""", "shift.sh left by 0, but its last line is not like"),
        ("""echo '{"weight": true}'""", "shift.sh left by 0, but its last line is not like"),
        ("""echo '{"weight": NaN}'""", "shift.sh left by 0, but its last line is not like"),
        ("""echo '{"weight": -1}'""", "shift.sh left by 0, but its last line is not like"),
        ("""echo '{weight'""", "shift.sh left by 0, but its last line is not like"),
        ("printf '\\377\\376' >&2; exit 1", "shift.sh left by 1: \ufffd\ufffd"),
    ],
)
def test_a_failure_has_its_sentence(tmp_path: Path, script: str, fault: str) -> None:
    """It names the program, how it ended and the last that it said."""
    carried = run(tmp_path, script)

    assert carried.fault is not None
    assert carried.fault.startswith(fault)
    assert carried.observed is None


@pytest.mark.clause("LI-93")
def test_a_program_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    """Not there, not executable, no program, no folder: each by itself."""
    text = program(tmp_path, "just text\n")
    found = [
        Command().carry_out(endpoint((str(tmp_path / "gone.sh"),), tmp_path), MESSAGE).fault,
        Command().carry_out(endpoint((text,), tmp_path), MESSAGE).fault,
        Command().carry_out(endpoint((text,), tmp_path / "gone"), MESSAGE).fault,
        Command().carry_out(endpoint((str(tmp_path),), tmp_path), MESSAGE).fault,
        Command().carry_out(endpoint((program(tmp_path, "#!/bin/nothing\n"),), tmp_path), MESSAGE).fault,
    ]

    for fault, said in zip(
        found,
        ("gone.sh is not there", "is no program", "gone is not there", "may not be run", "is not there"),
        strict=True,
    ):
        assert fault is not None
        assert said in fault


@pytest.mark.clause("LI-93")
def test_at_the_end_of_its_time_the_whole_group_is_killed(tmp_path: Path) -> None:
    """Also what the program started, and what it ignores."""
    mark = tmp_path / "child"
    script = f"trap '' TERM INT HUP\n(trap '' TERM HUP; sleep 60) & echo $! > {mark}\necho working; wait"

    carried = run(tmp_path, script, timeout_s=4.0)

    child = int(mark.read_text(encoding="ascii"))
    assert carried.fault == "shift.sh did not end within 4 s and was killed"
    assert carried.output == "working\n"
    assert _is_gone(child)


def _is_gone(process: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{process}/stat")
        if state.exists() and state.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.clause("LI-93")
def test_what_it_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    """A router that was started anew holds its parent's streams open for ever."""
    carried = run(tmp_path, "sleep 30 & echo $! > child; echo reloaded", timeout_s=20.0)

    child = int((tmp_path / "child").read_text(encoding="ascii"))
    os.kill(child, 9)
    assert carried == Carried(output="reloaded\n")


@pytest.mark.clause("LI-93")
@pytest.mark.parametrize("script", ["exec <&-; echo done", "exec >&- 2>&-; cat > told", "sleep 0.2; echo done"])
def test_a_program_need_not_read_or_say_anything(tmp_path: Path, script: str) -> None:
    """Only its exit code counts."""
    assert run(tmp_path, script).fault is None


@pytest.mark.clause("LI-93")
def test_the_end_of_both_streams_is_kept(tmp_path: Path) -> None:
    """What a program said last tells more than what it said first."""
    carried = run(tmp_path, "yes a | head -c 100000; echo last; echo problem >&2")

    assert carried.fault is None
    assert carried.output.endswith("a\nlast\n\nproblem\n")
    assert len(carried.output) == MAX_OUTPUT


@pytest.mark.clause("LI-93")
def test_no_more_is_held_in_memory_than_is_kept() -> None:
    """A program may talk without end, on both streams, for as long as its time lasts."""
    loud = ["/bin/sh", "-c", "yes out & yes err >&2"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(loud, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    said = converse(process, b"", 0.5)

    assert said.is_late
    assert (len(said.out), len(said.err)) == (MAX_OUTPUT, MAX_OUTPUT)
