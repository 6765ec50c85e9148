# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; the signers of its two keys, made where nothing was signed by them yet, go out.

Beside the key that signs there may be the one that is to follow it (`.next`), and the one that it followed
(`.former`); each is a private key in PEM, or names a program (`.json`). Whose turn it is stands in the log.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from lockgate.adapters.owner import make_folder
from lockgate.adapters.signers.ed25519_file import (
    Ed25519FileSigner,
    explained,
    make_key_file,
    read_key_file,
    read_public_half,
)
from lockgate.adapters.signers.lost_key import LostKeySigner
from lockgate.adapters.signers.passphrase import own_passphrase
from lockgate.adapters.signers.program import ProgramSigner, read_program
from lockgate.adapters.signers.public_folder import keep_public, kept_public
from lockgate.adapters.whole_file import sync_folder
from lockgate.core.listed_key import Use
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.crash_point import reach
from lockgate.errors import NotPermittedError, UsageError
from lockgate.ports.signing import Aside, PublicKeys

ROLES = (Use.RECEIPT, Use.LOG)
NEXT, FORMER = ".next", ".former"
PROGRAM, PEM = ".json", ".pem"
RETIRED = "retired"

Found = Ed25519FileSigner | ProgramSigner | LostKeySigner


class FolderSigners:
    """The two signers of a folder, and whatever other keys of theirs are there."""

    def __init__(self, folder: Path, may_make: Callable[[], bool]) -> None:
        self._folder, self._passphrase = folder, own_passphrase()
        self._at_hand: dict[Use, Found] = {role: self._first(role, may_make) for role in ROLES}
        self._others: dict[tuple[Use, str], Found] = {}
        _refuse_one_key(folder, self._at_hand)

    @property
    def receipt(self) -> Found:
        """Return the signer of receipts."""
        return self._at_hand[Use.RECEIPT]

    @property
    def log(self) -> Found:
        """Return the signer of checkpoints."""
        return self._at_hand[Use.LOG]

    @property
    def kept(self) -> PublicKeys:
        """Return the public keys of all that signed from the folder, as far as they are there."""
        return kept_here(self._folder)

    def signer(self, role: Use, key_id: str) -> Found | None:
        """Return the signer of a key, looked for anew where it is not at hand."""
        with contextlib.suppress(NotPermittedError):
            if self._at_hand[role].key_id == key_id:
                return self._at_hand[role]
        if (role, key_id) in self._others:
            return self._others[role, key_id]
        # A file that another process is moving may be missed once, and is in its place then.
        for paths in (slots, places):
            for path in paths(self._folder, role):
                found = self._still(role, path)
                if found is not None and found.key_id == key_id:
                    return self._remembered(role, path, found)
        return None

    def prepared(self, role: Use) -> str | None:
        """Return the id of the key that was prepared to follow; None where none was."""
        found = next((path for path in slots(self._folder, role) if NEXT in path.name), None)
        # Another process may have put it into its place meanwhile.
        signer = None if found is None else self._still(role, found)
        return None if signer is None else signer.key_id

    def prepare(self, role: Use, *, may_be_file: bool = False) -> Ed25519FileSigner | ProgramSigner:
        """Return the signer of the key that is to follow, made where none was prepared."""
        prepared = [path for path in slots(self._folder, role) if NEXT in path.name]
        _refuse_other_form(self._folder, role, prepared, may_be_file=may_be_file)
        if not prepared:
            prepared = [self._folder / f"{role}{NEXT}{PEM}"]
            with explained(prepared[0]):
                make_key_file(prepared[0], self._passphrase)
        found = self._read(role, prepared[0])
        if any(self._is(other, found.key_id) for other in ROLES):
            raise UsageError(f"{prepared[0]} holds a key that signs already", advice="Prepare a key of its own.")
        found.check()
        keep_public(self._folder, role, read_public_key(found.public_key_pem))
        return found

    def take(self, role: Use, key_id: str) -> Aside | None:
        """Put a prepared key into its place, and what was there aside; a second call goes on where one has ended."""
        with explained(self._folder / f"{role}{PEM}"):
            return self._taken(role, key_id)

    def _taken(self, role: Use, key_id: str) -> Aside | None:
        aside = None
        for path in slots(self._folder, role):
            prepared = self._still(role, path) if NEXT in path.name else None
            if prepared is not None and prepared.key_id == key_id:
                aside = self._put_aside(role, key_id)
                reach("key.aside")
                # Who calls the same at once may have been first.
                with contextlib.suppress(FileNotFoundError):
                    path.replace(self._folder / f"{role}{path.suffix}")
                sync_folder(self._folder)
        here = [self._read(role, path) for path in places(self._folder, role)]
        for found in here:
            if found.key_id == key_id:
                self._at_hand[role] = found
                aside = self._put_aside(role, key_id, is_last=True) or aside
        return aside

    def _put_aside(self, role: Use, but: str, *, is_last: bool = False) -> Aside | None:
        """Let the key that signed so far be where the former one is, and in the end nowhere else."""
        aside = None
        for path in [*places(self._folder, role)]:
            signed = self._read(role, path).key_id
            if signed == but:
                continue
            for former in (self._folder / f"{role}{FORMER}{suffix}" for suffix in (PROGRAM, PEM)):
                if former.exists() and (known := self._read(role, former).key_id) != signed:
                    make_folder(self._folder / RETIRED)
                    former.replace(self._folder / RETIRED / f"{role}-{known[:16]}{former.suffix}")
            target = self._folder / f"{role}{FORMER}{path.suffix}"
            with contextlib.suppress(FileExistsError):
                os.link(path, target)
            if is_last:
                path.unlink()
            aside = Aside(str(target), is_program=path.suffix == PROGRAM)
        return aside

    def _is(self, role: Use, key_id: str) -> bool:
        with contextlib.suppress(NotPermittedError):
            return self._at_hand[role].key_id == key_id
        return False

    def _first(self, role: Use, may_make: Callable[[], bool]) -> Found:
        path = self._folder / f"{role}{PEM}"
        with explained(path):
            found = next(places(self._folder, role), None)
            if found is None and not may_make():
                return LostKeySigner(self._folder, role)
            if found is None:
                make_folder(path.parent)
                make_key_file(path, self._passphrase)
            return self._read(role, found or path)

    def _remembered(self, role: Use, path: Path, found: Found) -> Found:
        """Return a key that another process has put there: whoever asks for it once asks for it again."""
        if FORMER in path.name:
            self._others[role, found.key_id] = found
        else:
            self._at_hand[role] = found
        return found

    def _still(self, role: Use, path: Path) -> Ed25519FileSigner | ProgramSigner | None:
        try:
            return self._read(role, path)
        except UsageError:
            if path.exists():
                raise
            return None

    def _read(self, role: Use, path: Path) -> Ed25519FileSigner | ProgramSigner:
        keep = partial(keep_public, self._folder, role)
        if path.suffix == PROGRAM:
            with explained(path):
                return ProgramSigner(read_program(path), keep)
        return read_key_file(path, self._passphrase, keep)


