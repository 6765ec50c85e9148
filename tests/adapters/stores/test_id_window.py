# SPDX-License-Identifier: Apache-2.0
"""Marks come in batch by batch; which are known goes out, as a dict of all of them says."""

from __future__ import annotations

import numpy as np
import pytest

from lockgate.adapters.stores import id_window
from lockgate.adapters.stores.id_window import IdWindow, MarkRow

BATCHES, KEPT = 120, 25


@pytest.mark.clause("BU-202")
@pytest.mark.parametrize("top", [400, 2**63 - 1])
@pytest.mark.parametrize("seed", range(5))
def test_a_mark_is_known_while_its_row_counts(seed: int, top: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a table that is nearly full, and when it comes again after its row was left behind."""
    monkeypatch.setattr(id_window, "SMALLEST", 8)
    generator = np.random.default_rng(seed)
    window, rows = IdWindow(), dict[int, int]()
    for place in range(1, BATCHES):
        again = generator.choice([*rows, 0], 40)
        marks = np.unique(np.concatenate([generator.integers(-top, top, generator.integers(1, 300)), again]))
        window.leave_behind(place - KEPT)

        is_known = window.known(marks)

        assert is_known.tolist() == [rows.get(mark, 0) > window.floor for mark in marks.tolist()]
        window.absorb([MarkRow(place, "sha256:1", place, marks[~is_known])])
        rows.update(dict.fromkeys(marks[~is_known].tolist(), place))
