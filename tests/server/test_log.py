# SPDX-License-Identifier: Apache-2.0
"""A log that grows behind a server comes in; its checkpoint, tiles, proofs and lines must be those of the store."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from itertools import pairwise

import pytest

from lockgate.core.log_export import read_portions
from lockgate.core.merkle import HASH_SIZE, Tree, leaf_hash
from lockgate.core.note import NoteKey
from lockgate.core.public_key import read_public_key
from lockgate.core.tile import WIDTH, read_entries, tiles_of
from lockgate.core.vault import Receipt
from lockgate.operations.asking.queries import receipts_of
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.vault.sign import log_key_of
from lockgate.ports.house import House
from lockgate.verify import Keys, read_note_key, verify_checkpoint, verify_newer_checkpoint, verify_receipt
from tests.server.rows import ANN, OTHER_APP
from tests.server.served import API, Caller, Served, problem, served
from tests.spec.line import APP, EQUAL, created, world

LOG = f"{API}/log"
OF_SOME_APPS: tuple[tuple[str, dict[str, int]], ...] = (
    ("entries/0", {}),
    ("proof/0", {}),
    ("checkpoint", {}),
    ("consistency", {"old": 1}),
)
# Enough for a full tile, one that is not, and one of the level above.
SIZE = 262


@pytest.fixture(scope="module")
def house_of_log() -> Iterator[Served]:
    """Return a server on a log of some hundred entries, of two apps; its tests only read it."""
    here = world()
    here.serve_both(APP, {"v36": 60, "abc123": 60}, EQUAL, minutes=1)
    created(here)
    created(here, app=OTHER_APP, candidate="theirs")
    for number in range(SIZE - 2):
        (unfreeze if number % 2 else freeze)(OTHER_APP, ANN, here.house)
    with served(here) as opened:
        yield opened


@pytest.fixture(scope="module")
def auditor(house_of_log: Served) -> Caller:
    """Return who may fetch what was decided."""
    return house_of_log.caller("auditor")


def entries(house: House) -> tuple[Receipt, ...]:
    """Return the whole log."""
    with house.store.reading(house.org) as seen:
        return seen.entries_after(-1, 1_000)


def log_keys(here: Served) -> tuple[NoteKey, ...]:
    """Return the keys of the log as the server publishes them."""
    return tuple(read_note_key(line) for line in here.http.get("/keys/log.vkey").text.splitlines())


def all_keys(here: Served) -> Keys:
    """Return every key as the server publishes it."""
    signers = here.world.house.signers
    pem = here.http.get(f"/keys/{signers.receipt.key_id}.pem").content
    return Keys((read_public_key(pem),), log_keys(here))


@pytest.mark.clause("LG-04")
def test_a_mirror_of_the_tiles_is_the_log(house_of_log: Served, auditor: Caller) -> None:
    """Every tile of the checkpoint's size leads to its root, and the entries are the receipts byte for byte."""
    note = auditor.get(f"{LOG}/checkpoint")
    checkpoint = verify_checkpoint(note.content, log_keys(house_of_log))
    answers = {tile: auditor.get(f"{LOG}/{tile.path}") for tile in tiles_of(checkpoint.size)}

    found = [each for tile, answer in answers.items() if tile.level is None for each in read_entries(answer.content)]
    tree, hashes = Tree(), b""
    for each in found:
        tree, _ = tree.append(leaf_hash(each))
        hashes += leaf_hash(each)
    assert checkpoint.tree == (SIZE, tree.root)
    assert found == [each.envelope for each in entries(house_of_log.world.house)]
    assert b"".join(answer.content for tile, answer in answers.items() if tile.level == 0) == hashes
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/octet-stream"}
    assert {answer.headers["cache-control"] for answer in answers.values()} == {"private, max-age=31536000, immutable"}


