# SPDX-License-Identifier: Apache-2.0
"""A receiver of messages comes in; it is declared, shown, tried, changed or removed, or what it was sent is listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.command_group import CommandGroup
from lockgate.cli.request import Command, options_of
from lockgate.cli.webhook_door import WebhookCall, ask
from lockgate.core.delivery import State
from lockgate.core.webhook import EVENTS, Format

DONE = f"Exit codes: 0 done, also when it was so already; 64 usage or a URL that is refused; {exit_codes.OF_STORE}"
TEST = f"Exit codes: 0 it answered by 200 to 299, 64 usage; {exit_codes.of_store({69: 'it did not'})}"
ONE, TOLD = "/{webhook}", "/{webhook}/deliveries/{message}/redeliver"
named = click.argument("webhook", metavar="ID")
as_document = click.option("--json", "as_json", is_flag=True, help="Print what is answered as JSON.")
who_and_why: Callable[[Command], Command] = options_of(
    click.option("--reason", metavar="TEXT", help="Why; the receipt keeps it. [default: what was done]"),
    click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]"),
    as_document,
)
of_events = click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice([each.value for each in EVENTS]),
    metavar="EVENT",
    help=f"Only this event; may be repeated: {', '.join(EVENTS)}. [default: all]",
)


@click.group(cls=CommandGroup)
def webhooks() -> None:
    """Declare receivers of signed messages, try them, and see what they were sent."""


@webhooks.command("create", epilog=DONE)
@click.option("--url", required=True, metavar="URL", help="Where messages are sent, by https.")
@click.option("--app-id", metavar="APP", help="Only of this app. [default: of every app]")
@of_events
@click.option(
    "--format",
    "form",
    type=click.Choice([each.value for each in Format]),
    default=Format.STANDARD.value,
    show_default=True,
    help="How bodies are written.",
)
@click.option("--hub-header", is_flag=True, help="Also sign the body alone, in X-Lockgate-Signature.")
@who_and_why
def create(url: str, app_id: str | None, events: tuple[str, ...], form: str, *, hub_header: bool, **why: Any) -> int:  # noqa: ANN401 -- as click hands it over
    """Declare a receiver, and print its secret, which is never shown again."""
    body = {"url": url, "format": form, "hub_header": hub_header, **_some(app_id=app_id, events=list(events))}
    return _shared(_asked(why, WebhookCall(handler="create_one", method="POST", body=body, is_new=True)), why)


@webhooks.command("list", epilog=DONE)
@as_document
def list_command(*, as_json: bool) -> int:
    """List receivers."""
    from lockgate.report.webhook_listing import render_webhooks

    found = _pages(WebhookCall(handler="list_all"), "webhooks")
    if as_json:
        output.emit_json({"webhooks": found})
    else:
        output.say(render_webhooks(found, local.screen()))
    return exit_codes.OK.code


@webhooks.command("show", epilog=DONE)
@named
@as_document
def show(webhook: str, *, as_json: bool) -> int:
    """Show a receiver, without its secret."""
    return _shown(ask(WebhookCall(handler="show", path=ONE, named={"webhook": webhook})), as_json=as_json)


@webhooks.command("test", epilog=TEST)
@named
@as_document
def test(webhook: str, *, as_json: bool) -> int:
    """Send a message that asks for nothing, and show what it came to."""
    from lockgate.report.webhook_listing import render_tried

    call = WebhookCall(handler="try_one", method="POST", path=f"{ONE}/test", named={"webhook": webhook}, body={})
    tried = ask(call)
    if as_json:
        output.emit_json(tried)
    else:
        output.say(render_tried(tried, local.screen()))
    return exit_codes.OK.code if tried["delivered"] else exit_codes.UNREACHABLE.code


@webhooks.command("rotate", epilog=DONE)
@named
@click.option(
    "--grace",
    type=local.seconds,
    default="24h",
    show_default=True,
    metavar="SPAN",
    help="How long the older secret signs as well; 0 where it leaked, at most 7d.",
)
@click.option("--force", is_flag=True, help="Also while it is being rotated already.")
@who_and_why
def rotate(webhook: str, grace: float, *, force: bool, **why: Any) -> int:  # noqa: ANN401 -- as click hands it over
    """Make a new secret and print it; the older one signs beside it for a while."""
    body = {"grace": int(grace), "force": force}
    call = WebhookCall(handler="rotate", method="POST", path=f"{ONE}/rotate", named={"webhook": webhook}, body=body)
    return _shared(_asked(why, call), why)


@webhooks.command("disable", epilog=DONE)
@named
@who_and_why
def disable(webhook: str, **why: Any) -> int:  # noqa: ANN401 -- as click hands it over
    """Send nothing there until it is enabled; what is told meanwhile is not sent later."""
    return _switched(webhook, why, is_active=False)


@webhooks.command("enable", epilog=DONE)
@named
@who_and_why
def enable(webhook: str, **why: Any) -> int:  # noqa: ANN401 -- as click hands it over
    """Send messages there again; what was told meanwhile is not sent."""
    code = _switched(webhook, why, is_active=True)
    local.tell("What was told while it was disabled is not sent: `lockgate list` says where each rollout stands.")
    return code


@webhooks.command("delete", epilog=DONE)
@named
@who_and_why
def delete(webhook: str, **why: Any) -> int:  # noqa: ANN401 -- as click hands it over
    """Send nothing there any more, for good."""
    found = _asked(why, WebhookCall(handler="delete", method="DELETE", path=ONE, named={"webhook": webhook}, body={}))
    if why["as_json"]:
        output.emit_json(found)
    else:
        output.say(f"{found['id']} is sent nothing any more.\n")
    return exit_codes.OK.code


@webhooks.command("deliveries", epilog=DONE)
@named
@click.option("--state", type=click.Choice([each.value for each in State]), help="Only these. [default: all]")
@as_document
def deliveries(webhook: str, state: str | None, *, as_json: bool) -> int:
    """List what a receiver was sent or is to be sent, the latest first."""
    from lockgate.report.webhook_listing import render_deliveries

    call = WebhookCall(
        handler="list_deliveries", path=f"{ONE}/deliveries", named={"webhook": webhook}, query=_texts(state=state)
    )
    found = _pages(call, "deliveries")
    if as_json:
        output.emit_json({"deliveries": found})
    else:
        output.say(render_deliveries(found, local.screen(), state))
    return exit_codes.OK.code


@webhooks.command("redeliver", epilog=DONE)
@named
@click.argument("message", metavar="[MESSAGE]", required=False)
@click.option("--dead", "is_dead", is_flag=True, help="Everything that was given up.")
@click.option("--since", metavar="TIME", help="Of that, what was told since; such as 2026-01-31T12:00:00Z.")
@as_document
def redeliver(webhook: str, message: str | None, since: str | None, *, is_dead: bool, as_json: bool) -> int:
    """Send a message once more, the same bytes under the same id, or everything that was given up."""
    if (message is None) is not is_dead or (since is not None and not is_dead):
        raise click.UsageError("Name a message, or --dead.")
    if message is None:
        one, query = {"webhook": webhook}, _texts(since=since)
        path = f"{ONE}/recover"
        answer = ask(WebhookCall(handler="recover_all", method="POST", path=path, named=one, query=query, body={}))
        said = f"{answer['recovered']} are sent again.\n"
    else:
        both = {"webhook": webhook, "message": message}
        answer = ask(WebhookCall(handler="redeliver_one", method="POST", path=TOLD, named=both, body={}))
        said = f"{message} is sent again.\n"
    if as_json:
        output.emit_json(answer)
    else:
        output.say(said)
    return exit_codes.OK.code


def _switched(webhook: str, why: dict[str, Any], *, is_active: bool) -> int:
    body = {"active": is_active}
    found = _asked(why, WebhookCall(handler="change", method="PATCH", path=ONE, named={"webhook": webhook}, body=body))
    return _shown(found, as_json=why["as_json"])


def _asked(why: dict[str, Any], call: WebhookCall) -> dict[str, Any]:
    return ask(replace(call, body={**(call.body or {}), **_texts(reason=why["reason"])}), why["by"])


def _shared(found: dict[str, Any], why: dict[str, Any]) -> int:
    if why["as_json"]:
        output.emit_json(found)
        return exit_codes.OK.code
    output.say(f"{found['secret']}\n")
    local.tell(f"{found['id']} is signed by this secret, which is shown this once")
    return exit_codes.OK.code


def _shown(found: dict[str, Any], *, as_json: bool) -> int:
    from lockgate.report.webhook_listing import render_webhooks

    if as_json:
        output.emit_json(found)
    else:
        output.say(render_webhooks([found], local.screen()))
    return exit_codes.OK.code


def _pages(call: WebhookCall, name: str) -> list[Any]:
    """Return what every page of a list holds."""
    found, query = [], dict(call.query)
    while True:
        page = ask(replace(call, query=query))
        found += page[name]
        if page["cursor"] is None:
            return found
        query["cursor"] = page["cursor"]


def _texts(**words: str | None) -> dict[str, str]:
    return {name: word for name, word in words.items() if word is not None}


def _some(**words: Any) -> dict[str, Any]:  # noqa: ANN401 -- of several kinds
    return {name: word for name, word in words.items() if word}
