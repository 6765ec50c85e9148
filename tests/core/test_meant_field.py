# SPDX-License-Identifier: Apache-2.0
"""Names of fields that nobody reads come in; the field that each may be meant to be must come out, or none."""

from __future__ import annotations

import pytest

from lockgate.core.meant_field import IN_NEED, MAX_NAME, OTHER_NAMES, meant_field
from lockgate.core.run import Run

READ = tuple(Run.__dataclass_fields__)


@pytest.mark.clause("SV-254")
@pytest.mark.parametrize(("name", "meant"), OTHER_NAMES.items())
def test_what_others_call_a_field_is_known_where_that_field_is_wanted(name: str, meant: str) -> None:
    """However it is written, and nowhere else."""
    assert meant_field(f" {name.upper().replace('_', '-')}", READ) == meant
    assert meant_field(name, [each for each in READ if each != meant]) != meant


@pytest.mark.clause("SV-254")
@pytest.mark.parametrize("name", ["input", "latncy", "trace_id", "x" * MAX_NAME, f"latency_ms{' ' * MAX_NAME}"])
def test_what_is_only_similar_is_somebodys_own(name: str) -> None:
    """A field is let through without a word, where the run lacks nothing."""
    assert meant_field(name, READ) is None


@pytest.mark.clause("SV-254")
@pytest.mark.parametrize(("name", "meant"), [("input", "input_tokens"), ("latncy", "latency_ms"), ("colour", None)])
def test_where_something_is_missing_similar_is_enough(name: str, meant: str | None) -> None:
    """Whoever is refused is helped by the question, right or wrong."""
    assert meant_field(name, READ, IN_NEED) == meant