@pytest.mark.clause("LG-04")
@pytest.mark.parametrize("place", ["0/000", "0/001", "entries/000", "entries/001"])
def test_every_width_of_a_tile_stays_there(auditor: Caller, place: str) -> None:
    """Whoever works from an older checkpoint finds the tiles of its size; wider than it is there is none."""
    width = WIDTH if place.endswith("000") else SIZE - WIDTH
    full = auditor.get(f"{LOG}/tile/{place}" + ("" if width == WIDTH else f".p/{width}")).content
    answers = [auditor.get(f"{LOG}/tile/{place}.p/{each}") for each in (1, 5, width - 1)]
    wider = auditor.get(f"{LOG}/tile/{place}.p/{width + 1}" if width < WIDTH - 1 else f"{LOG}/tile/0/001")

    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(full.startswith(answer.content) for answer in answers)
    assert [len(answers[0].content) == HASH_SIZE, len(answers[1].content) == 5 * HASH_SIZE] == [place[0] == "0"] * 2
    assert problem(wider) == (404, "not-found")


@pytest.mark.clause("LG-04")
@pytest.mark.parametrize("place", ["0/0", "0/x000/001", "00/000", "64/000", "0/000.p/0", "0/000.p/256", "x/000", "0/"])
def test_another_spelling_of_a_tile_is_refused(auditor: Caller, place: str) -> None:
    """It names no tile, and never one twice."""
    assert problem(auditor.get(f"{LOG}/tile/{place}"))[0] in (400, 404, 422)


@pytest.mark.clause("LG-05")
def test_a_checkpoint_is_asked_for_again(house_of_log: Served, auditor: Caller) -> None:
    """It is text, nobody keeps it unasked, and who has the latest is told so without it."""
    answer = auditor.get(f"{LOG}/checkpoint")
    again = auditor.call("GET", f"{LOG}/checkpoint", {"if-none-match": answer.headers["etag"]})

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "no-cache" in answer.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")
    assert verify_checkpoint(answer.content, log_keys(house_of_log)).size == SIZE


@pytest.mark.clause("LG-06")
@pytest.mark.parametrize("old", [1, 2, 100, 256, SIZE - 1, SIZE])
def test_the_log_proves_that_it_has_only_grown(house_of_log: Served, auditor: Caller, old: int) -> None:
    """From any size, to the latest checkpoint or to another one."""
    with house_of_log.world.house.store.reading() as seen:
        kept = seen.checkpoint(old)
    assert kept is not None

    for new in {SIZE, max(old, SIZE - 1)}:
        answer = auditor.get(f"{LOG}/consistency", old=old, new=new)
        lines, note = answer.content.split(b"\n\n", 1)
        assert lines.startswith(b"old %d" % old)
        trusted = Keys(log=log_keys(house_of_log))
        assert verify_newer_checkpoint(note, trusted, kept, answer.content).checkpoint.size == new


def _decoded(line: bytes) -> bytes:
    return b64decode(line)


@pytest.mark.clause("LG-06")
@pytest.mark.parametrize(
    "query", [{}, {"old": 0}, {"old": SIZE + 1}, {"old": "-1"}, {"old": 2, "new": 1}, {"old": "x"}]
)
def test_no_proof_is_made_of_what_was_never_so(auditor: Caller, query: dict[str, object]) -> None:
    """No size, none of an empty log, a later one, or what is no number."""
    assert problem(auditor.get(f"{LOG}/consistency", **query))[0] in (400, 404, 422)


@pytest.mark.clause("LG-07")
@pytest.mark.parametrize("index", [0, 1, 255, 256, SIZE - 1])
def test_every_entry_is_there_with_its_proof(house_of_log: Served, auditor: Caller, index: int) -> None:
    """Also those of no rollout; byte for byte."""
    envelope, proof = (auditor.get(f"{LOG}/{kind}/{index}").content for kind in ("entries", "proof"))

    verified = verify_receipt(envelope, all_keys(house_of_log), proof)
    assert verified.entry is not None
    assert (verified.entry.index, verified.entry.checkpoint.size) == (index, SIZE)


