# SPDX-License-Identifier: Apache-2.0
"""Decisions of a few rollouts come in on machines that are set up differently; each must be made again to the byte."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lockgate.core.replay.outcome import record_of
from tests.environments import ELSEWHERE, HERE
from tests.replays import collected
from tests.spec.line import world
from tests.spec.replayed import lived
from tools.corpus import Chain, Plan, Writer, accounts, plan, read_chain
from tools.replay_workers import Environment, Tally, replayed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a corpus of a few rollouts."""
    here = world()
    lived(here)
    collected(here.house.store, here.house.org, tmp_path)
    return tmp_path


def replay(corpus: Path, settings: Mapping[str, str]) -> Tally:
    """Replay a corpus in two processes with other settings."""
    return replayed(Environment("another", sys.executable, settings, None), plan(corpus), 2)


def asked(corpus: Path) -> Iterator[tuple[Path, int]]:
    """Yield where somebody of a name asked for a decision: the chain, and which of it."""
    for file in plan(corpus).files:
        for place, (_, case) in enumerate(read_chain(file).decisions):
            if b'"name":"ada"' in case:
                yield file, place


@pytest.mark.clause("RP-24")
@pytest.mark.parametrize("settings", [HERE, ELSEWHERE], ids=["here", "elsewhere"])
def test_decisions_do_not_depend_on_the_machine(corpus: Path, settings: Mapping[str, str]) -> None:
    """Hash seed, time zone and the processor's features change no byte of what is decided."""
    wanted = plan(corpus)

    found = replay(corpus, settings)

    assert (found.equal, found.different, found.broken) == (wanted.turns, [], [])
    assert wanted.turns == wanted.decisions == sum(each.receipts for each in accounts(corpus).values())
    assert (", 0 features" in found.machine) == ("NPY_DISABLE_CPU_FEATURES" in settings)


@pytest.mark.clause("RP-73")
def test_a_changed_decision_of_a_corpus_is_found(corpus: Path) -> None:
    """The test that made it is named, the receipt, and the first place with both values."""
    file, place = next(asked(corpus))
    chain = read_chain(file)
    envelope, case = chain.decisions[place]
    changed = case.replace(b'"name":"ada"', b'"name":"eve"')
    Writer(corpus, "another").add(Chain("test_of_eve", (*chain.decisions[:place], (envelope, changed))))
    file.unlink()

    found = replay(corpus, HERE)

    assert len(found.different) == 1
    assert not found.is_whole
    said = record_of(envelope).statement
    assert f"test_of_eve, receipt {said.seq} ({said.receipt_id})" in found.lines()[1]
    assert '"path": "$.predicate.actor.name"' in found.lines()[1]


@pytest.mark.clause("RP-73")
def test_a_process_that_replays_nothing_is_no_agreement(corpus: Path) -> None:
    """Neither one that ends early, nor one in which the processor's features were to be disabled and are not."""
    file = plan(corpus).files[0]
    file.write_bytes(b"no chain")
    without = Environment("another", sys.executable, ELSEWHERE, None)
    enabled = Tally(without, 0)

    ended = replayed(without, Plan((file,), 1, 1, 1, 1), 1)
    enabled.hear({"numpy": "2.0.0", "features": 3})

    assert "zlib.error" in ended.broken[0]
    assert (ended.is_whole, enabled.is_whole) == (False, False)


@pytest.mark.clause("RP-24")
def test_the_oldest_numpy_is_the_one_that_is_promised() -> None:
    """The lane installs exactly what the project's lower bound names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    lock = (ROOT / "tools" / "replay-oldest.lock").read_text(encoding="utf-8")

    least = next(each.removeprefix("numpy>=") for each in project if each.startswith("numpy"))

    assert re.findall(r"^numpy==([0-9.]+)", lock, re.MULTILINE) == [f"{least}.0" if least.count(".") == 1 else least]
