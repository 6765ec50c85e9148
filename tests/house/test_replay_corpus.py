# SPDX-License-Identifier: Apache-2.0
"""Decisions come in from many processes; whoever replays them must find each, or be told what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replays import summary
from tools.corpus import Account, Chain, CorpusError, Decision, Writer, accounts, plan, read_chain
from tools.replay_lane import closing_line, size_line
from tools.replay_workers import Environment, Tally

ROOT = Path(__file__).resolve().parents[2]
# Few bytes, so that chains begin alike, are one another's beginning, or are the same.
PARTS = st.sampled_from([b"a", b"b"])
CHAINS = st.lists(st.lists(st.tuples(PARTS, PARTS), min_size=1, max_size=4), min_size=1, max_size=12)
# Writes what another process writes too, and one chain of its own; a second word ends it before it has closed.
WRITING = """
import os, signal, sys
from pathlib import Path
from tools.corpus import Account, Chain, Writer

folder, number = sys.argv[1:3]
writer = Writer(Path(folder), "lane")
shared = [Chain("t", ((b"envelope %d" % each, b"case" * 9999),)) for each in range(40)]
names = {writer.add(chain) for chain in [*shared, Chain("t", ((number.encode(), b"own"),))]}
if sys.argv[3:]:
    os.kill(os.getpid(), signal.SIGKILL)
writer.close(Account(receipts=41, rollouts=41, chains=names))
"""


def written(corpus: Path, chains: Sequence[Sequence[Decision]], lane: str = "lane") -> None:
    """Write chains as one process does."""
    writer = Writer(corpus, lane)
    names = {writer.add(Chain("test", tuple(chain))) for chain in chains}
    writer.close(Account(receipts=sum(map(len, chains)), rollouts=len(chains), chains=names))


def writing(corpus: Path, *words: str) -> subprocess.Popen[bytes]:
    """Return a process that writes."""
    command = [sys.executable, "-c", WRITING, str(corpus), *words]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.clause("RP-70")
@given(CHAINS, CHAINS)
def test_every_distinct_decision_is_in_the_plan(one: list[list[Decision]], two: list[list[Decision]]) -> None:
    """Nothing is dropped, and no chain is replayed that another one begins with, whichever lane it is of."""
    with TemporaryDirectory() as name:
        written(Path(name), one, "one")
        written(Path(name), two, "two")

        found = plan(Path(name))
        chains = [read_chain(path).decisions for path in found.files]

    distinct = {decision for chain in (*one, *two) for decision in chain}
    assert {decision for chain in chains for decision in chain} == distinct
    assert (found.decisions, found.turns) == (len(distinct), sum(map(len, chains)))
    beginnings = {chain[:count] for chain in chains for count in range(1, len(chain))}
    assert len(set(chains) - beginnings) == len(chains)


@pytest.mark.clause("RP-70")
def test_processes_write_at_once(tmp_path: Path) -> None:
    """What several of them write is there once, and what each writes alone is there."""
    running = [writing(tmp_path, str(number)) for number in range(3)]

    codes = [process.wait() for process in running]

    assert codes == [0, 0, 0]
    assert plan(tmp_path).decisions == 40 + 3
    assert accounts(tmp_path, ["lane"])["lane"].receipts == 3 * 41


@pytest.mark.clause("RP-71")
def test_a_process_that_was_killed_is_missed(tmp_path: Path) -> None:
    """What it had not written is nowhere, so that nobody may say that all of it was replayed."""
    written(tmp_path, [[(b"envelope", b"case")]])

    assert writing(tmp_path, "1", "be killed").wait() == -signal.SIGKILL

    with pytest.raises(CorpusError, match="of lane lane 1 processes never ended"):
        accounts(tmp_path)


@pytest.mark.clause("RP-71")
def test_a_chain_that_is_gone_is_missed(tmp_path: Path) -> None:
    """The account of who wrote it names it."""
    written(tmp_path, [[(b"one", b"case")], [(b"two", b"case")]])
    plan(tmp_path).files[0].unlink()

    with pytest.raises(CorpusError, match="of lane lane 1 chains are missing"):
        accounts(tmp_path)


@pytest.mark.clause("RP-71")
@pytest.mark.parametrize("silent", ["never ran", "ran"])
def test_a_lane_that_gave_nothing_is_missed(tmp_path: Path, silent: str) -> None:
    """Whether it never ran, or ran and replayed nothing."""
    written(tmp_path, [[(b"envelope", b"case")]])
    written(tmp_path, [], "ran")

    with pytest.raises(CorpusError, match=f"no decision came from {silent}"):
        accounts(tmp_path, ["lane", silent])


@pytest.mark.clause("RP-72")
def test_the_lane_says_what_was_replayed_and_what_was_not(tmp_path: Path) -> None:
    """How many decisions, of how many receipts, of which lanes, in which environments, and how much was left out."""
    written(tmp_path, [[(b"1", b"c"), (b"2", b"c")], [(b"1", b"c")]], "test")
    written(tmp_path, [[(b"3", b"c")]], "slow")
    wanted, given_ = plan(tmp_path), accounts(tmp_path)
    given_["slow"].left = Counter({"receipts whose evidence was pruned": 4})
    good, bad = (Tally(Environment(name, "python", {}, None), wanted.turns) for name in ("here", "elsewhere"))
    good.hear({"equal": 3})
    bad.hear({"equal": 2})

    said = closing_line(wanted, given_, [good, bad], 9)

    assert size_line(wanted).startswith("replay: 3 distinct decisions in 2 chains, ")
    assert said == (
        "replay: 3 distinct decisions of 4 receipts (slow 1, test 3) came out equal in 1 of 2 environments (here) "
        "in 9 s; left out: receipts whose evidence was pruned: 4"
    )


@pytest.mark.clause("RP-72")
@pytest.mark.parametrize(
    ("account", "words"),
    [
        (Account(1, 1), "replayed 1 receipt of 1 rollout in 2.0 s; left out: nothing"),
        (Account(2_000, 1), "replayed 2,000 receipts of 1 rollout in 2.0 s; left out: nothing"),
        (Account(2, 2, Counter(stores=1)), "replayed 2 receipts of 2 rollouts in 2.0 s; left out: stores: 1"),
    ],
)
def test_each_run_of_tests_says_what_it_replayed(account: Account, words: str) -> None:
    """In the singular where it is one."""
    assert summary(account, 2.0) == words
