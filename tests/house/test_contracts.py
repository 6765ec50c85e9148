# SPDX-License-Identifier: Apache-2.0
"""A copy of the source with one forbidden import comes in; the contract that forbids it must break."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Seed:
    """A module that must not be, and the contract that says so."""

    module: str
    imports: str
    contract: str


SEEDS = {
    "the core reads a clock": Seed("core/metric.py", "import time", "pure-core"),
    "the core uses a decoder": Seed("core/bucket.py", "import msgspec", "pure-core"),
    "the core looks downstream": Seed("core/metric.py", "import lockgate.core.decision", "data-flow"),
    "the engine knows a domain word": Seed("core/stats/seeded.py", "import lockgate.core.policy", "data-flow"),
    "a core module has no place": Seed("core/seeded.py", "", "data-flow"),
    "a room has no place": Seed("seeded.py", "", "rooms"),
    "an operation chooses an adapter": Seed("operations/seeded.py", "import lockgate.adapters", "wiring"),
    "an adapter drives": Seed("adapters/seeded.py", "import lockgate.operations", "driven"),
    "the core imports a door": Seed("core/metric.py", "import lockgate.cli", "rooms"),
}


@pytest.mark.clause("HO-01")
@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
def test_a_forbidden_import_breaks_its_contract(seed: Seed, tmp_path: Path) -> None:
    """Each way to cross a wall is caught by the contract that stands there."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = tmp_path / "src" / "lockgate" / seed.module
    before = module.read_text(encoding="utf-8") if module.exists() else ""
    module.write_text(f"{before}\n{seed.imports}\n", encoding="utf-8")

    ran = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", "--contract", seed.contract],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert "BROKEN" in ran.stdout
    assert "seeded" in ran.stdout or seed.imports.removeprefix("import ") in ran.stdout
