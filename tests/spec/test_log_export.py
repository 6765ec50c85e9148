# SPDX-License-Identifier: Apache-2.0
"""A log and a size come in; the lines that were exported since must prove that they are all of it, or be refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.export_line import MAX_LINE, End, end_line, entry_line
from lockgate.core.log_export import MAX_ENTRIES, Portion, read_portions
from lockgate.core.merkle import leaf_hash, plan_consistency
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import verify_checkpoint
from tests.spec.signed import KEYS, VAULT, Vault, chain, vault

SIZE = len(VAULT.entries)
SIZES = st.integers(0, SIZE)


def portion(since: int, size: int, covered: int = SIZE, log: Vault = VAULT) -> list[bytes]:
    """Return the lines of the entries between two sizes, up to a checkpoint of a third."""
    hashes = () if size == covered else plan_consistency(size, covered).hashes(log.kept)
    end = End(
        since=since,
        size=size,
        before=log.trees[since].peaks,
        consistency=hashes,
        checkpoint=log.checkpoint(covered),
    )
    return [*(entry_line(index, log.entries[index]) for index in range(since, size)), end_line(end)]


def read(lines: Sequence[bytes]) -> list[Portion]:
    """Return the portions of a file that verify from their lines to their checkpoints."""
    found = list(read_portions(lines))
    for each in found:
        each.check(verify_checkpoint(each.end.checkpoint, KEYS.log))
    return found


def refused(lines: Sequence[bytes]) -> Reason:
    """Return why a file is refused."""
    with pytest.raises(VerifyError) as found:
        read(lines)
    return found.value.reason


def changed(line: bytes, **members: object) -> bytes:
    """Return a line with other members."""
    return json.dumps({**json.loads(line), **members}, separators=(",", ":")).encode() + b"\n"


@pytest.mark.clause("LG-20")
@given(st.tuples(SIZES, st.integers(1, SIZE), st.integers(1, SIZE)).filter(lambda it: it[0] <= it[1] <= it[2]))
def test_lines_between_two_sizes_prove_that_they_are_all(sizes: tuple[int, int, int]) -> None:
    """From any size to any later one, under a checkpoint of it or of a later one; each envelope byte for byte."""
    since, size, covered = sizes

    (found,) = read(portion(since, size, covered))

    assert [each.envelope for each in found.entries] == list(VAULT.entries[since:size])
    assert found.check(verify_checkpoint(found.end.checkpoint, KEYS.log)) == VAULT.trees[size]


@pytest.mark.clause("LG-20")
@given(since=SIZES, size=SIZES)
def test_a_kept_checkpoint_between_them_is_on_the_way(since: int, size: int) -> None:
    """Whoever kept the root of any size in between meets it again."""
    (found,) = read(portion(since, SIZE))

    if size >= since:
        assert found.tree_at(size) == VAULT.trees[size]
    else:
        with pytest.raises(ValueError, match="goes from"):
            found.tree_at(size)


@pytest.mark.clause("LG-21")
def test_a_line_says_what_its_envelope_states() -> None:
    """Leaf hash, time, organisation, app, rollout, number, mode, decision and actor, for who reads no envelopes."""
    document = json.loads(entry_line(7, VAULT.entries[0]))

    stated = read(portion(0, SIZE))[0].entries[0].statement
    assert list(document)[:3] == ["index", "leaf", "envelope"]
    assert document["leaf"] == leaf_hash(VAULT.entries[0]).hex()
    assert {name: document[name] for name in ("rollout", "seq", "org", "actor", "time", "mode")} == {
        "rollout": stated.rollout_id,
        "seq": stated.seq,
        "org": stated.org,
        "actor": stated.predicate["actor"],
        "time": stated.predicate["decidedAt"],
        "mode": stated.predicate["mode"],
    }
    said: Mapping[str, Any] = stated.predicate
    assert f"{document['app']}@{said['candidate']['release']}" == stated.subjects[0][0]
    named = ("action", "cause", "reason")
    assert [document[name] for name in named] == [said["decision"][name] for name in named]


@pytest.mark.clause("LG-21")
@pytest.mark.parametrize("name", ["leaf", "time", "app", "rollout", "seq", "action", "reason", "actor"])
def test_a_line_that_says_something_else_is_refused(name: str) -> None:
    """What a line says beside the envelope is not signed, and is compared with it."""
    lines = portion(0, SIZE)

    assert refused([changed(lines[0], **{name: "x"}), *lines[1:]]) is Reason.LOG_EXPORT_FIELDS


@pytest.mark.clause("LG-21")
def test_a_line_has_one_form() -> None:
    """Blanks, another order or a member more make another line of the same entry."""
    lines = portion(0, SIZE)
    document = json.loads(lines[0])
    others = [
        json.dumps(document).encode() + b"\n",
        json.dumps(dict(sorted(document.items())), separators=(",", ":")).encode() + b"\n",
        changed(lines[0], more=1),
        lines[0].rstrip(b"\n"),
        lines[0].replace(b'{"index":0,', b'{"index":0,"index":0,'),
    ]

    assert {refused([each, *lines[1:]]) for each in others} == {Reason.LOG_EXPORT_FIELDS}


@pytest.mark.clause("LG-22")
def test_an_entry_that_is_missing_or_moved_is_refused() -> None:
    """Left out, doubled, in another order, or from elsewhere."""
    lines = portion(0, SIZE)
    first, second, *rest = lines

    assert refused([first, *rest]) is Reason.LOG_EXPORT_GAP
    assert refused(lines[1:]) is Reason.LOG_EXPORT_GAP
    assert refused([*lines[:-2], lines[-1]]) is Reason.LOG_EXPORT_GAP
    assert refused([first, first, second, *rest]) is Reason.LOG_EXPORT_GAP
    assert refused([second, first, *rest]) is Reason.LOG_EXPORT_GAP
    assert refused([entry_line(0, VAULT.entries[1]), entry_line(1, VAULT.entries[0]), *rest]) is Reason.LOG_EXPORT_TREE


@pytest.mark.clause("LG-22")
def test_a_file_that_was_cut_off_is_refused() -> None:
    """Whatever is missing at its end."""
    lines = [*portion(0, 2), *portion(2, SIZE)]

    kept = [count for count in range(len(lines)) if _is_read(lines[:count])]
    # Two portions: after the first of them the file is whole too, of fewer entries.
    assert kept == [3]


def _is_read(lines: Sequence[bytes]) -> bool:
    try:
        return bool(read(lines))
    except VerifyError:
        return False


@pytest.mark.clause("LG-22")
def test_portions_follow_each_other() -> None:
    """One may be left out no more than an entry may, and none is of another log."""
    other = vault(*chain(SIZE + 1)[1:], VAULT.entries[0])
    lines = [portion(0, 2), portion(2, 3), portion(3, SIZE)]

    assert [each.end.size for each in read([*lines[0], *lines[1], *lines[2]])] == [2, 3, SIZE]
    assert refused([*lines[0], *lines[2]]) is Reason.LOG_EXPORT_GAP
    assert refused([*lines[0], *portion(2, 3, log=other)]) is Reason.LOG_EXPORT_GAP
    assert refused([*lines[1], *lines[0]]) is Reason.LOG_EXPORT_GAP


@pytest.mark.clause("LG-22")
def test_an_end_of_another_tree_is_refused() -> None:
    """Its subtrees, its proof and its checkpoint must belong to the lines."""
    *entries, last = portion(2, 4)
    end = json.loads(last)
    other = json.loads(portion(3, SIZE)[-1])

    assert refused([*entries, changed(last, consistency=[])]) is Reason.CONSISTENCY
    assert refused([*entries, changed(last, before=other["before"][1:])]) is Reason.CONSISTENCY
    assert refused([*entries, changed(last, before=[])]) is Reason.LOG_EXPORT_SHAPE
    assert refused([*portion(2, SIZE)[:-1], changed(last, size=SIZE)]) is Reason.LOG_EXPORT_TREE
    assert refused([*entries, changed(last, checkpoint=VAULT.checkpoint(3).decode())]) is Reason.LOG_EXPORT_TREE
    assert refused([*entries, changed(last, checkpoint=end["checkpoint"].replace("\n5\n", "\n6\n"))])


@pytest.mark.clause("LG-22")
@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b"1\n",
        b"{}\n",
        b"\xff\n",
        b"[" * 5_000 + b"\n",
        b'{"index":' + b"9" * 5_000 + b"}\n",
        b'{"index":true,"envelope":{}}\n',
        b'{"index":-1,"envelope":{}}\n',
        b'{"index":0,"envelope":[]}\n',
        b'{"index":0,"envelope":' + b'{"a":' * 900 + b"1" + b"}" * 902 + b"\n",
        b" " * (MAX_LINE + 1),
        b'{"since":0,"size":1,"before":[],"consistency":[1],"checkpoint":"x"}\n',
        b'{"since":0,"size":1,"before":[],"consistency":["eA=="],"checkpoint":"x"}\n',
        b'{"since":0,"size":1,"before":[],"consistency":["x"],"checkpoint":"x"}\n',
        b'{"since":0,"size":1,"before":{},"consistency":[],"checkpoint":"x"}\n',
        b'{"since":0,"size":1,"before":[],"consistency":[],"checkpoint":1}\n',
        b'{"since":-1,"size":1,"before":[],"consistency":[],"checkpoint":"x"}\n',
        b'{"since":0,"size":1,"before":[],"consistency":[],"checkpoint":"x","more":1}\n',
        b'{"since":0, "size":1,"before":[],"consistency":[],"checkpoint":"x"}\n',
        b'{"since":0,"size":1,"before":[],"consistency":[],"checkpoint":"\\ud800"}\n',
    ],
)
def test_other_lines_are_refused(line: bytes) -> None:
    """Whatever they are, by one reason and without a fault."""
    assert refused([line]) in (Reason.LOG_EXPORT_SHAPE, Reason.ENVELOPE_SHAPE, Reason.ENVELOPE_NOT_CANONICAL)


@pytest.mark.clause("LG-22")
def test_a_portion_is_bounded() -> None:
    """Whoever reads one has no more than so many entries in memory."""
    line = entry_line(0, VAULT.entries[0])
    many = (line.replace(b'{"index":0', b'{"index":%d' % index) for index in range(MAX_ENTRIES + 1))

    assert refused(list(many)) is Reason.LOG_EXPORT_GAP


@pytest.mark.clause("LG-23")
def test_a_bit_that_is_changed_anywhere_is_refused() -> None:
    """Each byte of a portion: envelope, what is read from it, subtrees, proof and checkpoint."""
    lines = portion(1, 3)
    data = b"".join(lines)

    passed = [place for place in range(len(data)) if _passes(data, place)]

    assert passed == []


def _passes(data: bytes, place: int) -> bool:
    flipped = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
    try:
        return bool(read(flipped.splitlines(keepends=True)))
    except VerifyError:
        return False


@pytest.mark.clause("LG-22")
def test_nothing_is_said_of_a_log_without_entries() -> None:
    """No line is no file."""
    assert refused([]) is Reason.LOG_EXPORT_GAP
    with pytest.raises(ValueError, match="another number"):
        Portion((), End(since=1, size=1, before=(), consistency=(), checkpoint=b"")).check(
            Checkpoint("x/y", 1, VAULT.trees[1].root)
        )
