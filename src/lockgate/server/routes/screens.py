# SPDX-License-Identifier: Apache-2.0
"""The words of a command and what its screen can show come in; what the command says goes out, as text."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.errors import UsageError
from lockgate.report.screen import Screen
from lockgate.server.call import MAX_SPAN_S, MAX_WHOLE, Answer, Call, Handler, check_names, flag_of, text_of, whole_of

# A screen that is wider shows nothing more.
MAX_WIDTH = 1_000
# Which word names what the path does.
NAMED = {"id": "rollout_id", "app": "app_id", "key": "key_id"}
# What is looked for nowhere else; an app that a word names is.
OF_PATH = ("rollout_id", "key_id")
SPANS = ("since_s", "life_s")


def screen_of(name: str) -> Handler:
    """Return what answers a command."""

    def handle(call: Call) -> Answer:
        document = call.document("words", "screen")
        words = {name: _plain(value) for name, value in _object(document, "words").items()}
        _check_placed(words, call.named)
        _check_wholes(words)
        words |= {NAMED[of]: text for of, text in call.named.items()}
        app = text_of(words, "app_id")
        if app is not None:
            call.caller.check_app(app)
        return Answer(document=call.ask(name, words, _screen(_object(document, "screen")), call))

    return handle


def _check_placed(words: Mapping[str, object], named: Mapping[str, str]) -> None:
    """Refuse a word that the path has to say: by the path alone is looked whether a key is for it."""
    for name in (*OF_PATH, *(NAMED[of] for of in named)):
        if words.get(name) is not None:
            raise UsageError(f"{name} is no word here", advice="Name it in the path: /rollouts/ID/screens/COMMAND.")


def _plain(value: object) -> object:
    """Return a number without its point where it is whole: to JSON both are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_wholes(words: Mapping[str, object]) -> None:
    """Refuse a number that no store can hold, or seconds that no span has."""
    for name, value in words.items():
        most = MAX_SPAN_S if name in SPANS else MAX_WHOLE - 1
        if isinstance(value, int) and not 0 <= value <= most:
            raise UsageError(f"{name} is {value}", advice=f"It is a whole number from 0 to {most}.")


def _object(document: Mapping[str, object], name: str) -> dict[str, object]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise UsageError(f"{name} is not an object", advice='Send {"words": {...}, "screen": {...}}.')
    return found


def _screen(facts: Mapping[str, object]) -> Screen:
    check_names("field", facts, ("width", "colour", "unicode"))
    width = whole_of(facts, "width")
    return Screen(
        width=min(MAX_WIDTH, 100 if width is None else width),
        colour=flag_of(facts, "colour"),
        unicode=flag_of(facts, "unicode"),
    )
