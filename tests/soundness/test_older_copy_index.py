# SPDX-License-Identifier: Apache-2.0
"""Stores whose log is shorter than it was, or another, come in; fsck names the first entry that is gone, if it can."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lockgate.core.soundness.flaw import Rule
from lockgate.operations.soundness.outside import outside_flaws
from lockgate.ports.witness import WitnessAnswer
from tests.soundness.test_deepest_first import told
from tests.spec.line import created, world
from tests.witness.machine import Machine
from tests.witness.test_witnessing import SIZE, key_of
from tests.witness.witnessed import Beside, witness

pytestmark = pytest.mark.clause("BU-301")


@pytest.fixture
def copy(tmp_path: Path) -> tuple[Machine, str]:
    """Return a machine on which a copy of one entry was put back, where there had been three."""
    here = Machine(tmp_path / "home")
    rollout = here.create("v2")
    shutil.copytree(here.home, tmp_path / "copy")
    here.act(rollout, "pause", "resume")
    shutil.rmtree(here.home)
    shutil.copytree(tmp_path / "copy", here.home)
    return here, rollout


def test_a_copy_that_was_put_back_is_named_by_the_first_entry_that_is_gone(copy: tuple[Machine, str]) -> None:
    """The mark outside of the store says how long the log was."""
    (flaw,) = told(copy[0])

    assert (flaw["rule"], flaw["index"]) == ("age", 1)
    assert flaw["what"] == "the log of this store is of size 1, and was of size 3 already: it is an older copy"


def test_of_a_copy_that_went_on_nobody_knows_where_it_left(copy: tuple[Machine, str]) -> None:
    """A mark holds one root, and not where another history parts from it."""
    here, rollout = copy
    elsewhere = Machine(here.home, LOCKGATE_STATE=f"{here.home}-elsewhere")
    elsewhere.act(rollout, "pause", "resume")

    (flaw,) = told(here)

    assert (flaw["rule"], flaw["index"]) == ("age", None)
    assert flaw["what"] == "the log of this store is another one than the one that was of size 3 already"


def test_a_witness_that_has_seen_more_names_it_too(tmp_path: Path) -> None:
    """As the mark does, where the machine is a new one."""
    here = world()
    created(here)
    ahead = WitnessAnswer(409, SIZE, b"3\n")

    flaws, silent = outside_flaws(
        here.house, Beside(witness(tmp_path / "w", key_of(here.house)), answer=lambda _: ahead)
    )

    assert [(flaw.rule, flaw.index) for flaw in flaws] == [(Rule.AGE, 1)]
    assert silent == ()
