# SPDX-License-Identifier: Apache-2.0
"""Core values come in to be kept; the same values go out."""
