# SPDX-License-Identifier: Apache-2.0
"""The name of a command comes in; the function that answers it, wherever it is asked, goes out.

A module is imported when its command is asked, because each brings the operations and the reports that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, get_type_hints

import msgspec

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.declaration.nearest import question
from lockgate.errors import UsageError

# Of each command its module, and what its function is called where the module answers several.
ASKED = {
    "show": ("show", "answer"),
    "explain": ("explain", "answer"),
    "list": ("list_rollouts", "answer"),
    "apps": ("apps", "answer"),
    "runs": ("runs", "answer"),
    "receipts": ("receipts", "answer"),
    "look": ("look", "answer"),
    "turn": ("look", "answer_turn"),
    "end": ("look", "answer_end"),
    "tick": ("tick", "answer"),
    "create": ("create", "answer"),
    "compare": ("compare", "answer"),
    "pause": ("act", "answer_pause"),
    "resume": ("act", "answer_resume"),
    "cancel": ("act", "answer_cancel"),
    "clear-alarm": ("act", "answer_clear_alarm"),
    "approve": ("on_sight", "answer_approve"),
    "promote": ("on_sight", "answer_promote"),
    "rollback": ("rollback", "answer"),
    "freeze": ("act_on_apps", "answer_freeze"),
    "unfreeze": ("act_on_apps", "answer_unfreeze"),
    "kill": ("act_on_apps", "answer_kill"),
    "keys-create": ("keys", "answer_create"),
    "keys-list": ("keys", "answer_list"),
    "keys-revoke": ("keys", "answer_revoke"),
    "kept": ("kept", "answer"),
}


def answer(name: str, document: Mapping[str, object], desk: Desk) -> Said:
    """Answer a command whose words are a JSON document."""
    module, function = ASKED[name]
    found: Callable[[Any, Desk], Said] = getattr(import_module(f"lockgate.cli.asked.{module}"), function)
    # What a module makes of several commands has the hints of the one that it is made by.
    return found(_words(get_type_hints(found)["words"], document), desk)


def _words(kind: type[Any], document: Mapping[str, object]) -> object:
    """Return the words of a command, each of its kind."""
    known = tuple(kind.__dataclass_fields__)
    for name in document:
        if name not in known:
            raise UsageError(
                f"there is no word {name!r}",
                advice=f"{question(name, known)}Client and server may be of different versions.",
            )
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"the words of the command: {error}", advice="See /openapi.json.") from error
