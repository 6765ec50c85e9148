# SPDX-License-Identifier: Apache-2.0
"""A terminal comes in; a rollout that holds and one that fails, on real traffic of this machine, go out."""
