# SPDX-License-Identifier: Apache-2.0
"""A function comes in; one that does the same, each call of it within a context of its own, goes out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any


def recorded(again: Callable[[], AbstractContextManager[object]], function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the same kind; a generator's context lasts until it ends."""
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def stream(*args: object, **named: object) -> AsyncGenerator[Any, Any]:
            with again():
                inner, sent = function(*args, **named), None
                try:
                    while True:
                        sent = yield await inner.asend(sent)
                except StopAsyncIteration:
                    return
                finally:
                    await inner.aclose()

        return stream
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def steps(*args: object, **named: object) -> Generator[Any, Any, Any]:
            with again():
                return (yield from function(*args, **named))

        return steps
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: object, **named: object) -> object:
            with again():
                return await function(*args, **named)

        return awaited

    @functools.wraps(function)
    def called(*args: object, **named: object) -> object:
        with again():
            return function(*args, **named)

    return called
