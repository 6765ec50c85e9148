# SPDX-License-Identifier: Apache-2.0
"""Rollouts come in; the timelines of their bundles must tell people what happened, and obey no name."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from lockgate.core.decision.decision import Action
from lockgate.core.receipt import operator
from lockgate.operations.steering.pause import pause
from lockgate.report.release_event import release_events
from lockgate.report.text import printable
from lockgate.report.timeline import SHOWN, render_timeline
from lockgate.testing.world import World
from tests.spec.bundles import (
    EXPERIMENT,
    MODEL,
    bundled,
    promoted,
    record_of,
    rolled_back,
    rolled_back_at_once,
    stepped_in,
)
from tests.spec.line import created, world
from tests.spec.test_release_record import read_back, shadow

STORIES = (promoted, rolled_back, stepped_in, shadow, read_back)
# What the loop decides moves the weight, and is told by that.
MOVES = (Action.PROMOTE, Action.HOLD, Action.REDUCE, Action.ROLLBACK)
NOTHING = {"weights": {"asked": []}, "operatorActions": [], "alerts": []}
HOSTILE = "a<script>alert(1)</script>"
BIDI = "\u202egnitfil"


class _Page(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def page_of(story: Callable[[], tuple[World, str]]) -> _Page:
    """Return the timeline of a story."""
    here, rollout = story()
    return _Page(bundled(here.house, rollout)[0]["timeline.html"])


@pytest.mark.clause("EX-21")
@pytest.mark.parametrize("story", STORIES)
def test_a_timeline_has_no_script_and_asks_for_nothing(story: Callable[[], tuple[World, str]]) -> None:
    """It is read where there is no network, and by people who let no page run anything."""
    page = page_of(story)

    names = {name for name, _ in page.tags}
    assert not names & {"script", "iframe", "object", "embed", "link", "img", "form", "base"}
    for _, attributes in page.tags:
        assert not {"href", "src", "srcset", "action", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    (policy,) = [each["content"] for _, each in page.tags if each.get("http-equiv") == "Content-Security-Policy"]
    assert (policy or "").startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.clause("EX-21")
def test_names_and_reasons_are_shown_and_not_obeyed() -> None:
    """A release may be called whatever; no tag opens, and no letter turns the line round."""
    here = world()
    candidate = HOSTILE + "W" * 200
    links = (("x", "https://e.example/?a=1&b=2"),)
    rollout = created(here, candidate=candidate, links=links).rollout.id
    who = operator("<img src=x onerror=alert(1)>", f"</p><script>alert(2)</script>{BIDI}{'long' * 150}")
    pause(rollout, who, here.house)

    data = bundled(here.house, rollout)[0]["timeline.html"]

    page = _Page(data)
    assert not {"script", "img"} & {name for name, _ in page.tags}
    assert "alert(2)" in page.text
    assert BIDI not in data.decode()
    assert printable(BIDI) in page.text


@pytest.mark.clause("EX-22")
@pytest.mark.parametrize(
    ("story", "said"),
    [
        (
            promoted,
            ["abc123 has taken over all traffic of claims-agent from v36", "Moved from 5 % to 25 %", "Promoted"],
        ),
        (rolled_back, ["abc123 has been taken out of the traffic", "Rolled back to v36, from 5 % to 0 %"]),
        (shadow, ["abc123 is on trial in claims-agent, against v36", "In shadow mode nothing was moved"]),
        (stepped_in, ["Paused, at 25 %", "by ann@example.com", "Goes on, at 25 %", "App frozen", "by eve@example.com"]),
        (read_back, ["read back"]),
    ],
)
def test_a_timeline_says_what_happened(story: Callable[[], tuple[World, str]], said: list[str]) -> None:
    """When what was decided, why, and who stepped in, each by its receipt."""
    text = re.sub(r"\s+", " ", page_of(story).text)

    for sentence in said:
        assert sentence in text, sentence
    assert re.search(r"receipt 1, entry \d of the log", text)
    assert "What is proven, and what is not" in text
    assert "bash audit.sh --key RECEIPT-KEY.pem --log-key LOG-KEY.txt" in text


@pytest.mark.clause("EX-22")
def test_a_timeline_says_what_was_on_trial() -> None:
    """The digests of the candidate's parts, and where more is to be read."""
    text = page_of(promoted).text

    assert f"sha256:{MODEL}" in text
    assert EXPERIMENT in text
    assert "at most 5" in text


