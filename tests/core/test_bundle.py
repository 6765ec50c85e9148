# SPDX-License-Identifier: Apache-2.0
"""Zips come in, good and bad; the good are one byte form of their files, the bad are refused by one reason."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.bundle import AS_WRITTEN, decode, encode, pieces
from lockgate.core.bundle_layout import MAX_FILES, MAX_NAME, is_name, max_size
from lockgate.core.refusal import Reason, VerifyError
from lockgate.errors import DataError

FILES = {"README.txt": b"read me\n", "receipts/1.json": b"{}", "receipts/2.json": b"[]", "keys/a.pem": b""}
GOOD = encode(FILES)
NAMES = st.from_regex(r"[a-z]{1,5}(/[a-z0-9]{1,5}){0,2}", fullmatch=True)


def refusal(data: bytes) -> Reason:
    """Return why a zip is refused."""
    with pytest.raises(VerifyError) as refused:
        decode(data)
    return refused.value.reason


def zipped(
    files: Mapping[str, bytes] | list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED, **members: Any
) -> bytes:
    """Return a zip as another program writes it; `members` are of every file's ZipInfo."""
    told, out = list(files.items()) if isinstance(files, Mapping) else files, io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in told:
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr, info.create_version = method, 0o100644 << 16, 10
            info.extract_version = 10
            for member, value in members.items():
                setattr(info, member, value)
            target.writestr(info, data)
    return out.getvalue()


def renamed(name: str, data: bytes = GOOD) -> bytes:
    """Return the good zip with another name of the same length in the place of one of its own."""
    return data.replace(b"receipts/1.json", name.encode("latin-1").ljust(15, b"_"))


@given(st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=8))
@pytest.mark.clause("VF-01")
def test_the_same_files_are_the_same_bytes_and_come_back(files: dict[str, bytes]) -> None:
    """A bundle is its files, in whatever order they were named, and every zip program reads it."""
    shuffled = dict(reversed(files.items()))
    data = encode(shuffled)
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert {name: read.read(name) for name in read.namelist()} == files
    assert data == encode(files)
    assert dict(decode(data)) == files


@pytest.mark.clause("VF-01")
def test_files_beyond_sixteen_bits_are_counted() -> None:
    """More files than the first form of a zip's end can count are in a bundle too."""
    files = dict.fromkeys((f"verdicts/{number}.json" for number in range(65_536)), b"")
    data = encode(files)
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert len(read.namelist()) == len(files)
    assert len(decode(data)) == len(files)


@pytest.mark.clause("VF-01")
def test_the_manifest_is_the_last_file() -> None:
    """What holds the digests of all others is written when they have been."""
    files = {"a.txt": b"", "manifest.json": b"{}", "z.txt": b""}
    assert list(decode(encode(files))) == ["a.txt", "z.txt", "manifest.json"]


@pytest.mark.clause("VF-01")
def test_a_bundle_is_written_as_its_files_come() -> None:
    """Writing holds one file at a time, so that a bundle may be larger than memory."""
    asked: list[str] = []

    def files() -> Iterator[tuple[str, bytes]]:
        for name in sorted(FILES):
            asked.append(name)
            yield name, FILES[name]

    written = pieces(files())
    begun = [next(written), next(written)]
    assert asked == ["README.txt"]
    assert b"".join([*begun, *written]) == GOOD


