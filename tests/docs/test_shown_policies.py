# SPDX-License-Identifier: Apache-2.0
"""Every policy that docs/howto/policy.md and the examples show comes in; the whole line must work on it, typed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from lockgate.wiring import read_policy_file, system_clock
from tests.doors.line import APP, ID, Door

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto" / "policy.md").read_text(encoding="utf-8")
POLICIES = [
    *re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL),
    *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").glob("*.yaml"))),
]
RELEASES = {"v36": 0.05, "abc123": 0.1}
SCORES = ("groundedness", "toxicity")


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line on an empty store."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    return Door(capsys)


def written(text: str, tmp_path: Path, *, mode: str) -> Path:
    """Write a policy as JSON, for the app and in the mode of a test."""
    source = tmp_path / "shown.yaml"
    source.write_text(text, encoding="utf-8")
    declared = {**read_policy_file(str(source)), "app": APP, "mode": mode}
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(declared), encoding="utf-8")
    return path


def runs(path: Path, *, ago: int, first: int = 0, number: int = 600) -> Path:
    """Write runs of both releases in two minutes that ended some seconds ago, with every field that a gate can read."""
    drawn, end, lines = Random(first), system_clock().now() / 1_000 - ago, []  # noqa: S311 -- the same in every test
    for place in range(number):
        began = datetime.fromtimestamp(end - 120 * (1 - place / number), UTC).isoformat()
        for release, rate in RELEASES.items():
            run = {"run_id": f"{release}-{first + place}", "app_id": APP, "release": release, "started_at": began}
            measured = {
                "status": "error" if drawn.random() < rate else "ok",
                "latency_ms": round(drawn.lognormvariate(5, 0.4), 3),
                "cost": round(drawn.random(), 4),
                "scores": {name: float(drawn.random() < 0.9) for name in SCORES},
                "probe_id": f"p{first + place}",
                "labels": {"intent": "medical" if place % 4 == 0 else "other"},
            }
            lines.append(json.dumps(run | measured))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.clause("LI-510")
@pytest.mark.parametrize("has_runs", [False, True])
@pytest.mark.parametrize("mode", ["shadow", "canary"])
@pytest.mark.parametrize("text", POLICIES, ids=[str(place) for place, _ in enumerate(POLICIES)])
def test_the_line_works_on_a_policy_that_is_shown(
    text: str, mode: str, door: Door, tmp_path: Path, *, has_runs: bool
) -> None:
    """Created, ticked, explained, shown and watched, with runs of both releases there and without any."""
    order = ("--app-id", APP, "-b", "v36", "-c", "abc123", "--policy", written(text, tmp_path, mode=mode))
    if has_runs:
        assert door("ingest", runs(tmp_path / "runs.ndjson", ago=200)) == 0, door.err
    assert door("create", *order, "--since", "1h", "--dry-run") == 0, door.err
    assert door("create", *order, "--since", "1h") == 0, door.err
    assert "cannot be said" not in door.err
    (name,) = ID.findall(door.out.splitlines()[0])

    for command in (("explain",), ("tick",), ("explain",), ("show",), ("watch", "--timeout", "0")):
        assert door(command[0], "--id", name, *command[1:]) in {0, 1, 2, 3}, door.err
