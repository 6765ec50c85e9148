# SPDX-License-Identifier: Apache-2.0
"""Whoever asks comes in; whether they may, by which key or rule, goes out."""
