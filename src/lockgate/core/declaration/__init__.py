# SPDX-License-Identifier: Apache-2.0
"""A policy as its owner wrote it comes in; the Policy goes out, or every fault with its path."""
