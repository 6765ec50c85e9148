# SPDX-License-Identifier: Apache-2.0
"""A plan and an environment come in; processes replay its chains there, and what they came to goes out as one tally."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.corpus import Plan

ROOT = Path(__file__).resolve().parents[1]
EVERY_S = 10.0
SAID = 2_000


@dataclass(frozen=True, slots=True)
class Environment:
    """What a decision is made again in: an interpreter, settings, and the decimal point of a locale that is set."""

    name: str
    python: str
    settings: Mapping[str, str]
    decimal_point: str | None

    @property
    def has_features(self) -> bool:
        """Say whether numpy may use whatever the processor has."""
        return "NPY_DISABLE_CPU_FEATURES" not in self.settings


@dataclass(slots=True)
class Tally:
    """What the decisions of a plan came to in an environment; `broken`: what processes ended by."""

    environment: Environment
    due: int
    equal: int = 0
    different: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    machine: str = ""
    told: float = field(default_factory=time.perf_counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_whole(self) -> bool:
        """Say whether every decision was made again, and came out equal."""
        return self.equal == self.due and not self.different and not self.broken

    def hear(self, said: Mapping[str, Any]) -> None:
        """Take in what a process says, and tell now and then how far all are."""
        with self.lock:
            self.equal += int(said.get("equal", 0))
            if "different" in said:
                self.different.append(_words(said["different"]))
            if "numpy" in said:
                self._place(said)
            if time.perf_counter() - self.told > EVERY_S:
                self.told = time.perf_counter()
                print(f"replay: {self.equal:,} of {self.due:,} equal, {self.environment.name}", flush=True)

    def _place(self, said: Mapping[str, Any]) -> None:
        self.machine = f"numpy {said['numpy']}, {said['features']} features of the processor"
        if said["features"] and not self.environment.has_features:
            self.broken.append(f"{said['features']} features of the processor were not disabled")

    def lines(self) -> list[str]:
        """Return what there is to say: the sum, then each difference."""
        counts = f"{self.equal:,} equal of {self.due:,}, {len(self.different):,} different"
        return [f"{self.environment.name} ({self.machine}): {counts}", *self.broken, *self.different]


def _words(said: Mapping[str, Any]) -> str:
    """Return a difference in one line: of which test and receipt it is, and the first place."""
    where = json.dumps(said["difference"]) if "difference" in said else ""
    receipt = f"receipt {said['seq']} ({said['receiptId']})"
    return f"DIFFERENT {said['test']}, {receipt}: {said['message']} {where} [{said['chain']}]"


def replayed(environment: Environment, wanted: Plan, processes: int) -> Tally:
    """Replay a plan in so many processes at once."""
    tally = Tally(environment, wanted.turns)
    # By turns, because the largest come first.
    shares = [share for share in (wanted.files[turn::processes] for turn in range(processes)) if share]
    with ThreadPoolExecutor(processes) as pool:
        for each in [pool.submit(_run, tally, share) for share in shares]:
            each.result()
    return tally


def _run(tally: Tally, share: Sequence[Path]) -> None:
    here = tally.environment
    command = [here.python, "-W", "ignore", str(ROOT / "tools" / "replay_corpus.py")]
    command += [] if here.decimal_point is None else [here.decimal_point]
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    with tempfile.TemporaryFile("w+") as names, tempfile.TemporaryFile("w+") as complaints:
        names.write("\n".join(map(str, share)))
        names.seek(0)
        with subprocess.Popen(
            command,
            env=os.environ | here.settings | paths,
            stdin=names,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                tally.hear(json.loads(line))
        complaints.seek(0)
        said = complaints.read()
    # A decision that came out otherwise is 1, in silence; what nobody foresaw is 1 with a traceback.
    if said or process.returncode not in (0, 1):
        tally.broken.append(f"a process ended by {process.returncode}: {said[-SAID:]}")