@pytest.mark.clause("LG-07")
@pytest.mark.parametrize("index", [str(SIZE), "9" * 18, "9" * 30, "-1", "x", "\u0661"])
def test_there_is_no_other_entry(auditor: Caller, index: str) -> None:
    """Whatever stands in the place of a number."""
    assert problem(auditor.get(f"{LOG}/entries/{index}"))[0] in (400, 404)
    assert problem(auditor.get(f"{LOG}/proof/{index}"))[0] in (400, 404)


@pytest.mark.clause("LG-08")
def test_a_receipt_is_served_byte_for_byte(house_of_log: Served, auditor: Caller) -> None:
    """With its digest for a tag, to a HEAD as well, and with a proof that stands by itself."""
    house = house_of_log.world.house
    rollout = created(house_of_log.world).rollout.id
    (receipt,) = receipts_of(rollout, house)
    path = f"{API}/rollouts/{rollout}/receipts/1"

    envelope, head, proof = (
        auditor.get(f"{path}/envelope"),
        auditor.call("HEAD", f"{path}/envelope"),
        auditor.get(f"{path}/proof"),
    )

    assert envelope.content == receipt.envelope
    assert envelope.headers["content-type"] == "application/vnd.dsse.envelope.v1+json"
    assert envelope.headers["etag"] == f'"sha256:{hashlib.sha256(envelope.content).hexdigest()}"'
    assert head.headers["etag"] == envelope.headers["etag"]
    assert (head.content, head.headers["content-length"]) == (b"", str(len(receipt.envelope)))
    assert verify_receipt(envelope.content, all_keys(house_of_log), proof.content).entry is not None
    assert [problem(auditor.get(f"{API}/rollouts/{rollout}/receipts/{seq}/proof"))[0] for seq in ("2", "0")] == [
        404,
        404,
    ]


@pytest.mark.clause("LG-09")
def test_a_key_for_some_apps_sees_their_entries_alone(house_of_log: Served) -> None:
    """The rest of the log is not there for it; a checkpoint and its growth are but hashes."""
    narrow = house_of_log.caller("auditor", apps=[APP])

    answers = [narrow.get(f"{LOG}/{path}", **query) for path, query in OF_SOME_APPS]
    refused = [narrow.get(f"{LOG}/{path}") for path in ("entries/1", "proof/1")]
    closed = [narrow.get(f"{LOG}/{path}") for path in ("tile/0/000", "tile/entries/000", "export")]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert [problem(answer) for answer in refused] == [(404, "not-found")] * 2
    assert [problem(answer)[0] for answer in closed] == [403] * 3


@pytest.mark.clause("LG-24")
@pytest.mark.parametrize("limit", [1, 100, 1_000])
def test_an_export_goes_on_where_it_ended(house_of_log: Served, auditor: Caller, limit: int) -> None:
    """Portions that follow each other hold the whole log, and each proves itself."""
    since, sizes, lines = 0, [0], list[bytes]()
    for _ in range(8 if limit == 1 else 3):
        answer = auditor.get(f"{LOG}/export", since=since, limit=limit)
        lines += answer.content.splitlines(keepends=True)
        since = int(answer.headers["lockgate-size"])
        sizes.append(since)

    found = list(read_portions(lines))
    for each in found:
        each.check(verify_checkpoint(each.end.checkpoint, log_keys(house_of_log)))
    envelopes = [each.envelope for portion in found for each in portion.entries]
    assert envelopes == [each.envelope for each in entries(house_of_log.world.house)][:since]
    assert all(0 <= after - before <= limit for before, after in pairwise(sizes))
    assert since == (8 if limit == 1 else SIZE)
    assert answer.headers["lockgate-log-size"] == str(SIZE)


@pytest.mark.clause("LG-24")
def test_an_export_of_what_is_not_there_is_refused(auditor: Caller) -> None:
    """A size that the log never had, or what is none; where nothing is new, only an end is said."""
    refused = [auditor.get(f"{LOG}/export", since=since) for since in (SIZE + 1, "-1", "x")]
    (last,) = read_portions(auditor.get(f"{LOG}/export", since=SIZE).content.splitlines(keepends=True))

    assert [problem(answer)[0] for answer in refused] == [400] * 3
    assert (last.entries, last.end.since, last.end.size) == ((), SIZE, SIZE)


