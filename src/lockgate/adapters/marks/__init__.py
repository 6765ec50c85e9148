# SPDX-License-Identifier: Apache-2.0
"""Signed checkpoints come in and stay outside of the store; the largest goes out."""
