# SPDX-License-Identifier: Apache-2.0
"""The text of a C2SP tlog-policy comes in; which logs, which witnesses, and how many of them must cosign goes out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lockgate.core.cosignature import WitnessKey, read_witness_key
from lockgate.core.note import NoteKey, read_note_key
from lockgate.core.refusal import Reason, VerifyError

MAX_POLICY_SIZE = 100_000
MAX_OF_A_KIND = 64
NONE = "none"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPACE = re.compile(r"[ \t]+")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness as a policy names it; `url` is where checkpoints are sent to, and may be empty."""

    name: str
    key: WitnessKey
    url: str = ""

    def line(self) -> str:
        """Return its line in a policy."""
        return " ".join(filter(None, ("witness", self.name, self.key.text, self.url)))


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these witnesses and groups must have cosigned."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """Logs that are known, witnesses that are trusted, and whose cosignatures suffice."""

    logs: tuple[NoteKey, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    def is_met(self, cosigned: Collection[str]) -> bool:
        """Say whether the witnesses of these names, as the policy names them, suffice."""
        return self.quorum == NONE or self._has(self.quorum, cosigned)

    def _has(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._has(member, cosigned) for member in {*group.members}) >= group.least


@dataclass(slots=True)
class _Reading:
    """What the lines so far have said."""

    logs: list[NoteKey] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    quorums: list[str] = field(default_factory=list)
    members: set[str] = field(default_factory=set)

    def take(self, line: str, kind: str, words: list[str]) -> None:
        """Take one line, which has been split into its first word and those behind it."""
        if _CONTROL.search(line):
            raise ValueError("it holds control characters")
        match kind, words:
            case "log", [key] | [key, _]:
                self._take_log(read_note_key(key))
            case "witness", [name, key]:
                self._take_witness(Witness(name, read_witness_key(key)))
            case "witness", [name, key, url]:
                self._take_witness(Witness(name, read_witness_key(key), url))
            case "group", [name, least, *members] if members:
                self._take_group(name, least, tuple(members))
            case "quorum", [name]:
                self.quorums.append(name if name == NONE else self._defined(name))
            case _:
                raise ValueError(
                    "a line is `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME K NAME...` or `quorum NAME`"
                )

    def _take_log(self, key: NoteKey) -> None:
        if any(each.raw == key.raw for each in self.logs):
            raise ValueError("two logs have the same key")
        self.logs.append(key)

    def _take_witness(self, witness: Witness) -> None:
        if any(each.key.raw == witness.key.raw for each in self.witnesses):
            raise ValueError("two witnesses have the same key")
        self._refuse_known(witness.name)
        self.witnesses.append(witness)

    def _take_group(self, name: str, least: str, members: tuple[str, ...]) -> None:
        self._refuse_known(name)
        counts = {"any": 1, "all": len(members)}
        count = counts.get(least) or (int(least) if _COUNT.fullmatch(least) else 0)
        if not 1 <= count <= len(members):
            raise ValueError(f"of {len(members)} members of a group any, all, or 1 to {len(members)} must cosign")
        for member in members:
            # Each counts in one way only.
            if self._defined(member) in self.members:
                raise ValueError(f"{member} is a member twice")
            self.members.add(member)
        self.groups[name] = Group(count, members)

    def _defined(self, name: str) -> str:
        if name not in self.groups and all(name != each.name for each in self.witnesses):
            raise ValueError(f"{name} is named before it is defined")
        return name

    def _refuse_known(self, name: str) -> None:
        if name == NONE or name in self.groups or any(name == each.name for each in self.witnesses):
            raise ValueError(f"the name {name} is taken")


def read_witness_policy(data: bytes) -> WitnessPolicy:
    """Return the policy that a file holds (c2sp.org/tlog-policy)."""
    if len(data) > MAX_POLICY_SIZE:
        raise _bad(f"it is larger than {MAX_POLICY_SIZE:,} bytes")
    read = _Reading()
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = _SPACE.split(line.strip(" \t"))
        if words == [""] or words[0].startswith("#"):
            continue
        try:
            read.take(line, words[0], words[1:])
        except VerifyError as error:
            raise _bad(f"line {number}: {error.message}") from error
        except ValueError as error:
            raise _bad(f"line {number}: {error}") from error
    if len(read.quorums) != 1:
        raise _bad("it has one line `quorum NAME`, or `quorum none`")
    if max(len(read.logs), len(read.witnesses), len(read.groups)) > MAX_OF_A_KIND:
        raise _bad(f"it has more than {MAX_OF_A_KIND} logs, witnesses or groups")
    return WitnessPolicy(tuple(read.logs), tuple(read.witnesses), dict(read.groups), read.quorums[0])


def _bad(message: str) -> VerifyError:
    return VerifyError(Reason.WITNESS_POLICY, f"this is not a policy of witnesses: {message}")
