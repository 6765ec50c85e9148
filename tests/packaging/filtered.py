# SPDX-License-Identifier: Apache-2.0
"""The text of a systemd unit comes in; a program under the filter of system calls that it asks for goes out.

Made here for x86_64 and aarch64 as systemd makes it, because a container has no systemd that could; what systemd
answers to calls that it has never heard of (ENOSYS) is left out. Run as a program it takes a file with the filter and
a command, and becomes that command.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Sets = Mapping[str, set[str]]
TABLE = Path(__file__).with_name("system_calls.txt")
ALWAYS = "@default"
# linux/audit.h, and the column of the table.
MACHINES = {"x86_64": (0xC000003E, 1), "aarch64": (0xC00000B7, 2)}
# linux/bpf_common.h: load a word; go on where it is equal; return.
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
# linux/seccomp.h: where the parts of `struct seccomp_data` are, and what a filter returns.
CALL_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
ALLOWED, REFUSED, KILLED = 0x7FFF0000, 0x00050000, 0x80000000
# linux/prctl.h
NO_NEW_PRIVILEGES, SET_SECCOMP, BY_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def committed_sets() -> Sets:
    """Return the calls of each set in the table."""
    sets: dict[str, set[str]] = {}
    for call, _, _, *names in _rows():
        for name in names:
            sets.setdefault(name, set()).add(call)
    return sets


def named_sets(unit: str) -> set[str]:
    """Return the sets that a unit names, and the one that is always there."""
    return {word for line in values(unit, "SystemCallFilter") for word in re.findall(r"@[\w-]+", line)} | {ALWAYS}


def values(unit: str, name: str) -> list[str]:
    """Return what a unit says of something, in the order of its lines."""
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


def allowed_calls(unit: str, sets: Sets) -> set[str]:
    """Return the calls that are left when each line of a unit's filter has been added or taken away."""
    first, *_ = lines = values(unit, "SystemCallFilter")
    assert not first.startswith("~"), "what a unit does not take away it would allow"
    left = set(sets[ALWAYS])
    for line in lines:
        named = {call for word in line.removeprefix("~").split() for call in sets.get(word, {word})}
        left = left - named if line.startswith("~") else left | named
    return left


def filter_of(unit: str, sets: Sets) -> bytes:
    """Return the filter of a unit for this machine, in the code of the kernel."""
    machine, column = MACHINES[platform.machine()]
    numbers = {row[0]: int(row[column]) for row in _rows() if row[column] != "-"}
    allowed = [numbers[call] for call in sorted(allowed_calls(unit, sets)) if call in numbers]
    families = [getattr(socket, name) for name in " ".join(values(unit, "RestrictAddressFamilies")).split()]
    refusal = KILLED
    for name in values(unit, "SystemCallErrorNumber"):
        refusal = REFUSED | getattr(errno, name)
    code = [
        (LOAD, 0, 0, MACHINE_AT),
        *((EQUAL, 1, 0, machine), (RETURN, 0, 0, KILLED)),
        (LOAD, 0, 0, CALL_AT),
        # Past what is asked of sockets: one step to load, two for each family, and one to refuse.
        (EQUAL, 0, 2 + 2 * len(families), numbers["socket"]),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        *_allowing(families, REFUSED | errno.EAFNOSUPPORT),
        *_allowing(allowed, refusal),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in code)


def under(unit: str, sets: Sets, folder: Path, command: Sequence[str]) -> list[str]:
    """Return a command that runs another one under the filter of a unit."""
    (folder / "filter").write_bytes(filter_of(unit, sets))
    return [sys.executable, __file__, str(folder / "filter"), *command]


def _rows() -> list[list[str]]:
    return [line.split() for line in TABLE.read_text(encoding="ascii").splitlines() if not line.startswith("#")]


def _allowing(words: Sequence[int], refusal: int) -> list[tuple[int, int, int, int]]:
    """Return the steps that allow some words, and nothing else."""
    steps = [step for word in words for step in ((EQUAL, 0, 1, word), (RETURN, 0, 0, ALLOWED))]
    return [*steps, (RETURN, 0, 0, refusal)]


def _become(file: str, *command: str) -> None:
    code = Path(file).read_bytes()
    program = _Program(len(code) // struct.calcsize("=HBBI"), code)
    libc = ctypes.CDLL(None, use_errno=True)
    _ask(libc, NO_NEW_PRIVILEGES, ctypes.c_ulong(1))
    _ask(libc, SET_SECCOMP, ctypes.c_ulong(BY_FILTER), ctypes.byref(program))
    os.execv(command[0], command)  # noqa: S606 -- the filter is of this process


def _ask(libc: ctypes.CDLL, option: int, *arguments: Any) -> None:
    # The kernel reads four words, and refuses those that it has no use for unless they are 0.
    words = [*arguments, *[ctypes.c_ulong(0)] * (4 - len(arguments))]
    if libc.prctl(option, *words) != 0:
        raise OSError(ctypes.get_errno(), "the kernel takes no filter")


if __name__ == "__main__":
    _become(*sys.argv[1:])
