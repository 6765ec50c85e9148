# SPDX-License-Identifier: Apache-2.0
"""The environment of a process comes in; the release that it runs goes out, if anything names it."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from urllib.parse import unquote

RELEASE = "LOCKGATE_RELEASE"
OTEL_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
_VERSION = "service.version"


def release_of_process() -> str | None:
    """Return what LOCKGATE_RELEASE says, else OpenTelemetry's `service.version`, else None."""
    return os.environ.get(RELEASE) or _of_tracer() or _of_attributes(os.environ.get(OTEL_ATTRIBUTES, ""))


def _of_tracer() -> str | None:
    """Return the version that the application gave its tracer provider; what it did not import is not imported."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    resource = getattr(trace.get_tracer_provider(), "resource", None)
    version = resource and resource.attributes.get(_VERSION)
    return version if version and isinstance(version, str) else None


@lru_cache(maxsize=1)
def _of_attributes(text: str) -> str | None:
    """Return the version among attributes as OpenTelemetry writes them: `key=value` with commas between."""
    found = None
    for pair in text.split(","):
        name, _, value = pair.partition("=")
        if name.strip() == _VERSION:
            found = unquote(value.strip()) or None
    return found
