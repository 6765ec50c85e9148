# SPDX-License-Identifier: Apache-2.0
"""Leaves come in; roots and proofs must be those of RFC 6962, and nothing else may pass for a proof."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.merkle import (
    EMPTY_ROOT,
    Node,
    Tree,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    plan_consistency,
    plan_inclusion,
    plan_tree,
)
from lockgate.core.refusal import VerifyError

RFC6962 = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "trust_rfc6962.json").read_text(encoding="utf-8")
)
LARGEST = 300
SIZES = st.integers(1, LARGEST)


@cache
def grown() -> tuple[tuple[Tree, ...], dict[Node, bytes]]:
    """Return the tree at every size and the nodes that a store would keep."""
    return grow([b"receipt-%d" % number for number in range(LARGEST)])


def grow(entries: Sequence[bytes]) -> tuple[tuple[Tree, ...], dict[Node, bytes]]:
    """Return the tree of some entries at every size, and its nodes."""
    trees = [Tree()]
    kept: dict[Node, bytes] = {}
    for entry in entries:
        tree, made = trees[-1].append(leaf_hash(entry))
        assert not set(kept) & {node for node, _ in made}
        kept.update(made)
        trees.append(tree)
    return tuple(trees), kept


def hashes(texts: list[str]) -> list[bytes]:
    """Return hashes that are written in hexadecimal."""
    return [bytes.fromhex(text) for text in texts]


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """Return the root as RFC 6962 section 2.1 defines it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


@pytest.mark.clause("RE-10")
@pytest.mark.parametrize("name", RFC6962["trees"])
def test_published_roots_come_out(name: str) -> None:
    """Roots at every published size are those of a reference, from the growing tree and from kept nodes alike."""
    published = RFC6962["trees"][name]
    trees, kept = grown() if published["leaves"] is None else grow(hashes(published["leaves"]))

    for size, root in published["roots"].items():
        tree = trees[int(size)]
        assert tree.root.hex() == root
        assert Tree(int(size), tuple(kept[node] for node in plan_tree(int(size)))) == tree


@pytest.mark.clause("RE-10")
@pytest.mark.parametrize("case", RFC6962["inclusion"], ids=lambda case: f"{case['index']}-{case['size']}")
def test_published_proofs_of_inclusion_come_out(case: dict[str, Any]) -> None:
    """A published proof passes, and is what the kept nodes give."""
    proof = hashes(case["proof"])
    published = RFC6962["trees"][case["tree"]]["leaves"]
    _, kept = grown() if published is None else grow(hashes(published))

    check_inclusion(bytes.fromhex(case["leaf"]), case["index"], (case["size"], bytes.fromhex(case["root"])), proof)

    assert list(plan_inclusion(case["index"], case["size"]).hashes(kept)) == proof


@pytest.mark.clause("RE-10")
@pytest.mark.parametrize("case", RFC6962["consistency"], ids=lambda case: f"{case['m']}-{case['n']}")
def test_published_proofs_of_consistency_come_out(case: dict[str, Any]) -> None:
    """A published proof passes, and is what the kept nodes give."""
    proof = hashes(case["proof"])
    published = RFC6962["trees"][case["tree"]]["leaves"]
    _, kept = grown() if published is None else grow(hashes(published))

    check_consistency((case["m"], bytes.fromhex(case["r1"])), (case["n"], bytes.fromhex(case["r2"])), proof)

    assert list(plan_consistency(case["m"], case["n"]).hashes(kept)) == proof


@pytest.mark.clause("RE-11")
@pytest.mark.parametrize("case", RFC6962["inclusion_must_fail"], ids=lambda case: case["mutation"])
def test_published_forgeries_are_refused(case: dict[str, Any]) -> None:
    """No published change of a proof passes."""
    tree = (case["size"], bytes.fromhex(case["root"]))

    with pytest.raises(VerifyError):
        check_inclusion(bytes.fromhex(case["leaf"]), case["index"], tree, hashes(case["proof"]))


@given(st.lists(st.binary(max_size=8), max_size=40))
@pytest.mark.clause("RE-10")
def test_a_growing_tree_has_the_root_of_the_definition(entries: list[bytes]) -> None:
    """Adding leaves one by one ends where the definition does."""
    trees, _ = grow(entries)

    assert trees[-1].root == by_definition([leaf_hash(entry) for entry in entries])


@given(SIZES, st.data())
@pytest.mark.clause("RE-10")
def test_every_leaf_is_proven_by_few_nodes(size: int, data: st.DataObject) -> None:
    """A proof passes, and what is read for it grows with the logarithm of the size."""
    index = data.draw(st.integers(0, size - 1))
    trees, kept = grown()

    plan = plan_inclusion(index, size)
    check_inclusion(kept[Node(0, index)], index, (size, trees[size].root), plan.hashes(kept))

    assert len(plan.nodes) <= 2 * size.bit_length()


