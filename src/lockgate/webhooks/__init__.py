# SPDX-License-Identifier: Apache-2.0
"""Receivers of webhooks verify and order them by what is handed out here, which loads the standard library only."""

from lockgate.webhooks.applied import Applied, Order
from lockgate.webhooks.event import (
    BodyError,
    Event,
    HeadersError,
    SecretError,
    SignatureError,
    TimestampError,
    WebhookError,
    verify,
)

__all__ = [
    "Applied",
    "BodyError",
    "Event",
    "HeadersError",
    "Order",
    "SecretError",
    "SignatureError",
    "TimestampError",
    "WebhookError",
    "verify",
]
