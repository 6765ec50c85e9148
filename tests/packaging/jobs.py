# SPDX-License-Identifier: Apache-2.0
"""The workflow of a CI system comes in; its steps, run by a local shell, and how they ended go out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INSTALL = 'python -m pip install --quiet "${LOCKGATE_PACKAGE:?names the wheel or repository to install from}"'


@dataclass(frozen=True)
class Step:
    """One script of a job, the environment that the workflow gives it, and whether it runs after a failure too."""

    name: str
    script: str
    environment: dict[str, str]
    is_always: bool = False


@dataclass(frozen=True)
class Ended:
    """How a job ended: the exit code of the first step that failed, and what all of them printed."""

    code: int
    said: str


def github_steps(workflow: Mapping[str, Any], job: str) -> Iterator[Step]:
    """Yield the scripts of a job of GitHub Actions, which must install Lockgate before they use it."""
    stated = workflow["jobs"][job]
    scripts = [step for step in stated["steps"] if "run" in step]
    assert scripts[0]["run"] == INSTALL
    for step in scripts[1:]:
        environment = {**stated.get("env", {}), **step.get("env", {})}
        yield Step(step.get("id", step["name"]), step["run"], environment, step.get("if") == "always()")


def gitlab_step(job: Mapping[str, Any]) -> Step:
    """Return the script of a job of GitLab CI, whose lines share one shell."""
    first, *others = job["script"]
    assert first == INSTALL
    return Step("script", "\n".join(others), dict(job["variables"]))


def run(steps: Iterator[Step], given: Mapping[str, str], folder: Path) -> Ended:
    """Run steps as a runner does; `given` is the runner's own environment, and what expressions stand for."""
    code, said, outputs = 0, "", dict(given)
    for step in steps:
        if code and not step.is_always:
            continue
        written = folder / f"{step.name}.output"
        written.touch()
        stated = {name: _filled(text, outputs) for name, text in step.environment.items()}
        ran = _shell(step.script, {**stated, **given, "GITHUB_OUTPUT": str(written)}, folder)
        said += ran.stdout
        code = code or ran.returncode
        for line in written.read_text(encoding="utf-8").splitlines():
            name, _, text = line.partition("=")
            outputs[f"steps.{step.name}.outputs.{name}"] = text
    return Ended(code, said)


def _shell(script: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def _filled(text: str, known: Mapping[str, str]) -> str:
    """Return a text with its expressions replaced; one that nobody knows fails."""
    return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda found: known[found[1]], text)
