# SPDX-License-Identifier: Apache-2.0
"""A store comes in; whether it contradicts itself, and what can be made again, goes out."""
