# SPDX-License-Identifier: Apache-2.0
"""The decisions of the tests' rollouts come in; whether they are made again on machines set up differently goes out.

REPLAY_CORPUS names the folder that a run of the tests has collected them in; without it some tests are run for them.

Each is a process of its own: other hash seeds, locales and time zones, no features of the processor, and the oldest
numpy that is supported, in an environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Without a corpus: ramps, operators, freezes, imports, pairs, objectives, long rollouts, marks of time.
CHOSEN = (
    "test_line.py",
    "test_line_life_cycle.py",
    "test_operator_actions.py",
    "test_kill_and_freeze.py",
    "test_champion.py",
    "test_way_back.py",
    "test_waiver.py",
    "test_reduction.py",
    "test_overdue.py",
    "test_paired_rollout.py",
    "test_unpaired.py",
    "test_earlier_runs.py",
    "test_set_back_clock.py",
    "test_long_silence.py",
    "test_acknowledgement.py",
    "test_untold.py",
    "test_thin_evidence.py",
    "test_default_flow.py",
    "test_replay_stored.py",
)
OLDEST = ROOT / "tools" / "replay-oldest.lock"
FEATURES = "import numpy; print(*numpy.show_config(mode='dicts')['SIMD Extensions'].get('found', []))"
LOCALE = "de_DE.UTF-8"
HERE = {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC", "PYTHONUTF8": "0"}
ELSEWHERE = {"PYTHONHASHSEED": "20", "LC_ALL": LOCALE, "TZ": "Pacific/Chatham"}


def main() -> int:
    """Collect and replay; 1 where a decision comes out otherwise anywhere."""
    with tempfile.TemporaryDirectory(prefix="lockgate-replay-") as folder:
        corpus, oldest, locales = (Path(folder) / name for name in ("corpus", "oldest", "locales"))
        if "REPLAY_CORPUS" in os.environ:
            corpus = Path(os.environ["REPLAY_CORPUS"])
        else:
            _collect(corpus)
        _make_locale(locales)
        interpreters = (sys.executable, _environment(oldest))
        codes = []
        for each in interpreters:
            codes.append(_replay(each, HERE, corpus, "."))
            codes.append(_replay(each, {**_without(each), "LOCPATH": str(locales)}, corpus, ","))
        return max(codes)


def _make_locale(folder: Path) -> None:
    """Make a locale in which numbers have a comma, because few machines have one."""
    folder.mkdir()
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / LOCALE)], check=False)
    if made.returncode:
        raise SystemExit("no locale with a decimal comma can be made: install Debian's `locales`, or what has de_DE")


def _collect(corpus: Path) -> None:
    tests = [str(ROOT / "tests" / "spec" / name) for name in CHOSEN]
    environment = os.environ | {"REPLAY_CORPUS": str(corpus)}
    subprocess.run([sys.executable, "-m", "pytest", "--quiet", *tests], cwd=ROOT, env=environment, check=True)


def _environment(folder: Path) -> str:
    """Return the interpreter of an environment that holds what the lock of the oldest versions names."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    subprocess.run([python, "-m", "pip", "install", *options, "-r", str(OLDEST)], check=True)
    return python


def _without(python: str) -> dict[str, str]:
    """Return the settings of elsewhere, where numpy does without what its version finds in this processor."""
    found = subprocess.run([python, "-W", "ignore", "-c", FEATURES], capture_output=True, text=True, check=True)
    return {**ELSEWHERE, "NPY_DISABLE_CPU_FEATURES": found.stdout.strip()}


def _replay(python: str, settings: dict[str, str], corpus: Path, decimal_point: str) -> int:
    print(" ".join(f"{name}={value}" for name, value in settings.items()), flush=True)
    environment = os.environ | settings | {"PYTHONPATH": str(ROOT / "src")}
    command = [python, "-W", "ignore", str(ROOT / "tools" / "replay_corpus.py"), str(corpus), decimal_point]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