@pytest.mark.clause("LG-24")
def test_a_log_without_entries_has_nothing_to_export(house_of_log: Served) -> None:
    """No line is said of it, and it has no checkpoint."""
    stranger = house_of_log.caller("admin", org="empty")

    assert (stranger.get(f"{LOG}/export").status_code, stranger.get(f"{LOG}/export").content) == (200, b"")
    assert problem(stranger.get(f"{LOG}/checkpoint")) == (404, "not-found")


@pytest.mark.clause("SV-966")
def test_what_is_not_in_the_log_comes_with_what_says_how_large_it_is(house_of_log: Served) -> None:
    """The log has no list to look at; what is there and not for the key is answered as what is not there."""
    empty = house_of_log.caller("admin", org="empty").get(f"{LOG}/checkpoint").json()
    narrow = house_of_log.caller("auditor", apps=[APP])
    hidden, missing = (narrow.get(f"{LOG}/entries/{index}").json() for index in (1, SIZE + 1_000))

    assert empty["detail"] == "the log has no entry yet, and so no checkpoint"
    assert "The first receipt begins the log" in empty["advice"]
    assert "list" not in empty["advice"]
    assert hidden["advice"] == missing["advice"]
    assert hidden["detail"].replace("1", "N") == missing["detail"].replace(f"{SIZE + 1_000}", "N")


@pytest.mark.clause("LG-31")
def test_public_keys_need_no_key(house_of_log: Served) -> None:
    """Each encoding by its own type, with what says how long it may be kept."""
    key_id = house_of_log.world.house.signers.receipt.key_id
    names = ["jwks.json", "allowed_signers", "log.vkey", f"{key_id}.pem"]
    answers = [house_of_log.http.get(f"/keys/{name}") for name in names]

    assert [answer.headers["content-type"].split(";")[0] for answer in answers] == [
        "application/jwk-set+json",
        "text/plain",
        "text/plain",
        "application/x-pem-file",
    ]
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=300"}
    assert answers[0].json()["keys"][0]["kid"] == key_id
    assert log_keys(house_of_log) == (_log_key(house_of_log),)
    again = house_of_log.http.get("/keys/jwks.json", headers={"if-none-match": answers[0].headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def _log_key(here: Served) -> NoteKey:
    with here.world.house.store.reading() as seen:
        origin = (seen.checkpoint() or b"").split(b"\n")[0].decode()
    return log_key_of(origin, here.world.house.signers.log.public_key_pem)


@pytest.mark.clause("LG-31")
def test_nobody_learns_which_organisations_there_are(house_of_log: Served) -> None:
    """One that signed nothing, whether it is there or not, is answered by the same words."""
    house_of_log.caller("admin", org="silent")

    answers = [house_of_log.http.get("/keys/log.vkey", params={"org": org}) for org in ("silent", "nobody", "", "x y")]

    assert [problem(answer) for answer in answers] == [(404, "not-found")] * 4
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.clause("LG-31")
@pytest.mark.parametrize(
    "path", ["/keys/", "/keys/other", "/keys/..%2Fx.pem", f"/keys/{'0' * 64}.pem", "/keys/jwks.json?x=1"]
)
def test_there_is_no_other_key_file(house_of_log: Served, path: str) -> None:
    """A name that nobody published is told so."""
    answer = house_of_log.http.get(path)

    assert problem(answer)[0] in (400, 404)


@pytest.mark.clause("LG-31")
def test_who_asks_for_another_file_is_told_which_there_are(house_of_log: Served) -> None:
    """By the advice of the problem."""
    assert "KEYID.pem" in house_of_log.http.get("/keys/other").json()["advice"]


@pytest.mark.clause("LG-31")
def test_a_manifest_that_nobody_made_says_how_one_is_made(house_of_log: Served) -> None:
    """Until the root keys have signed one there is none."""
    answer = house_of_log.http.get("/.well-known/lockgate/keys.dsse.json")

    assert problem(answer) == (404, "not-found")
    assert "lockgate keys manifest" in answer.json()["advice"]
