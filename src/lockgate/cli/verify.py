# SPDX-License-Identifier: Apache-2.0
"""Files of receipts, keys and proofs come in; what they prove goes out in words, or why they prove nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, TypedDict, cast

import click

from lockgate.cli import exit_codes, output
from lockgate.cli.offered import Kind, Offered, offered
from lockgate.cli.progress_line import ProgressLine
from lockgate.cli.trusted import read, trusted_key, trusted_keys, trusted_witnesses
from lockgate.core.bundle_layout import TIMESTAMP, numbers, receipt_file
from lockgate.core.canonical import Json
from lockgate.core.checkpoint import checkpoint_of, read_log_growth, read_log_proof
from lockgate.core.key_manifest import open_manifest
from lockgate.core.public_key import PublicKey
from lockgate.errors import UsageError
from lockgate.verify import (
    Keys,
    Verified,
    VerifiedBundle,
    VerifyError,
    key_manifest_of,
    logged_note,
    verify_bundle,
    verify_log_export,
    verify_manifest,
    verify_newer_checkpoint,
    verify_receipt,
    verify_rollout,
)
from lockgate.verify.bundle_unread import STAMP_UNREAD
from lockgate.verify.rollout import Tell, named

EPILOG = "Exit codes: 0 verified, 64 usage, 65 not verified."


class Call(TypedDict):
    """What was called, as click hands it over."""

    files: tuple[str, ...]
    kind: str | None
    key: tuple[str, ...]
    log_key: tuple[str, ...]
    manifest: tuple[str, ...]
    root: tuple[str, ...]
    root_threshold: int
    proof: str | None
    checkpoint: str | None
    consistency: str | None
    witness: tuple[str, ...]
    quorum: int | None
    witness_policy: str | None
    timestamp: str | None
    tsa_ca: str | None
    as_json: bool


class Answer(Protocol):
    """Whatever was verified, in words and as JSON."""

    def document(self) -> dict[str, Json]:
        """Return the JSON form, with what is `proven` and `unproven`."""


@click.command(epilog=EPILOG)
@click.argument("files", type=click.Path(), metavar="FILE...", nargs=-1, required=True)
@click.option("--as", "kind", type=click.Choice([kind.value for kind in Kind]), help="What it is. [default: its kind]")
@click.option("--key", type=click.Path(), multiple=True, metavar="FILE", help="A public key that you trust.")
@click.option("--log-key", type=click.Path(), multiple=True, metavar="FILE", help="A log's public key that you trust.")
@click.option("--manifest", type=click.Path(), multiple=True, metavar="FILE", help="A key manifest, and older ones.")
@click.option("--root", type=click.Path(), multiple=True, metavar="FILE", help="A root key that you trust to sign it.")
@click.option("--root-threshold", type=click.IntRange(1), default=1, metavar="N", help="So many must. [default: 1]")
@click.option("--proof", type=click.Path(), metavar="FILE", help="A proof that the log holds the receipt.")
@click.option("--checkpoint", type=click.Path(), metavar="FILE", help="A checkpoint of the log that you kept.")
@click.option("--consistency", type=click.Path(), metavar="FILE", help="A proof that the log has only grown since.")
@click.option("--witness", type=click.Path(), multiple=True, metavar="FILE", help="A witness's key that you trust.")
@click.option("--quorum", type=click.IntRange(0), metavar="N", help="So many must have cosigned. [default: all]")
@click.option("--witness-policy", type=click.Path(), metavar="FILE", help="A C2SP policy that names them instead.")
@click.option("--timestamp", type=click.Path(), metavar="FILE", help="An RFC 3161 timestamp of the checkpoint.")
@click.option("--tsa-ca", type=click.Path(), metavar="FILE", help="Certificates that its authority is known by.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def verify(**call: object) -> int:
    """Say what receipts, a bundle or the log prove, offline.

    FILE is a receipt (- is standard input), all receipts of a rollout or the folder that holds them, a bundle or the
    folder that it was unpacked into, an exported log, a key manifest, or a checkpoint; byte for byte. Keys of receipts
    are PEM files; the key of a log or a witness is one line, name+hash+base64.
    """
    return _answer(cast("Call", call))


def _answer(call: Call) -> int:
    try:
        offer = offered(call["files"], None if call["kind"] is None else Kind(call["kind"]))
        _refuse_empty(offer)
        _refuse_odd(call, offer.kind)
        answer = _verified(call, offer)
        stamped = _stamped(call, offer, answer)
    except VerifyError as error:
        if not call["as_json"]:
            raise
        output.emit_json(
            {"valid": False, "reason": error.reason.value, "message": error.message, "advice": error.advice}
        )
        return exit_codes.of_error(error)
    document = answer.document()
    proven, unproven = document["proven"], document["unproven"]
    assert isinstance(proven, list)
    assert isinstance(unproven, list)
    proven += stamped
    if stamped and not call["timestamp"] and STAMP_UNREAD in unproven:
        unproven.remove(STAMP_UNREAD)
    if call["as_json"]:
        output.emit_json(document)
    else:
        output.say_lines(_lines(_head(answer, document), proven, unproven))
    return exit_codes.OK.code


def _refuse_empty(offer: Offered) -> None:
    """Refuse folders in which nothing can be verified, before a key is asked for."""
    if offer.kind is Kind.ROLLOUT and not offer.held():
        raise UsageError(
            f"there is no receipt in {', '.join(offer.names)}", advice="Name a receipt, a folder of them or a bundle."
        )


def _refuse_odd(call: Call, kind: Kind) -> None:
    """Refuse options that cannot be meant together."""
    is_logged = bool(call["log_key"] or call["root"])
    if call["manifest"] and not call["root"]:
        raise UsageError("a key manifest needs a root key", advice="Name the file of the root key with --root.")
    if call["root"] and not call["manifest"] and kind not in (Kind.BUNDLE, Kind.MANIFEST):
        raise UsageError("a root key signs a key manifest", advice="Name the manifest's file with --manifest.")
    if kind in (Kind.RECEIPT, Kind.ROLLOUT, Kind.LOG) and not call["key"] and not call["manifest"]:
        raise UsageError(
            f"no key is trusted that could verify {call['files'][0]}, taken as it is for a {kind}",
            advice="Name a public key with --key, or a manifest and its --root; --as says what else it is.",
        )
    if kind is Kind.MANIFEST and not call["root"]:
        raise UsageError("a key manifest is signed by root keys", advice="Name one that you trust with --root.")
    is_log_needed = kind in (Kind.LOG, Kind.CHECKPOINT) or (kind is Kind.BUNDLE and call["key"])
    if (call["proof"] or call["checkpoint"] or is_log_needed) and not is_logged:
        raise UsageError(
            "a proof or a checkpoint needs the log's key", advice="Name the file of the key with --log-key."
        )
    if call["proof"] and kind is not Kind.RECEIPT:
        raise UsageError("a proof is of one receipt", advice="Name it among the files, beside its receipt.")
    if call["checkpoint"] and kind is Kind.RECEIPT and not call["proof"]:
        raise UsageError(
            "a kept checkpoint is compared with that of a proof", advice="Name the receipt's proof with --proof."
        )
    if call["consistency"] and not (call["checkpoint"] and (call["proof"] or kind is not Kind.RECEIPT)):
        raise UsageError(
            "a proof of consistency is between two checkpoints",
            advice="Name the one that you kept with --checkpoint, and that of the receipt with --proof.",
        )
    if bool(call["timestamp"]) != bool(call["tsa_ca"]) and not (call["tsa_ca"] and kind is Kind.BUNDLE):
        raise UsageError("a timestamp is trusted by certificates", advice="Give --timestamp and --tsa-ca together.")


def _verified(call: Call, offer: Offered) -> Answer:
    checkpoint, growth = _read(call["checkpoint"], checkpoint_of), _read(call["consistency"], read_log_growth)
    if offer.kind is Kind.MANIFEST:
        return verify_manifest(_versions(offer.names, offer.data), _roots(call), call["root_threshold"])
    if offer.kind is Kind.RECEIPT:
        return verify_receipt(offer.data, _keys(call), _read(call["proof"], read_log_proof), checkpoint, growth)
    if offer.kind is Kind.CHECKPOINT:
        return verify_newer_checkpoint(offer.data, _keys(call), checkpoint, growth)
    line = ProgressLine("verifying", is_wanted=sys.stderr.isatty() and not call["as_json"])
    try:
        if offer.kind is Kind.LOG:
            return verify_log_export(offer.lines(), _keys(call), checkpoint, growth, line.tell)
        if offer.kind is Kind.BUNDLE:
            line.expect("receipts", len(numbers(offer.files(), receipt_file(1))))
            return _bundle(call, offer, checkpoint, growth, line.tell)
        line.expect("receipts", len(offer.held()))
        return _rollout(call, offer, checkpoint, growth, line.tell)
    finally:
        line.clear()


def _bundle(call: Call, offer: Offered, checkpoint: bytes | None, growth: bytes | None, tell: Tell) -> Answer:
    files, keys = offer.files(), _keys(call)
    if call["root"] and not call["manifest"]:
        keys = replace(keys, manifest=key_manifest_of(files, _roots(call), call["root_threshold"]))
    is_trusted = bool(keys.receipt) or keys.manifest is not None
    return verify_bundle(files, keys if is_trusted else None, checkpoint, growth, tell)


def _rollout(call: Call, offer: Offered, checkpoint: bytes | None, growth: bytes | None, tell: Tell) -> Answer:
    held, keys = offer.held(), _keys(call)
    is_logged = any(each.proof is not None for each in held)
    if checkpoint is not None and not is_logged:
        raise UsageError(
            "a kept checkpoint is compared with those of proofs", advice="Name the receipts' proofs beside them."
        )
    if is_logged and not keys.log and keys.manifest is None:
        raise UsageError(
            "the receipts come with proofs, which need the log's key",
            advice="Name the file of the key with --log-key.",
        )
    if checkpoint is not None and growth is None:
        growth = offer.growth()
    return verify_rollout(held, keys, checkpoint, growth, tell)


def _keys(call: Call) -> Keys:
    keys = replace(
        trusted_keys(call["key"], call["log_key"]),
        witnesses=trusted_witnesses(call["witness"], call["quorum"], call["witness_policy"]),
    )
    if not call["manifest"]:
        return keys
    found = verify_manifest(_versions(call["manifest"]), _roots(call), call["root_threshold"])
    return replace(keys, manifest=found.manifest)


def _versions(names: tuple[str, ...], head: bytes = b"") -> list[bytes]:
    """Return the versions of a key manifest, the oldest first."""
    data = [(name, head if len(names) == 1 and head else read(name)) for name in names]
    by_version = sorted((named(name, partial(_version, each)), each) for name, each in data)
    return [each for _, each in by_version]


def _version(manifest: bytes) -> int:
    return open_manifest(manifest).manifest.version


def _roots(call: Call) -> list[PublicKey]:
    return [trusted_key(name) for name in call["root"]]


def _stamped(call: Call, offer: Offered, answer: Answer) -> list[str]:
    """Return in words who stamped the checkpoint, if anybody is said to have."""
    known_by = _read(call["tsa_ca"])
    if known_by is None:
        return []
    # The library of timestamps is an extra, and is loaded where one is to be read.
    from lockgate.core.instant import instant_text
    from lockgate.wiring import read_timestamp

    token = _read(call["timestamp"]) or offer.files().get(TIMESTAMP, b"")
    stamp = read_timestamp(token, logged_note(_note(call, offer, answer)), known_by)
    return [f"At {instant_text(stamp.at)} the timestamp authority {stamp.authority} had seen exactly that checkpoint."]


def _note(call: Call, offer: Offered, answer: Answer) -> bytes:
    """Return the checkpoint that was stamped: the one that is verified."""
    proof = _read(call["proof"])
    if offer.kind is Kind.CHECKPOINT:
        return offer.data
    if isinstance(answer, VerifiedBundle):
        return answer.checkpoint
    if offer.kind is Kind.ROLLOUT:
        proof = next((each.proof for each in offer.held() if each.proof is not None), None)
    if proof is None:
        raise UsageError("there is no checkpoint that could be stamped", advice="Verify the checkpoint's own file.")
    return read_log_proof(proof).checkpoint


def _read(name: str | None, form: Callable[[bytes], object] = bytes) -> bytes | None:
    """Return the bytes of a file; where they have not the form that they should have the file is named."""
    if name is None:
        return None
    data = read(name)
    named(name, partial(form, data))
    return data


def _head(answer: Answer, document: Mapping[str, Json]) -> list[str]:
    """Return what was verified, in one line or, of a receipt, in three."""
    if isinstance(answer, Verified):
        from lockgate.report.decided import actor_words

        statement = answer.statement
        actor = statement.predicate["actor"]
        assert isinstance(actor, Mapping)
        return [f"verified: {statement.receipt_id}", statement.headline(), f"by {actor_words(actor)}"]
    log = document.get("log")
    origin = log["origin"] if isinstance(log, Mapping) else ""
    receipts = _count(document.get("receipts"), "receipt", "receipts")
    entries = _count(document.get("entries"), "entry", "entries")
    named = {
        Kind.ROLLOUT: f"rollout {document.get('id')}, {receipts}, {document.get('status')}",
        Kind.BUNDLE: f"bundle of rollout {document.get('id')}, {receipts}, {document.get('status')}",
        Kind.LOG: f"{entries} of the log {origin}",
        Kind.MANIFEST: f"version {document.get('version')} of the key manifest of {document.get('org')}",
        Kind.CHECKPOINT: f"checkpoint of the log {origin}",
    }
    return [f"verified: {named[Kind(str(document['kind']))]}"]


def _count(number: Json, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}" if isinstance(number, int) else ""


def _lines(head: list[str], proven: list[Json], unproven: list[Json]) -> list[str]:
    lines = [*head, "", "Proven:", *(f"  {sentence}" for sentence in proven)]
    return [*lines, "", "Not proven:", *(f"  {sentence}" for sentence in unproven)]
