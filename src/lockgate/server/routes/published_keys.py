# SPDX-License-Identifier: Apache-2.0
"""Calls of anybody come in; the public keys by which what an organisation signed is verified go out.

An organisation that signed nothing is answered as one that is not there; of others the name is all that one needs.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from lockgate.core.app import DEFAULT_ORG
from lockgate.core.published_keys import ALLOWED_SIGNERS, JWKS, LOG_KEYS
from lockgate.errors import UnknownError
from lockgate.operations.keys.manifest import current_manifest
from lockgate.operations.keys.published_keys import published_keys
from lockgate.ports.house import House
from lockgate.server.call import Answer, Call
from lockgate.server.problem import NOT_THERE, ProblemError
from lockgate.server.routes.log import ENVELOPE

ORG = ("org",)
PEM_KIND, TEXT = "application/x-pem-file", "text/plain; charset=utf-8"
KINDS = {JWKS: "application/jwk-set+json", ALLOWED_SIGNERS: TEXT, LOG_KEYS: TEXT}
KNOWN = ", ".join((*KINDS, "KEYID.pem"))
# Keys are renewed seldom, and who verifies by an old copy is told that a key is unknown.
CACHE = {"cache-control": "public, max-age=300"}
MAX_NAME = 200


def show_manifest(call: Call) -> Answer:
    """Return the manifest of an organisation's keys, byte for byte as its root keys signed it."""
    data = current_manifest(_house(call))
    if data is None:
        raise ProblemError(
            NOT_THERE,
            "no organisation of that name has published a manifest of its keys",
            "`lockgate keys manifest`, on the server's machine, drafts one for its root keys to sign.",
        )
    return _answer(data, ENVELOPE)


def show_file(call: Call) -> Answer:
    """Return the keys in one encoding, or one key in PEM."""
    name = call.named["file"]
    try:
        data = published_keys(_house(call)).get(name)
    except UnknownError as error:
        raise ProblemError(NOT_THERE, error.message, error.advice) from error
    if data is None:
        raise ProblemError(NOT_THERE, f"there is no key file {name[:MAX_NAME]}", f"There are {KNOWN}.")
    return _answer(data, KINDS.get(name, PEM_KIND))


def _answer(data: bytes, kind: str) -> Answer:
    tag = f'"sha256:{hashlib.sha256(data).hexdigest()}"'
    return Answer(body=data, kind=kind, headers={**CACHE, "etag": tag})


def _house(call: Call) -> House:
    return replace(call.house, org=call.query.get("org", DEFAULT_ORG))
