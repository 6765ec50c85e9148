# SPDX-License-Identifier: Apache-2.0
"""Tallies of one more bucket come in; evidence that may be looked at at any time goes out."""
