# SPDX-License-Identifier: Apache-2.0
"""Bytes of one file format come in; run records, column by column, go out."""
