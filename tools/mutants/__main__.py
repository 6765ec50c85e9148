# SPDX-License-Identifier: Apache-2.0
"""The declared modules come in; their mutants are tried, and the score of each goes out, with 1 where one is too low.

All mutants, or as many of each module as `--sample` says: those that come first in an order which only their own names
and the seed make, so that a change elsewhere draws no others. No file of the project is changed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.mutants.declared import Module, equivalents, modules
from tools.mutants.mutant import Mutant, mutants_of
from tools.mutants.score import Score, faults, score_of
from tools.mutants.trial import Outcome, Trial

ROOT = Path(__file__).resolve().parents[2]
QUIET = ("-qq", "-s", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")


def main(arguments: Sequence[str]) -> int:
    """Try the mutants; print the scores, write them where asked, and say what is wrong."""
    asked = _parser().parse_args(arguments)
    began = time.monotonic()
    chosen = [each for each in modules() if not asked.module or any(part in each.path for part in asked.module)]
    made = {each: list(mutants_of(each.path, ROOT)) for each in chosen}
    drawn = {each: _drawn(mutants, asked.sample, asked.seed) for each, mutants in made.items()}
    trial = _tried(chosen, [each for mutants in drawn.values() for each in mutants], asked.jobs)
    if trial.failed:
        print("without a fault, these tests fail already:", *trial.failed, sep="\n  ")
        return 2
    known = equivalents()
    scores = [score_of(each, trial.outcomes, len(made[each]), known) for each in chosen]
    for score in scores:
        print(score.line())
    wrong = faults(scores, known, {mutant.name for mutants in made.values() for mutant in mutants})
    print(*wrong, sep="\n")
    seconds = round(time.monotonic() - began)
    tried = sum(each.tried for each in scores)
    print(f"mutants: {tried} of {sum(each.all for each in scores)} tried in {seconds} s, {len(wrong)} faults")
    if asked.write is not None:
        _write(asked.write, scores, {"seconds": seconds, "seed": asked.seed, "jobs": asked.jobs})
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("module", nargs="*", help="a part of the path of modules to try; all that are declared")
    parser.add_argument("--sample", type=int, help="how many mutants of each module; all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--write", type=Path, help="a file for the scores, as JSON")
    return parser


def _drawn(mutants: list[Mutant], sample: int | None, seed: int) -> list[Mutant]:
    return mutants if sample is None else sorted(mutants, key=lambda each: each.place(seed))[:sample]


def _tried(chosen: list[Module], mutants: list[Mutant], jobs: int) -> Trial:
    declared = {each.path: each.tests for each in chosen}
    trial = Trial(ROOT, mutants, declared, jobs, _show)
    os.environ.setdefault("CI", "true")
    code = pytest.main([*QUIET, *sorted({name for tests in declared.values() for name in tests})], plugins=[trial])
    if not trial.seconds:
        trial.failed.append(f"pytest ended by {code!r} and ran none")
    return trial


def _show(outcome: Outcome) -> None:
    """Say of what survives where it is, as soon as that is known."""
    if outcome.has_survived:
        print(f"{outcome.result}: line {outcome.mutant.line}, {outcome.mutant.name}", flush=True)


def _write(path: Path, scores: list[Score], run: dict[str, int]) -> None:
    document = {"run": run, "modules": {each.module.path: each.figures() for each in scores}}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
