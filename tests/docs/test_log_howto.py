# SPDX-License-Identifier: Apache-2.0
"""The loop of docs/howto/log.md that mirrors a log comes in; what it fetches must be every tile, and each once."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lockgate.core.tile import tiles_of
from lockgate.operations.vault.tiles import tile_bytes
from tests.docs.shell import with_curl
from tests.server.served import API, Served
from tests.server.test_log import SIZE, house_of_log

__all__ = ["house_of_log"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "log.md"
(LOOP,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.clause("LG-04")
def test_the_loop_mirrors_the_whole_log(house_of_log: Served, tmp_path: Path) -> None:
    """Every tile of the checkpoint's size, byte for byte; a second call fetches nothing."""
    url, token = str(house_of_log.http.base_url).rstrip("/"), house_of_log.key("auditor").token
    note = house_of_log.http.get(f"{API}/log/checkpoint", headers={"authorization": f"Bearer {token}"})
    (tmp_path / "checkpoint").write_bytes(note.content)
    named = {
        "LOG": f"{url}{API}/log",
        "KEY": f"Authorization: Bearer {token}",
        "PATH": with_curl(os.environ["PATH"], tmp_path / "bin"),
    }

    _typed(tmp_path, named)
    # Nobody answers there: what is there already is not asked for.
    _typed(tmp_path, {**named, "LOG": "http://127.0.0.1:1"})

    files = [path for path in (tmp_path / "tile").rglob("*") if path.is_file()]
    found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files}
    assert found == {tile.path: tile_bytes(tile, house_of_log.world.house) for tile in tiles_of(SIZE)}


def _typed(folder: Path, environment: dict[str, str]) -> None:
    subprocess.run(["bash", "-euo", "pipefail", "-c", LOOP], cwd=folder, env=environment, check=True, timeout=60)
