# SPDX-License-Identifier: Apache-2.0
"""Which CI jobs get a key without having one comes in; the rule is kept, shown or taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.command_group import CommandGroup
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.core.trust_rule import TrustRule

EPILOG = f"Exit codes: 0 done; 64 usage; {exit_codes.OF_STORE}"


class Call(TypedDict):
    """What was called to make a rule, as click hands it over."""

    name: str
    provider: str
    audience: str
    claims: tuple[str, ...]
    words: tuple[str, ...]
    apps: tuple[str, ...]
    events: tuple[str, ...]
    issuer: str | None
    life: float
    reason: str | None
    by: str | None
    as_json: bool


@click.group(cls=CommandGroup)
def trust() -> None:
    """Say which CI jobs get a key for the token that their CI system signed."""


@trust.command("create", epilog=EPILOG)
@click.option("--name", required=True, metavar="TEXT", help="Whose jobs they are.")
@click.option("--provider", type=click.Choice(["github", "gitlab"]), required=True, help="Whose tokens they are.")
@click.option("--audience", required=True, metavar="TEXT", help="For whom tokens must be made: this server's address.")
@click.option("--claim", "claims", multiple=True, required=True, metavar="NAME=TEXT", help="What a token must say.")
@click.option("--allow", "words", multiple=True, required=True, metavar="WORD", help="A preset or a permission.")
@click.option("--app-id", "apps", multiple=True, metavar="APP", help="Only for this app; may be repeated.")
@click.option("--event", "events", multiple=True, metavar="NAME", help="Trust it although strangers may set it off.")
@click.option("--issuer", metavar="URL", help="Of a server of your own. [default: the provider's]")
@click.option("--for", "life", type=local.seconds, default="15m", show_default=True, metavar="SPAN", help="How long.")
@click.option("--reason", metavar="TEXT", help="Why; the receipt keeps it. [default: what was done]")
@click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print the rule as JSON.")
def create(**call: object) -> int:
    """Trust jobs whose token says all of this, and give each a key for some minutes."""
    return _create(cast("Call", call))


def _create(call: Call) -> int:
    from lockgate.core.permission import permissions_of
    from lockgate.core.receipt import operator
    from lockgate.core.trust_rule import Provider
    from lockgate.operations.access.trust import TrustOrder, create_rule
    from lockgate.report.trust_listing import render_rules

    order = TrustOrder(
        name=call["name"],
        provider=Provider(call["provider"]),
        audience=call["audience"],
        pins=tuple(_pin(each) for each in call["claims"]),
        permissions=permissions_of(call["words"]),
        apps=call["apps"],
        events=call["events"],
        issuer=call["issuer"],
        life_s=int(call["life"]),
    )
    who = operator(call["by"] or local.actor().name or "lockgate trust", call["reason"] or "a job of it is trusted")
    rule = create_rule(order, who, local.house())
    if call["as_json"]:
        output.emit_json(rule.document())
    else:
        output.say(render_rules([rule], local.screen()))
    if call["issuer"]:
        _warn_if_closed(rule)
    return exit_codes.OK.code


def _warn_if_closed(rule: TrustRule) -> None:
    """Tell that a server with the settings of this call could not ask an issuer of one's own for its keys."""
    from lockgate import wiring
    from lockgate.core.trust_rule import keys_url
    from lockgate.errors import UnreachableError

    try:
        wiring.check_issuer(keys_url(rule))
    except UnreachableError as error:
        local.tell(f"warning: tokens of these jobs open nothing yet: {error.message}\n{error.advice}")


@trust.command("list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the rules as JSON.")
def list_command(*, as_json: bool) -> int:
    """List the rules, the oldest first."""
    from lockgate.operations.access.trust import list_rules
    from lockgate.report.trust_listing import render_rules

    found = list_rules(local.known_house())
    if as_json:
        output.emit_json({"rules": [rule.document() for rule in found]})
    else:
        output.say(render_rules(found, local.screen()))
    return exit_codes.OK.code


@trust.command("delete", epilog=EPILOG)
@click.argument("rule_id", metavar="ID")
@click.option("--reason", metavar="TEXT", help="Why; the receipt keeps it. [default: what was done]")
@click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print the rule as JSON.")
def delete(rule_id: str, reason: str | None, by: str | None, *, as_json: bool) -> int:
    """Trust no more jobs by a rule; keys that were got by it open nothing from now on."""
    from lockgate.core.receipt import operator
    from lockgate.operations.access.trust import delete_rule
    from lockgate.report.trust_listing import render_rules

    who = operator(by or local.actor().name or "lockgate trust", reason or "no job of it is trusted any more")
    rule = delete_rule(rule_id, who, local.known_house())
    if as_json:
        output.emit_json(rule.document())
    else:
        output.say(render_rules([rule], local.screen()))
    return exit_codes.OK.code


def _pin(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--claim {text!r} says nothing", advice="Write --claim repository_id=1234.")
    return name, value
