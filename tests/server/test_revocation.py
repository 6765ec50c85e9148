# SPDX-License-Identifier: Apache-2.0
"""Two servers are started on one store; a key that is revoked at one of them, or at the command line, opens neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.test_serve_command import serving

KEYS = "/api/v1/api-keys"


@pytest.mark.clause("SV-21")
def test_a_revoked_key_is_shut_out_of_every_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It worked at both a call before; the very next call is refused at both."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    with serving() as one, serving(token=one.token) as two:
        made = [one.http.post(KEYS, json={"name": "ci", "allow": ["viewer"]}).json() for _ in range(2)]
        headers = [{"authorization": f"Bearer {each['token']}"} for each in made]
        before = [each.http.get("/api/v1/apps", headers=held).status_code for each in (one, two) for held in headers]
        two.http.post(f"{KEYS}/{made[0]['id']}/revoke")
        call = [sys.executable, "-m", "lockgate", "keys", "revoke", made[1]["id"]]
        revoked = subprocess.run(call, capture_output=True, check=False, timeout=120)
        after = [each.http.get("/api/v1/apps", headers=held).status_code for each in (one, two) for held in headers]

    assert (before, revoked.returncode, after) == ([200] * 4, 0, [401] * 4)