def open_signers(folder: Path, may_make: Callable[[], bool] = lambda: True) -> FolderSigners:
    """Return the signers of a folder.

    A key that is not there is made, whoever else does the same at once; where keys may not be made it is a lost one.
    """
    return FolderSigners(folder, may_make)


def places(folder: Path, role: Use) -> Iterator[Path]:
    """Yield the files of the key that signs: one, or two where a process ended while it put the second into place."""
    return (path for suffix in (PROGRAM, PEM) if (path := folder / f"{role}{suffix}").exists())


def slots(folder: Path, role: Use) -> tuple[Path, ...]:
    """Return the files of all keys of a role that may sign, in the order of their turns."""
    stages = ("", NEXT, FORMER)
    found = (folder / f"{role}{stage}{suffix}" for stage in stages for suffix in (PROGRAM, PEM))
    return tuple(path for path in found if path.exists())


def find_public(folder: Path, role: Use) -> PublicKey:
    """Return the public key of the key that signs; nobody makes one, and others may be able to read its file."""
    path = next(places(folder, role), None)
    if path is None:
        return read_public_key(LostKeySigner(folder, role).public_key_pem)
    if path.suffix == PROGRAM:
        with explained(path):
            return read_program(path).key
    return read_public_half(path, own_passphrase())


def public_keys(folder: Path) -> Mapping[str, bytes]:
    """Return the public keys of a folder that are known, by the name of the file that a copy keeps each in."""
    found: dict[str, bytes] = {}
    for role in ROLES:
        found |= kept_public(folder, role)
        with contextlib.suppress(NotPermittedError):
            found[f"{role}-key.pem"] = find_public(folder, role).pem
    return found


def kept_here(folder: Path) -> PublicKeys:
    """Return the public keys of all that signed from a folder, as far as they are there."""
    receipt, log = (tuple(kept_public(folder, role).values()) for role in ROLES)
    return PublicKeys(receipt, log)


def _refuse_other_form(folder: Path, role: Use, prepared: Sequence[Path], *, may_be_file: bool) -> None:
    """Refuse to make a file where a program signs, unless that is asked for: a key leaves its service by nobody's slip.

    A program that was prepared follows; who asks for a file then is told that none would be made.
    """
    program = next((path for path in places(folder, role) if path.suffix == PROGRAM), None)
    following = folder / f"{role}{NEXT}{PROGRAM}"
    if may_be_file and following in prepared:
        raise UsageError(
            f"{following} names the program that is to follow, and no file does",
            advice="Remove it, or leave --to-file out.",
        )
    if program is not None and not prepared and not may_be_file:
        raise UsageError(
            f"a program signs by {program}, and no other one was prepared to follow it",
            advice=f"Write {following.name} beside it, which names the program and public key that follow; "
            "--to-file lets a key in a file follow.",
        )


def _refuse_one_key(folder: Path, at_hand: Mapping[Use, Found]) -> None:
    ids = [each.key_id for each in at_hand.values() if not isinstance(each, LostKeySigner)]
    if len(ids) != len(set(ids)):
        first, second = (next(places(folder, role)) for role in ROLES)
        raise NotPermittedError(
            f"{first} and {second} hold the same key, and a key has one role",
            advice="Put the right key back into one of the two files.",
        )
