# SPDX-License-Identifier: Apache-2.0
"""The sample runs come in on machines that are set up differently; the same bytes must go out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments import ELSEWHERE, HERE

ROOT = Path(__file__).resolve().parents[2]
RUNS = sorted((ROOT / "examples" / "runs").iterdir())
ENGINE = """
import hashlib
import numpy as np
from lockgate.core.stats import elementary
from lockgate.core.stats.sequential import binary, pairs, rate, share, wealth
from lockgate.core.stats.sequential.null import Null

steps = np.arange(1, 40_001, dtype=np.float64)
n_a, n_b = steps, 7.0 * steps
bad_a, bad_b = np.floor(n_a * 0.11), np.floor(n_b * 0.07)
increments = binary.increments(n_a, bad_a, n_b, bad_b, bad_b / n_b, Null(1.1, 0.01))
answers = [
    elementary.log(steps / 1e4),
    elementary.log1p(-steps / 1e5),
    elementary.exp(steps / 100.0 - 200.0),
    elementary.total(1.0 / steps),
    increments,
    rate.increments(n_a, bad_a, n_b, bad_b),
    pairs.increments(bad_a, n_a, bad_b),
    share.log_evidence(0.125, n_a, n_b),
    wealth.log_evidence(wealth.grow(np.zeros((40_000, 2, 12)), increments, [True, False]), wealth.copy_shares(2)),
]
print([hashlib.sha256(np.asarray(answer).tobytes()).hexdigest() for answer in answers])
"""


def _answers(runs: Path, folder: Path, settings: dict[str, str]) -> tuple[int, bytes, bytes]:
    folder.mkdir()
    report = folder / "report.html"
    command = ["compare", "--baseline", "v36", "--candidate", "abc123", "--json", "--report", str(report), str(runs)]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lockgate", *command],
        cwd=ROOT,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return ran.returncode, ran.stdout, report.read_bytes().replace(bytes(folder), b"")


@pytest.mark.clause("HO-09")
@pytest.mark.parametrize("runs", RUNS, ids=lambda runs: runs.stem)
def test_an_answer_does_not_depend_on_the_machine(runs: Path, tmp_path: Path) -> None:
    """Hash seed, locale, time zone and the processor's features change no byte of the JSON and the page."""
    here = _answers(runs, tmp_path / "here", HERE)

    elsewhere = _answers(runs, tmp_path / "elsewhere", ELSEWHERE)

    assert elsewhere == here
    assert here[1].startswith(b"{")


@pytest.mark.clause("HO-09")
def test_log_evidence_does_not_depend_on_the_processor() -> None:
    """Every bit of the engine's logarithms and increments is the same without the processor's wider instructions."""
    here, elsewhere = (
        subprocess.run([sys.executable, "-c", ENGINE], env=os.environ | settings, capture_output=True, check=True)
        for settings in (HERE, ELSEWHERE)
    )

    assert elsewhere.stdout == here.stdout
    assert here.stdout.startswith(b"[")


@pytest.mark.clause("HO-09")
def test_the_settings_reach_numpy() -> None:
    """Elsewhere, numpy works without the features that it finds here."""
    script = "import numpy as np; print(np.show_config(mode='dicts')['SIMD Extensions'].get('found', []))"

    ran = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | ELSEWHERE, capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "[]"


@pytest.mark.clause("HO-09")
def test_no_locale_is_ever_set() -> None:
    """A process of Python writes numbers as C does until somebody sets its locale, which nothing of ours does."""
    naming = [
        file.name
        for file in (ROOT / "src").rglob("*.py")
        if re.search(r"\bimport locale\b|\bsetlocale\b", file.read_text(encoding="utf-8"))
    ]

    assert naming == []
