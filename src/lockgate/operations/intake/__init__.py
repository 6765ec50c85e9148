# SPDX-License-Identifier: Apache-2.0
"""Runs come in; what they are tallied to, in buckets and pairs, goes out."""
