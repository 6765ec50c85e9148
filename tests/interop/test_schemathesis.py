# SPDX-License-Identifier: Apache-2.0
"""schemathesis reads the description of a real server and calls it as it says, and as it does not; each check holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.test_serve_command import Process, serving

SECONDS = 420
# What the state of the store refuses, whatever is sent.
TAKEN = ("2xx", "304", "401", "403", "404", "409", "412", "422", "503")
# Calls which may refuse what their schema takes, by their paths: each with what the schema cannot say.
UNSAID = {
    "^/api/v1/(api-keys|apps|releases)$": "which cursors there are, how long a span is",
    "^/api/v1/webhooks$": "which cursors there are, and which names of hosts are known",
    "^/api/v1/webhooks/[{]webhook[}]/(deliveries|rotate|recover)$": "which cursors there are, how long a span is",
    "^/api/v1/log/": "which sizes the log had, which tiles there are, and what is no list of tags",
    "^/api/v1/rollouts/[{]id[}]/receipts/": "what is no list of tags",
    "^/api/v1/rollouts/[{]id[}]/[a-z-]+$": "what is no list of tags, and which cursors there are",
    "^/api/v1/rollouts(/[{]id[}])?$": "that the app has a champion, which cursors there are, what is no list of tags",
    "^(/keys/|/.well-known/)": "what is no list of tags",
    "^/api/v1/(imports/)?runs$": "that lines are JSON with a release each",
    "^/api/v1/(apps/[{]app[}]/screens/)?compare$": "that a baseline is needed where a gate has no limit",
    "^/api/v1/rollouts/[{]id[}]/screens/(approve|promote)$": "that step and revision go together",
    "^/api/v1/rollouts/[{]id[}]/screens/receipts$": "what is a checkpoint in base64",
    "^/api/v1/screens/keys-create$": "which characters can be printed",
    "^/api/v1/screens/create$": "that the app has a champion",
    "^/api/v1/oidc/token$": "what is a token",
}
CALLS = "".join(
    f"""
[[operations]]  # {reason}
include-path-regex = '{path}'
checks.positive_data_acceptance.expected-statuses = {[*TAKEN, "400"]}
"""
    for path, reason in UNSAID.items()
)
CONFIG = f"""
request-timeout = 60
[checks.positive_data_acceptance]
expected-statuses = {list(TAKEN)}
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "408", "409", "412", "413", "415", "422", "503"]
# A zero byte is in no text that is taken.
[generation]
allow-x00 = false
[phases.stateful]
max-steps = 4
{CALLS}"""
# It knows no lines of JSON by itself; what it makes is a text already.
HOOKS = """
import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/ndjson", "application/jsonl")
def lines(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.deserializer("application/openmetrics-text")
def metrics(ctx, response):
    return response.content.decode()
"""
KEYS = {"a key for everything": "", "no key": None, "a key that nobody has": "rvk_00000000000000_" + "0" * 49}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Return a server process that slows nobody down."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LOCKGATE_RATE", "0")
    with serving() as opened:
        yield opened


@pytest.mark.interop
@pytest.mark.clause("SV-72")
@pytest.mark.parametrize("token", KEYS.values(), ids=KEYS.keys())
def test_no_call_is_answered_otherwise_than_described(server: Process, tmp_path: Path, token: str | None) -> None:
    """No 500, no status, header or body that is not described, nothing invalid taken, no call without its key."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "lines_hook.py").write_text(HOOKS, encoding="utf-8")
    # Who has no key is turned away whatever is sent, so that more random bodies would find nothing.
    phases = "examples,coverage,fuzzing,stateful" if token == "" else "examples,coverage"
    sent = [] if token is None else ["-H", f"Authorization: Bearer {token or server.token}"]
    call = [Path(sys.executable).with_name("schemathesis"), "run", f"{server.http.base_url}/openapi.json", *sent]
    rest = ["--seed", "1", "--max-examples", "6", "--phases", phases, "--checks", "all"]
    ran = subprocess.run(
        [*map(str, call), *rest, "--continue-on-failure", "--no-color", "--warnings", "off"],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "lines_hook", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )

    assert ran.returncode == 0, ran.stdout[-20_000:]
    tested = re.search(r"Tested: (\d+)", ran.stdout)
    assert tested is not None
    assert int(tested[1]) >= 70
    assert server.process.poll() is None
