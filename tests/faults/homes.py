# SPDX-License-Identifier: Apache-2.0
"""A cluster, or none, comes in; folders go out that name a database of it, or hold the store themselves."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.faults.steps import DATABASE
from tests.postgresql import Cluster


@dataclass(frozen=True)
class Homes:
    """Makes the folders of one kind of store.

    Attributes:
        cluster: where databases are made; without it a store is files.
        unreached: the places of the table that no process reaches which works on such a store.
    """

    cluster: Cluster | None = None
    unreached: frozenset[str] = frozenset()

    def new(self, folder: Path) -> Path:
        """Make a folder where it is not there, with an empty store, and return it."""
        folder.mkdir(exist_ok=True)
        if self.cluster is not None:
            (folder / DATABASE).write_text(self.cluster.new_database(), encoding="utf-8")
        return folder

    def apart(self, folder: Path, target: Path) -> Path:
        """Return what may be looked at as a store stands: of files a copy, because who looks opens and makes some."""
        return self.copy(folder, target) if self.cluster is None else folder

    def copy(self, folder: Path, target: Path) -> Path:
        """Copy a folder with its store, in which nobody is at work, and return the copy."""
        shutil.copytree(folder, target)
        if self.cluster is not None:
            url = self.cluster.new_database((folder / DATABASE).read_text(encoding="utf-8"))
            (target / DATABASE).write_text(url, encoding="utf-8")
        return target
