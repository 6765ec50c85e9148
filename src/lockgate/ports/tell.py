# SPDX-License-Identifier: Apache-2.0
"""How long work tells how far it has come."""

from __future__ import annotations

from collections.abc import Callable

# What is counted, in words, and how many of it so far.
Tell = Callable[[str, int], None]