@pytest.mark.clause("VF-02")
def test_every_bit_of_a_bundle_counts() -> None:
    """Whichever bit of a zip is flipped, in content, header, directory or end, it is refused."""
    accepted = []
    for at in range(8 * len(GOOD)):
        changed = bytearray(GOOD)
        changed[at // 8] ^= 1 << at % 8
        try:
            decode(bytes(changed))
        except VerifyError:
            continue
        accepted.append(at)
    assert accepted == []


@pytest.mark.clause("VF-02")
def test_every_cut_of_a_bundle_is_refused() -> None:
    """A bundle that ends anywhere before its end is refused; from its first file on it is said to be cut off."""
    reasons = {size: refusal(GOOD[:size]) for size in range(len(GOOD))}
    assert {reasons[size] for size in range(4)} == {Reason.BUNDLE_NOT_ZIP}
    assert {reasons[size] for size in range(4, len(GOOD))} == {Reason.BUNDLE_TRUNCATED}


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
@pytest.mark.clause("VF-02")
def test_whatever_is_spliced_in_is_refused_in_words(noise: bytes, at: int) -> None:
    """Bytes in the place of others are refused, and never in another way than by a reason."""
    changed = GOOD[:at] + noise + GOOD[at + len(noise) :]
    if changed != GOOD:
        assert refusal(changed) in Reason


@pytest.mark.parametrize(
    "name",
    [
        "../escape.jsonx",
        "/etc/passwd",
        "receipts/../../x",
        r"receipts\1.json",
        "C:/windows.json",
        "receipts//1.jso",
        "receipts/./1.js",
        ".hidden",
        "receipts/1\x00json",
        "receipts/\xe9.json",
        "receipts/1.jso/",
        " receipts/1.jso",
    ],
)
@pytest.mark.clause("VF-03")
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    """A name is plain words with slashes between; nothing else is looked at."""
    assert not is_name(name)
    assert refusal(renamed(name)) is Reason.BUNDLE_NAME


def stock(name: str, method: int, second: str = "") -> bytes:
    """Return a zip as Python's own writes it, of today, with a good file before one of some name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for each in ("manifest.json", "receipts/1.json", name, second or "README.txt"):
            target.writestr(each, bytes(1000))
    return out.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.clause("VF-64")
def test_in_a_zip_of_any_form_a_name_that_leads_elsewhere_comes_first(method: int) -> None:
    """Whichever program wrote it, what it would write when unpacked is said before in which form it is."""
    assert refusal(stock("../../evil.txt", method)) is Reason.BUNDLE_NAME
    assert refusal(stock("keys/a.pem", method, "KEYS/a.pem")) is Reason.BUNDLE_DUPLICATE


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.clause("VF-64")
def test_nobody_is_told_to_unpack_what_another_program_packed(method: int) -> None:
    """A zip in another form is to be fetched again: what its form hides would be unpacked with it."""
    with pytest.raises(VerifyError) as refused:
        decode(stock("keys/a.pem", method))

    assert refused.value.advice == AS_WRITTEN
    assert "unpack" not in AS_WRITTEN


@pytest.mark.clause("VF-03")
def test_names_are_bounded() -> None:
    """A name that no file system takes is refused."""
    assert refusal(zipped({"a" * (MAX_NAME + 1): b""})) is Reason.BUNDLE_NAME


@pytest.mark.parametrize("second", ["receipts/1.json", "receipts/1.JSON"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.clause("VF-03")
def test_a_name_that_comes_twice_is_refused(second: str) -> None:
    """Two files of one name, or of two names that some file systems hold to be one, are refused."""
    assert refusal(zipped([("receipts/1.json", b"{}"), (second, b"[]")])) is Reason.BUNDLE_DUPLICATE


@pytest.mark.clause("VF-03")
def test_a_symbolic_link_is_refused() -> None:
    """A file that would be a link when unpacked is refused."""
    assert refusal(zipped({"receipts/1.json": b"/etc/passwd"}, external_attr=0o120777 << 16)) is Reason.BUNDLE_LINK


@pytest.mark.clause("VF-03")
def test_an_encrypted_file_is_refused() -> None:
    """What nobody can read without a password is refused."""
    changed = bytearray(GOOD)
    changed[6] |= 1
    assert refusal(bytes(changed)) is Reason.BUNDLE_ENCRYPTED


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.clause("VF-03")
def test_a_compressed_file_is_refused(method: int) -> None:
    """Nothing is unpacked: a zip that another program compressed is refused, with what to do."""
    assert refusal(zipped(FILES, method)) is Reason.BUNDLE_COMPRESSED


@pytest.mark.clause("VF-03")
def test_an_unknown_compression_is_refused() -> None:
    """A method that no program knows is refused as any compression."""
    changed = bytearray(GOOD)
    changed[8:10] = struct.pack("<H", 4711)
    assert refusal(bytes(changed)) is Reason.BUNDLE_COMPRESSED


@pytest.mark.clause("VF-03")
def test_files_that_overlap_are_refused() -> None:
    """A directory that points twice to the same bytes, as a bomb without nesting does, is refused."""
    directory = GOOD.index(b"PK\x01\x02")
    second = GOOD.index(b"PK\x01\x02", directory + 4)
    changed = bytearray(GOOD)
    changed[second + 42 : second + 46] = changed[directory + 42 : directory + 46]
    assert refusal(bytes(changed)) is Reason.BUNDLE_OVERLAP


@pytest.mark.parametrize("tail", [b"\n", b"\x00" * 22, GOOD])
@pytest.mark.clause("VF-03")
def test_what_follows_the_end_is_refused(tail: bytes) -> None:
    """Bytes after the end, another zip among them, are refused."""
    assert refusal(GOOD + tail) is Reason.BUNDLE_TRAILING


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n" + GOOD, b"PK\x05\x06" + bytes(18), b"\x89PNG"])
@pytest.mark.clause("VF-03")
def test_what_does_not_begin_with_a_file_is_refused(data: bytes) -> None:
    """A file that is no zip, an empty zip and one behind a program are refused."""
    assert refusal(data) is Reason.BUNDLE_NOT_ZIP


@pytest.mark.clause("VF-03")
def test_another_content_is_refused() -> None:
    """A file whose bytes are not those of its checksum is refused by name."""
    assert refusal(GOOD.replace(b"read me", b"read it")) is Reason.BUNDLE_CHECKSUM


@pytest.mark.parametrize(
    "data",
    [
        zipped([("receipts/2.json", b"[]"), ("receipts/1.json", b"{}")]),
        zipped(FILES, date_time=(2026, 11, 21, 0, 0, 0)),
        zipped(FILES, external_attr=0o100755 << 16),
        zipped(FILES, extra=b"\x01\x00\x00\x00"),
        zipped(FILES, comment=b"free"),
        zipped(FILES, create_system=0),
    ],
    ids=["order", "date", "mode", "extra", "comment", "system"],
)
@pytest.mark.clause("VF-03")
def test_another_form_of_the_same_files_is_refused(data: bytes) -> None:
    """A zip with other dates, modes, order, extra fields or comments is not in the one form."""
    assert refusal(data) is Reason.BUNDLE_FORM


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("within", ["", "bundle/", "my/bundle/"])
@pytest.mark.parametrize("has_folders", [True, False])
@pytest.mark.clause("RF-43")
def test_what_another_program_packed_again_is_told_as_that(method: int, within: str, *, has_folders: bool) -> None:
    """With entries of folders, or all of it in a folder: whoever packed it verifies what they packed."""
    files = {f"{within}{name}": data for name, data in FILES.items()}
    parents = {f"{parent}/" for name in files for parent in map(str, PurePosixPath(name).parents) if parent != "."}
    packed = zipped({**(dict.fromkeys(sorted(parents), b"") if has_folders else {}), **files}, method)

    with pytest.raises(VerifyError) as refused:
        decode(packed)

    assert refused.value.reason in (Reason.BUNDLE_FORM, Reason.BUNDLE_COMPRESSED)
    assert refused.value.advice == AS_WRITTEN


@pytest.mark.parametrize("name", ["../", "/", "a/../", "a//", "./", "bundle/../../etc/", "c:/", "a b/"])
@pytest.mark.parametrize("before", [(), ("bundle/",)])
@pytest.mark.clause("RF-43")
def test_a_folder_that_leads_elsewhere_is_refused_by_its_name(name: str, before: tuple[str, ...]) -> None:
    """Also behind folders that lead nowhere."""
    assert refusal(zipped([(each, b"") for each in (*before, name, "receipts/1.json")])) is Reason.BUNDLE_NAME


@pytest.mark.clause("VF-04")
def test_a_bomb_is_refused_without_unpacking() -> None:
    """A zip that would grow a thousandfold costs no more memory than its own bytes."""
    bomb = zipped({"receipts/1.json": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    reason = refusal(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reason is Reason.BUNDLE_COMPRESSED
    assert peak < 1_000_000


@pytest.mark.parametrize("size", [2**32 - 1, 2**31, len(GOOD)])
@pytest.mark.clause("VF-04")
def test_sizes_that_lie_are_refused(size: int) -> None:
    """A header that says a file is larger than the zip is refused before anything is read."""
    changed = bytearray(GOOD)
    changed[18:26] = struct.pack("<LL", size, size)
    assert refusal(bytes(changed)) is Reason.BUNDLE_TRUNCATED


@pytest.mark.clause("VF-66")
def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    """Its header says how large it is; neither reading nor writing takes more than is known to be needed."""
    most = max_size("README.txt")
    packed = zipped({"README.txt": bytes(most + 1)})
    assert refusal(packed) is Reason.BUNDLE_SIZE
    assert most < max_size("replay/1.json")
    with pytest.raises(DataError, match=r"README\.txt is larger"):
        encode({"README.txt": bytes(most + 1)})


@pytest.mark.clause("VF-04")
def test_more_files_than_a_bundle_has_are_refused() -> None:
    """The number of files is bounded, for who reads and for who writes."""
    record = GOOD[: 30 + len("README.txt") + len(FILES["README.txt"])]
    many = b"".join(record.replace(b"README.txt", b"r%09d" % number) for number in range(MAX_FILES + 1))
    assert refusal(many) is Reason.BUNDLE_SIZE
    with pytest.raises(DataError, match="at most"):
        encode(dict.fromkeys(map(str, range(MAX_FILES + 1)), b""))


@pytest.mark.parametrize("names", [["../x"], ["a b"], ["A", "a"], ["b", "a"], ["manifest.json", "a"]])
@pytest.mark.clause("VF-03")
def test_what_would_be_refused_is_not_written(names: list[str]) -> None:
    """Names, and an order of them, that reading refuses are refused by writing."""
    with pytest.raises(ValueError, match="no name of a bundle's file"):
        list(pieces((name, b"") for name in names))
