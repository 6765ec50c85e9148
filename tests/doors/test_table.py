# SPDX-License-Identifier: Apache-2.0
"""Comparisons and screens come in; the terminal's table must be read by anybody, anywhere."""

from __future__ import annotations

import re

import pytest

from lockgate.core.finding import Finding
from lockgate.report.screen import Screen
from lockgate.report.table import render_table
from lockgate.report.text import width
from tests.doors.comparisons import CLEAN, HOSTILE, INSUFFICIENT, UNAVAILABLE, comparison, judged_one_by_one

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

AT_80_COLUMNS = """
  x REGRESSED  abc123 is worse than v36: error_rate went from 2.00 % to 4.10 %.

  baseline   v36     5,012 runs
  candidate  abc123  4,987 runs
  2 runs came twice; the first of each was kept.

                               v36     abc123   difference   95 % interval
  x error_rate              2.00 %     4.10 %     +2.10 pp   ..|......[===O=d].>
    regressed  the reason of error_rate

  + latency_ms:p95          812 ms     830 ms       +18 ms   ..|Ot...........d.>
    clean  the reason of latency_ms:p95

  ? scores.groundedness      0.830      0.810       -0.020   <.d..[=m===O=|==]..
    insufficient  the reason of scores.groundedness

  ! scores.safe:pass             -     99.0 %            -
    unavailable  the reason of scores.safe:pass

  Shown beside the gates, without a say in the outcome
    latency_ms:p50        212.0 ms   214.0 ms      +2.0 ms   ..[===|==O======].>

  | no difference   t tolerance   d clean within   m proven within
  < > points to worse
  Intervals are 95 % each. Two equal releases are called regressed at most 5 %
  of the time, over all 4 gates.
"""


@pytest.mark.clause("CO-43")
def test_eighty_columns_without_colour_or_unicode_say_everything() -> None:
    """The plainest screen shows sentence, cohorts, each gate with bar and reason, and what the signs mean."""
    assert render_table(comparison(), Screen(80, colour=False, unicode=False)) == AT_80_COLUMNS


@pytest.mark.clause("CO-43")
@pytest.mark.parametrize("columns", [20, 60, 80, 104, 140, 200])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_screen(columns: int, unicode: bool) -> None:
    """From a phone's terminal to a wall's, lines fit; below 60 columns the table does not shrink further."""
    text = render_table(comparison(candidate=HOSTILE), Screen(columns, colour=True, unicode=unicode))

    assert max(width(COLOUR.sub("", line)) for line in text.split("\n")) <= max(60, columns)


@pytest.mark.clause("CO-43")
def test_colour_adds_nothing_but_colour() -> None:
    """Without its escapes a coloured table is the plain one."""
    coloured = render_table(comparison(), Screen(120, colour=True))

    assert coloured != (plain := render_table(comparison(), Screen(120)))
    assert COLOUR.sub("", coloured) == plain


@pytest.mark.clause("CO-45")
def test_a_hostile_name_commands_nothing() -> None:
    """A release's name cannot move the cursor, break a line or turn the text around."""
    text = render_table(comparison(candidate=HOSTILE), Screen(120))

    assert all(char.isprintable() or char == "\n" for char in text)
    assert len(text.split("\n")) == len(render_table(comparison(), Screen(120)).split("\n"))


@pytest.mark.clause("CO-43")
def test_a_plain_screen_is_given_only_ascii() -> None:
    """Where a terminal has no Unicode, names in other scripts are spelled out."""
    text = render_table(comparison(candidate="版本-ü"), Screen(80, unicode=False))

    assert text.isascii()
    assert "\\u7248" in text


@pytest.mark.clause("CO-43")
@pytest.mark.parametrize(
    ("findings", "sentence"),
    [
        ((CLEAN,), "CLEAN  abc123 shows no harm beside v36: gross harm is excluded in latency_ms:p95."),
        (
            (CLEAN, INSUFFICIENT),
            "INSUFFICIENT  There are too few runs to tell whether abc123 is worse than v36: scores",
        ),
        (
            (UNAVAILABLE, CLEAN),
            "UNAVAILABLE  abc123 cannot be compared with v36: there are no values of scores.safe:pass.",
        ),
    ],
)
def test_the_first_line_says_what_was_found(findings: tuple[Finding, ...], sentence: str) -> None:
    """A person who reads one line reads the outcome, the releases, and the gates that made it."""
    first = render_table(comparison(*findings), Screen(120)).strip().split("\n")[0]

    assert sentence in first


@pytest.mark.clause("CO-43")
def test_judging_each_gate_by_itself_is_said() -> None:
    """The promise over all gates is not claimed where it does not hold."""
    text = render_table(judged_one_by_one(0.95), Screen(120))

    assert "Each gate is judged at 95 % by itself, so more gates mean more red by chance." in text
    assert "at most" not in text


FAMILY = "claims-agent-2026-11-20T"


@pytest.mark.clause("CO-43")
@pytest.mark.parametrize(
    ("names", "heads"),
    [
        ((f"{FAMILY}09", f"{FAMILY}10"), ("clai…0T09", "clai…0T10")),
        ((f"{FAMILY}a{FAMILY}", f"{FAMILY}b{FAMILY}"), ("baseline", "candidate")),
    ],
)
def test_names_of_one_family_can_be_told_apart(names: tuple[str, str], heads: tuple[str, str]) -> None:
    """A name that is too long loses its middle; two that then look alike give way to their roles."""
    baseline, candidate = names

    lines = render_table(comparison(baseline=baseline, candidate=candidate), Screen(80)).split("\n")

    head = next(line for line in lines if "difference" in line).split()
    assert tuple(head[:2]) == heads


@pytest.mark.clause("CO-43")
def test_releases_that_only_their_middles_tell_apart_go_by_their_roles() -> None:
    """The first line never says that a release is worse than itself."""
    names = (f"{FAMILY}{arm}{FAMILY}" for arm in "ab")

    text = render_table(comparison(baseline=next(names), candidate=next(names)), Screen(120))

    assert "REGRESSED  candidate is worse than baseline: " in text


@pytest.mark.clause("CO-43")
@pytest.mark.parametrize(("columns", "is_drawn"), [(60, False), (100, True)])
def test_signs_are_explained_where_they_are_drawn(columns: int, is_drawn: bool) -> None:
    """A screen too narrow for bars has no key to them."""
    text = render_table(comparison(), Screen(columns))

    assert ("points to worse" in text, "●" in text) == (is_drawn, is_drawn)
