# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; the witness that is in it, or the witnesses that are asked from it, go out."""

from __future__ import annotations

import os
from pathlib import Path

from lockgate.ports.witness import CosigningKey, WitnessList, WitnessMemory

WITNESSES = "LOCKGATE_WITNESSES"
LISTED, TREES = "witnesses.txt", "witness.db"


def witness_list(home: Path) -> WitnessList:
    """Return the witnesses that this machine asks: those of the file LOCKGATE_WITNESSES, or of one in the home."""
    from lockgate.adapters.witnesses.listed import ListedWitnesses

    return ListedWitnesses(Path(os.environ.get(WITNESSES) or home / LISTED).expanduser())


def make_witness(folder: Path, name: str) -> CosigningKey:
    """Make the key of a witness in a folder, and the file of what it cosigns."""
    from lockgate.adapters.witnesses.key_file import make_key
    from lockgate.adapters.witnesses.tree_file import make_tree_file

    made = make_key(folder, name)
    make_tree_file(folder / TREES)
    return made


def open_witness(folder: Path) -> tuple[CosigningKey, WitnessMemory]:
    """Return the key of a witness, and what it has cosigned."""
    from lockgate.adapters.witnesses.key_file import open_key
    from lockgate.adapters.witnesses.tree_file import TreeFile

    return open_key(folder), TreeFile(folder / TREES)
