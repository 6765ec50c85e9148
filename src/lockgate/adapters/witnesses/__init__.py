# SPDX-License-Identifier: Apache-2.0
"""Witnesses: those that are asked, and what one of our own keeps."""
