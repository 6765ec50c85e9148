# SPDX-License-Identifier: Apache-2.0
"""Packed bodies of runs come in; they count as if they had come unpacked, or are refused before they are held."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
import zstandard

from lockgate.operations.asking.overview import overview
from lockgate.server.body import FREE, MOST_RATIO, unpack_body
from lockgate.server.problem import ProblemError
from lockgate.server.routes.runs import MAX_BODY
from tests.server.served import API, NDJSON, Caller, Served, problem
from tests.spec.line import APP

RUNS = f"{API}/runs"
LINES = "".join(f'{{"release": "v36", "run_id": "{n}", "status": "ok"}}\n' for n in range(500)).encode()
PACKED = {
    "gzip": gzip.compress(LINES, mtime=0),
    "zstd": zstandard.compress(LINES),
    "GZIP": gzip.compress(LINES, mtime=1),
}


@pytest.mark.clause("SV-62")
@pytest.mark.parametrize("encoding", PACKED)
def test_packed_runs_are_the_same_batch_as_unpacked_ones(admin: Caller, encoding: str) -> None:
    """They count, and the same lines sent as they are change nothing."""
    packed = admin.call(
        "POST", f"{RUNS}?app_id={APP}", {**NDJSON, "content-encoding": encoding}, content=PACKED[encoding]
    )
    plain = admin.call("POST", f"{RUNS}?app_id={APP}", NDJSON, content=LINES)

    assert (packed.status_code, packed.json()["runs"]) == (200, 500), packed.text
    assert plain.json()["repeated"] is True


ZEROS = zlib.compressobj(9, zlib.DEFLATED, 31)
BOMBS = {
    "gzip": b"".join([*(ZEROS.compress(b"\n" * (1 << 20)) for _ in range(300)), ZEROS.flush()]),
    "zstd": zstandard.ZstdCompressor(level=19).compress(b"\n" * (300 << 20)),
}


@pytest.mark.clause("SV-62")
@pytest.mark.parametrize("encoding", BOMBS)
def test_what_expands_without_end_is_refused_before_it_is_held(encoding: str) -> None:
    """300 MiB in a few kilobytes: far less than what the path takes is ever in memory."""
    held = list[int]()
    tracemalloc.start()
    with pytest.raises(ProblemError) as refused:
        unpack_body(BOMBS[encoding], encoding, MAX_BODY, held.append)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refused.value.problem.kind.name == "body-unpacks-too-far"
    assert most < MAX_BODY
    assert sum(held) < MAX_BODY
    assert FREE < MAX_BODY


@pytest.mark.clause("SV-62")
@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_is_413_and_keeps_nothing(admin: Caller, door: Served, encoding: str) -> None:
    """Whether it is beyond the size or beyond the ratio."""
    answer = admin.call(
        "POST", f"{RUNS}?app_id={APP}", {**NDJSON, "content-encoding": encoding}, content=BOMBS[encoding]
    )

    assert problem(answer) == (413, "body-unpacks-too-far")
    assert overview(door.world.house) == ()


@pytest.mark.clause("SV-62")
def test_what_is_packed_tightly_is_taken_up_to_a_size(admin: Caller) -> None:
    """Equal lines pack to less than a part in two hundred, and are runs all the same."""
    line = b'{"release": "v36", "status": "ok"}\n'
    lines = line * (FREE // len(line) // 8)
    packed = zstandard.compress(lines)

    answer = admin.call("POST", f"{RUNS}?app_id={APP}", {**NDJSON, "content-encoding": "zstd"}, content=packed)

    assert len(lines) > MOST_RATIO * len(packed)
    assert answer.json()["runs"] == lines.count(b"\n")


TORN: dict[str, tuple[str, bytes]] = {
    "no gzip": ("gzip", b"hello"),
    "nothing": ("gzip", b""),
    "half a gzip": ("gzip", PACKED["gzip"][:-9]),
    "a gzip without its check": ("gzip", PACKED["gzip"][:-1]),
    "a gzip of other bytes": ("gzip", PACKED["gzip"][:-8] + bytes(8)),
    "two gzips": ("gzip", PACKED["gzip"] * 2),
    "a gzip with a tail": ("gzip", PACKED["gzip"] + b"x"),
    "raw deflate": ("gzip", zlib.compress(LINES)),
    "no zstd": ("zstd", b"hello, world"),
    "empty zstd": ("zstd", b""),
    "half a zstd": ("zstd", PACKED["zstd"][:-9]),
    "two zstds": ("zstd", PACKED["zstd"] * 2),
    "a zstd with a tail": ("zstd", PACKED["zstd"] + b"x" * 2_000),
    "a window without end": ("zstd", b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x01\x00\x00"),
}


@pytest.mark.clause("SV-62")
@pytest.mark.parametrize("case", TORN.values(), ids=TORN.keys())
def test_what_is_torn_keeps_nothing(admin: Caller, door: Served, case: tuple[str, bytes]) -> None:
    """It is 400 and says so; nothing of a part counts."""
    encoding, body = case
    answer = admin.call("POST", f"{RUNS}?app_id={APP}", {**NDJSON, "content-encoding": encoding}, content=body)

    assert problem(answer) == (400, "invalid-data"), answer.text
    assert overview(door.world.house) == ()


@pytest.mark.clause("SV-62")
@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "gzip;q=1", "x" * 500, "identity, br"])
def test_another_encoding_is_named_with_those_that_are_taken(admin: Caller, door: Served, encoding: str) -> None:
    """415 with Accept-Encoding; where no packing is taken, that says so too."""
    runs = admin.call("POST", f"{RUNS}?app_id={APP}", {**NDJSON, "content-encoding": encoding}, content=LINES)
    rollout = admin.call(
        "POST", f"{API}/rollouts", {"content-type": "application/json", "content-encoding": "gzip"}, content=b"{}"
    )

    assert problem(runs) == problem(rollout) == (415, "content-encoding")
    assert runs.headers["accept-encoding"] == "gzip, zstd"
    assert rollout.headers["accept-encoding"] == "identity"
    assert overview(door.world.house) == ()
