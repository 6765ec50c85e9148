# SPDX-License-Identifier: Apache-2.0
"""Named files come in and the bytes of a zip go out, and the other way round.

A bundle has one byte form, so that no bit of it is free: every file is stored as it is, in the order of the names with
manifest.json at the end, all with one date and mode, and nothing stands between, before or after them (PKWARE
APPNOTE.TXT sections 4.3 and 4.4).
Nothing is ever unpacked: what is compressed is refused, so that no bundle grows when it is read.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from lockgate.core.refusal import Reason, VerifyError
from lockgate.errors import DataError

MANIFEST = "manifest.json"
MAX_FILES = 200_000
MAX_SIZE = 2**32 - 1
MAX_NAME = 200
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
# A record's first four bytes say what it is.
_LOCAL, _CENTRAL, _END, _END64 = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"
# version 1.0 to read it, no flags, stored, 00:00:00, 1980-01-01: then checksum, two sizes, the name's length, no extra.
_LOCAL_FORM = struct.Struct("<4sHHHHHLLLHH")
_LOCAL_SIZE = _LOCAL_FORM.size
_FIXED = (10, 0, 0, 0, (1 << 5) | 1)
_CENTRAL_FORM = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_MADE_BY = (3 << 8) | 10
# A regular file that all may read and its owner may write.
_MODE = 0o100644 << 16
_END_FORM = struct.Struct("<4sHHHHLLH")
_END64_FORM = struct.Struct("<4sQHHLLQQQQ4sLQL")
# So many entries do not fit into the 16 bits of the first form of the end.
_FEW = 0xFFFF


class _Place(NamedTuple):
    """Where a file stands: its own record, its first byte, its size and its checksum."""

    start: int
    first: int
    size: int
    checksum: int


class Files(Mapping[str, bytes]):
    """The files of a bundle by their names, each cut from the bundle's bytes when it is asked for."""

    def __init__(self, data: bytes, places: Mapping[str, _Place]) -> None:
        self._data, self._places = data, places

    def __getitem__(self, name: str) -> bytes:
        place = self._places[name]
        return self._data[place.first : place.first + place.size]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def encode(files: Mapping[str, bytes]) -> bytes:
    """Return the bundle of some files."""
    return b"".join(pieces((name, files[name]) for name in sorted(files, key=order)))


def order(name: str) -> tuple[bool, str]:
    """Return by what the names of a bundle are sorted: the manifest follows the files whose digests it holds."""
    return name == MANIFEST, name


