# SPDX-License-Identifier: Apache-2.0
"""What a command answers comes in from this machine's store or from a server; it is the same value, and goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Said(NamedTuple):
    """What one command says: `out` on standard output and `told` on standard error, files to be written, and its code.

    `is_data`: `out` is for programs. `question`: nothing is done yet, and a person is asked this first; `more` is what
    the next call names besides.
    """

    code: int = 0
    out: str = ""
    is_data: bool = False
    told: tuple[str, ...] = ()
    files: Mapping[str, bytes] = {}
    question: str = ""
    more: Mapping[str, object] = {}

    def document(self) -> dict[str, Any]:
        """Return the JSON form, in which files are base64."""
        from base64 import b64encode

        files = {name: b64encode(data).decode() for name, data in self.files.items()}
        return {**self._asdict(), "told": list(self.told), "files": files, "more": dict(self.more)}


def said_of(document: Mapping[str, object]) -> Said:
    """Return what a server's document says; fields that are not known yet are left out."""
    from base64 import b64decode

    told, files, more = document["told"], document["files"], document["more"]
    if not (isinstance(told, list) and isinstance(files, dict) and isinstance(more, dict)):
        raise TypeError("a field is of another kind")
    return Said(
        code=int(str(document["code"])),
        out=str(document["out"]),
        is_data=bool(document["is_data"]),
        told=tuple(str(each) for each in told),
        files={str(name): b64decode(data, validate=True) for name, data in files.items()},
        question=str(document["question"]),
        more=more,
    )
