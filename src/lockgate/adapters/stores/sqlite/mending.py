# SPDX-License-Identifier: Apache-2.0
"""The folder of a store comes in; what can be made again from the rest of it is made again in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lockgate.adapters.stores.sqlite.file import OBJECTS, explain, objects_of
from lockgate.adapters.stores.sqlite.moved import left_for
from lockgate.adapters.stores.sqlite.soundness import GUARDS
from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS
from lockgate.core.merkle import Node
from lockgate.errors import LeftError, UnsoundError

_NODE_TRIGGERS = ("kept_node", "kept_node_gone")
_SCHEMAS = {CONTROL: "control", RUNS: "runs"}


class SqliteMending:
    """Both files of a store, each in a transaction of its own that is held until the end."""

    def __init__(self, links: dict[str, sqlite3.Connection]) -> None:
        self._links = links

    def rebuild_indexes(self) -> None:
        """Make indexes and triggers again; those that are not of the schema go."""
        for name, link in self._links.items():
            expected = objects_of(_SCHEMAS[name])
            for each, written in link.execute(OBJECTS).fetchall():
                # What is not written belongs to its table. A table that is gone took rows with it, which nothing makes
                # again.
                if each.startswith(GUARDS) and written and written != expected.get(each):
                    kind, _, object_name = each.partition(" ")
                    link.execute(f"DROP {kind} {_quoted(object_name)}")
            found = dict(link.execute(OBJECTS))
            for each in expected.keys() - found.keys():
                if each.startswith(GUARDS) and expected[each]:
                    link.execute(expected[each])
            link.execute("REINDEX")

    def replace_nodes(self, org: str, nodes: Iterable[tuple[Node, bytes]]) -> int:
        """Replace all nodes; the triggers that hold everybody else stand again before anybody sees them gone."""
        link = self._links[CONTROL]
        expected = objects_of(_SCHEMAS[CONTROL])
        for name in _NODE_TRIGGERS:
            link.execute(f"DROP TRIGGER IF EXISTS {name}")
        link.execute("DELETE FROM nodes WHERE org = ?", (org,))
        rows = ((org, node.level, node.position, hashed) for node, hashed in nodes)
        made = link.executemany("INSERT INTO nodes VALUES (?, ?, ?, ?)", rows).rowcount
        for name in _NODE_TRIGGERS:
            link.execute(expected[f"trigger {name}"])
        return max(made, 0)


class SqliteMendings:
    """Opens mendings of the store in a folder."""

    def __init__(self, folder: Path, busy_seconds: float) -> None:
        self._folder, self._busy_seconds = folder, busy_seconds

    @contextmanager
    def mending(self) -> Iterator[SqliteMending]:
        """Open a mending; raw runs are kept first, as everywhere."""
        control, runs = self._folder / CONTROL, self._folder / RUNS
        try:
            with closing(self._begun(control)) as first, closing(self._begun(runs)) as second:
                name = left_for(first, control)
                if name is not None:
                    raise LeftError(f"this store was copied to {name} and goes on there", advice="Mend that one.")
                yield SqliteMending({CONTROL: first, RUNS: second})
                second.execute("COMMIT")
                first.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            raise UnsoundError(
                f"indexes are not made again: {error}",
                advice="Rows contradict each other. Put back the latest backup that is sound.",
            ) from error
        except sqlite3.Error as error:
            raise explain(error, control) from error

    def _begun(self, path: Path) -> sqlite3.Connection:
        link = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=self._busy_seconds, isolation_level=None)
        try:
            link.execute("PRAGMA synchronous = FULL")
            link.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            link.close()
            raise
        return link


def _quoted(name: str) -> str:
    """Return a name that somebody else may have given, as SQL."""
    return '"' + name.replace('"', '""') + '"'