def pieces(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the bundle of some named files bit by bit; they come in their order, and one is held at a time."""
    places: dict[str, _Place] = {}
    folded: set[str] = set()
    at, last = 0, ""
    for name, data in files:
        if not is_name(name) or name.lower() in folded or order(name) < order(last):
            raise ValueError(f"{name!a} is no name of a bundle's file, or comes twice, or is not in its place")
        if len(places) >= MAX_FILES or at + len(data) > MAX_SIZE:
            raise DataError(f"a bundle has at most {MAX_FILES:,} files and 4 GiB")
        place = places[name] = _Place(at, at + _LOCAL_SIZE + len(name), len(data), zlib.crc32(data))
        folded.add(name.lower())
        yield _local(name, place)
        yield data
        at, last = place.first + place.size, name
    yield from _directory(places, at)


def decode(data: bytes) -> Files:
    """Return the files of a bundle, whose one form its bytes must be."""
    if len(data) > MAX_SIZE:
        raise VerifyError(Reason.BUNDLE_SIZE, f"a bundle has at most {MAX_SIZE:,} bytes")
    places: dict[str, _Place] = {}
    folded: set[str] = set()
    at, last = 0, ""
    while data[at : at + 4] == _LOCAL:
        name, place = _read_local(data, at)
        _refuse_name(name, last, folded)
        _refuse_content(data, name, place)
        places[name] = place
        folded.add(name.lower())
        at, last = place.first + place.size, name
    _refuse_end(data, at, places)
    return Files(data, places)


def is_name(name: str) -> bool:
    """Say whether a name may be a bundle's file's: plain words with slashes between, which lead nowhere else."""
    return len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None


def _local(name: str, place: _Place) -> bytes:
    sizes = (place.checksum, place.size, place.size, len(name), 0)
    return _LOCAL_FORM.pack(_LOCAL, *_FIXED, *sizes) + name.encode("ascii")


def _directory(places: Mapping[str, _Place], at: int) -> Iterator[bytes]:
    """Yield what follows the files: an entry for each, and the end."""
    length = 0
    for name, place in places.items():
        sizes = (place.checksum, place.size, place.size, len(name), 0, 0, 0, 0, _MODE, place.start)
        entry = _CENTRAL_FORM.pack(_CENTRAL, _MADE_BY, *_FIXED, *sizes) + name.encode("ascii")
        length += len(entry)
        yield entry
    yield _end(len(places), length, at)


def _end(count: int, length: int, at: int) -> bytes:
    if at + length > MAX_SIZE - _END64_FORM.size - _END_FORM.size:
        raise DataError("a bundle has at most 4 GiB")
    wide = b""
    if count >= _FEW:
        # The record's own length is counted from behind that field.
        record = (_END64, 44, 45, 45, 0, 0, count, count, length, at)
        wide = _END64_FORM.pack(*record, b"PK\x06\x07", 0, at + length, 1)
    few = min(count, _FEW)
    return wide + _END_FORM.pack(_END, 0, 0, few, few, length, at, 0)


def _read_local(data: bytes, at: int) -> tuple[str, _Place]:
    """Return name and place of the file whose record begins there; nothing of its content has been looked at."""
    header = data[at : at + _LOCAL_SIZE]
    if len(header) < _LOCAL_SIZE:
        raise _truncated()
    _, version, flags, method, time, date, checksum, packed, size, named, extra = _LOCAL_FORM.unpack(header)
    name = data[at + _LOCAL_SIZE : at + _LOCAL_SIZE + named].decode("latin-1")
    if flags & 1:
        raise VerifyError(Reason.BUNDLE_ENCRYPTED, f"{name!a} is encrypted")
    if method:
        raise VerifyError(
            Reason.BUNDLE_COMPRESSED,
            f"{name!a} is compressed, and a bundle's files are stored as they are",
            advice="If you packed it again yourself, unpack it and verify the folder.",
        )
    if (version, flags, method, time, date, extra) != (*_FIXED, 0) or packed != size:
        raise _misshapen(f"the header of {name!a} is not as a bundle's are")
    first = at + _LOCAL_SIZE + named
    if first + size > len(data):
        raise _truncated()
    return name, _Place(at, first, size, checksum)


def _refuse_name(name: str, last: str, folded: set[str]) -> None:
    if not is_name(name):
        raise VerifyError(Reason.BUNDLE_NAME, f"{name!a} is no name of a bundle's file: it may lead elsewhere")
    if len(folded) >= MAX_FILES:
        raise VerifyError(Reason.BUNDLE_SIZE, f"a bundle has at most {MAX_FILES:,} files")
    # Where case does not count two such files are one, and the second would take the place of the first.
    if name.lower() in folded:
        raise VerifyError(Reason.BUNDLE_DUPLICATE, f"{name} is in the bundle twice")
    if order(name) < order(last):
        raise _misshapen(f"{name} is not at its place in the order of names")


def _refuse_content(data: bytes, name: str, place: _Place) -> None:
    if zlib.crc32(memoryview(data)[place.first : place.first + place.size]) != place.checksum:
        raise VerifyError(Reason.BUNDLE_CHECKSUM, f"{name} was changed: it has not its checksum")


def _refuse_end(data: bytes, at: int, places: Mapping[str, _Place]) -> None:
    """Refuse what follows the files unless it is exactly what follows those files."""
    if not places:
        raise VerifyError(Reason.BUNDLE_NOT_ZIP, "this is not a zip that begins with a file")
    expected = b"".join(_directory(places, at))
    found = data[at:]
    if found == expected:
        return
    if expected.startswith(found) or _LOCAL.startswith(found):
        raise _truncated()
    if found.startswith(expected):
        raise VerifyError(Reason.BUNDLE_TRAILING, f"{len(found) - len(expected)} bytes follow the end of the bundle")
    _refuse_entries(found, places)
    raise _misshapen("what follows the files is not the directory of exactly these files")


def _refuse_entries(found: bytes, places: Mapping[str, _Place]) -> None:
    """Say of the usual tricks with a directory's entries which one it is."""
    at = 0
    for name, place in places.items():
        entry = found[at : at + _CENTRAL_FORM.size]
        if len(entry) < _CENTRAL_FORM.size or not entry.startswith(_CENTRAL):
            return
        *_, mode, start = _CENTRAL_FORM.unpack(entry)
        if mode >> 16 & 0o170000 == 0o120000:
            raise VerifyError(Reason.BUNDLE_LINK, f"{name} is a symbolic link")
        if start != place.start:
            raise VerifyError(Reason.BUNDLE_OVERLAP, f"the directory says of {name} that it stands elsewhere")
        at += _CENTRAL_FORM.size + len(name)


def _truncated() -> VerifyError:
    return VerifyError(
        Reason.BUNDLE_TRUNCATED, "the bundle ends in the middle", advice="Fetch it again: it was cut off on its way."
    )


def _misshapen(message: str) -> VerifyError:
    return VerifyError(
        Reason.BUNDLE_FORM,
        f"the zip is not in a bundle's one form: {message}",
        advice="If you packed it again yourself, unpack it and verify the folder.",
    )
