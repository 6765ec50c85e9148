# SPDX-License-Identifier: Apache-2.0
"""A message comes in; a receiver outside is sent it, signed."""
