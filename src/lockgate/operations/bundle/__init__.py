# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in; all that proves and explains it goes out as files."""
