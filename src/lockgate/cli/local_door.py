# SPDX-License-Identifier: Apache-2.0
"""The name of a command and its words come in; what it answers from this machine's store goes out."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.cli import local
from lockgate.cli.asked.desk import Desk
from lockgate.cli.asked.local_place import LocalPlace
from lockgate.cli.asked.table import answer
from lockgate.cli.said import Said


class LocalDoor:
    """This machine's store."""

    def __init__(self) -> None:
        self._place = LocalPlace()

    def ask(self, name: str, words: Mapping[str, object]) -> Said:
        """Return what a command says."""
        return answer(name, words, Desk(place=self._place, screen=local.screen()))
