# SPDX-License-Identifier: Apache-2.0
"""The decisions of the tests' rollouts come in; whether they are made again on machines set up differently goes out.

REPLAY_CORPUS names the folder that runs of the tests have collected them in, and REPLAY_LANES the lanes that must have
given some to it; without a folder some tests are run for them.

Each environment has processes of its own, one on each processor at a time: other hash seeds, locales and time zones, no
features of the processor, and the oldest numpy that is supported, in an environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from tools.corpus import Account, CorpusError, Plan, accounts, plan
from tools.replay_workers import Environment, Tally, replayed

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
SHOWN = 20


def main() -> int:
    """Collect and replay; 1 where a decision comes out otherwise anywhere, or where one that is due is missing."""
    with tempfile.TemporaryDirectory(prefix="lockgate-replay-") as folder:
        corpus, oldest, locales = (Path(folder) / name for name in ("corpus", "oldest", "locales"))
        if "REPLAY_CORPUS" in os.environ:
            corpus = Path(os.environ["REPLAY_CORPUS"])
        else:
            _collect(corpus)
        try:
            given = accounts(corpus, os.environ.get("REPLAY_LANES", "").split())
            wanted = plan(corpus)
        except CorpusError as error:
            print(f"replay: {error}")
            return 1
        print(size_line(wanted), flush=True)
        _make_locale(locales)
        return _replay(wanted, given, _environments(_oldest(oldest), locales))


def _replay(wanted: Plan, given: dict[str, Account], environments: list[Environment]) -> int:
    began = time.perf_counter()
    tallies = [replayed(each, wanted, _processors()) for each in environments]
    for each in tallies:
        print("\n".join(each.lines()[:SHOWN]), flush=True)
    print(closing_line(wanted, given, tallies, time.perf_counter() - began))
    return int(not wanted.turns or any(not each.is_whole for each in tallies))


def size_line(wanted: Plan) -> str:
    """Say how much a corpus holds, and takes on the disk."""
    return (
        f"replay: {wanted.decisions:,} distinct decisions in {len(wanted.files):,} chains, "
        f"{wanted.kept / 1e6:.1f} MB on the disk, {wanted.size / 1e6:.1f} MB unpacked"
    )


def closing_line(wanted: Plan, given: dict[str, Account], tallies: list[Tally], seconds: float) -> str:
    """Say how many decisions came out equal, of how many receipts, from where, in which environments, and what not."""
    sums = Account()
    for account in given.values():
        sums.add(account)
    lanes = ", ".join(f"{lane} {account.receipts:,}" for lane, account in given.items())
    whole = [each for each in tallies if each.is_whole]
    names = "; ".join(each.environment.name for each in whole) or "none"
    return (
        f"replay: {wanted.decisions:,} distinct decisions of {sums.receipts:,} receipts ({lanes}) came out equal in "
        f"{len(whole)} of {len(tallies)} environments ({names}) in {seconds:.0f} s; left out: {sums.words()}"
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _make_locale(folder: Path) -> None:
    """Make a locale in which numbers have a comma, because few machines have one."""
    folder.mkdir()
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / LOCALE)], check=False)
    if made.returncode:
        raise SystemExit("no locale with a decimal comma can be made: install Debian's `locales`, or what has de_DE")


def _collect(corpus: Path) -> None:
    tests = [str(ROOT / "tests" / "spec" / name) for name in CHOSEN]
    environment = os.environ | {"REPLAY_CORPUS": str(corpus), "REPLAY_LANE": "chosen"}
    subprocess.run([sys.executable, "-m", "pytest", "--quiet", *tests], cwd=ROOT, env=environment, check=True)


def _oldest(folder: Path) -> str:
    """Return the interpreter of an environment that holds what the lock of the oldest versions names."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    subprocess.run([python, "-m", "pip", "install", *options, "-r", str(OLDEST)], check=True)
    return python


def _environments(oldest: str, locales: Path) -> list[Environment]:
    """Return where all is replayed: on either numpy, here with what the processor has, and elsewhere without."""
    found = []
    for age, python in (("newest", sys.executable), ("oldest", oldest)):
        found.append(Environment(f"{age} numpy", python, HERE, "."))
        without = ELSEWHERE | {"LOCPATH": str(locales), "NPY_DISABLE_CPU_FEATURES": _features(python)}
        name = f"{age} numpy without features of the processor, {LOCALE}, {ELSEWHERE['TZ']}"
        found.append(Environment(name, python, without, ","))
    return found


def _features(python: str) -> str:
    """Return what an interpreter's numpy finds in this processor."""
    found = subprocess.run([python, "-W", "ignore", "-c", FEATURES], capture_output=True, text=True, check=True)
    return found.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
