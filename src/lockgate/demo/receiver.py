# SPDX-License-Identifier: Apache-2.0
"""Signed webhooks come in; a program moves the router to each new weight, and what it then has goes out to Lockgate.

    python receiver.py --secret-file whsec --applied applied.json -- ../actuators/haproxy.sh /run/haproxy/admin.sock web

The program is told as an actuator is, by LOCKGATE_* in its environment, and may say `{"weight": 25}` in its last line.
Two lines in the secret file are two secrets, as while one is rotated. With LOCKGATE_URL and LOCKGATE_API_KEY in the
environment the weight that was read back is acknowledged there.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lockgate.client import Client, Timing
from lockgate.errors import LockgateError, UnreachableError
from lockgate.webhooks import Applied, Event
from lockgate.webhooks.receiver import Receiver, listening

# Within the 15 s for which whoever sends waits for the answer.
PROGRAM_S, ACKNOWLEDGE_S = 8.0, 3.0
PASSED_ON = ("PATH", "HOME", "LANG")


def shift(program: Sequence[str], event: Event) -> float | None:
    """Run the program, and return the weight that it read back, None where it does not say."""
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    process = subprocess.Popen(
        program,
        env={**given, **told(event)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A group of its own can be killed whole.
        start_new_session=True,
    )
    try:
        out, error = process.communicate(timeout=PROGRAM_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise UnreachableError(f"{program[0]} did not end within {PROGRAM_S:g} s") from None
    if process.returncode != 0:
        raise UnreachableError(f"{program[0]} left by {process.returncode}: {error.strip()[-200:]}")
    last = out.strip().rpartition("\n")[2]
    return float(json.loads(last)["weight"]) if last.startswith("{") else None


def told(event: Event) -> dict[str, str]:
    """Return what a program is told in its environment."""
    values = {
        "EVENT": event.type,
        "APP": event.app,
        "ROLLOUT": event.rollout_id,
        "CANDIDATE": event.candidate,
        "WEIGHT": None if event.weight is None else f"{event.weight:g}",
        "TARGET": event.target,
        "BASELINE": event.baseline,
        "STEP": event.data.get("step"),
        "REVISION": event.revision,
        "SEQ": event.seq,
        "RECEIPT": event.receipt_id,
    }
    return {f"LOCKGATE_{name}": "" if value is None else str(value) for name, value in values.items()}


def acknowledge(event: Event, weight: float, server: Client) -> None:
    """Tell Lockgate which weight is live; where that fails it is told by the next one."""
    assert event.rollout_id is not None
    assert event.revision is not None
    try:
        server.acknowledge(event.rollout_id, weight, revision=event.revision)
    except LockgateError as error:
        sys.stderr.write(f"warning: the weight was not acknowledged: {error}\n")


def main() -> None:
    """Receive until the process is told to end."""
    parser = argparse.ArgumentParser(description="Let signed webhooks move a router.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7301)
    parser.add_argument("--secret-file", type=Path, required=True, help="the endpoint's secret, one a line")
    parser.add_argument("--applied", type=Path, default=Path("applied.json"), help="where to keep what was carried out")
    parser.add_argument("program", nargs="+", help="what moves the router, with its arguments, after --")
    given = parser.parse_args()
    server_time = Timing(ACKNOWLEDGE_S, ACKNOWLEDGE_S, ACKNOWLEDGE_S)
    server = Client(timing=server_time) if os.environ.get("LOCKGATE_URL") else None

    def moved(event: Event) -> float | None:
        live = shift(given.program, event)
        if server is not None and live is not None:
            acknowledge(event, live, server)
        return live

    try:
        receiver = Receiver(given.secret_file.read_text("utf-8").split(), Applied(given.applied), moved)
        listener = listening(receiver, given.host, given.port)
    except (LockgateError, OSError) as error:
        sys.exit(f"receiver: {error}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stderr.write(f"Webhooks are received at http://{given.host}:{listener.server_port}/\n")
    listener.serve_forever()


if __name__ == "__main__":
    main()
