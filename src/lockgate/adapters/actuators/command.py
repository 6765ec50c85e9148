# SPDX-License-Identifier: Apache-2.0
"""A message comes in; the program of its endpoint is run with it, and what that came to goes out.

The message is on the program's standard input, and in its environment as LOCKGATE_*. Exit code 0 says that it was
carried out; a last line of standard output such as `{"weight": 25}` says which weight was read back.
"""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lockgate.adapters.actuators.conversation import converse
from lockgate.core.canonical import Json
from lockgate.core.delivery import MAX_OUTPUT, Carried
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message

# Programs find each other, their user's files and their language; nothing else of the caller's reaches them.
PASSED_ON = {"PATH": os.defpath, "HOME": "/", "LANG": "C.UTF-8"}
MAX_SAID = 200
FULL = 100.0


class Command:
    """Runs programs of this machine."""

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """Run the endpoint's program, and wait until it ends or its time is over."""
        name = Path(endpoint.argv[0]).name
        if not Path(endpoint.folder).is_dir():
            return Carried(fault=f"{name} cannot be run: its folder {endpoint.folder} is not there")
        try:
            process = subprocess.Popen(  # noqa: S603 -- the owner of the store declared it
                endpoint.argv,
                cwd=endpoint.folder,
                env=_environment(message),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # A group of its own can be killed whole.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Carried(fault=_not_started(endpoint.argv[0], error))
        said = converse(process, message.body, endpoint.timeout_s)
        output = "\n".join(part for part in (said.out, said.err) if part)[-MAX_OUTPUT:]
        if said.is_late:
            return Carried(
                fault=f"{name} did not end within {endpoint.timeout_s:g} s and was killed{_last(said.err)}",
                output=output,
            )
        if said.code != 0:
            return Carried(fault=f"{name} {_ended(said.code)}{_last(said.err or said.out)}", output=output)
        return _read_back(said.out, output, name, endpoint)


def _environment(message: Message) -> dict[str, str]:
    given = {name: os.environ.get(name) or default for name, default in PASSED_ON.items()}
    return {**given, **{f"LOCKGATE_{name}": value for name, value in _told(message).items()}}


def _told(message: Message) -> Mapping[str, str]:
    data = message.data
    target = data.get("target")
    release = target["release"] if isinstance(target, Mapping) else data.get("baseline_release")
    values: dict[str, Json] = {
        "EVENT": message.event.value,
        "APP": message.app,
        "ROLLOUT": message.rollout_id,
        "WEIGHT": data.get("weight"),
        "CANDIDATE": data.get("candidate_release"),
        "BASELINE": data.get("baseline_release"),
        "TARGET": release,
        "STEP": data.get("step"),
        "REVISION": data.get("revision"),
        "SEQ": message.seq,
        "RECEIPT": data.get("decision_event_id"),
    }
    return {name: _text(value) for name, value in values.items()}


def _text(value: Json) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _not_started(program: str, error: OSError | ValueError) -> str:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    if isinstance(error, FileNotFoundError):
        return f"{program} is not there, or the interpreter that its first line names is not"
    if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
        return f"{program} is no program: its first line must name one, such as #!/bin/sh"
    if isinstance(error, PermissionError):
        return f"{program} may not be run: {reason}; chmod +x allows it"
    return f"{program} cannot be run: {reason}"


def _ended(code: int) -> str:
    if code > 0:
        return f"left by {code}"
    known = {each.value: each.name for each in signal.Signals}
    return f"was ended by {known.get(-code, f'signal {-code}')}"


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f": {lines[-1][:MAX_SAID]}" if lines else ""


def _read_back(out: str, output: str, name: str, endpoint: Endpoint) -> Carried:
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if not last.startswith("{"):
        if endpoint.is_acknowledging:
            return Carried(fault=f"{name} left by 0 and did not say which weight it read back", output=output)
        return Carried(output=output)
    weight = _weight(last)
    if weight is None:
        said = f'its last line is not like {{"weight": 25}}: {last[:MAX_SAID]}'
        return Carried(fault=f"{name} left by 0, but {said}", output=output)
    return Carried(output=output, observed=weight)


def _weight(line: str) -> float | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    weight = found.get("weight") if isinstance(found, dict) else None
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        return None
    return float(weight) if math.isfinite(weight) and 0 <= weight <= FULL else None
