# SPDX-License-Identifier: Apache-2.0
"""What the owner declared: gates, steps, rules and modes, immutable and digested."""
