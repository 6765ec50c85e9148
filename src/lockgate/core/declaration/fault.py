# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a declared policy comes in piece by piece; one error that lists all of it goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.canonical import Json
from lockgate.errors import DataError

MAX_LISTED = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it is, and what to write instead.

    `is_structural`: a reader who knows only the JSON Schema would refuse it too.
    """

    path: str
    message: str
    is_structural: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def document(self) -> dict[str, Json]:
        """Return the JSON form of answers."""
        return {"path": self.path, "message": self.message}


class PolicyFaults(DataError):  # noqa: N818 -- it carries many
    """A policy that cannot be meant: every fault with its path."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        listed = [f"  {fault}" for fault in faults[:MAX_LISTED]]
        if len(faults) > MAX_LISTED:
            listed.append(f"  and {len(faults) - MAX_LISTED} more")
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(
            "\n".join([f"the policy has {count}:", *listed]),
            advice="`lockgate policy schema` describes every field; `lockgate policy init` writes an example.",
        )
        self.faults = faults
