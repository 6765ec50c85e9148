# SPDX-License-Identifier: Apache-2.0
"""Bundles lie on a disk, as zips and folders, with more in them than they list or larger than they say."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.cli.bundle_files import bundle_files
from lockgate.cli.main import run
from lockgate.core.bundle_layout import max_size
from tests.spec.bundled import changed, files, keys, packed

GIB = 1 << 30


@pytest.fixture(autouse=True)
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that a bundle was unpacked to, with keys and its zip beside it."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "unpacked"
    for name, data in files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "key.pem").write_bytes(keys().receipt[0].pem)
    (tmp_path / "log.txt").write_text(f"{keys().log[0].text}\n")
    (tmp_path / "bundle.zip").write_bytes(packed())
    return root


def reason(capsys: pytest.CaptureFixture[str], what: str) -> str:
    """Return why `lockgate verify` refuses a bundle."""
    code = run(["verify", what, "--key", "key.pem", "--log-key", "log.txt", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == 65
    return f"{said['reason']}: {said['message']}"


def grown(path: Path) -> None:
    """Make a file seem to have a gibibyte, of which its disk holds nothing."""
    os.truncate(path, GIB)


EXTRA: dict[str, tuple[Callable[[Path], object], str]] = {
    "a page": (lambda root: (root / "FINAL verdict: promoted.html").write_text("x"), "'FINAL verdict: promoted.html'"),
    "hidden": (lambda root: (root / ".hidden").write_text("x"), "'.hidden'"),
    "turned around": (lambda root: (root / "\u202elmth.x").write_text("x"), r"'\u202elmth.x'"),
    "a space": (lambda root: (root / "receipts" / "6.json ").write_text("x"), "'receipts/6.json '"),
    "a pipe": (lambda root: os.mkfifo(root / "pipe"), "'pipe'"),
    "a link": (lambda root: (root / "link.txt").symlink_to("README.txt"), "'link.txt'"),
    "a linked folder": (lambda root: (root / "more").symlink_to("keys"), "'more'"),
    "an empty folder": (lambda root: (root / "verdict: promoted").mkdir(), "'verdict: promoted'"),
}


@pytest.mark.parametrize("what", EXTRA)
@pytest.mark.parametrize("command", ["verify", "replay"])
@pytest.mark.clause("VF-65")
def test_a_folder_holds_nothing_else(
    command: str, what: str, unpacked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever lies in it beside the files that a bundle may have is named, and the bundle refused."""
    add, name = EXTRA[what]
    add(unpacked)

    trusted = ["--key", "key.pem", "--log-key", "log.txt"] if command == "verify" else []
    code = run([command, "unpacked", *trusted])

    assert code == 65
    assert f"{name} is there" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["replay/2.json", "manifest.json", "receipts/1.json"])
@pytest.mark.clause("VF-66")
def test_a_file_that_is_too_large_is_not_read(name: str, unpacked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a folder's files it is known before how large each is."""
    grown(unpacked / name)

    tracemalloc.start()
    said = reason(capsys, "unpacked")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said.startswith(f"bundle_size: {name} has {GIB:,} bytes")
    assert peak < 20_000_000


@pytest.mark.clause("VF-66")
def test_a_zip_is_read_bit_by_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What follows a bundle may be of any size: it is refused, and is never in memory."""
    grown(tmp_path / "bundle.zip")

    tracemalloc.start()
    said = reason(capsys, "bundle.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said.startswith("bundle_trailing")
    assert peak < 20_000_000


@pytest.mark.clause("VF-66")
def test_a_file_that_grew_since_it_was_looked_at_is_cut(unpacked: Path) -> None:
    """No more of it is read than shows that it is another one."""
    found = bundle_files(unpacked)
    grown(unpacked / "policy.json")

    assert len(found["policy.json"]) == len(files()["policy.json"]) + 1


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("replay/2.json", b"[" + b"{}," * 6_000_000 + b"{}]", "case_size: "),
        ("manifest.json", b'{"files":[' + b"{}," * 900_000 + b"{}]}", "bundle_manifest: "),
        ("timeline.html", bytes(max_size("timeline.html") + 1), "bundle_size: timeline.html"),
    ],
)
@pytest.mark.clause("VF-66")
def test_values_are_counted_before_they_are_made(
    name: str, data: bytes, expected: str, unpacked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three bytes of JSON are a hundred of memory: more than a file may hold are refused as text."""
    bundle = {**files(), name: data} if name == "manifest.json" else changed({name: data})
    (unpacked / "manifest.json").write_bytes(bundle["manifest.json"])
    (unpacked / name).write_bytes(data)
    size = len(data)
    del bundle, data

    tracemalloc.start()
    said = reason(capsys, "unpacked")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said.startswith(expected)
    assert peak < 2 * size + 20_000_000
