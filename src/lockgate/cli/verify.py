# SPDX-License-Identifier: Apache-2.0
"""Files of a receipt, of keys and of a proof come in; what they prove goes out in words, or why they prove nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import click

from lockgate.cli import exit_codes, output
from lockgate.cli.trusted import read, trusted_keys
from lockgate.errors import UsageError
from lockgate.verify import Verified, VerifyError, verify_receipt

EPILOG = "Exit codes: 0 verified, 64 usage, 65 not verified."


class Call(TypedDict):
    """What was called, as click hands it over."""

    receipt: str
    key: tuple[str, ...]
    proof: str | None
    checkpoint: str | None
    consistency: str | None
    log_key: tuple[str, ...]
    as_json: bool


@click.command(epilog=EPILOG)
@click.argument("receipt", type=click.Path(), metavar="RECEIPT")
@click.option(
    "--key", type=click.Path(), multiple=True, required=True, metavar="FILE", help="A public key that you trust."
)
@click.option("--proof", type=click.Path(), metavar="FILE", help="A proof that the log holds the receipt.")
@click.option("--checkpoint", type=click.Path(), metavar="FILE", help="A checkpoint of the log that you kept.")
@click.option(
    "--consistency",
    type=click.Path(),
    metavar="FILE",
    help="A proof that the log still begins as that checkpoint says.",
)
@click.option("--log-key", type=click.Path(), multiple=True, metavar="FILE", help="A log's public key that you trust.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def verify(**call: object) -> int:
    """Say what a receipt proves, without network or store.

    RECEIPT is a receipt's file, byte for byte (- is standard input). Keys of receipts are PEM files; the key of a log
    is one line, origin+hash+base64.
    """
    return _answer(Call(**call))  # type: ignore[typeddict-item]


def _answer(call: Call) -> int:
    if (call["proof"] or call["checkpoint"]) and not call["log_key"]:
        raise UsageError(
            "a proof or a checkpoint needs the log's key", advice="Name the file of the key with --log-key."
        )
    if call["consistency"] and not (call["proof"] and call["checkpoint"]):
        raise UsageError(
            "a proof of consistency is between two checkpoints",
            advice="Name the one that you kept with --checkpoint, and that of the receipt with --proof.",
        )
    try:
        verified = _verify(call)
    except VerifyError as error:
        if not call["as_json"]:
            raise
        output.emit_json(
            {"valid": False, "reason": error.reason.value, "message": error.message, "advice": error.advice}
        )
        return exit_codes.of_error(error)
    if call["as_json"]:
        output.emit_json(verified.document())
    else:
        output.say(_text(verified))
    return exit_codes.OK.code


def _verify(call: Call) -> Verified:
    proof, checkpoint, growth = call["proof"], call["checkpoint"], call["consistency"]
    return verify_receipt(
        read(call["receipt"]),
        trusted_keys(call["key"], call["log_key"]),
        None if proof is None else read(proof),
        None if checkpoint is None else read(checkpoint),
        None if growth is None else read(growth),
    )


def _text(verified: Verified) -> str:
    from lockgate.report.decided import actor_words
    from lockgate.report.text import printed

    statement = verified.statement
    actor = statement.predicate["actor"]
    assert isinstance(actor, Mapping)
    who = f"by {actor_words(actor)}"
    lines = [f"verified: {statement.receipt_id}", statement.headline(), who, "", "Proven:"]
    lines += [f"  {sentence}" for sentence in verified.proven]
    lines += ["", "Not proven:", *(f"  {sentence}" for sentence in verified.unproven)]
    return printed(lines)
