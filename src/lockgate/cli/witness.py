# SPDX-License-Identifier: Apache-2.0
"""A folder and keys of logs come in; a witness goes out that cosigns their checkpoints over HTTP."""

from __future__ import annotations

from typing import Any

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.command_group import CommandGroup
from lockgate.errors import UsageError

HOST, PORT = "127.0.0.1", 7301
EPILOG = "Exit codes: 0 made; 64 usage, or the folder has a key already."
SERVE_EPILOG = (
    "Exit codes: 0 ended by SIGINT or SIGTERM, 64 usage, or no key, or the port is taken, 65 a key of a log is none, "
    "or the file of what was cosigned is not there, 77 a file may not be read."
)
FOLDER: dict[str, Any] = {"required": True, "metavar": "FOLDER", "type": click.Path(file_okay=False)}


@click.group(cls=CommandGroup)
def witness() -> None:
    """Cosign other teams' logs, so that none is rewritten unseen."""


@witness.command("key", epilog=EPILOG)
@click.option("--dir", "folder", **FOLDER, help="Where the key and what it cosigned are kept.")
@click.option("--name", required=True, metavar="NAME", help="What it is known by, such as witness.example.com/w1.")
def key(folder: str, name: str) -> int:
    """Make the key of a witness and print the public one, which logs are told."""
    from pathlib import Path

    from lockgate.wiring import make_witness

    output.say(f"{make_witness(Path(folder), name).public.text}\n")
    local.tell("logs that ask this witness need that line and its address: `lockgate witnesses add NAME KEY URL`")
    return exit_codes.OK.code


@witness.command("serve", epilog=SERVE_EPILOG)
@click.option("--dir", "folder", **FOLDER, help="Where `lockgate witness key` made the key.")
@click.option("--log", "logs", required=True, multiple=True, metavar="KEY", help="A log's public key, as one line.")
@click.option("--host", default=HOST, show_default=True, metavar="HOST", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="0 takes a free one.")
def serve(folder: str, logs: tuple[str, ...], host: str, port: int) -> int:
    """Cosign checkpoints of logs that only grew, and of no other ones."""
    from pathlib import Path

    from lockgate.core.note import read_note_key
    from lockgate.operations.witness.cosigning import Cosigner
    from lockgate.server import serving
    from lockgate.server.witness import make_witness_app
    from lockgate.wiring import open_witness, system_clock

    known = tuple(map(read_note_key, logs))
    if len({each.text for each in known}) < len(known):
        raise UsageError("a key of a log is named twice", advice="Name each once.")
    found, memory = open_witness(Path(folder))
    serving.end_when_asked()
    with serving.listening(host, port) as listener:
        cosigner = Cosigner(logs=known, memory=memory, key=found, clock=system_clock())
        if not serving.is_loopback(listener):
            local.tell("note: logs call witnesses by https; put a proxy with TLS in front of this")
        local.tell(f"{found.public.name} cosigns at {serving.address_of(listener)}/add-checkpoint")
        serving.serve(make_witness_app(cosigner), listener)
    return exit_codes.OK.code
