# SPDX-License-Identifier: Apache-2.0
"""A policy or an adapter of your own comes in; a simulated world, schedules with faults and contract suites try it."""
