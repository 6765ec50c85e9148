# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle come in; each goes out once it was compared with what the bundle's manifest says of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lockgate.core.bundle_layout import FORMAT, MANIFEST, MAX_FILES, is_known, max_size, numbers
from lockgate.core.canonical import Json
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.refusal import Reason, VerifyError

ABOUT = ("org", "rolloutId", "origin", "app", "candidate")
# Of each file that there may be a manifest has a name, a digest and a size.
MAX_VALUES = 4 * MAX_FILES
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Listed(Mapping[str, bytes]):
    """The files that a manifest lists; each is compared with it whenever it is read."""

    about: Mapping[str, str]
    files: Mapping[str, bytes]
    digests: Mapping[str, tuple[str, int]]
    _read: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> bytes:
        sha256, size = self.digests[name]
        data = self.files[name]
        if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
            raise VerifyError(Reason.BUNDLE_FILE_CHANGED, f"{name} is not the file that the bundle's manifest lists")
        self._read.add(name)
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self.digests)

    def __len__(self) -> int:
        return len(self.digests)

    def numbers(self, example: str) -> list[int]:
        """Return the numbers of the files that are named like an example but for its number, in their order."""
        return numbers(self.digests, example)

    def needed(self, name: str) -> bytes:
        """Return a file that every bundle has."""
        if name not in self.digests:
            raise VerifyError(Reason.BUNDLE_FILE_MISSING, f"the bundle has no {name}")
        return self[name]

    def compare_rest(self) -> None:
        """Compare what nobody has read with the manifest too."""
        for name in self.digests:
            if name not in self._read:
                self[name]


def read_listed(files: Mapping[str, bytes]) -> Listed:
    """Return a bundle's files, if they are exactly those that its manifest lists."""
    if MANIFEST not in files:
        raise VerifyError(Reason.BUNDLE_FILE_MISSING, f"there is no {MANIFEST}: this is no bundle")
    document = _document(files[MANIFEST])
    digests = {name: _digest(name, entry) for name, entry in _entries(document["files"]).items()}
    about = {name: _text(name, document[name]) for name in ABOUT}
    there = {name for name in files if name != MANIFEST}
    for name in sorted(digests.keys() - there):
        raise VerifyError(Reason.BUNDLE_FILE_MISSING, f"{name} is missing, which the bundle's manifest lists")
    for name in sorted(there - digests.keys()):
        raise VerifyError(Reason.BUNDLE_FILE_EXTRA, f"{name} is there, and the bundle's manifest does not list it")
    return Listed(about, files, digests)


def _document(data: bytes) -> Mapping[str, Json]:
    if len(data) > max_size(MANIFEST) or data.count(b"{") + data.count(b",") > MAX_VALUES:
        raise _bad(f"it lists more than {MAX_FILES:,} files")
    try:
        document = read_canonical(data, "payload")
    except VerifyError as error:
        raise _bad(error.message.replace("the payload", "it")) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise VerifyError(
            Reason.BUNDLE_VERSION,
            f"the bundle is not of the form {FORMAT}",
            advice="It may be one of a later version of Lockgate: verify it by that.",
        )
    if set(document) != {"format", "files", *ABOUT}:
        raise _bad(f"it has format, files, {', '.join(ABOUT)}, and nothing else")
    return document


def _entries(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping) or len(value) > MAX_FILES:
        raise _bad("files is an object")
    for name in value:
        if not is_known(name):
            raise VerifyError(Reason.BUNDLE_FILE_UNKNOWN, f"{name!a} is no file that a bundle has")
    return value


def _digest(name: str, entry: Json) -> tuple[str, int]:
    if not isinstance(entry, Mapping) or set(entry) != {"sha256", "size"}:
        raise _bad(f"of {name} it has sha256 and size, and nothing else")
    sha256, size = entry["sha256"], entry["size"]
    if not isinstance(sha256, str) or not _HEX.fullmatch(sha256) or type(size) is not int:
        raise _bad(f"sha256 and size of {name} are none")
    if size > max_size(name):
        raise VerifyError(Reason.BUNDLE_SIZE, f"{name} has {size:,} bytes, and at most {max_size(name):,} are read")
    return sha256, size


def _text(name: str, value: Json) -> str:
    if not isinstance(value, str):
        raise _bad(f"{name} is a text")
    return value


def _bad(message: str) -> VerifyError:
    return VerifyError(Reason.BUNDLE_MANIFEST, f"this is no manifest of a bundle: {message}")
