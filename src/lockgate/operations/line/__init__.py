# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in; what it reads, and what its decision comes to in the store, goes out: the parts of a tick."""
