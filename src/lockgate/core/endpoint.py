# SPDX-License-Identifier: Apache-2.0
"""Who must be told, and how they are reached, come in as one value; whether a message is for them goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lockgate.core.canonical import Json, name_of
from lockgate.core.canonical import digest as digest_of
from lockgate.core.instant import Instant
from lockgate.core.transition import Event
from lockgate.core.webhook import Webhook
from lockgate.errors import UsageError

MAX_WORDS = 64
MAX_WORD = 4_096
MIN_TIMEOUT_S, DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S = 0.1, 30.0, 600.0
# What asks for a weight; what else is told is nothing that a router could carry out.
MOVES = frozenset({Event.CREATED, Event.PROMOTE, Event.REDUCE, Event.ROLLBACK})


class Kind(StrEnum):
    """How an endpoint is reached; the value is what is stored, so that kinds can be added."""

    COMMAND = "command"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Somebody who is told what happens to an app, or to all (None), since it was declared.

    A `command` is a program with arguments, run in `folder`; it is its app's actuator. A `webhook` is sent messages.
    `is_acknowledging`: it answers with the weight that it read back, and comparisons wait for that.
    `log_size`: how many receipts there were before it was declared; what is told by later ones is for it, whatever the
    clock said.
    """

    id: str
    app: str | None
    kind: Kind
    argv: tuple[str, ...] = ()
    folder: str = ""
    since: Instant
    timeout_s: float = DEFAULT_TIMEOUT_S
    is_acknowledging: bool = False
    log_size: int = 0
    webhook: Webhook | None = None

    def hears(self, app: str, event: Event) -> bool:
        """Say whether an event of an app is for this endpoint."""
        is_heard = event in MOVES if self.webhook is None else self.webhook.hears(event)
        return is_heard and self.app in (None, app)

    def may_move(self, app: str) -> bool:
        """Say whether weights of an app are for this endpoint, or would be if it were not disabled."""
        is_mover = self.webhook is None or not MOVES.isdisjoint(self.webhook.events)
        return is_mover and self.app in (None, app)

    def digest(self) -> str:
        """Return the digest of what was declared, which the receipt of the declaration states."""
        plain: dict[str, Json] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        webhook = None if self.webhook is None else self.webhook.document()
        return digest_of({**plain, "kind": self.kind.value, "argv": list(self.argv), "webhook": webhook})


def actuator_name(org: str, app: str) -> str:
    """Return the id of the one endpoint that exposes an app's releases."""
    return name_of("end", org, app, Kind.COMMAND.value)


def check_command(argv: Sequence[str], folder: str, timeout_s: float) -> None:
    """Refuse a program that could never be run, or that would be waited for too long."""
    if not argv or not argv[0]:
        raise UsageError("no program is named", advice="Write it after `--`, such as `-- ./shift.sh web`.")
    if len(argv) > MAX_WORDS or any(len(word) > MAX_WORD or "\0" in word for word in argv):
        raise UsageError(
            f"a program has at most {MAX_WORDS} words of {MAX_WORD} characters each",
            advice="Put what is longer into a file that the program reads.",
        )
    if any(0xD800 <= ord(letter) <= 0xDFFF for word in (*argv, folder) for letter in word):
        raise UsageError("the program, or its folder, is not named in UTF-8", advice="Name it in UTF-8.")
    if not MIN_TIMEOUT_S <= timeout_s <= MAX_TIMEOUT_S:
        raise UsageError(
            f"a timeout of {timeout_s:g} s is not between {MIN_TIMEOUT_S:g} s and {MAX_TIMEOUT_S:g} s",
            advice="Give the program time to answer, and no more.",
        )
