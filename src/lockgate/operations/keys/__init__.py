# SPDX-License-Identifier: Apache-2.0
"""The keys of a house come in; who signs from when on, and what verifies it, goes out."""
