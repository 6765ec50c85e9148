# SPDX-License-Identifier: Apache-2.0
"""Sealed buckets come in; the small state that a verdict is read from goes out."""
