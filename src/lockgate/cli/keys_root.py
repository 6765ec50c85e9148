# SPDX-License-Identifier: Apache-2.0
"""A file comes in; a root key is made there, or a manifest is signed by one, without a store and without network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.core.key_manifest import SignedManifest

EPILOG = "Exit codes: 0 done; 64 usage; 65 the file is no key or no manifest; 77 it may not be read or written."
with_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file whose first line is the passphrase of the root key.",
)


@click.command("root", epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@with_passphrase
@click.option("--force", is_flag=True, help="Make it within LOCKGATE_HOME too, where serve can read it.")
def root(file: Path, passphrase_file: Path | None, *, force: bool) -> int:
    """Make a root key, which signs key manifests only and is kept offline: FILE is private, FILE.pub public."""
    from lockgate.report.text import printed
    from lockgate.wiring import home, make_root

    if not force and file.expanduser().resolve().is_relative_to(home().resolve()):
        raise UsageError(
            f"{file} is within {home()}, beside the keys that it is to outlive",
            advice="Make it on a machine, or a stick, that serves nothing; --force makes it here.",
        )
    key_id = make_root(file, passphrase_file)
    lines = [
        f"{file} is the private half of root key {key_id}: keep it offline, with a copy elsewhere.",
        f"{file}.pub is its public half: publish it, and its id, where your auditors look.",
        "Whoever steals a root key that signs alone says which keys count: make three, and let two of them sign.",
    ]
    output.say(printed(lines))
    return exit_codes.OK.code


@click.command("sign-manifest", epilog=EPILOG)
@click.argument("manifest", type=click.Path(), metavar="MANIFEST")
@click.option("--root", "roots", type=click.Path(path_type=Path), multiple=True, required=True, metavar="FILE")
@with_passphrase
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there. [default: print it]")
def sign_manifest(manifest: str, roots: tuple[Path, ...], passphrase_file: Path | None, out: Path | None) -> int:
    """Sign what `keys manifest --unsigned` printed, by a root key, and show what is signed (- is standard input)."""
    from lockgate.cli.trusted import read
    from lockgate.core.key_manifest import open_manifest
    from lockgate.report.manifest_text import manifest_lines

    found = open_manifest(read(manifest))
    for line in manifest_lines(found):
        local.tell(line)
    write_manifest(signed_by(found, roots, passphrase_file), out)
    return exit_codes.OK.code


def signed_by(found: SignedManifest, roots: tuple[Path, ...], passphrase_file: Path | None) -> SignedManifest:
    """Return a manifest with the signatures of root keys that it names."""
    from lockgate.operations.keys.manifest import with_signature
    from lockgate.wiring import root_signer

    known = {key.key_id for key in (*found.manifest.roots, *found.manifest.former)}
    for file in roots:
        signer = root_signer(file, passphrase_file)
        if signer.key_id not in known:
            raise UsageError(
                f"{file} is root key {signer.key_id}, which the manifest does not name",
                advice="`lockgate keys manifest --add-root FILE.pub` makes a version that does.",
            )
        found = with_signature(found, signer.key_id, signer.sign(found.manifest.signed_bytes()))
    return found


def write_manifest(found: SignedManifest, out: Path | None) -> None:
    """Write a manifest byte for byte, into a file or to standard output."""
    text = found.encode().decode("ascii")
    if out is None:
        output.emit(text)
    else:
        output.save(out, text)
