# SPDX-License-Identifier: Apache-2.0
"""Timestamp authorities: asked over HTTP, and what they sign verified."""