@pytest.mark.clause("EX-22")
def test_the_weights_are_drawn() -> None:
    """Each weight that was asked for is in the drawing, and in words for who cannot see it."""
    page = page_of(promoted)

    (drawn,) = [each for name, each in page.tags if name == "svg"]
    (ramp,) = [each for name, each in page.tags if each.get("class") == "ramp"]
    assert drawn["aria-label"] == "Weight of the candidate over time: 5 %, 25 %, 50 %, 100 %"
    assert (ramp["d"] or "").count("V") == 3


@pytest.mark.clause("EX-22")
def test_of_very_many_events_the_last_is_shown_and_the_rest_is_counted() -> None:
    """A page stays one that a browser opens."""
    here, rollout = stepped_in()
    record = record_of(bundled(here.house, rollout)[0])
    (action,) = [each for each in record["operatorActions"] if each["action"] == "pause"]
    record["operatorActions"] += [
        {**action, "rests": {**action["rests"], "seq": 1_000 + number}} for number in range(2 * SHOWN)
    ]

    page = _Page(render_timeline(record, {}))

    assert (
        len([name for name, each in page.tags if name == "li" and each.get("class") in ("person", "clean")]) < SHOWN + 5
    )
    assert re.search(r"\d{3} more, which release-record.json has", page.text)
    assert "App frozen" in page.text


@pytest.mark.clause("EX-84")
def test_a_card_says_which_runs_its_numbers_are_of() -> None:
    """Those of the step, or of all steps and of runs from before, where those decided."""
    before, usual = page_of(rolled_back_at_once).text, page_of(rolled_back).text

    assert re.search(r"\d\s% \(1,000\) → [\d.]+\s% \(1,000\)", before)
    assert "the numbers are of all steps and of runs from before the trial" in before
    assert "the numbers are of its step" in usual
    assert "of all steps" not in usual


@pytest.mark.clause("EX-84")
def test_a_card_without_numbers_shows_none() -> None:
    """Nobody reads dashes and zeros."""
    here, rollout = rolled_back()
    record = record_of(bundled(here.house, rollout)[0])
    record["metrics"][0] |= {side: {"n": 0, "value": None} for side in ("baseline", "candidate")}

    page = _Page(render_timeline(record, {}))

    assert "(0)" not in page.text
    assert "the numbers are of" not in page.text


@pytest.mark.clause("EX-84")
def test_a_timeline_is_set_as_print_is() -> None:
    """Words of programs are set as such, and numbers below zero have a true minus sign."""
    here, rollout = promoted()
    record = record_of(bundled(here.house, rollout)[0])
    record["metrics"][0]["inWords"] = "stood at -0.2; `detect` is <b>excluded</b>"

    page = render_timeline(record, {}).decode("utf-8")

    assert "stood at −0.2; <code>detect</code> is &lt;b&gt;excluded&lt;/b&gt;" in page


@pytest.mark.clause("EX-54")
@pytest.mark.parametrize("action", [each for each in Action if each not in MOVES])
def test_whatever_was_done_is_said_in_words(action: Action) -> None:
    """What moves no weight is told by what was done, and by no name of a program."""
    here, rollout = stepped_in()
    record = record_of(bundled(here.house, rollout)[0])
    related = {**record["related"][0], "action": action.value}

    (event,) = release_events({**record, **NOTHING, "related": [related]})

    assert event.title != action.value.replace("_", " ").capitalize()
