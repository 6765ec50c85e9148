# SPDX-License-Identifier: Apache-2.0
"""Lockgate: releases take traffic only when they are level with the one they replace."""

__version__ = "0.1.0"

__all__ = ["__version__"]
