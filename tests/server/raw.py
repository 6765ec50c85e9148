# SPDX-License-Identifier: Apache-2.0
"""Bytes come in; they are sent to a server as they are, and what it answers, as bytes, goes out."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any

from tests.server.served import Served

SECONDS = 60


def connect(door: Served) -> socket.socket:
    """Return a connection to a server."""
    url = door.http.base_url
    return socket.create_connection((url.host, url.port or 80), SECONDS)


def exchange(door: Served, *pieces: bytes) -> bytes:
    """Send pieces one after another, and return all that comes until the server closes."""
    with connect(door) as opened:
        with suppress(ConnectionError):
            for piece in pieces:
                opened.sendall(piece)
        return read(opened)


def read(opened: socket.socket) -> bytes:
    """Return all that comes until the other end closes."""
    found = b""
    while True:
        piece = opened.recv(65_536)
        if not piece:
            return found
        found += piece


def read_one(opened: socket.socket) -> bytes:
    """Return one answer, and leave the connection open; nothing where it is closed."""
    found = b""
    while b"\r\n\r\n" not in found or len(found) < _length(found):
        piece = opened.recv(65_536)
        if not piece:
            return b""
        found += piece
    return found


def _length(begun: bytes) -> int:
    """Return how long an answer is whose head is there."""
    first, _, _ = begun.partition(b"\r\n\r\n")
    named = dict(line.lower().split(b": ", 1) for line in first.split(b"\r\n")[1:])
    return len(first) + 4 + int(named[b"content-length"])


def head(line: str, *headers: str) -> bytes:
    """Return the head of a request."""
    return "\r\n".join([line, *headers, "", ""]).encode("latin-1")


def answers(said: bytes) -> list[tuple[int, Any]]:
    """Return the status and the document of each answer, by what each says of its length."""
    found = []
    while said:
        first, _, rest = said.partition(b"\r\n\r\n")
        lines = first.split(b"\r\n")
        named = dict(line.lower().split(b": ", 1) for line in lines[1:])
        length = int(named[b"content-length"])
        found.append((int(lines[0].split()[1]), json.loads(rest[:length])))
        said = rest[length:]
    return found


def kind(said: bytes) -> tuple[int, str]:
    """Return the status and the type of the one problem that was answered."""
    ((status, document),) = answers(said)
    return status, document["type"].removeprefix("urn:lockgate:problem:")
