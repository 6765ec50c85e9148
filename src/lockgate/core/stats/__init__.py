# SPDX-License-Identifier: Apache-2.0
"""Tallies come in; intervals and log-evidence go out, computed so that every machine gets the same bytes."""
