# SPDX-License-Identifier: Apache-2.0
"""Durations, margins and numbers come in as people write them; the same values must come back from their text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.declaration.compound import MarginShape
from lockgate.core.metric import parse_metric
from lockgate.core.policy.decimal_text import number_from, number_text
from lockgate.core.policy.duration import DURATION_PATTERN, MAX_DURATION_S, duration_seconds, duration_text
from lockgate.core.policy.gate import Margin
from lockgate.core.policy.margin_text import margin_document, margin_words

AMOUNTS = st.one_of(st.just(0.0), st.floats(1e-12, 0.99))
METRICS = st.sampled_from(["error_rate", "latency_ms:p95", "cost", "scores.groundedness"])


@pytest.mark.clause("PO-04")
@given(st.integers(0, MAX_DURATION_S))
def test_a_duration_comes_back_from_its_text(seconds: int) -> None:
    """A span in its largest whole unit means the same seconds."""
    text = duration_text(seconds)

    assert re.search(DURATION_PATTERN, text)
    assert duration_seconds(text) == seconds


@pytest.mark.clause("PO-04")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800), ("1h30m", 5400), ("1.5h", 5400), ("0s", 0)],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    """The units are days, hours, minutes and seconds."""
    assert re.search(DURATION_PATTERN, text)
    assert duration_seconds(text) == seconds


@pytest.mark.clause("PO-04")
@pytest.mark.parametrize("text", ["", "90", "1:30", "-5m", "5 m", "30m1h", "1w", "5M", "1h\n", "٣s"])
def test_what_is_no_duration_is_not_read(text: str) -> None:
    """A number without a unit, or a unit out of order, is a guess."""
    assert re.search(DURATION_PATTERN, text) is None
    assert duration_seconds(text) is None


@pytest.mark.clause("PO-04")
@given(st.floats(0, 1e15, allow_subnormal=False))
def test_a_number_comes_back_from_its_text(value: float) -> None:
    """The shortest decimal text means exactly the same double, as a number and in percent."""
    assert number_from(number_text(value)) == value
    assert number_from(number_text(value, hundredths=True), hundredths=True) == value


@pytest.mark.clause("PO-04")
@given(METRICS, AMOUNTS, AMOUNTS)
def test_a_margin_comes_back_from_its_text(name: str, relative: float, absolute: float) -> None:
    """The one spelling of a margin in an effective policy reads as the same margin."""
    margin = Margin(relative, absolute)

    assert MarginShape().read(margin_document(margin, parse_metric(name))).margin == margin


@pytest.mark.clause("PO-04")
@pytest.mark.parametrize(
    ("stated", "margin"),
    [
        ("5%", Margin(0.05)),
        ("1pp", Margin(0.0, 0.01)),
        ("1 pp", Margin(0.0, 0.01)),
        (100, Margin(0.0, 100.0)),
        ("100", Margin(0.0, 100.0)),
        ("5% + 0.01", Margin(0.05, 0.01)),
        ("5%+1pp", Margin(0.05, 0.01)),
        ("1e+2", Margin(0.0, 100.0)),
        ("1e1% + 1e+2", Margin(0.1, 100.0)),
        ({"relative": "5%", "absolute": "1pp"}, Margin(0.05, 0.01)),
        ({"relative": "75%", "mirrored": True}, Margin(0.75, 0.0, mirrored=True)),
        ({"absolute": 3, "mirrored": True}, Margin(0.0, 3.0)),
    ],
)
def test_a_margin_is_read(stated: object, margin: Margin) -> None:
    """A percentage is of the baseline, pp are points, a number is in the metric's own unit."""
    assert MarginShape().read(stated).margin == margin


@pytest.mark.clause("PO-04")
@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (Margin(), "at all"),
        (Margin(0.75, 0.01), "by more than 75 % + 1 pp"),
        (Margin(0.75, 0.01, mirrored=True), "by more than 75 % of what is missing to 100 % + 1 pp"),
    ],
)
def test_a_margin_has_words(margin: Margin, words: str) -> None:
    """A person reads what is a breach."""
    assert margin_words(margin, parse_metric("pass_rate")) == words
