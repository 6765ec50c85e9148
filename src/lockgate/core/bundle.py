# SPDX-License-Identifier: Apache-2.0
"""Named files come in and the bytes of a zip go out, and the other way round.

A bundle has one byte form, so that no bit of it is free: every file is stored as it is, in the order of the names with
manifest.json at the end, all with one date and mode, and nothing stands between, before or after them (PKWARE
APPNOTE.TXT sections 4.3 and 4.4).
Nothing is ever unpacked: what is compressed is refused, so that no bundle grows when it is read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping

from lockgate.core.bundle_layout import MAX_FILES, is_name, max_size, order
from lockgate.core.cut_files import Files, Place, Source
from lockgate.core.refusal import Reason, VerifyError
from lockgate.errors import DataError

MAX_SIZE = 2**32 - 1
_CHUNK = 1 << 20
# Nobody is told to unpack what a stranger packed.
AS_WRITTEN = (
    "Fetch it again as `lockgate export` wrote it; if you packed it yourself, verify the folder that you packed."
)
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


def encode(files: Mapping[str, bytes]) -> bytes:
    """Return the bundle of some files."""
    return b"".join(pieces((name, files[name]) for name in sorted(files, key=order)))


def pieces(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the bundle of some named files bit by bit; they come in their order, and one is held at a time."""
    places: dict[str, Place] = {}
    folded: set[str] = set()
    at, last = 0, ""
    for name, data in files:
        if not is_name(name) or name.lower() in folded or order(name) < order(last):
            raise ValueError(f"{name!a} is no name of a bundle's file, or comes twice, or is not in its place")
        if len(places) >= MAX_FILES or at + len(data) > MAX_SIZE:
            raise DataError(f"a bundle has at most {MAX_FILES:,} files and 4 GiB")
        if len(data) > max_size(name):
            raise DataError(f"{name} is larger than {max_size(name):,} bytes, and no bundle's is")
        place = places[name] = Place(at, at + _LOCAL_SIZE + len(name), len(data), zlib.crc32(data))
        folded.add(name.lower())
        yield _local(name, place)
        yield data
        at, last = place.first + place.size, name
    yield from _directory(places, at)


def decode(data: Source) -> Files:
    """Return the files of a bundle, whose one form its bytes must be."""
    if len(data) > MAX_SIZE:
        raise VerifyError(Reason.BUNDLE_SIZE, f"a bundle has at most {MAX_SIZE:,} bytes")
    try:
        return _decode(data)
    except VerifyError as error:
        # Of a zip that another program wrote it matters first whether it would write where nobody wants it to.
        if error.reason in (Reason.BUNDLE_FORM, Reason.BUNDLE_COMPRESSED):
            _refuse_names(data)
        raise


def _decode(data: Source) -> Files:
    places: dict[str, Place] = {}
    folded: set[str] = set()
    at, last = 0, ""
    while data[at : at + 4] == _LOCAL:
        name, place = _read_local(data, at)
        _refuse_name(name, folded)
        if order(name) < order(last):
            raise _misshapen(f"{name} is not at its place in the order of names")
        _refuse_content(data, name, place)
        places[name] = place
        folded.add(name.lower())
        at, last = place.first + place.size, name
    _refuse_end(data, at, places)
    return Files(data, places)


def _local(name: str, place: Place) -> bytes:
    sizes = (place.checksum, place.size, place.size, len(name), 0)
    return _LOCAL_FORM.pack(_LOCAL, *_FIXED, *sizes) + name.encode("ascii")


def _directory(places: Mapping[str, Place], at: int) -> Iterator[bytes]:
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


