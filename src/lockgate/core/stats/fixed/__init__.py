# SPDX-License-Identifier: Apache-2.0
"""Tallies of a finished sample come in; intervals and tests for one look go out."""
