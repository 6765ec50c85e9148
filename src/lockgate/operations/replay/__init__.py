# SPDX-License-Identifier: Apache-2.0
"""Receipts come in; whether the same decisions come out of the same evidence goes out."""
