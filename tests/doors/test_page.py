# SPDX-License-Identifier: Apache-2.0
"""Comparisons come in; the HTML page must carry everything, fetch nothing, and run nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lockgate.core.bucket import Bucket
from lockgate.report.page import render_page
from tests.doors.comparisons import HOSTILE, UNAVAILABLE, comparison

COMMAND = "lockgate compare --baseline v36 --candidate abc123 runs.ndjson"
VOID = {"meta", "br", "line", "circle", "rect", "path"}


class Outline(HTMLParser):
    """What a browser would find: tags, attributes and text; unbalanced tags are a fault."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost tag."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.texts.append(data)


@pytest.mark.clause("CO-46")
def test_a_page_carries_everything() -> None:
    """Outcome, releases, cohorts, gates, plots, distributions, policy and command are in the file."""
    outline = Outline(render_page(comparison(), COMMAND))

    text = " ".join(" ".join(outline.texts).split())
    assert "abc123 is worse than v36: error_rate went from 2.00 % to 4.10 %." in text
    assert "5,012 runs" in text
    assert "the reason of latency_ms:p95" in text
    assert "latency_ms, on a logarithmic axis" in text
    assert '"min_runs": 30' in text
    assert COMMAND in text
    assert outline.tags.count("svg") == 1 + 3 + 1 + 1


@pytest.mark.clause("CO-46")
def test_a_page_asks_nothing_of_the_network_and_runs_nothing() -> None:
    """No script, no link, no source; the policy allows its one style sheet by hash, and nothing else."""
    page = render_page(comparison(), COMMAND)
    outline = Outline(page)

    assert not {"script", "link", "img", "iframe", "a", "form", "base", "object"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on") or name in ("src", "href", "style")]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    hashed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policies = [value for _, value in outline.attributes if value.startswith("default-src")]
    assert policies == [f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"]
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.clause("CO-45")
def test_a_hostile_name_is_only_text() -> None:
    """The page of a hostile name has the very tags of the page of a tame one."""
    hostile = Outline(render_page(comparison(candidate=HOSTILE, baseline=HOSTILE + "2"), HOSTILE))

    assert hostile.tags == Outline(render_page(comparison(), COMMAND)).tags
    assert any("<script>alert(1)</script>" in text for text in hostile.texts)


@pytest.mark.clause("CO-46")
def test_every_drawing_has_a_name_and_every_column_a_head() -> None:
    """Who cannot see a plot hears its numbers, and finds them in a table."""
    page = render_page(comparison(), COMMAND)
    outline = Outline(page)

    named = [value for name, value in outline.attributes if name == "aria-label"]
    assert "error_rate: difference +2.10\N{NO-BREAK SPACE}pp, 95\N{NO-BREAK SPACE}% interval" in " ".join(named)
    assert page.count('role="img"') + page.count('class="emblem"') == page.count("<svg")
    assert page.count("<th ") == page.count('<th scope="')


@pytest.mark.clause("CO-46")
def test_a_page_of_very_thin_data_is_still_a_page() -> None:
    """One finding without numbers and empty tallies make no plot and no fault."""
    thin = replace(comparison(UNAVAILABLE), shown=(), notes=(), buckets=(Bucket(), Bucket()))

    assert Outline(render_page(thin, COMMAND)).tags.count("svg") == 1
