# SPDX-License-Identifier: Apache-2.0
"""Comparisons come in; the pull-request comment must be whole, small, and proof against names that mean harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.report.markdown import code, prose, render_markdown
from tests.doors.comparisons import HOSTILE, comparison

COMMAND = "lockgate compare --baseline v36 --candidate abc123 runs.ndjson"
HEAD = """### ❌ Lockgate: regressed

**abc123 is worse than v36: error\\_rate went from 2.00\N{NO-BREAK SPACE}% to 4.10\N{NO-BREAK SPACE}%.**

|  | gate | `v36` | `abc123` | difference | interval |
| --- | --- | ---: | ---: | ---: | --- |
| ❌ | `error_rate` | 2.00&nbsp;% | 4.10&nbsp;% | +2.10&nbsp;pp | """
INTERVAL = "+1.42&nbsp;to&nbsp;+2.79&nbsp;pp<br>`┄┄│┄┄┄┄┄┄┄┄┄┣━━━━●━━d━┫┄▸` |\n"


@pytest.mark.clause("CO-44")
def test_a_comment_begins_with_what_was_found() -> None:
    """The sentence comes first, then one row per gate."""
    assert render_markdown(comparison(), COMMAND).startswith(HEAD.rstrip("\n") + INTERVAL)


@pytest.mark.clause("CO-44")
def test_details_are_folded_and_name_the_command() -> None:
    """Sizes, other metrics, the policy and the command stand in one folded part."""
    text = render_markdown(comparison(), COMMAND)

    folded = text.partition("<details>")[2].partition("</details>")[0]
    assert f"```sh\n{COMMAND}\n```" in folded
    assert "`latency_ms:p50`" in folded
    assert '"min_runs": 30' in folded


@pytest.mark.clause("CO-45")
def test_a_hostile_name_stays_a_name() -> None:
    """It opens no tag, breaks no table, links nowhere and calls nobody."""
    text = render_markdown(comparison(candidate=HOSTILE), f"lockgate compare --candidate '{HOSTILE}'")

    outside = re.sub(r"(?ms)^(```+)sh\n.*?^\1$", "", text)
    assert "<script" not in outside
    assert "@octocat" not in outside
    assert "http://" not in outside
    assert "\x1b" not in text
    rows = [line for line in outside.split("\n") if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}


@given(st.text(min_size=1))
def test_code_neither_ends_nor_breaks_a_cell(text: str) -> None:
    """Any text as code is one span, without a bar, a line break or a tag of its own."""
    span = code(text)

    inner = span[1:-1] if span.startswith("`") else span.removeprefix("<code>").removesuffix("</code>")
    assert not set(inner) & set("`|<>\n\\\x1b")


@given(st.text())
def test_prose_has_no_bare_markup(text: str) -> None:
    """Every sign that Markdown acts on is preceded by a backslash."""
    bare = re.sub(r"\\[\\`*_{}\[\]#|~$]", "", prose(text))

    assert not set(bare.replace("&#8203;", "")) & set("`*_[]<>|~\n")


@given(st.text(alphabet="`a\n", max_size=30))
def test_a_fence_is_longer_than_any_in_it(command: str) -> None:
    """A command with backticks does not end its block."""
    text = render_markdown(comparison(), command)

    fence = re.search(r"(?m)^(`{3,})sh$", text)
    assert fence is not None
    assert max((len(run) for run in re.findall(r"`+", command)), default=0) < len(fence[1])
