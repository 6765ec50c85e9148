# SPDX-License-Identifier: Apache-2.0
"""Environments come in; which release a run is of, and what happens where none is named, is held here."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate import Recorder
from lockgate.errors import UsageError
from tests.recorder.conftest import Filed

OTEL = """
import os, sys, json
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider(resource=Resource.create({"service.version": "9.1"})))
import lockgate
with lockgate.record("a"):
    pass
os.environ["LOCKGATE_RELEASE"] = "named"
with lockgate.record("a"):
    pass
with lockgate.record("a", "given"):
    pass
"""


def _ran(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        env={"LOCKGATE_RUNS_FILE": str(folder / "runs.ndjson"), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


@pytest.mark.clause("RC-03")
def test_the_release_is_bound_when_the_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says later is for later runs."""
    monkeypatch.setenv("LOCKGATE_RELEASE", "v1")
    filed = Filed(Recorder(file=tmp_path / "runs"), tmp_path / "runs")
    with filed.recorder.record("a") as run:
        monkeypatch.setenv("LOCKGATE_RELEASE", "v2")
    with filed.recorder.record("a"):
        pass

    assert run.release == "v1"
    assert [each["release"] for each in filed.runs()] == ["v1", "v2"]


@pytest.mark.clause("RC-03")
def test_the_release_is_else_that_of_opentelemetry(tmp_path: Path) -> None:
    """An argument comes before LOCKGATE_RELEASE, and that before the version of the real SDK's provider."""
    _ran(OTEL, tmp_path, OTEL_RESOURCE_ATTRIBUTES="service.version=0")

    text = (tmp_path / "runs.ndjson").read_text(encoding="utf-8")
    assert [
        f'"release":"{name}"' in line for name, line in zip(["9.1", "named", "given"], text.splitlines(), strict=True)
    ] == [True] * 3


@pytest.mark.clause("RC-03")
def test_the_release_is_else_that_of_the_resource_attributes(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read as OpenTelemetry writes them, and OpenTelemetry is not imported."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=x, service.version=v%2036%3A1,a=b")

    assert Recorder(file=filed.path).release() == "v 36:1"


@pytest.mark.clause("RC-04")
def test_a_recorder_without_a_release_or_a_place_is_refused() -> None:
    """Who makes one at the start of a service is told there, with what to set."""
    with pytest.raises(UsageError, match=r"(?s)no release is named.*LOCKGATE_RELEASE.*service.version"):
        Recorder(file="runs")
    with pytest.raises(UsageError, match=r"(?s)LOCKGATE_URL.*LOCKGATE_RUNS_FILE"):
        Recorder(release="v1")


@pytest.mark.clause("RC-04", "RC-08")
@pytest.mark.parametrize(
    "url", ["ftp://x", "https://user:secret@x", "http://", "http://x:port", "http://x/?secret", "x"]
)
def test_an_address_that_is_none_is_refused_and_not_told(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(UsageError) as refused:
        Recorder(url=url, release="v1")

    assert "secret" not in str(refused.value)


@pytest.mark.clause("RC-04")
@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "no release is named"),
        ({"LOCKGATE_RUNS_FILE": "", "LOCKGATE_RELEASE": "v1"}, "LOCKGATE_URL"),
        ({"LOCKGATE_RUNS_FILE": "", "LOCKGATE_RELEASE": "v1", "LOCKGATE_URL": "nonsense"}, "address"),
    ],
)
def test_record_never_raises_and_says_once_why_nothing_is_recorded(
    tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    """One line on standard error, where no logging was set up, and every run is counted as lost."""
    script = (
        "import lockgate\n"
        "from lockgate.recorder import counts\n"
        "for _ in range(3):\n"
        "    with lockgate.record('a') as run: run.score('s', 1)\n"
        "print(sum(counts().dropped.values()), counts().pending)"
    )

    ran = _ran(script, tmp_path, **environment)

    assert ran.stdout.split() == ["3", "0"]
    assert told in ran.stderr
    assert ran.stderr.count("runs are not recorded") == 1
    assert not (tmp_path / "runs.ndjson").exists()


@pytest.mark.clause("RC-04")
def test_what_is_named_later_is_found(tmp_path: Path) -> None:
    """An application that reads its settings after its first run records from then on."""
    script = (
        "import os, lockgate\n"
        "del os.environ['LOCKGATE_RUNS_FILE']\n"
        "with lockgate.record('a', 'early'): pass\n"
        f"os.environ['LOCKGATE_RUNS_FILE'] = {str(tmp_path / 'late')!r}\n"
        "with lockgate.record('a', 'late'): pass\n"
    )

    _ran(script, tmp_path)

    assert '"release":"late"' in (tmp_path / "late").read_text(encoding="utf-8")


@pytest.mark.clause("RC-13")
def test_the_recorder_loads_the_standard_library_only(tmp_path: Path) -> None:
    """An application that records runs, also over HTTP, gets no dependency by it."""
    script = (
        "import sys; before = set(sys.modules); import lockgate\n"
        "with lockgate.record('a', 'v1') as run: run.score('s', 1)\n"
        "from lockgate import recorder; recorder.flush(0.5)\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(loaded - set(sys.stdlib_module_names) - {'lockgate'}), 'http' in loaded)"
    )

    ran = _ran(script, tmp_path, LOCKGATE_RUNS_FILE="", LOCKGATE_URL="http://127.0.0.1:9")

    assert ran.stdout.strip() == "[] True"


@pytest.mark.clause("RC-03")
def test_a_run_of_no_release_is_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A release that is taken away later costs its runs and nothing else."""
    monkeypatch.setenv("LOCKGATE_RELEASE", "v1")
    recorder = Recorder(file=tmp_path / "runs")
    monkeypatch.delenv("LOCKGATE_RELEASE")
    with caplog.at_level(logging.WARNING, "lockgate"):
        with recorder.record("a"):
            pass
        with recorder.record("a", "given"):
            pass
        recorder.close(60)

    assert recorder.counts().lost == recorder.counts().sent == 1
    assert "no release is named" in caplog.text
