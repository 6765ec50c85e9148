# SPDX-License-Identifier: Apache-2.0
"""Small modules and tests of them come in; the mutants that no test notices must be found, and no others."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tools.mutants.declared import Module, equivalents, modules
from tools.mutants.mutant import Mutant, mutants_of
from tools.mutants.score import faults, score_of
from tools.mutants.trial import ENDED, KILLED, SURVIVED, UNTESTED, Outcome

ROOT = Path(__file__).resolve().parents[2]
PURSE = '''
from __future__ import annotations

LIMIT = 9
MOST = 2 * LIMIT


def spend(purse: int, cost: int) -> int:
    """Return what is left."""
    if cost > purse or cost > LIMIT:
        raise ValueError(f"{cost + 1} is too much")
    while cost > 0:
        purse, cost = purse - 1, cost - 1
    return purse


class Purse:
    @property
    def colour(self) -> int:
        return 1 + 1
'''
# They leave the equality of cost and purse, the limit's other side and the colour to chance.
TESTS = """
import pytest

from purse import LIMIT, MOST, spend


def test_spending():
    assert spend(8, 3) == 5
    assert spend(12, LIMIT) == 3
    with pytest.raises(ValueError):
        spend(1, 2)
    with pytest.raises(ValueError):
        spend(11, LIMIT + 1)
    assert MOST == 18
"""
LANE = """
import json, sys
from pathlib import Path
import pytest
sys.path.insert(0, ".")
from tools.mutants.mutant import mutants_of
from tools.mutants.trial import Trial

root = Path.cwd()
trial = Trial(root, list(mutants_of("purse.py", root)), {"purse.py": ("test_purse.py",)}, 2, lambda outcome: None)
pytest.main(["-qq", "-s", "-W", "ignore::pytest.PytestAssertRewriteWarning", "test_purse.py"], plugins=[trial])
print("", json.dumps([trial.failed, [[each.mutant.name, each.result] for each in trial.outcomes]]), sep="\\n")
"""


def _tried(folder: Path, tests: str) -> tuple[list[str], dict[str, str]]:
    (folder / "purse.py").write_text(PURSE, encoding="utf-8")
    (folder / "test_purse.py").write_text(tests, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", LANE],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    failed, outcomes = json.loads(ran.stdout.splitlines()[-1])
    assert (folder / "purse.py").read_text(encoding="utf-8") == PURSE
    return failed, dict(outcomes)


@pytest.mark.clause("VF-140")
def test_what_no_test_notices_is_found_and_what_loops_is_ended(tmp_path: Path) -> None:
    """The file stays as it is; a fault that ends nothing is stopped; what no test meets is told from what passes."""
    failed, results = _tried(tmp_path, TESTS)

    assert not failed
    assert {name.partition("::")[2] for name, result in results.items() if result == SURVIVED} == {
        "spend: cost > purse => cost >= purse"
    }
    assert {name.partition("::")[2].partition(":")[0] for name, result in results.items() if result == UNTESTED} == {
        "Purse.colour"
    }
    assert results["purse.py::spend: cost - 1 => cost + 1"] == ENDED
    assert results["purse.py::spend: cost > LIMIT => cost >= LIMIT"] == KILLED
    # What it is imported as elsewhere changes with it, so that the tests' own use of it cannot tell.
    assert results["purse.py::: 9 => 10"] == KILLED


@pytest.mark.clause("VF-140")
def test_tests_that_fail_by_themselves_try_nothing(tmp_path: Path) -> None:
    """They would notice every mutant."""
    failed, results = _tried(tmp_path, TESTS.replace("== 5", "== 6"))

    assert failed == ["test_purse.py::test_spending"]
    assert results == {}


@cache
def _mutants() -> tuple[Mutant, ...]:
    return tuple(mutant for module in modules() for mutant in mutants_of(module.path, ROOT))


@pytest.mark.clause("VF-140")
def test_each_mutant_has_a_name_of_its_own_and_stands_where_it_is_said_to_be() -> None:
    """Names hold no line, so that they outlive what is written above them; none is made of what an exception says."""
    mutants = _mutants()

    assert len({each.name for each in mutants}) == len(mutants)
    for module in modules():
        own = [each for each in mutants if each.path == module.path]
        lines = len((ROOT / module.path).read_text(encoding="utf-8").splitlines())
        assert all(1 <= each.line <= lines for each in own)
    assert not any("is too" in each.change for each in mutants)


@pytest.mark.clause("VF-140")
def test_what_is_called_equivalent_is_there_and_says_why() -> None:
    """A mutant that went away leaves the list with it."""
    names = {each.name for each in _mutants()}

    assert set(equivalents()) <= names
    assert all(reason and not reason.endswith(".") for reason in equivalents().values())


@pytest.mark.clause("VF-140")
def test_every_test_that_is_declared_is_there() -> None:
    """And every module of the verifier is tried."""
    declared = {each.path for each in modules()}

    assert all((ROOT / test.partition("::")[0]).exists() for module in modules() for test in module.tests)
    assert all((ROOT / path).exists() for path in declared)


def _score(results: dict[str, str], bound: float, known: dict[str, str]) -> list[str]:
    module = Module("a.py", (), bound)
    outcomes = [Outcome(_mutant(name), result) for name, result in results.items()]
    score = score_of(module, outcomes, len(outcomes), known)
    return faults([score], known, {f"a.py::f: {name}" for name in results})


def _mutant(name: str) -> Mutant:
    return Mutant("a.py", "f", 1, name, compile("", "a.py", "exec"))


@pytest.mark.clause("VF-140")
def test_a_score_below_its_bound_and_an_equivalent_that_is_none_are_faults() -> None:
    """Of those that were tried the bound lets a part live, and no more."""
    results = {"one": KILLED, "two": ENDED, "three": SURVIVED, "four": UNTESTED}

    assert _score(results, 0.5, {}) == []
    assert _score(results, 0.75, {}) == ["a.py: 2 mutants survive, and 1 may"]
    assert _score(results, 1.0, {}) == ["a.py: 2 mutants survive, and 0 may"]
    assert _score(results, 0.75, {"a.py::f: three": "why"}) == []
    assert _score(results, 0.5, {"a.py::f: one": "why"}) == ["called equivalent, and noticed: a.py::f: one, by "]
    assert _score(results, 0.5, {"a.py::f: five": "why"}) == ["called equivalent, and not there: a.py::f: five"]
