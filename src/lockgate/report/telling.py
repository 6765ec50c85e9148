# SPDX-License-Identifier: Apache-2.0
"""Deliveries come in; sentences that say what a router has not been told, and documents of the same, go out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from lockgate.core.canonical import Json
from lockgate.core.delivery import State
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import SECOND, Instant, instant_text
from lockgate.core.wording import count_text, duration_words
from lockgate.operations.webhooks.deliver import Told
from lockgate.report.text import short_name

# More sentences than this tell nobody more.
MAX_SENTENCES = 5


# Whoever asks a server cannot run there what tells routers.
THERE = "on the server's machine "


def sentences(untold: Sequence[Told], now: Instant, where: str = "") -> tuple[str, ...]:
    """Return what a router has not been told, the most urgent first, and the rest as a count.

    `where`, with a blank after it, says where a command that tells it is run; nothing where that is here.
    """
    ordered = sorted(untold, key=lambda told: not told.delivery.is_urgent)
    said = [_sentence(told, now, where, _ahead(told, untold)) for told in ordered[:MAX_SENTENCES]]
    more = len(ordered) - MAX_SENTENCES
    return (
        *said,
        *([f"and {count_text(more, 'more message')}; {where}`lockgate deliver` names them"] if more > 0 else []),
    )


def _ahead(told: Told, untold: Sequence[Told]) -> Told | None:
    """Return what an endpoint is told of an app just before something else; what is urgent waits for nothing."""
    mine = told.delivery
    if mine.is_urgent:
        return None
    older = [
        each
        for each in untold[: untold.index(told)]
        if each.delivery.state is State.DUE
        and (each.delivery.endpoint_id, each.delivery.app) == (mine.endpoint_id, mine.app)
    ]
    return older[-1] if older else None


def _sentence(told: Told, now: Instant, where: str, ahead: Told | None) -> str:
    endpoint = told.endpoint
    who = "the router" if endpoint is None or endpoint.webhook is None else f"webhook {endpoint.id}"
    return f"{who} has not been told: {asked(told)}; {_standing(told, now, where, ahead)}"


def is_under_way(told: Told, now: Instant) -> bool:
    """Say whether something is told for the first time just now, as far as anybody knows."""
    return told.delivery.attempts == 1 and told.delivery.is_leased(now)


def asked(told: Told) -> str:
    """Return what a message asks for."""
    data, event = told.message.data, _event_word(told)
    weight = data.get("weight")
    if "candidate_release" not in data:
        return f"{event} of {short_name(told.message.app)}"
    weighed = f"{weight:g} %" if isinstance(weight, int | float) else "no weight"
    return f"{event}, {weighed} for {short_name(str(data.get('candidate_release')))} in {short_name(told.message.app)}"


def _event_word(told: Told) -> str:
    return told.message.event.value.rpartition(".")[2]


def given_up_sentence(endpoint: Endpoint) -> str:
    """Return that a webhook is sent nothing any more, and why."""
    why = "" if endpoint.webhook is None else endpoint.webhook.disabled
    return f"webhook {endpoint.id} is sent nothing, because {why}; `lockgate webhooks enable` ends that"


def _standing(told: Told, now: Instant, where: str, ahead: Told | None) -> str:
    delivery = told.delivery
    webhook = None if told.endpoint is None else told.endpoint.webhook
    if webhook is not None and webhook.disabled:
        return f"it is disabled: {webhook.disabled}; `lockgate webhooks enable` lets it be told"
    if delivery.state is State.DEAD:
        tries = count_text(delivery.attempts, "attempt")
        return f"given up after {tries}, because {delivery.error}; {where}`lockgate deliver --retry-dead` tries again"
    if delivery.is_leased(now):
        return "it is being told at this moment, or whoever told it has died"
    if delivery.attempts == 0 and ahead is not None:
        return f"it waits behind {_event_word(ahead)}, which is told first"
    if delivery.attempts == 0:
        return f"not tried yet; {where}`lockgate deliver` does"
    left = -(-(delivery.due_at - now) // SECOND)
    return f"{delivery.error or 'whoever told it has died'}; " + (
        f"next try in {duration_words(left)} at the earliest" if left > 0 else f"{where}`lockgate deliver` tries again"
    )


def told_document(told: Told) -> dict[str, Json]:
    """Return a delivery as programs read it."""
    delivery, data = told.delivery, told.message.data
    return {
        "id": delivery.message_id,
        "endpoint": delivery.endpoint_id,
        "app": delivery.app,
        "rollout": delivery.rollout_id,
        "seq": delivery.seq,
        "event": delivery.event.value,
        "weight": data.get("weight"),
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "error": delivery.error,
        "output": delivery.output,
        "next_try": instant_text(delivery.due_at) if delivery.state is State.DUE else None,
        # Until then somebody may be telling it.
        "leased_until": instant_text(delivery.leased_until) if delivery.leased_until else None,
    }


def endpoint_document(endpoint: Endpoint) -> dict[str, Json]:
    """Return an endpoint as programs read it."""
    return {
        "id": endpoint.id,
        "app": endpoint.app,
        "kind": endpoint.kind.value,
        "argv": list(endpoint.argv),
        "folder": endpoint.folder,
        "since": instant_text(endpoint.since),
        "timeout_s": endpoint.timeout_s,
        "acknowledges": endpoint.is_acknowledging,
    }


def endpoint_line(endpoint: Endpoint) -> str:
    """Return an endpoint as one line."""
    reads = "reads the weight back" if endpoint.is_acknowledging else "is not asked what is live"
    return (
        f"{endpoint.app or 'every app'}  {endpoint_words(endpoint)}\n"
        f"  in {endpoint.folder}, at most {endpoint.timeout_s:g} s, {reads}\n"
    )


def endpoint_words(endpoint: Endpoint) -> str:
    """Return the name of an endpoint's program, and its arguments."""
    return " ".join((PurePath(endpoint.argv[0]).name, *endpoint.argv[1:]))
