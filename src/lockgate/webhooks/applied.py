# SPDX-License-Identifier: Apache-2.0
"""Verified webhooks come in; whether each is newer than what was carried out of its app goes out, and is kept on disk.

For whoever receives webhooks: it loads the standard library only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from lockgate.errors import DataError, UsageError
from lockgate.webhooks.event import Event


class Order(StrEnum):
    """How a webhook stands to what was carried out of its app."""

    NEWER = "newer"
    AGAIN = "again"
    OLDER = "older"


class Applied:
    """The newest webhook of each app that was carried out, on disk, so that an older one that comes late is let be.

    Messages may come twice, and a retry may come after what followed it: a late promote must not undo a rollback.
    Carry out what is `NEWER`; what comes `AGAIN` may be, as it says the same; answer what is `OLDER` by 2xx and do
    nothing. One file is for one endpoint; one process at a time writes it, and one thread at a time calls this.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newest = _read(path)

    def order_of(self, event: Event) -> Order:
        """Return whether an event is newer than what was carried out of its app."""
        app, index = _place(event)
        newest = self._newest.get(app, {}).get("log_index", -1)
        if index == newest:
            return Order.AGAIN
        return Order.NEWER if index > newest else Order.OLDER

    def record(self, event: Event) -> None:
        """Keep that an event was carried out; it is on disk when this returns."""
        app, index = _place(event)
        told = {"log_index": index, "id": event.id, "candidate": event.candidate, "weight": event.weight}
        newest = {**self._newest, app: told}
        _write(self._path, newest)
        self._newest = newest

    def document(self) -> dict[str, dict[str, Any]]:
        """Return, by app, what was carried out last."""
        return {app: dict(told) for app, told in self._newest.items()}


def _place(event: Event) -> tuple[str, int]:
    if event.app is None or event.log_index is None:
        raise UsageError(f"a webhook of the type {event.type} asks for no weight", advice="Look at is_movement first.")
    return event.app, event.log_index


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return what a file holds, nothing where there is none; one that is not whole is no empty one."""
    try:
        newest = json.loads(path.read_bytes())
        if all(type(told["log_index"]) is int for told in newest.values()):
            return dict(newest)
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        pass
    raise DataError(
        f"{path} does not say what was carried out last",
        advice="Set the router by what `lockgate list` says, and move the file away.",
    )


def _write(path: Path, newest: Mapping[str, Any]) -> None:
    """Replace a file, so that it is whole before and after a loss of power."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(newest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
