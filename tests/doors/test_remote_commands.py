# SPDX-License-Identifier: Apache-2.0
"""The same command comes in twice, on a store and on a server of an equal one; both say and answer the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate import wiring
from lockgate.cli import exit_codes, main
from tests.doors.both import Both, StillClock, serving_copy
from tests.doors.line import APP, BAD, GOOD, write_runs

WHY = ("--reason", "because of this test")
# What the commands below are about; the ids are put in by name.
SHOP, BAD_RELEASE = "good", "bad"
LOOKING = (
    ("list",),
    ("list", "--json"),
    ("list", "--app-id", APP, "--active"),
    ("list", "--app-id", "claims-agnt"),
    ("apps",),
    ("apps", "--json"),
    ("apps", "--app-id", "another"),
    ("show", "{good}"),
    ("show", "{good}", "--json"),
    ("show", "{bad}"),
    ("show", "rol_aaaaaaaaaaaaaaaa"),
    ("explain", "{good}"),
    ("explain", "{bad}", "--json"),
    ("runs", "--app-id", APP),
    ("runs", "--app-id", APP, "--release", "abc123", "--limit", "3", "--json"),
    ("runs", "--app-id", APP, "--since", "0s"),
    ("receipts", "{bad}"),
    ("receipts", "{bad}", "--json"),
    ("receipts", "{good}", "--seq", "1"),
    ("receipts", "{good}", "--seq", "999"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "abc123"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "worse", "--json"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "worse", "--markdown", "--metric", "error_rate"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "worse", "--quiet"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "nothing"),
    ("watch", "--id", "{bad}", "--no-tick", "--timeout", "0s"),
    ("watch", "--id", "{good}", "--no-tick", "--timeout", "0s"),
    ("keys", "list"),
    ("keys", "list", "--json"),
)
ACTING = (
    ("tick", "--id", "{good}"),
    ("tick", "--id", "{bad}", "--json"),
    ("tick", "--all"),
    ("tick", "--all", "--json"),
    ("tick", "--id", "rol_aaaaaaaaaaaaaaaa"),
    ("watch", "--id", "{good}", "--timeout", "0s"),
    ("watch", "--id", "{good}", "--timeout", "0s", "--on-timeout", "rollback", "--json"),
    ("pause", "--id", "{good}", *WHY),
    ("resume", "--id", "{good}", *WHY, "--json"),
    ("cancel", "--id", "{good}", *WHY),
    ("clear-alarm", "--id", "{good}", *WHY),
    ("approve", "--id", "{good}", *WHY),
    ("approve", "--id", "{good}", *WHY, "--step", "7", "--revision", "77"),
    ("promote", "--id", "{good}", *WHY, "--step", "7", "--revision", "77", "--yes"),
    ("promote", "--id", "{good}", *WHY, "--step", "0", "--revision", "1"),
    ("rollback", "--id", "{good}", *WHY, "--yes"),
    ("rollback", "--id", "{good}", *WHY),
    ("rollback", "--id", "{good}", "--reason", " ", "--yes"),
    ("freeze", "--app-id", APP, *WHY),
    ("unfreeze", "--app-id", APP, *WHY, "--json"),
    ("unfreeze", "--all", *WHY),
    ("kill", "--app-id", APP, *WHY, "--yes"),
    ("kill", "--all", *WHY, "--yes", "--json"),
    ("kill", "--all", *WHY),
    ("kill", "--app-id", "another", *WHY, "--yes"),
    ("create", "--app-id", "billing", "-b", "1", "-c", "2"),
    ("create", "--app-id", "billing", "-b", "1", "-c", "2", "--json", "--mode", "canary"),
    ("create", "--app-id", APP, "-b", "v36", "-c", "next", "--dry-run"),
    ("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--mode", "canary", "--quiet"),
    ("create", "--app-id", APP, "-b", "v36", "-c", "other", "--mode", "canary"),
    ("create", "--app-id", "billing", "-c", "2"),
    ("create", "--app-id", "billing", "-b", "1", "-c", "2", "--metric", "no such metric"),
    ("create", "-f", "{policy}"),
    ("keys", "revoke", "key_nothing"),
    ("ingest", "{more}"),
    ("ingest", "{more}", "--json"),
    ("ingest", "{table}", "--app-id", "billing"),
    ("ingest", "{broken}"),
    ("ingest", "{first}", "--dedupe", "strict"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str], StillClock]]:
    """Return a store with a candidate that is rolled back and one that is on trial, and files."""
    folder = tmp_path_factory.mktemp("made")
    clock = StillClock(wiring.system_clock().now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "system_clock", lambda: clock)
        patch.setenv("LOCKGATE_HOME", str(folder / "home"))
        patch.setenv("LOCKGATE_STATE", str(folder / "state"))
        patch.setenv("LOCKGATE_ACTOR", "ann")
        first = write_runs(folder / "first.ndjson", {"v36": GOOD, "abc123": GOOD, "worse": BAD}, runs=300)
        assert main.run(["ingest", str(first)]) == 0
        common = ["create", "--app-id", APP, "-b", "v36", "--mode", "canary", "--since", "1h"]
        assert main.run([*common, "-c", "worse"]) == 0
        assert main.run(["tick", "--all"]) == 0
        assert main.run([*common, "-c", "abc123"]) == 0
        ids = _ids()
        yield folder, {**ids, **_files(folder), "first": str(first)}, clock


def _ids() -> dict[str, str]:
    from lockgate.operations.queries import list_rollouts

    worse, good = list_rollouts(wiring.house_to_read())
    assert (worse.status.value, good.status.value) == ("rolled_back", "active")
    return {"bad": worse.id, "good": good.id}


def _files(folder: Path) -> dict[str, str]:
    more = write_runs(folder / "more.ndjson", {"v36": GOOD}, runs=20, first=5_000)
    table, broken, policy = folder / "table.csv", folder / "broken.ndjson", folder / "policy.yaml"
    table.write_text("run_id,release,status,latency_ms\na,1,ok,3\nb,2,error,4\n", encoding="utf-8")
    broken.write_text(more.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    policy.write_text("app: billing\nbaseline: v1\ncandidate: v2\nmin_runs: 50\n", encoding="utf-8")
    return {"more": str(more), "table": str(table), "broken": str(broken), "policy": str(policy)}


@pytest.fixture
def both(
    made: tuple[Path, dict[str, str], StillClock],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Both]:
    """Return two copies of that store, one of them with a server in front of it; time stands still."""
    folder, _, clock = made
    monkeypatch.setattr(wiring, "system_clock", lambda: clock)
    here = tmp_path / "home"
    shutil.copytree(folder / "home", here)
    monkeypatch.setenv("LOCKGATE_HOME", str(here))
    monkeypatch.setenv("LOCKGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LOCKGATE_ACTOR", "ann")
    monkeypatch.delenv("LOCKGATE_API_KEY", raising=False)
    with serving_copy(here, tmp_path / "copy") as url:
        yield Both(here, url, monkeypatch, capsys)


def _meant(words: tuple[str, ...], names: dict[str, str]) -> list[str]:
    return [word.format_map(names) for word in words]


@pytest.mark.clause("CL-20")
@pytest.mark.parametrize("words", [*LOOKING, *ACTING], ids=" ".join)
def test_a_command_says_the_same_over_http(
    both: Both, made: tuple[Path, dict[str, str], StillClock], words: tuple[str, ...]
) -> None:
    """Standard output and the exit code are those of the same command on the store itself, but for who acted."""
    meant = _meant(words, made[1])

    here, there = both.local(*meant), both.remote(*meant)

    assert there.plain() == here.plain(), there.err
    assert there.code != exit_codes.INTERNAL.code
    assert ("error: " in here.err) == ("error: " in there.err)
