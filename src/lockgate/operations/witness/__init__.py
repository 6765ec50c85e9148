# SPDX-License-Identifier: Apache-2.0
"""Checkpoints come in; what others say of them goes out."""
