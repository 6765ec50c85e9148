# SPDX-License-Identifier: Apache-2.0
"""Lockgate: releases take traffic only when they are level with the one they replace."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lockgate.recorder import Recorder, current_run, record

__version__ = "0.1.0"

__all__ = ["Recorder", "__version__", "current_run", "record"]


def __getattr__(name: str) -> object:
    """Return what an application records runs by; who only asks for the version does not load it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lockgate import recorder  # noqa: PLC0415 -- every command would load it

    globals().update({each: getattr(recorder, each) for each in ("Recorder", "current_run", "record")})
    return globals()[name]
