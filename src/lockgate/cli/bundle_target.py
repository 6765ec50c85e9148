# SPDX-License-Identifier: Apache-2.0
"""The name that a bundle is to be written under comes in; what would be lost is refused, and what was written goes out.

A pipe or a device is written into and stays what it is; `-` is standard output.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from lockgate.cli import output
from lockgate.core.bundle_layout import FORMAT, MANIFEST
from lockgate.errors import UsageError

STDOUT = Path("-")
# The manifest of a bundle is far smaller for each file that the bundle may have.
MAX_MANIFEST = 1 << 26


def check_target(target: Path, *, is_forced: bool, as_json: bool) -> None:
    """Refuse to write where a file would be lost that is no bundle, or where bytes are of no use."""
    if target == STDOUT:
        _check_stdout(as_json=as_json)
        return
    try:
        is_lost = target.is_file() and target.stat().st_size and not is_forced and not _is_bundle(target)
    except OSError as error:
        raise output.refusal(target, error) from error
    if is_lost:
        raise UsageError(
            f"{target} is there and is no bundle; nothing was written",
            advice="Name another file, or add --force to put the bundle in its place.",
        )


def put(target: Path, pieces: Iterable[bytes]) -> int | None:
    """Write a bundle, and return how many bytes it has; None where whoever read it went away."""
    if target != STDOUT:
        return output.save_pieces(target, pieces)
    counted = output.Counted(pieces)
    return counted.size if output.emit_pieces(counted) else None


def _check_stdout(*, as_json: bool) -> None:
    if as_json:
        raise UsageError("standard output takes the bundle or JSON", advice="Write the bundle into a file.")
    if sys.stdout.isatty():
        raise UsageError("a bundle is nothing to read on a terminal", advice="Name a file, or pipe it on.")


def _is_bundle(path: Path) -> bool:
    """Say whether a file says that it is a bundle; whether it is whole is nothing to who replaces it."""
    try:
        with zipfile.ZipFile(path) as file, file.open(MANIFEST) as manifest:
            return f'"format":"{FORMAT}"'.encode("ascii") in manifest.read(MAX_MANIFEST)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, ValueError, EOFError):
        return False
