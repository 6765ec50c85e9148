# SPDX-License-Identifier: Apache-2.0
"""Times as text come in; told all at once they are the instants that each is by itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.decoders import start_times
from lockgate.adapters.decoders.start_times import instants

DAY_MS = 86_400_000


@given(st.integers(1, 3 * start_times._ROWS), st.integers(1, 10 * DAY_MS), st.integers(0, 3))
def test_many_times_are_told_as_each_by_itself(size: int, step_ms: int, seed: int) -> None:
    """However many they are, and whether or not they are of one minute."""
    places = range(seed, seed + size * step_ms, step_ms)
    expected = [1_793_613_600_000 + place for place in places]

    assert instants([_text(moment) for moment in expected]).tolist() == expected


def _text(moment: int) -> str:
    days, milli = divmod(moment, DAY_MS)
    date = np.datetime64(days, "D")
    seconds, milli = divmod(milli, 1_000)
    return f"{date}T{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milli:03d}Z"
