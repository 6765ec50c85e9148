# SPDX-License-Identifier: Apache-2.0
"""A simulated world, schedules with faults, and contract suites for those who write an adapter of their own, come out."""
