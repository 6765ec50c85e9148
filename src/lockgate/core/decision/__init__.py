# SPDX-License-Identifier: Apache-2.0
"""A rollout and its verdict come in; one decision, with its cause and reason, goes out."""
