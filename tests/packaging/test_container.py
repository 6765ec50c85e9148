# SPDX-License-Identifier: Apache-2.0
"""The container file comes in; its steps, run by a local shell, must make an environment whose server answers."""

from __future__ import annotations

import fnmatch
import os
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.packaging.running import running
from tests.packaging.steps import environment, stages, words

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "container"
BUILD, SHIPPED = stages((FOLDER / "Containerfile").read_text(encoding="utf-8"))
IGNORED = (FOLDER / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()


def context() -> list[Path]:
    """Return the tracked files that the build may see."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    kept = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]
    assert "*" in IGNORED
    return [
        ROOT / name
        for name in listed.stdout.splitlines()
        if any(fnmatch.fnmatch(name, pattern) or name.startswith(f"{pattern}/") for pattern in kept)
    ]


@pytest.mark.clause("PK-01")
def test_what_ships_runs_as_nobody_in_particular() -> None:
    """The image names no root, keeps its data outside of itself, and takes no package without its hash."""
    last = dict(SHIPPED)

    assert last["USER"] == "7300"
    assert set(words(SHIPPED, "VOLUME")) == {environment(SHIPPED)[name] for name in ("LOCKGATE_HOME", "LOCKGATE_STATE")}
    installs = [each for _, rest in BUILD for each in rest.split("&&") if "pip install" in each]
    assert installs
    assert all("--require-hashes" in each or "/wheel/lockgate-*.whl" in each for each in installs)


@pytest.mark.slow
@pytest.mark.clause("PK-01")
def test_the_steps_of_the_image_make_a_server_that_answers(tmp_path: Path) -> None:
    """The build's own lines make the environment from the lock, and the image's command serves and is found healthy."""
    source = tmp_path / "src"
    for file in context():
        target = source / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    python = tmp_path / "python"
    python.mkdir()
    (python / "python").symlink_to(Path(sys.executable).resolve())
    path = {"PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}

    for name, rest in BUILD:
        if name == "RUN":
            subprocess.run(
                ["bash", "-euc", moved(rest, tmp_path)], cwd=source, env=os.environ | path, check=True, timeout=400
            )
    set_in_image = {name: moved(text, tmp_path) for name, text in environment(SHIPPED).items()}
    command = [*words(SHIPPED, "ENTRYPOINT"), *words(SHIPPED, "CMD")]
    command[0] = str(tmp_path / "opt" / "lockgate" / "bin" / command[0])
    with running(command, set_in_image, tmp_path) as server:
        healthy = health(server.url, set_in_image)
        ready = httpx.get(f"{server.url}/readyz", timeout=60, trust_env=False)

    assert (healthy, ready.status_code) == (0, 200)
    assert server.key.startswith("rvk_")
    assert (tmp_path / "var" / "lib" / "lockgate" / "lockgate.db").exists()


def moved(text: str, folder: Path) -> str:
    """Return a line with the image's own folders below another one."""
    for name in ("/build", "/wheel", "/opt/lockgate", "/var/lib/lockgate-state", "/var/lib/lockgate"):
        text = text.replace(name, f"\0{name}")
    return text.replace("\0/var/lib/\0/", "\0/").replace("\0", str(folder))


def health(url: str, set_in_image: dict[str, str]) -> int:
    """Return how the image's own check of its health ends."""
    (check,) = [rest for name, rest in SHIPPED if name == "HEALTHCHECK"]
    command = shlex.split(check.partition("CMD ")[2].replace("http://127.0.0.1:7300", url))
    done = subprocess.run(command, env=os.environ | set_in_image, timeout=60, check=False)
    return done.returncode
