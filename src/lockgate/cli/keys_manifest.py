# SPDX-License-Identifier: Apache-2.0
"""Root keys, or a manifest that they signed, come in; which keys sign is shown, or made known by a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import click

from lockgate.cli import exit_codes, local, output, request
from lockgate.cli.keys_root import signed_by, with_passphrase, write_manifest
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.core.key_manifest import SignedManifest
    from lockgate.core.public_key import PublicKey
    from lockgate.operations.keys.manifest import Roots
    from lockgate.ports.house import House

EPILOG = f"Exit codes: 0 done; 64 usage; {exit_codes.of_store({65: 'not as the log says, or not signed'})}"
CURRENT = "This was published last, and the log says nothing else of keys since."
BEHIND = (
    "This was published last, and keys have changed since: `lockgate keys manifest --root FILE` publishes what the log "
    "says of them now, and with `--unsigned` prints it."
)

ALONE = (
    "one root key is enough for this manifest, and whoever steals it says which keys count; let two of three sign, "
    "`--add-root FILE` for each and `--threshold 2`, and auditors demand it by `lockgate verify --root-threshold 2`"
)


class Call(TypedDict):
    """What was called, as click hands it over."""

    roots: tuple[Path, ...]
    added: tuple[Path, ...]
    removed: tuple[str, ...]
    threshold: int | None
    passphrase_file: Path | None
    is_unsigned: bool
    publish: str | None
    out: Path | None
    reason: str | None
    by: str | None
    as_json: bool


@click.command("manifest", epilog=EPILOG)
@click.option("--root", "roots", type=click.Path(path_type=Path), multiple=True, metavar="FILE", help="Sign by it.")
@click.option(
    "--add-root", "added", type=click.Path(path_type=Path), multiple=True, metavar="FILE", help="A public one."
)
@click.option("--remove-root", "removed", multiple=True, metavar="KEYID", help="Leave this root key out from now on.")
@click.option("--threshold", type=click.IntRange(1), metavar="N", help="How many root keys it takes from now on.")
@with_passphrase
@click.option("--unsigned", "is_unsigned", is_flag=True, help="Print the next version, for root keys to sign offline.")
@click.option("--publish", type=click.Path(), metavar="FILE", help="Keep a version that root keys have signed.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it into a file.")
@click.option("--reason", metavar="TEXT", help="Why; the receipt keeps it. [default: what was done]")
@click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def manifest(**call: object) -> int:
    """Say by a manifest that root keys sign which keys sign, and from where to where in the log.

    Without a root key it shows the one that was published last.
    """
    return _manifest(cast("Call", call))


def _manifest(call: Call) -> int:
    if call["publish"] is not None and (call["roots"] or call["is_unsigned"]):
        raise UsageError("a manifest is published as it was signed", advice="Call with --publish FILE alone.")
    if call["publish"] is not None:
        from lockgate.cli.trusted import read
        from lockgate.core.key_manifest import open_manifest

        data = read(call["publish"])
        return _published(call, open_manifest(data), local.known_house())
    if call["roots"] or call["is_unsigned"]:
        return _made(call)
    if call["added"] or call["removed"] or call["threshold"]:
        raise UsageError("nobody signs that", advice="Add --root FILE, or --unsigned and sign it elsewhere.")
    return _shown(call)


def _made(call: Call) -> int:
    from lockgate.core.key_manifest import SignedManifest
    from lockgate.operations.keys.manifest import draft_manifest, lacks_signatures

    house = local.known_house()
    drafted = SignedManifest(draft_manifest(house, _roots(call)))
    if drafted.manifest.version == 1 and drafted.manifest.threshold == 1:
        local.tell(f"warning: {ALONE}")
    if call["is_unsigned"]:
        write_manifest(drafted, call["out"])
        return exit_codes.OK.code
    signed = signed_by(drafted, call["roots"], call["passphrase_file"])
    lacking = lacks_signatures(signed, house)
    if lacking is None:
        return _published(call, signed, house)
    if call["out"] is None:
        raise UsageError(
            f"{lacking}; nothing was published",
            advice="--out FILE writes it; others add theirs by `lockgate keys sign-manifest FILE --root FILE`.",
        )
    write_manifest(signed, call["out"])
    local.tell(f"{lacking}: `lockgate keys sign-manifest` adds others, then `keys manifest --publish` publishes it")
    return exit_codes.OK.code


def _published(call: Call, signed: SignedManifest, house: House) -> int:
    from lockgate.operations.keys.manifest import publish_manifest

    who = request.actor(call["by"], call["reason"] or "keys are made known")
    receipt = publish_manifest(signed.encode(), who, house)
    if call["out"] is not None:
        write_manifest(signed, call["out"])
    said = f"Version {signed.manifest.version} is published; receipt {receipt.seq} of {receipt.rollout_id} names it."
    return _said(call, signed, said)


def _shown(call: Call) -> int:
    from lockgate.core.key_manifest import open_manifest
    from lockgate.operations.keys.manifest import current_manifest, is_behind
    from lockgate.report.manifest_text import manifest_document, manifest_lines

    house = local.house_to_read()
    data = current_manifest(house)
    if data is None:
        raise UsageError(
            "no key manifest was published yet",
            advice="`lockgate keys root FILE` makes a root key, `lockgate keys manifest --root FILE` signs the first.",
        )
    found = open_manifest(data)
    if call["out"] is not None:
        write_manifest(found, call["out"])
    is_old = is_behind(found, house)
    if call["as_json"]:
        output.emit_json({**manifest_document(found), "behind": is_old})
    else:
        output.say_lines([BEHIND if is_old else CURRENT, *manifest_lines(found)])
    return exit_codes.OK.code


def _said(call: Call, signed: SignedManifest, done: str) -> int:
    from lockgate.report.manifest_text import manifest_document, manifest_lines

    if call["as_json"]:
        output.emit_json(manifest_document(signed))
    else:
        output.say_lines([*manifest_lines(signed), done])
    return exit_codes.OK.code


def _roots(call: Call) -> Roots:
    from lockgate.operations.keys.manifest import Roots
    from lockgate.verify import read_public_key
    from lockgate.wiring import root_signer

    own = (root_signer(file, call["passphrase_file"]).public_key_pem for file in call["roots"])
    added: list[PublicKey] = [read_public_key(pem) for pem in own]
    added = [key for key in added if key.key_id not in call["removed"]]
    added += [read_public_key(_read(file)) for file in call["added"]]
    return Roots(tuple(added), call["removed"], call["threshold"])


def _read(file: Path) -> bytes:
    from lockgate.cli.trusted import read

    return read(str(file))
