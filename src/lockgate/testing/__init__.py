# SPDX-License-Identifier: Apache-2.0
"""Contract suites for those who write an adapter of their own: subclass one, and pytest runs it."""
