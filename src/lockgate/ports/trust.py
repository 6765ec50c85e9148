# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds whom an organisation trusts comes in; its rules go out."""

from __future__ import annotations

from typing import Protocol

from lockgate.core.trust_rule import TrustRule


class TrustReading(Protocol):
    """Trust rules of an organisation, as they were at one moment."""

    def trust_rules(self) -> tuple[TrustRule, ...]:
        """Return all rules, the oldest first."""


class TrustWriting(TrustReading, Protocol):
    """Trust rules, to be kept."""

    def put_trust_rule(self, rule: TrustRule) -> None:
        """Keep a rule; one that is known is kept as it is now, in its place."""

    def drop_trust_rule(self, rule_id: str) -> None:
        """Forget a rule; one that is not there needs nothing."""

    def drop_api_key(self, key_id: str) -> None:
        """Forget a key, which opens nothing any more; one that is not there needs nothing."""
