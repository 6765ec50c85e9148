# SPDX-License-Identifier: Apache-2.0
"""Bytes come in; signatures of a key that stays inside go out."""
