# SPDX-License-Identifier: Apache-2.0
"""Witnesses by name come in; this machine asks them to cosign its logs, and what each said goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.command_group import CommandGroup

if TYPE_CHECKING:
    from lockgate.operations.witness.witnessing import Asked
    from lockgate.ports.house import House

WRONG = "a key or the list is wrong"
EPILOG = f"Exit codes: 0 done; 64 usage, or no such witness; {exit_codes.of_store({65: WRONG})}"
ASK_EPILOG = (
    "Exit codes: 0 every witness has cosigned the latest checkpoint, 64 usage; "
    f"{exit_codes.of_store({65: 'one of them has seen another log, or refuses', 69: 'one did not answer'})}"
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")


@click.group(cls=CommandGroup)
def witnesses() -> None:
    """Say which witnesses cosign the checkpoints of this machine's logs, and ask them."""


@witnesses.command("add", epilog=EPILOG)
@click.argument("name", metavar="NAME")
@click.argument("key", metavar="KEY")
@click.argument("url", metavar="URL")
def add(name: str, key: str, url: str) -> int:
    """Ask a witness from now on: NAME is what you call it, KEY its public key as one line, URL where it answers."""
    from lockgate.core.cosignature import read_witness_key
    from lockgate.core.witness_policy import Witness
    from lockgate.wiring import witness_list

    local.check_here()
    witness_list().add(Witness(name, read_witness_key(key), url))
    local.tell(f"{name} is asked after each commit by `lockgate serve`, and by `lockgate witnesses ask`")
    if local.has_store():
        local.tell(f"it must know the key of this log: {_log_key(local.house())}")
    return exit_codes.OK.code


@witnesses.command("remove", epilog=EPILOG)
@click.argument("name", metavar="NAME")
def remove(name: str) -> int:
    """Ask a witness no more; what it has cosigned is kept."""
    from lockgate.wiring import witness_list

    local.check_here()
    witness_list().remove(name)
    return exit_codes.OK.code


@witnesses.command("list", epilog=EPILOG)
@JSON
def list_command(*, as_json: bool) -> int:
    """List witnesses and how much of the log each has cosigned."""
    from lockgate.core.wording import entries_text
    from lockgate.operations.witness.witnessing import last_cosigned
    from lockgate.wiring import witness_list

    local.check_here()
    known, house = witness_list().witnesses(), local.house_to_read() if local.has_store() else None
    sizes = {each.name: 0 for each in known}
    if house is not None:
        with house.store.reading(house.org) as seen:
            sizes = {each.name: last_cosigned(seen, each) for each in known}
    if as_json:
        output.emit_json(
            {
                "witnesses": [
                    {"name": each.name, "key": each.key.text, "url": each.url, "cosigned": sizes[each.name]}
                    for each in known
                ]
            }
        )
    else:
        lines = (
            f"{each.name}  {each.url}  {each.key.text}  cosigned {entries_text(sizes[each.name])}\n" for each in known
        )
        output.say("".join(lines) or "No witness is asked; `lockgate witnesses add NAME KEY URL` names one.\n")
    return exit_codes.OK.code


@witnesses.command("ask", epilog=ASK_EPILOG)
@JSON
def ask(*, as_json: bool) -> int:
    """Ask every witness that has not cosigned the latest checkpoint."""
    from lockgate.core.wording import entries_text
    from lockgate.operations.witness.witnessing import ask_witnesses
    from lockgate.wiring import witness_list

    asked = ask_witnesses(local.known_house(), witness_list())
    if as_json:
        output.emit_json({"asked": [_document(each) for each in asked]})
    else:
        done = [each for each in asked if not each.said]
        lines = (f"{each.witness.name} cosigned {entries_text(each.size)}\n" for each in done)
        output.say("".join(lines) or _nothing(asked))
        for each in asked:
            if each.said:
                local.tell(each.said)
    return _code(asked)


def _document(asked: Asked) -> dict[str, object]:
    return {
        "name": asked.witness.name,
        "size": asked.size,
        "outcome": asked.outcome.value,
        "said": asked.said or None,
    }


def _nothing(asked: tuple[Asked, ...]) -> str:
    return "" if asked else "Nobody is to be asked: every witness has cosigned the latest checkpoint.\n"


def _code(asked: tuple[Asked, ...]) -> int:
    from lockgate.operations.witness.cosign_outcome import CosignOutcome

    outcomes = {each.outcome for each in asked}
    if outcomes - {CosignOutcome.COSIGNED, CosignOutcome.UNREACHABLE}:
        return exit_codes.DATA.code
    return exit_codes.UNREACHABLE.code if CosignOutcome.UNREACHABLE in outcomes else exit_codes.OK.code


def _log_key(house: House) -> str:
    from lockgate.operations.soundness.fsck import log_origin
    from lockgate.operations.vault.sign import log_key

    return log_key(log_origin(house), house.signers.log).text
