# SPDX-License-Identifier: Apache-2.0
"""Threads that want to write one store come in; in which order they do is held here."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite.turns import Turns
from lockgate.errors import HeldError

WAIT_S = 20.0


def _waiting(turns: Turns) -> int:
    return len(turns._waiting)


@pytest.mark.clause("SV-174")
def test_who_comes_first_writes_first(tmp_path: Path) -> None:
    """Also where one writes again and again."""
    turns, order = Turns(tmp_path, WAIT_S), list[int]()

    def write(number: int) -> None:
        with turns.taken():
            order.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    with turns.taken():
        for number, thread in enumerate(threads):
            thread.start()
            while _waiting(turns) <= number:
                threading.Event().wait(0.001)
    # The one that held it comes again, after all who waited.
    write(8)
    for thread in threads:
        thread.join(WAIT_S)

    assert order == list(range(9))


@pytest.mark.clause("SV-174")
def test_who_waits_too_long_is_told_and_takes_no_turn(tmp_path: Path) -> None:
    """The next one comes at once."""
    turns = Turns(tmp_path, 0.05)
    with turns.taken(), pytest.raises(HeldError, match="another call"), turns.taken():
        pass

    with turns.taken():
        assert _waiting(turns) == 0


@pytest.mark.clause("SV-174")
def test_a_failure_passes_the_turn_on(tmp_path: Path) -> None:
    """Nobody waits for who has failed."""
    turns = Turns(tmp_path, 0.05)
    with pytest.raises(ValueError, match="failed"), turns.taken():
        raise ValueError("failed")

    with turns.taken():
        assert _waiting(turns) == 0


@pytest.mark.clause("SV-174")
def test_a_forked_process_waits_for_no_thread_of_its_parent(tmp_path: Path) -> None:
    """The turn that was taken there is not its own."""
    turns = Turns(tmp_path, WAIT_S)
    with turns.taken():
        child = os.fork()
        if child == 0:
            with turns.taken():
                os._exit(7)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 7