def _read_local(data: Source, at: int) -> tuple[str, Place]:
    """Return name and place of the file whose record begins there; nothing of its content has been looked at."""
    header = data[at : at + _LOCAL_SIZE]
    if len(header) < _LOCAL_SIZE:
        raise _truncated()
    _, version, flags, method, time, date, checksum, packed, size, named, extra = _LOCAL_FORM.unpack(header)
    name = _name_at(data, at, named)
    if _is_folder(name) and not size and len(name) == named:
        raise _misshapen(f"{name} is a folder, which only other programs pack")
    if flags & 1:
        raise VerifyError(Reason.BUNDLE_ENCRYPTED, f"{name!a} is encrypted")
    if method:
        raise VerifyError(
            Reason.BUNDLE_COMPRESSED,
            f"{name!a} is compressed, and a bundle's files are stored as they are",
            advice=AS_WRITTEN,
        )
    if (version, flags, method, time, date, extra) != (*_FIXED, 0) or packed != size:
        raise _misshapen(f"the header of {name!a} is not as a bundle's are")
    first = at + _LOCAL_SIZE + named
    if first + size > len(data):
        raise _truncated()
    return name, Place(at, first, size, checksum)


def _name_at(data: Source, at: int, length: int) -> str:
    return data[at + _LOCAL_SIZE : at + _LOCAL_SIZE + length].decode("latin-1")


def _refuse_names(data: Source) -> None:
    """Refuse a zip of whatever form for its first name that no bundle has, or that comes twice."""
    folded: set[str] = set()
    at = 0
    while len(header := data[at : at + _LOCAL_SIZE]) == _LOCAL_SIZE and header.startswith(_LOCAL):
        *_, packed, size, named, extra = _LOCAL_FORM.unpack(header)
        name = _name_at(data, at, named)
        # Whoever packs a folder again packs its folders too: they lead nowhere else.
        if size or not _is_folder(name):
            _refuse_name(name, folded)
            folded.add(name.lower())
        at += _LOCAL_SIZE + named + extra + packed


def _is_folder(name: str) -> bool:
    return name.endswith("/") and is_name(name[:-1])


def _refuse_name(name: str, folded: set[str]) -> None:
    if not is_name(name):
        raise VerifyError(Reason.BUNDLE_NAME, f"{name!a} is no name of a bundle's file: it may lead elsewhere")
    if len(folded) >= MAX_FILES:
        raise VerifyError(Reason.BUNDLE_SIZE, f"a bundle has at most {MAX_FILES:,} files")
    # Where case does not count two such files are one, and the second would take the place of the first.
    if name.lower() in folded:
        raise VerifyError(Reason.BUNDLE_DUPLICATE, f"{name} is in the bundle twice")


def _refuse_content(data: Source, name: str, place: Place) -> None:
    if place.size > max_size(name):
        raise VerifyError(Reason.BUNDLE_SIZE, f"{name} is larger than {max_size(name):,} bytes, which no bundle's is")
    end, checksum = place.first + place.size, 0
    for at in range(place.first, end, _CHUNK):
        checksum = zlib.crc32(data[at : min(at + _CHUNK, end)], checksum)
    if checksum != place.checksum:
        raise VerifyError(Reason.BUNDLE_CHECKSUM, f"{name} was changed: it has not its checksum")


def _refuse_end(data: Source, at: int, places: Mapping[str, Place]) -> None:
    """Refuse what follows the files unless it is exactly what follows those files."""
    if not places:
        raise VerifyError(Reason.BUNDLE_NOT_ZIP, "this is not a zip that begins with a file")
    expected = b"".join(_directory(places, at))
    found, more = data[at : at + len(expected)], len(data) - at - len(expected)
    if found == expected and not more:
        return
    if (expected.startswith(found) and more < 0) or _LOCAL.startswith(found):
        raise _truncated()
    if found == expected:
        raise VerifyError(Reason.BUNDLE_TRAILING, f"{more} bytes follow the end of the bundle")
    _refuse_entries(found, places)
    raise _misshapen("what follows the files is not the directory of exactly these files")


def _refuse_entries(found: bytes, places: Mapping[str, Place]) -> None:
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
        advice=AS_WRITTEN,
    )