@given(SIZES, st.data())
@pytest.mark.clause("RE-10")
def test_every_growth_is_proven_by_few_nodes(new: int, data: st.DataObject) -> None:
    """Each older tree is shown to be the beginning of each later one."""
    old = data.draw(st.integers(1, new))
    trees, kept = grown()

    plan = plan_consistency(old, new)
    check_consistency((old, trees[old].root), (new, trees[new].root), plan.hashes(kept))

    assert len(plan.nodes) <= 2 * new.bit_length()


@given(SIZES, st.data())
@pytest.mark.clause("RE-11")
def test_a_changed_proof_of_inclusion_is_refused(size: int, data: st.DataObject) -> None:
    """Another index, leaf, root or size, a flipped bit, one hash more, less or shorter: none passes."""
    index = data.draw(st.integers(0, size - 1))
    trees, kept = grown()
    proof = list(plan_inclusion(index, size).hashes(kept))
    leaf, root = kept[Node(0, index)], trees[size].root
    spot = data.draw(st.integers(0, max(0, len(proof) - 1)))
    bit = data.draw(st.integers(0, 255))
    forged = [
        (leaf, data.draw(st.integers(-2, size + 2).filter(lambda other: other != index)), root, proof),
        (flipped(leaf, bit), index, root, proof),
        (leaf, index, flipped(root, bit), proof),
        (leaf, index, root[:-1], proof),
        (leaf[:-1], index, root, proof),
        (leaf, index, root, [*proof, bytes(32)]),
        *([(leaf, index, root, proof[:-1])] if proof else []),
        *([(leaf, index, root, [*proof[:spot], flipped(proof[spot], bit), *proof[spot + 1 :]])] if proof else []),
        *([(leaf, index, root, [*proof[:spot], proof[spot] + b"\x00", *proof[spot + 1 :]])] if proof else []),
    ]

    for other_leaf, other_index, other_root, other_proof in forged:
        with pytest.raises(VerifyError):
            check_inclusion(other_leaf, other_index, (size, other_root), other_proof)


@given(SIZES, st.data())
@pytest.mark.clause("RE-11")
def test_a_changed_proof_of_consistency_is_refused(new: int, data: st.DataObject) -> None:
    """Another root on either side, a flipped bit, one hash more or less: none passes."""
    old = data.draw(st.integers(1, new))
    trees, kept = grown()
    proof = list(plan_consistency(old, new).hashes(kept))
    before, after = trees[old].root, trees[new].root
    spot = data.draw(st.integers(0, max(0, len(proof) - 1)))
    bit = data.draw(st.integers(0, 255))
    forged = [
        (flipped(before, bit), after, proof),
        (before, flipped(after, bit), proof),
        (before, after, [*proof, bytes(32)]),
        *([(before, after, proof[:-1])] if proof else []),
        *([(before, after, [*proof[:spot], flipped(proof[spot], bit), *proof[spot + 1 :]])] if proof else []),
    ]

    for first, second, other in forged:
        with pytest.raises(VerifyError):
            check_consistency((old, first), (new, second), other)


@pytest.mark.clause("RE-11")
@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5)])
def test_nothing_is_proven_of_no_tree_or_backwards(old: int, new: int) -> None:
    """The empty log begins every log, so a proof from it would say nothing; a log never shrinks."""
    with pytest.raises(VerifyError):
        check_consistency((old, EMPTY_ROOT), (new, grown()[0][max(new, 0)].root), [])
    with pytest.raises(ValueError):
        plan_consistency(old, new)


@pytest.mark.clause("RE-11")
@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_no_leaf_is_proven_outside_its_tree(index: int, size: int) -> None:
    """An index is below the size."""
    with pytest.raises(VerifyError):
        check_inclusion(leaf_hash(b""), index, (size, grown()[0][size].root), [])
    with pytest.raises(ValueError):
        plan_inclusion(index, size)


def test_a_tree_has_as_many_peaks_as_its_size_has_ones() -> None:
    """A tree that a store put together wrongly is no tree."""
    with pytest.raises(ValueError):
        Tree(3, (bytes(32),))


def flipped(data: bytes, bit: int) -> bytes:
    """Return some bytes with one bit changed."""
    at, mask = bit // 8 % len(data), 1 << bit % 8
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


@pytest.mark.clause("RE-11")
def test_no_leaf_stands_before_the_first_or_behind_the_last() -> None:
    """Not even where some root follows from a proof of it: a place is read before a proof is."""
    leaf, one, two = (leaf_hash(letter) for letter in (b"a", b"b", b"c"))
    behind = (1, node_hash(one, leaf))
    before = (1, node_hash(two, node_hash(one, leaf)))

    for index, tree, proof in ((1, behind, [one]), (-1, before, [one, two]), (0, (0, leaf), [])):
        with pytest.raises(VerifyError, match="has no leaf"):
            check_inclusion(leaf, index, tree, proof)


@pytest.mark.clause("RE-10")
@pytest.mark.parametrize(("size", "peaks"), [(-1, 1), (-3, 2), (0, 1), (1, 0), (3, 1), (4, 2)])
def test_a_tree_has_as_many_whole_subtrees_as_its_size_has_ones(size: int, peaks: int) -> None:
    """And a size that something can have."""
    with pytest.raises(ValueError, match="whole subtrees"):
        Tree(size, (leaf_hash(b""),) * peaks)
