# SPDX-License-Identifier: Apache-2.0
"""A question comes in; its answer goes out, and nothing is written."""
