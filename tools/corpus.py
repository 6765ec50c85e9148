# SPDX-License-Identifier: Apache-2.0
"""Receipts with their cases come in from many processes at once; a folder of them goes out, and what it holds.

A folder has one of each lane: a file for each chain of decisions, named by what it holds, and one account for each
process, which says what that process replayed itself, what it left out, and which chains it wrote.
A file is there whole or not at all, and a process that did not end leaves its account open: nothing is lost in silence.
It needs the standard library only, so that it runs wherever a decision is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CHAIN, OPEN, CLOSED = ".chain", ".open", ".account"
# Cases of one rollout are alike: more effort makes them hardly smaller.
EFFORT = 6

# The bytes of a receipt, and of its case.
Decision = tuple[bytes, bytes]


class CorpusError(Exception):
    """A corpus lacks what its accounts speak of, or what was due to be in it."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Decisions of one rollout in their order, and the test that made them."""

    test: str
    decisions: tuple[Decision, ...]

    def marks(self) -> Iterator[bytes]:
        """Yield after each decision what stands for all up to it."""
        hashed = hashlib.sha256()
        for decision in self.decisions:
            hashed.update(mark(decision))
            yield hashed.digest()


def mark(decision: Decision) -> bytes:
    """Return what stands for a decision; the same bytes have the same."""
    return b"".join(hashlib.sha256(part).digest() for part in decision)


@dataclass(slots=True)
class Account:
    """What a process, or all of a lane, replayed itself, what it left out and why, and which chains it wrote."""

    receipts: int = 0
    rollouts: int = 0
    left: Counter[str] = field(default_factory=Counter)
    chains: set[str] = field(default_factory=set)

    def count(self, chains: Sequence[Sequence[Decision]]) -> None:
        """Count a rollout of which these decisions were replayed."""
        self.rollouts += bool(chains)
        self.receipts += sum(map(len, chains))

    def add(self, other: Account) -> None:
        """Count what another one counted."""
        self.receipts += other.receipts
        self.rollouts += other.rollouts
        self.left += other.left
        self.chains |= other.chains

    def words(self) -> str:
        """Return in words what was left out, and how much."""
        return ", ".join(f"{what}: {count:,}" for what, count in sorted(self.left.items()) if count) or "nothing"


class Writer:
    """What one process adds to a corpus, for as long as it lasts."""

    def __init__(self, corpus: Path, lane: str) -> None:
        self._folder = corpus / lane
        self._folder.mkdir(parents=True, exist_ok=True)
        self._open = self._folder / f"{os.getpid()}-{secrets.token_hex(8)}{OPEN}"
        self._open.touch()

    def add(self, chain: Chain) -> str:
        """Write a chain, and return its name; who is killed meanwhile leaves no half of it under that name."""
        lines = [json.dumps({"test": chain.test}).encode()]
        for envelope, case in chain.decisions:
            lines += [envelope, case]
        name = hashlib.sha256(b"\n".join(lines[1:])).hexdigest()[:32]
        _put(self._folder / f"{name}{CHAIN}", zlib.compress(b"\n".join(lines), EFFORT))
        return name

    def close(self, account: Account) -> None:
        """Say what was done; from here on the process is known to have ended."""
        document = {
            "receipts": account.receipts,
            "rollouts": account.rollouts,
            "left": dict(account.left),
            "chains": sorted(account.chains),
        }
        _put(self._open.with_suffix(CLOSED), json.dumps(document).encode())
        self._open.unlink()


def _put(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}-{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)


def read_chain(path: Path) -> Chain:
    """Return the chain of a file."""
    head, *lines = zlib.decompress(path.read_bytes()).split(b"\n")
    return Chain(json.loads(head)["test"], tuple(zip(lines[::2], lines[1::2], strict=True)))


def accounts(corpus: Path, due: Sequence[str] = ()) -> dict[str, Account]:
    """Return the account of each lane; refuse a corpus of which a part is missing, or to which a lane gave nothing."""
    found = {folder.name: _account(folder) for folder in sorted(corpus.glob("*/"))}
    silent = [lane for lane in due if lane not in found or not found[lane].receipts]
    if silent:
        raise CorpusError(f"no decision came from {', '.join(silent)}, which should have made some")
    return found


def _account(folder: Path) -> Account:
    unended = sorted(folder.glob(f"*{OPEN}"))
    if unended:
        raise CorpusError(f"of lane {folder.name} {len(unended)} processes never ended, so that decisions are missing")
    sums = Account()
    for path in sorted(folder.glob(f"*{CLOSED}")):
        said = json.loads(path.read_bytes())
        sums.add(Account(said["receipts"], said["rollouts"], Counter(said["left"]), set(said["chains"])))
    lost = [name for name in sums.chains if not (folder / f"{name}{CHAIN}").exists()]
    if lost:
        raise CorpusError(f"of lane {folder.name} {len(lost)} chains are missing that were written, such as {lost[0]}")
    return sums


@dataclass(frozen=True, slots=True)
class Plan:
    """Which files are to be replayed so that every distinct decision is, and how much that is.

    `decisions` are those that differ in a byte of receipt or case; `turns` count one again that two chains begin with
    which then part. `kept` and `size` are the bytes on the disk and when unpacked.
    """

    files: tuple[Path, ...]
    decisions: int
    turns: int
    kept: int
    size: int


def plan(corpus: Path) -> Plan:
    """Return what is to be replayed: each chain but those that another one begins with, or is."""
    longest: dict[bytes, tuple[int, int, Path]] = {}
    inner, distinct = set[bytes](), set[bytes]()
    kept = size = 0
    for path in sorted(corpus.glob(f"*/*{CHAIN}")):
        chain = read_chain(path)
        *before, last = chain.marks()
        inner.update(before)
        distinct.update(map(mark, chain.decisions))
        own = sum(len(envelope) + len(case) for envelope, case in chain.decisions)
        longest[last] = (own, len(chain.decisions), path)
        kept += path.stat().st_size
        size += own
    # The largest first, so that whoever takes turns at them ends at about the same time.
    needed = sorted((each for last, each in longest.items() if last not in inner), reverse=True)
    return Plan(tuple(path for *_, path in needed), len(distinct), sum(count for _, count, _ in needed), kept, size)
