# SPDX-License-Identifier: Apache-2.0
"""The token of a CI job comes in; a key for some minutes goes out, where a trust rule is for such jobs."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.app import DEFAULT_ORG, check_name
from lockgate.core.id_token import RefusedTokenError, SilentIssuerError, UsedTokenError
from lockgate.errors import UnreachableError
from lockgate.operations.access.exchange_token import exchange
from lockgate.report.key_listing import key_document
from lockgate.server.call import Answer, Call, needed, text_of
from lockgate.server.problem import NO_TRUST, USED_TOKEN, ProblemError, problem_of

# A token has at most 16 KiB, and nothing else that comes with it is long.
MAX_BODY = 32 * 1024


def exchange_token(call: Call) -> Answer:
    """Give a job a key for the token that its CI system has signed; the token is used up by that."""
    document = call.document("token", "org")
    token, org = needed("token", text_of(document, "token")), text_of(document, "org") or DEFAULT_ORG
    if call.id_tokens is None:
        raise UnreachableError("this server asks no issuer of tokens", advice="Call with a key.")
    try:
        issued, _ = exchange(token, replace(call.house, org=check_name("an organisation", org)), call.id_tokens)
    except RefusedTokenError as error:
        kind = USED_TOKEN if isinstance(error, UsedTokenError) else NO_TRUST
        raise ProblemError(kind, error.message, error.advice) from error
    except SilentIssuerError as error:
        found = problem_of(error)
        raise ProblemError(found.kind, found.detail, found.advice) from error
    return Answer(document={**key_document(issued.key), "token": issued.token}, headers={"cache-control": "no-store"})
