# SPDX-License-Identifier: Apache-2.0
"""Apps as they stand come in; the lines of a terminal and the documents of programs go out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.instant import instant_text
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.core.wording import count_text
from lockgate.operations.asking.overview import Overview
from lockgate.report import number
from lockgate.report.rollout_document import rollout_document
from lockgate.report.screen import Screen
from lockgate.report.telling import endpoint_document, endpoint_words
from lockgate.report.text import NO_BREAK, pad, short_name, wrap

MARGIN, HEAD = "  ", 11
# Of more releases than these, of the latest so many are named.
MAX_RELEASES = 10


def overview_document(one: Overview) -> dict[str, Json]:
    """Return an app as programs read it."""
    app = one.app
    return {
        "app": app.name,
        "version": one.version,
        "id": one.series,
        "champion": app.champion,
        "former_champion": app.former_champion,
        "frozen": app.frozen,
        "killed": app.is_killed,
        "releases": [
            {"name": each.name, "first_seen_at": instant_text(each.first_seen_at)} for each in one.releases.latest
        ],
        "release_count": one.releases.count,
        "active": [rollout_document(each) for each in one.active],
        "actuator": None if one.endpoint is None else endpoint_document(one.endpoint),
        # Some addresses are secrets, and whoever may look may not know them.
        "webhooks": [each.id for each in one.webhooks],
    }


def render_overview(one: Overview, screen: Screen) -> str:
    """Return where an app stands: what is live, what is on trial, what may not move, and who moves it."""
    app = one.app
    lines = [screen.paint(screen.text(app.name), "bold")]
    if app.frozen is not None:
        word = "killed, and frozen" if app.is_killed else "frozen"
        lines += [screen.paint(line, "yellow") for line in _line(word, number.write_sentence(app.frozen), screen)]
    champion = "none yet" if app.champion is None else short_name(app.champion)
    before = "" if app.former_champion is None else f", before it {short_name(app.former_champion)}"
    lines += _line("champion", champion + before, screen)
    lines += _line("seen", _releases(one), screen)
    for each in one.active:
        lines += _line("on trial", _trial(each), screen)
    lines += _movers(one, screen)
    return "\n".join(lines).replace(NO_BREAK, " ") + "\n"


def _movers(one: Overview, screen: Screen) -> list[str]:
    webhooks = [*_line("webhooks", ", ".join(each.id for each in one.webhooks), screen)] if one.webhooks else []
    if one.endpoint is None:
        return webhooks or _line("actuator", "none", screen)
    return [*_line("actuator", endpoint_words(one.endpoint), screen), *webhooks]


def _releases(one: Overview) -> str:
    latest = [short_name(each.name) for each in reversed(one.releases.latest[-MAX_RELEASES:])]
    more = one.releases.count - len(latest)
    names = ", ".join(latest) + (f" and {more:,} before" if more else "")
    return f"{count_text(one.releases.count, 'release')}{f', the latest first: {names}' if latest else ''}"


def _trial(rollout: Rollout) -> str:
    would = "would serve" if rollout.mode is Mode.SHADOW else "serves"
    candidate, baseline = short_name(rollout.candidate), short_name(rollout.baseline)
    return f"{candidate} {would} {rollout.weight:g} % beside {baseline}: {rollout.id}, {rollout.status.value}"


def _line(head: str, said: str, screen: Screen) -> list[str]:
    if len(head) > HEAD:
        head, said = "", f"{head}: {said}"
    room = max(24, screen.width - len(MARGIN) - HEAD)
    first, *rest = wrap(screen.text(said), room) or [""]
    return [f"{MARGIN}{pad(head, HEAD)}{first}".rstrip(), *(f"{MARGIN}{' ' * HEAD}{line}" for line in rest)]
